-- How closely the plan was kept, by session and by plan week.

alter table plan_vs_actual add column planned_timer_s double;
alter table plan_vs_actual add column timer_s double;
alter table plan_vs_actual add column distance_band varchar;
alter table plan_vs_actual add column time_band varchar;
alter table plan_vs_actual add column zone varchar;
alter table plan_vs_actual add column above_zone_share double;
alter table plan_vs_actual add column intensity varchar;
comment on column plan_vs_actual.planned_timer_s is 'Planned running time, seconds; null for what is no run.';
comment on column plan_vs_actual.timer_s is 'Time of the run, seconds.';
comment on column plan_vs_actual.distance_band is 'far less (below 50 % of the planned distance), less (below 80 %), as planned, more (above 120 %) or far more (above 150 %).';
comment on column plan_vs_actual.time_band is 'The same of the planned time.';
comment on column plan_vs_actual.zone is 'Planned zone; null for what is no run.';
comment on column plan_vs_actual.above_zone_share is 'Share of the run''s time above the planned zone, by heart rate where that is known and by pace else.';
comment on column plan_vs_actual.intensity is 'as planned, harder (more than a fifth of the time above the zone) or easier (a session of zone 3 or more with less than a twentieth of its time in the zone); null where no zones are known.';

create table weekly_adherence (
    athlete varchar not null,
    plan_week integer not null,
    week_start date not null,
    planned_distance_m double not null,
    distance_m double not null,
    distance_share double,
    distance_band varchar check (distance_band in ('far less', 'less', 'as planned', 'more', 'far more')),
    planned_timer_s double not null,
    timer_s double not null,
    time_share double,
    time_band varchar check (time_band in ('far less', 'less', 'as planned', 'more', 'far more')),
    planned_sessions integer not null,
    done_sessions integer not null,
    sessions_share double,
    unplanned_runs integer not null,
    known_intensities integer not null,
    intensities_as_planned integer not null
);
comment on table weekly_adherence is 'One row per athlete and plan week that has begun: what was due of it beside what was done.';
comment on column weekly_adherence.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column weekly_adherence.plan_week is 'Plan week, 1 to 16.';
comment on column weekly_adherence.week_start is 'First day of the plan week.';
comment on column weekly_adherence.planned_distance_m is 'Metres of the runs that were due so far.';
comment on column weekly_adherence.distance_m is 'Metres run, those not planned included.';
comment on column weekly_adherence.distance_share is 'Metres run over metres due; null when none were due.';
comment on column weekly_adherence.distance_band is 'far less (below 50 %), less (below 80 %), as planned, more (above 120 %) or far more (above 150 %).';
comment on column weekly_adherence.planned_timer_s is 'Running time that was due so far, seconds.';
comment on column weekly_adherence.timer_s is 'Running time, seconds.';
comment on column weekly_adherence.time_share is 'Running time over that due; null when none was due.';
comment on column weekly_adherence.time_band is 'The same bands of the time.';
comment on column weekly_adherence.planned_sessions is 'Runs and strength sessions that were due so far.';
comment on column weekly_adherence.done_sessions is 'How many of them were done, short and moved ones included.';
comment on column weekly_adherence.sessions_share is 'Sessions done over those due; null when none was due.';
comment on column weekly_adherence.unplanned_runs is 'Runs that stand for no session.';
comment on column weekly_adherence.known_intensities is 'Planned runs that were done with zones of heart rate or pace.';
comment on column weekly_adherence.intensities_as_planned is 'How many of these were neither harder nor easier than planned.';
