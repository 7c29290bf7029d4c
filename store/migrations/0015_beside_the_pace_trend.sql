-- What stands beside weekly pace: how sure its trend is, heat and hills, and the plan's pace in each zone.

alter table run_metrics add column temperature_c double;
comment on column run_metrics.temperature_c is 'Mean temperature at the device, degrees Celsius; a watch on the wrist reads some degrees too warm.';

create table weekly_pace (
    athlete varchar not null,
    week_start date not null,
    line_pace_s_per_km double,
    temperature_c double,
    climb_m_per_km double,
    trend_tau double,
    trend_p double,
    confounders varchar[]
);
comment on table weekly_pace is 'One row per athlete and week: how sure the trend of easy pace is, and what else could be behind it.';
comment on column weekly_pace.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column weekly_pace.week_start is 'First day of the week, by the athlete''s setting.';
comment on column weekly_pace.line_pace_s_per_km is 'A second opinion on easy pace: the line of speed over mean heart rate through the runs of the week, read at the reference; null below three runs and where the reference is not among their heart rates.';
comment on column weekly_pace.temperature_c is 'Mean temperature at the device of the runs that easy pace rests on, by their seconds of it, degrees Celsius.';
comment on column weekly_pace.climb_m_per_km is 'Metres climbed per kilometre in the runs that easy pace rests on.';
comment on column weekly_pace.trend_tau is 'Kendall''s tau-b of easy pace and time over the last 16 weeks: -1 is faster every week; null below six weeks and where all are alike.';
comment on column weekly_pace.trend_p is 'Two-sided p of the Mann-Kendall test of the same weeks; null below six weeks.';
comment on column weekly_pace.confounders is 'heat, hills: named where easy pace was slower the warmer or the hillier it was in these weeks; null below six weeks.';

create table zone_pace (
    athlete varchar not null,
    week_start date not null,
    zone varchar not null,
    runs integer not null,
    distance_m double not null,
    planned_pace_s_per_km double not null,
    gap_s_per_km double not null,
    pace varchar not null check (pace in ('as planned', 'faster than planned', 'slower than planned'))
);
comment on table zone_pace is 'One row per athlete, week and zone of the plan with a run that stands for a session of it.';
comment on column zone_pace.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column zone_pace.week_start is 'First day of the week, by the athlete''s setting.';
comment on column zone_pace.zone is 'Zone of the plan''s sessions.';
comment on column zone_pace.runs is 'Runs that stand for sessions of this zone.';
comment on column zone_pace.distance_m is 'Metres of these runs.';
comment on column zone_pace.planned_pace_s_per_km is 'Planned time over planned distance of the sessions that were run, seconds per kilometre.';
comment on column zone_pace.gap_s_per_km is 'Grade-adjusted pace of the runs, weighted by distance, seconds per kilometre.';
comment on column zone_pace.pace is 'as planned (within 5 %), faster than planned or slower than planned.';
