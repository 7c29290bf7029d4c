-- The rise of the week that each planned run will make.

alter table upcoming_spikes add column week_done_m double;
alter table upcoming_spikes add column week_planned_m double;
alter table upcoming_spikes add column week_before_m double;
alter table upcoming_spikes add column week_ramp_ratio double;
alter table upcoming_spikes add column week_is_ramp boolean;
comment on column upcoming_spikes.week_done_m is 'Metres run so far in the seven days that end with this one.';
comment on column upcoming_spikes.week_planned_m is 'Metres planned in these seven days from today on, this run included; what is already run is not in it.';
comment on column upcoming_spikes.week_before_m is 'Metres of the seven days before, run or still planned.';
comment on column upcoming_spikes.week_ramp_ratio is 'What these seven days will hold over the seven before, minus 1; null when those hold nothing.';
comment on column upcoming_spikes.week_is_ramp is 'Whether that would be a steep rise, by the limits in kneewatch.toml.';
