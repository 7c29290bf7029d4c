-- Time in zones, by run and by week.

create table zone_times (
    activity_id varchar not null,
    kind varchar not null check (kind in ('heart_rate', 'pace')),
    zone integer not null check (zone between 0 and 5),
    time_s double not null check (time_s >= 0)
);
comment on table zone_times is 'One row per run, kind and zone: how long it was run in; no row of a kind that was not measured.';
comment on column zone_times.activity_id is 'The run.';
comment on column zone_times.kind is 'heart_rate: by share of maximum heart rate; pace: by graded pace over threshold pace.';
comment on column zone_times.zone is '1 (easiest) to 5; 0 is below 50 % of maximum heart rate. Standing is in no zone of pace.';
comment on column zone_times.time_s is 'Seconds of timer time.';

create table weekly_zones (
    athlete varchar not null,
    week_start date not null,
    kind varchar not null check (kind in ('heart_rate', 'pace')),
    zone_0_s double not null,
    zone_1_s double not null,
    zone_2_s double not null,
    zone_3_s double not null,
    zone_4_s double not null,
    zone_5_s double not null,
    easy_share double,
    hard_share double,
    known_share double
);
comment on table weekly_zones is 'One row per athlete, week and kind: time of all runs in the zones; no row of a kind that was not measured in the week.';
comment on column weekly_zones.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column weekly_zones.week_start is 'First day of the week, by the athlete''s setting.';
comment on column weekly_zones.kind is 'heart_rate or pace, as in zone_times.';
comment on column weekly_zones.zone_0_s is 'Seconds below zone 1.';
comment on column weekly_zones.zone_1_s is 'Seconds in zone 1.';
comment on column weekly_zones.zone_2_s is 'Seconds in zone 2.';
comment on column weekly_zones.zone_3_s is 'Seconds in zone 3.';
comment on column weekly_zones.zone_4_s is 'Seconds in zone 4.';
comment on column weekly_zones.zone_5_s is 'Seconds in zone 5.';
comment on column weekly_zones.easy_share is 'Share of the time in zones that was easy: below 80 % of maximum heart rate, or slower than 114 % of threshold pace, 0 to 1.';
comment on column weekly_zones.hard_share is 'The rest of it, 0 to 1.';
comment on column weekly_zones.known_share is 'Share of the running time that the zones hold, 0 to 1; the rest was not measured, or spent standing.';
