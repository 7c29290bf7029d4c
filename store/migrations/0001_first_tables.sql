-- Facts first (never rewritten), then what is derived from them (thrown away and rebuilt).
-- SI units with the unit as suffix; instants are timestamptz in UTC; local_date is the athlete's day; unknown is null.

create table exports (
    export_id varchar not null,
    parent_id varchar,
    athlete varchar not null,
    file_name varchar not null,
    format varchar,
    size_bytes bigint not null,
    outcome varchar not null check (outcome in ('ingested', 'partly_ingested', 'duplicate', 'quarantined', 'ignored')),
    reason varchar,
    activities integer not null default 0,
    seen_at timestamptz not null,
    reader_version varchar not null,
    primary key (athlete, export_id, file_name)
);
comment on table exports is 'One row per file seen, whatever became of it.';
comment on column exports.export_id is 'SHA-256 of the bytes, of a .gz decompressed; the name of the original in archive/.';
comment on column exports.parent_id is 'export_id of the archive this file was a member of.';
comment on column exports.athlete is 'Whose export it is: the folder below inbox/, else the default athlete.';
comment on column exports.file_name is 'Name as dropped, relative to the athlete''s folder; a member is archive.zip/path/inside.';
comment on column exports.format is 'What the content is: fit, gpx, pain_csv, strength_csv; null when not recognised.';
comment on column exports.size_bytes is 'Size as dropped, in bytes.';
comment on column exports.outcome is 'ingested, partly_ingested, duplicate, quarantined or ignored.';
comment on column exports.reason is 'Why it was refused, ignored or only partly taken in: a sentence for the runner.';
comment on column exports.activities is 'Number of activities (or of log rows) it brought.';
comment on column exports.seen_at is 'When Kneewatch took it in (UTC).';
comment on column exports.reader_version is 'Version of the readers that judged it.';

create table activities (
    activity_id varchar primary key,
    athlete varchar not null,
    export_id varchar not null,
    sport varchar not null,
    sub_sport varchar,
    is_run boolean not null,
    is_indoor boolean not null,
    started_at timestamptz not null,
    local_date date not null,
    utc_offset_s integer not null,
    elapsed_s double not null check (elapsed_s >= 0),
    timer_s double not null check (timer_s >= 0),
    moving_s double,
    distance_m double check (distance_m >= 0),
    ascent_m double,
    descent_m double,
    avg_hr_bpm double,
    max_hr_bpm double,
    avg_cadence_spm double,
    pace_s_per_km double,
    gap_s_per_km double,
    steps bigint,
    rpe double,
    feel double,
    title varchar,
    device varchar,
    duplicate_of varchar,
    is_excluded boolean not null default false,
    quality varchar[] not null default [],
    repaired_share double not null default 0
);
comment on table activities is 'One row per activity: one session of one sport.';
comment on column activities.activity_id is 'SHA-256 over athlete, export_id and the session''s place in the file.';
comment on column activities.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column activities.export_id is 'The export it came from.';
comment on column activities.sport is 'running, cycling, swimming, walking, … as the file names it; unknown when it does not.';
comment on column activities.sub_sport is 'trail, treadmill, track, … as the file names it.';
comment on column activities.is_run is 'Whether it is running, and so counts for load, pace and spikes.';
comment on column activities.is_indoor is 'Treadmill or indoor: distance from the device, no position.';
comment on column activities.started_at is 'Start (UTC).';
comment on column activities.local_date is 'Calendar day of the start where the athlete was, decided at ingest.';
comment on column activities.utc_offset_s is 'Offset of local time from UTC at the start, in seconds.';
comment on column activities.elapsed_s is 'From start to end, pauses included, in seconds.';
comment on column activities.timer_s is 'With the timer running, in seconds.';
comment on column activities.moving_s is 'Seconds with a speed of at least 0.8 m/s.';
comment on column activities.distance_m is 'Distance in metres: the device''s own where it has one.';
comment on column activities.ascent_m is 'Metres climbed.';
comment on column activities.descent_m is 'Metres descended.';
comment on column activities.avg_hr_bpm is 'Mean heart rate while the timer ran, beats per minute.';
comment on column activities.max_hr_bpm is 'Highest heart rate, beats per minute.';
comment on column activities.avg_cadence_spm is 'Mean cadence, steps per minute of both feet (runs); revolutions per minute otherwise.';
comment on column activities.pace_s_per_km is 'timer_s per kilometre.';
comment on column activities.gap_s_per_km is 'Grade-adjusted pace: what the run would have been on the flat, seconds per kilometre.';
comment on column activities.steps is 'Steps of both feet.';
comment on column activities.rpe is 'Perceived exertion, 0 to 10.';
comment on column activities.feel is 'How the athlete felt, 0 (weak) to 100 (strong), as the watch asked.';
comment on column activities.title is 'Title in the file.';
comment on column activities.device is 'Watch or app that recorded it.';
comment on column activities.duplicate_of is 'activity_id of the canonical record of the same session; null when this is it.';
comment on column activities.is_excluded is 'Taken out of all sums by hand.';
comment on column activities.quality is 'Named findings: what was repaired, missing or doubtful.';
comment on column activities.repaired_share is 'Share of the time that was repaired, 0 to 1.';

create view runs as
select * from activities where is_run and duplicate_of is null and not is_excluded;
comment on view runs is 'The runs that count: canonical, running, not excluded. Columns as in activities.';

create table laps (
    activity_id varchar not null,
    lap_index integer not null,
    started_at timestamptz,
    timer_s double,
    distance_m double,
    avg_hr_bpm double
);
comment on table laps is 'One row per lap, as the device cut them.';
comment on column laps.activity_id is 'The activity it belongs to.';
comment on column laps.lap_index is 'From 0 in order of time.';
comment on column laps.started_at is 'Start (UTC).';
comment on column laps.timer_s is 'Seconds with the timer running.';
comment on column laps.distance_m is 'Metres.';
comment on column laps.avg_hr_bpm is 'Mean heart rate, beats per minute.';

create table pain_reports (
    report_id varchar primary key,
    athlete varchar not null,
    reported_at timestamptz not null,
    local_date date not null,
    activity_id varchar,
    side varchar not null check (side in ('left', 'right', 'both')),
    site varchar,
    before double check (before between 0 and 10),
    during double check (during between 0 and 10),
    after_60min double check (after_60min between 0 and 10),
    next_morning double check (next_morning between 0 and 10),
    flags varchar[] not null default [],
    changed_gait boolean,
    muscle_soreness double check (muscle_soreness between 0 and 10),
    note varchar,
    source varchar not null
);
comment on table pain_reports is 'One row per report of knee pain. No row means not reported, never no pain.';
comment on column pain_reports.report_id is 'SHA-256 over athlete, date, time and side.';
comment on column pain_reports.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column pain_reports.reported_at is 'When (UTC); a report without a time counts as made at the end of its day.';
comment on column pain_reports.local_date is 'The day it speaks of, in the athlete''s time.';
comment on column pain_reports.activity_id is 'The run it speaks of: the last one of that day before the report.';
comment on column pain_reports.side is 'left, right or both.';
comment on column pain_reports.site is 'kneecap, below_kneecap, outer, inner, back or whole.';
comment on column pain_reports.before is 'Pain before the run, 0 to 10.';
comment on column pain_reports.during is 'Worst pain during the run, 0 to 10.';
comment on column pain_reports.after_60min is 'Pain 60 minutes after, 0 to 10.';
comment on column pain_reports.next_morning is 'Pain on the morning after local_date, 0 to 10.';
comment on column pain_reports.flags is 'swelling, locking, giving_way, cannot_bear_weight, deformity, hot_red_fever, night_or_rest_pain, trauma_pop, numbness, hyperextension.';
comment on column pain_reports.changed_gait is 'Whether pain changed how the runner ran, or stopped the run.';
comment on column pain_reports.muscle_soreness is 'Soreness of muscles, kept apart from the knee, 0 to 10.';
comment on column pain_reports.note is 'Free text; never leaves this database.';
comment on column pain_reports.source is 'cli, or the file it came from.';

create table strength_sessions (
    session_id varchar primary key,
    athlete varchar not null,
    local_date date not null,
    exercises struct(name varchar, sets integer, reps integer, load_kg double)[] not null,
    rpe double check (rpe between 0 and 10),
    pain_during double check (pain_during between 0 and 10),
    note varchar
);
comment on table strength_sessions is 'One row per strength session.';
comment on column strength_sessions.session_id is 'SHA-256 over athlete and date.';
comment on column strength_sessions.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column strength_sessions.local_date is 'The day, in the athlete''s time.';
comment on column strength_sessions.exercises is 'What was done: name, sets, reps, load in kilograms.';
comment on column strength_sessions.rpe is 'Perceived exertion, 0 to 10.';
comment on column strength_sessions.pain_during is 'Knee pain during it, 0 to 10.';
comment on column strength_sessions.note is 'Free text.';

create table plan_choices (
    athlete varchar not null,
    plan varchar not null,
    race_date date not null,
    chosen_at timestamptz not null
);
comment on table plan_choices is 'Which plan was chosen, and when; the last one counts.';
comment on column plan_choices.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column plan_choices.plan is 'Name of the plan.';
comment on column plan_choices.race_date is 'Race day; the sixteen weeks end on it.';
comment on column plan_choices.chosen_at is 'When it was chosen (UTC).';

-- Derived from here on -------------------------------------------------------------------------------------

create table run_metrics (
    activity_id varchar not null,
    trimp_banister double,
    trimp_edwards double,
    hrss double,
    rtss double,
    srpe double,
    ngp_m_per_s double,
    efficiency_m_per_min_per_bpm double,
    decoupling_pct double,
    knee_load_klu double,
    easy_pace_s_per_km double,
    easy_pace_s double,
    gap_s_per_km double,
    steep_descent_m double,
    stance_time_ms double,
    stance_balance_pct double,
    vertical_oscillation_mm double,
    cadence_spm double,
    spike_ratio double,
    spike_bin varchar check (spike_bin in ('reference', 'small', 'moderate', 'large', 'no_baseline')),
    longest_30d_m double,
    longest_30d_activity_id varchar,
    inputs_key varchar not null
);
comment on table run_metrics is 'One row per run: what its samples and its place in the history say.';
comment on column run_metrics.activity_id is 'The run.';
comment on column run_metrics.trimp_banister is 'Banister TRIMP from every heart-rate sample, arbitrary units.';
comment on column run_metrics.trimp_edwards is 'Edwards TRIMP: minutes in five zones of maximum heart rate, weighted 1 to 5.';
comment on column run_metrics.hrss is 'TRIMP as a percentage of an hour at threshold heart rate.';
comment on column run_metrics.rtss is 'Running stress score from graded pace: 100 is an hour at threshold pace.';
comment on column run_metrics.srpe is 'Perceived exertion times minutes.';
comment on column run_metrics.ngp_m_per_s is 'Normalised graded speed, metres per second.';
comment on column run_metrics.efficiency_m_per_min_per_bpm is 'Normalised graded speed over mean heart rate, metres per minute per beat per minute.';
comment on column run_metrics.decoupling_pct is 'Loss of efficiency from the first to the second half, percent; null when the run is too short or too hilly.';
comment on column run_metrics.knee_load_klu is 'Knee load units: 1 is the modelled load of a flat kilometre at 6:00. For one runner only, never an alarm.';
comment on column run_metrics.easy_pace_s_per_km is 'Graded pace at the reference heart rate, seconds per kilometre.';
comment on column run_metrics.easy_pace_s is 'Seconds of the run that easy_pace_s_per_km rests on.';
comment on column run_metrics.gap_s_per_km is 'Grade-adjusted pace, seconds per kilometre.';
comment on column run_metrics.steep_descent_m is 'Metres descended on grades of -3 % or steeper.';
comment on column run_metrics.stance_time_ms is 'Mean ground contact time, milliseconds.';
comment on column run_metrics.stance_balance_pct is 'Mean share of ground contact on the left, percent.';
comment on column run_metrics.vertical_oscillation_mm is 'Mean vertical oscillation, millimetres.';
comment on column run_metrics.cadence_spm is 'Mean cadence while running, steps per minute of both feet.';
comment on column run_metrics.spike_ratio is 'Distance over the longest run of the 30 days before, minus 1.';
comment on column run_metrics.spike_bin is 'reference, small, moderate, large, or no_baseline when there was no run in 30 days.';
comment on column run_metrics.longest_30d_m is 'Longest run in the 30 days before, metres.';
comment on column run_metrics.longest_30d_activity_id is 'The run that was the longest of the 30 days before.';
comment on column run_metrics.inputs_key is 'What the metrics were computed from (samples, athlete''s values, formula version); a change recomputes them.';

create table best_efforts (
    activity_id varchar not null,
    distance_m double not null,
    time_s double not null,
    started_at_elapsed_s double not null
);
comment on table best_efforts is 'Fastest stretch of each distance within each run; no stretch spans a pause.';
comment on column best_efforts.activity_id is 'The run.';
comment on column best_efforts.distance_m is 'Length of the stretch, metres.';
comment on column best_efforts.time_s is 'Seconds it took.';
comment on column best_efforts.started_at_elapsed_s is 'Where in the run it began, seconds from the start.';

create table daily_load (
    athlete varchar not null,
    local_date date not null,
    runs integer not null,
    distance_m double not null,
    timer_s double not null,
    srpe double,
    hrss double,
    rtss double,
    knee_load_klu double,
    descent_m double,
    steep_descent_m double,
    ctl double,
    atl double,
    tsb double,
    acwr_uncoupled double,
    acwr_ewma double,
    is_warming_up boolean not null
);
comment on table daily_load is 'One row per athlete and day from the first run on, without gaps.';
comment on column daily_load.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column daily_load.local_date is 'The day, in the athlete''s time.';
comment on column daily_load.runs is 'Number of runs.';
comment on column daily_load.distance_m is 'Metres run.';
comment on column daily_load.timer_s is 'Seconds run.';
comment on column daily_load.srpe is 'Session-RPE of all sessions that have one; null when there were sessions and none has.';
comment on column daily_load.hrss is 'Heart-rate load; null when there were runs and none has heart rate.';
comment on column daily_load.rtss is 'Pace load; null when there were runs and none has it.';
comment on column daily_load.knee_load_klu is 'Knee load units; null when there were runs and none has them.';
comment on column daily_load.descent_m is 'Metres descended; null when no run has altitude.';
comment on column daily_load.steep_descent_m is 'Metres descended on grades of -3 % or steeper; null when no run has altitude.';
comment on column daily_load.ctl is 'Fitness: 42-day exponential mean of load, alpha = 1 - exp(-1/42).';
comment on column daily_load.atl is 'Fatigue: 7-day exponential mean of load, alpha = 1 - exp(-1/7).';
comment on column daily_load.tsb is 'Form: yesterday''s ctl minus yesterday''s atl.';
comment on column daily_load.acwr_uncoupled is 'Distance of 7 days over the weekly mean of the 21 days before; context, never an alarm by itself.';
comment on column daily_load.acwr_ewma is 'The same idea with exponential means of 7 and 28 days; context only.';
comment on column daily_load.is_warming_up is 'True in the first 42 days, when ctl is still dominated by its start.';

create table weekly_trends (
    athlete varchar not null,
    week_start date not null,
    plan_week integer,
    runs integer not null,
    distance_m double not null,
    timer_s double not null,
    longest_run_m double,
    planned_distance_m double,
    planned_runs integer,
    planned_timer_s double,
    planned_load_srpe double,
    planned_pace_s_per_km double,
    done_share double,
    load_hrss double,
    load_rtss double,
    load_srpe double,
    knee_load_klu double,
    ramp_ratio double,
    monotony double,
    strain double,
    acwr_uncoupled double,
    pace_s_per_km double,
    gap_s_per_km double,
    easy_pace_s_per_km double,
    efficiency_m_per_min_per_bpm double,
    pace_trend_s_per_km_per_week double,
    pace_trend_low double,
    pace_trend_high double,
    pace_trend varchar check (pace_trend in ('faster', 'slower', 'no clear trend', 'too few weeks')),
    worst_pain double,
    pain_reports integer not null,
    strength_sessions integer not null,
    alerts integer not null
);
comment on table weekly_trends is 'One row per athlete and week, without gaps, with the plan beside it.';
comment on column weekly_trends.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column weekly_trends.week_start is 'First day of the week, by the athlete''s setting.';
comment on column weekly_trends.plan_week is 'Week of the plan, 1 to 16; null outside it.';
comment on column weekly_trends.runs is 'Number of runs.';
comment on column weekly_trends.distance_m is 'Metres run.';
comment on column weekly_trends.timer_s is 'Seconds run.';
comment on column weekly_trends.longest_run_m is 'Longest run of the week, metres.';
comment on column weekly_trends.planned_distance_m is 'Metres the plan asks for, race included.';
comment on column weekly_trends.planned_runs is 'Runs the plan asks for.';
comment on column weekly_trends.planned_timer_s is 'Running time the plan asks for, seconds.';
comment on column weekly_trends.planned_load_srpe is 'Planned RPE times planned minutes, running only.';
comment on column weekly_trends.planned_pace_s_per_km is 'Planned running time over planned distance, seconds per kilometre.';
comment on column weekly_trends.done_share is 'Metres run over metres planned for the days so far.';
comment on column weekly_trends.load_hrss is 'Heart-rate load of the week; null when there were runs and none has heart rate.';
comment on column weekly_trends.load_rtss is 'Pace load of the week.';
comment on column weekly_trends.load_srpe is 'Session-RPE of the week.';
comment on column weekly_trends.knee_load_klu is 'Knee load units of the week.';
comment on column weekly_trends.ramp_ratio is 'Distance over that of the week before, minus 1; null after a week without runs.';
comment on column weekly_trends.monotony is 'Mean daily distance over its sample standard deviation; null where undefined.';
comment on column weekly_trends.strain is 'Distance in kilometres times monotony.';
comment on column weekly_trends.acwr_uncoupled is 'As in daily_load, on the last day of the week.';
comment on column weekly_trends.pace_s_per_km is 'Timer seconds over kilometres.';
comment on column weekly_trends.gap_s_per_km is 'Grade-adjusted pace of the week, weighted by distance.';
comment on column weekly_trends.easy_pace_s_per_km is 'Graded pace at the reference heart rate; null below 15 minutes of it.';
comment on column weekly_trends.efficiency_m_per_min_per_bpm is 'Mean efficiency, weighted by time.';
comment on column weekly_trends.pace_trend_s_per_km_per_week is 'Theil-Sen slope of easy pace over the last 16 weeks; negative is faster.';
comment on column weekly_trends.pace_trend_low is 'Lower end of its 95 % interval.';
comment on column weekly_trends.pace_trend_high is 'Upper end of its 95 % interval.';
comment on column weekly_trends.pace_trend is 'faster, slower, no clear trend (the interval spans 0) or too few weeks (below 6).';
comment on column weekly_trends.worst_pain is 'Highest knee score of the week, 0 to 10; null when not reported.';
comment on column weekly_trends.pain_reports is 'Number of pain reports.';
comment on column weekly_trends.strength_sessions is 'Number of strength sessions.';
comment on column weekly_trends.alerts is 'Alerts raised in the week, superseded ones apart.';

create table plan_sessions (
    athlete varchar not null,
    plan varchar not null,
    week integer not null,
    local_date date not null,
    session varchar not null,
    distance_m double,
    duration_s double,
    rpe double,
    zone varchar,
    notes varchar
);
comment on table plan_sessions is 'The active plan, dated: one row per planned session.';
comment on column plan_sessions.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column plan_sessions.plan is 'Name of the plan.';
comment on column plan_sessions.week is 'Plan week, 1 to 16.';
comment on column plan_sessions.local_date is 'The day.';
comment on column plan_sessions.session is 'easy, steady, tempo, intervals, long, shakeout, race, strength, mobility or rest.';
comment on column plan_sessions.distance_m is 'Planned metres; 0 when it is not a run.';
comment on column plan_sessions.duration_s is 'Planned seconds.';
comment on column plan_sessions.rpe is 'Planned exertion, 0 to 10.';
comment on column plan_sessions.zone is 'Five-zone scheme of maximum heart rate; none for what is not a run.';
comment on column plan_sessions.notes is 'What to do.';

create table plan_vs_actual (
    athlete varchar not null,
    local_date date not null,
    plan_week integer,
    session varchar,
    planned_distance_m double,
    activity_id varchar,
    distance_m double,
    status varchar not null check (status in ('done', 'short', 'long', 'moved', 'missed', 'unplanned', 'upcoming', 'rest kept'))
);
comment on table plan_vs_actual is 'Each planned session with what became of it, and each run that was not planned.';
comment on column plan_vs_actual.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column plan_vs_actual.local_date is 'The planned day; the day of the run when it was not planned.';
comment on column plan_vs_actual.plan_week is 'Plan week, 1 to 16; null outside the plan.';
comment on column plan_vs_actual.session is 'What was planned; null for an unplanned run.';
comment on column plan_vs_actual.planned_distance_m is 'Planned metres.';
comment on column plan_vs_actual.activity_id is 'The run that was matched.';
comment on column plan_vs_actual.distance_m is 'Metres run.';
comment on column plan_vs_actual.status is 'done (within 20 %), short, long, moved, missed, unplanned, upcoming or rest kept.';

create table upcoming_spikes (
    athlete varchar not null,
    local_date date not null,
    session varchar not null,
    planned_distance_m double not null,
    longest_30d_m double,
    spike_ratio double,
    spike_bin varchar,
    longest_safe_m double,
    reason varchar not null
);
comment on table upcoming_spikes is 'Planned runs of the next 14 days against the longest run of the 30 days that will lie before each.';
comment on column upcoming_spikes.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column upcoming_spikes.local_date is 'The planned day.';
comment on column upcoming_spikes.session is 'What is planned.';
comment on column upcoming_spikes.planned_distance_m is 'Planned metres.';
comment on column upcoming_spikes.longest_30d_m is 'Longest run of the 30 days before it, done or still planned, metres.';
comment on column upcoming_spikes.spike_ratio is 'Planned distance over that, minus 1.';
comment on column upcoming_spikes.spike_bin is 'reference, small, moderate, large or no_baseline.';
comment on column upcoming_spikes.longest_safe_m is 'Longest distance that would be no spike, metres; no promise that it is safe.';
comment on column upcoming_spikes.reason is 'In words.';

create table alerts (
    alert_id varchar primary key,
    athlete varchar not null,
    side varchar check (side in ('left', 'right')),
    episode_id varchar not null,
    raised_at timestamptz not null,
    local_date date not null,
    rule varchar not null,
    severity varchar not null check (severity in ('info', 'caution', 'warning', 'stop')),
    load_level integer check (load_level between 0 and 3),
    pain_level varchar check (pain_level in ('P0', 'P1', 'P2', 'P3', 'R')),
    order_of_events varchar,
    is_medical boolean not null,
    urgency varchar check (urgency in ('same_day', 'soon')),
    message varchar not null,
    action varchar not null,
    evidence json not null,
    status varchar not null check (status in ('open', 'acknowledged', 'cleared', 'superseded')),
    formula_version varchar not null
);
comment on table alerts is 'One row per alert, kept for good; one that no longer holds becomes superseded.';
comment on column alerts.alert_id is 'SHA-256 over what it says: athlete, knee, episode, rule, trigger, levels.';
comment on column alerts.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column alerts.side is 'The knee; null when only load speaks.';
comment on column alerts.episode_id is 'The alerts of one knee and one first spike share it.';
comment on column alerts.raised_at is 'When Kneewatch first raised it (UTC).';
comment on column alerts.local_date is 'The athlete''s day whose events raised it.';
comment on column alerts.rule is 'spike_and_pain, load_spike, knee_pain, pain_rising or medical.';
comment on column alerts.severity is 'info, caution, warning or stop.';
comment on column alerts.load_level is '0 none, 1 small, 2 moderate, 3 large; null when the history is too short to say.';
comment on column alerts.pain_level is 'P0 to P3, R for a red flag; null when pain was not reported.';
comment on column alerts.order_of_events is 'pain after spike, spike on a sore knee, or null when only one of them is there.';
comment on column alerts.is_medical is 'Whether to seek medical advice.';
comment on column alerts.urgency is 'same_day or soon; null when not medical.';
comment on column alerts.message is 'What was seen, with both numbers, the dates and the source.';
comment on column alerts.action is 'What to consider doing. Not a diagnosis.';
comment on column alerts.evidence is 'Every number used, the ids of the rows it came from, thresholds and source.';
comment on column alerts.status is 'open, acknowledged, cleared or superseded.';
comment on column alerts.formula_version is 'Version of the rules that raised it.';

create table deliveries (
    alert_id varchar not null,
    channel varchar not null,
    attempts integer not null,
    delivered_at timestamptz,
    last_error varchar,
    primary key (alert_id, channel)
);
comment on table deliveries is 'One row per alert and channel: the outbox.';
comment on column deliveries.alert_id is 'The alert.';
comment on column deliveries.channel is 'Name of the channel in kneewatch.toml.';
comment on column deliveries.attempts is 'How often it was tried.';
comment on column deliveries.delivered_at is 'When the channel took it (UTC); null until then.';
comment on column deliveries.last_error is 'What the last failed try said.';

create table flow_log (
    started_at timestamptz not null,
    ended_at timestamptz not null,
    step varchar not null,
    outcome varchar not null,
    counts json not null
);
comment on table flow_log is 'One row per pipeline step that ran.';
comment on column flow_log.started_at is 'Start (UTC).';
comment on column flow_log.ended_at is 'End (UTC).';
comment on column flow_log.step is 'take_in, refresh, raise_alerts, notify, publish.';
comment on column flow_log.outcome is 'ok, or what went wrong.';
comment on column flow_log.counts is 'What it did, in numbers.';
