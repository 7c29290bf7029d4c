-- More of load: Lucia's impulse where the thresholds are known, progression over two weeks, steps, and the usual cadence.

alter table run_metrics add column trimp_lucia double;
comment on column run_metrics.trimp_lucia is 'Lucia TRIMP: minutes below, between and above the ventilatory thresholds, weighted 1, 2 and 3; null without both thresholds.';

alter table run_metrics add column cadence_steps double;
comment on column run_metrics.cadence_steps is 'Steps of both feet, summed up from cadence; null with a cadence for less than half of the time.';
comment on column run_metrics.knee_load_klu is 'Knee load units: 1 is the modelled load of a flat kilometre at 6:00 at the runner''s usual cadence. For one runner only, never an alarm.';

alter table activity_marks add column cadence_by_speed_spm double[];
alter table activity_marks add column time_by_speed_s double[];
comment on column activity_marks.cadence_by_speed_spm is 'Median cadence at each speed from 2 to 5 m/s in steps of 0.25, steps per minute; NaN at a speed that was not run; null without cadence.';
comment on column activity_marks.time_by_speed_s is 'Seconds that each entry of cadence_by_speed_spm rests on.';

alter table daily_load add column load_unit varchar;
comment on column daily_load.load_unit is 'What ctl, atl and tsb rest on: hrss, rtss or srpe, one for the whole history; null when no session has any.';
comment on column daily_load.srpe is 'Session-RPE of all sessions that have one, strength and cross-training included; null when there were sessions and none has.';

alter table weekly_trends add column two_week_ramp_ratio double;
alter table weekly_trends add column steps double;
alter table weekly_trends add column steep_descent_m double;
comment on column weekly_trends.two_week_ramp_ratio is 'Distance over that of two weeks before, minus 1; null when nothing was run then.';
comment on column weekly_trends.steps is 'Steps of the week''s runs: the watch''s own count, else from cadence; null when there were runs and none has them.';
comment on column weekly_trends.steep_descent_m is 'Metres descended on grades of -3 % or steeper; null when no run has altitude.';
