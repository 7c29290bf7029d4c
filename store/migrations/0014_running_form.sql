-- Running form: per run, within the run, by speed, and four weeks against the four before.

alter table run_metrics add column step_length_mm double;
alter table run_metrics add column stance_time_drift_ms double;
alter table run_metrics add column stance_balance_drift_pct double;
alter table run_metrics add column vertical_oscillation_drift_mm double;
alter table run_metrics add column step_length_drift_mm double;
alter table run_metrics add column cadence_drift_spm double;
comment on column run_metrics.step_length_mm is 'Mean step length, millimetres; from speed and cadence where the watch has none.';
comment on column run_metrics.stance_time_drift_ms is 'Ground contact time of the last fifth less that of the first, at equal speed on the flat, milliseconds; null below half an hour.';
comment on column run_metrics.stance_balance_drift_pct is 'Share of ground contact on the left of the last fifth less that of the first, at equal speed on the flat, percentage points.';
comment on column run_metrics.vertical_oscillation_drift_mm is 'Vertical oscillation of the last fifth less that of the first, at equal speed on the flat, millimetres.';
comment on column run_metrics.step_length_drift_mm is 'Step length of the last fifth less that of the first, at equal speed on the flat, millimetres.';
comment on column run_metrics.cadence_drift_spm is 'Cadence of the last fifth less that of the first, at equal speed on the flat, steps per minute.';

create table run_form (
    activity_id varchar not null,
    measure varchar not null,
    speed_from_m_per_s double not null,
    value double not null,
    seconds double not null
);
comment on table run_form is 'One row per run, measure of form and band of speed, on the flat, with a minute or more.';
comment on column run_form.activity_id is 'The run.';
comment on column run_form.measure is 'stance_time_ms, stance_balance_pct, vertical_oscillation_mm, step_length_mm or cadence_spm; the unit is in the name.';
comment on column run_form.speed_from_m_per_s is 'Lower end of the band, which is 0.2 m/s wide, metres per second.';
comment on column run_form.value is 'Mean of the measure, in its unit.';
comment on column run_form.seconds is 'Seconds it rests on.';

create table form_trends (
    athlete varchar not null,
    week_start date not null,
    measure varchar not null,
    value double not null,
    runs integer not null,
    runs_before integer not null,
    change double,
    change_low double,
    change_high double,
    trend varchar not null check (trend in ('higher', 'lower', 'no clear change', 'too few runs'))
);
comment on table form_trends is 'One row per athlete, week and measure of form: the four weeks up to it against the four before, at equal speeds on the flat.';
comment on column form_trends.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column form_trends.week_start is 'First day of the last of the four weeks.';
comment on column form_trends.measure is 'As in run_form.';
comment on column form_trends.value is 'Mean of the four weeks at all speeds on the flat, in the unit of the measure.';
comment on column form_trends.runs is 'Runs of the four weeks at speeds that both have.';
comment on column form_trends.runs_before is 'Runs of the four weeks before at speeds that both have.';
comment on column form_trends.change is 'Median difference between a run of now and one of before at equal speeds; null below three runs on either side.';
comment on column form_trends.change_low is 'Lower end of its 95 % interval.';
comment on column form_trends.change_high is 'Upper end of its 95 % interval.';
comment on column form_trends.trend is 'higher, lower, no clear change (the interval spans 0) or too few runs. One in twenty looks clear by chance.';
