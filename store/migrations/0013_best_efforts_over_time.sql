-- When a distance was run faster than ever, and what the best efforts are worth over the half marathon.

create view personal_bests as
with efforts as (
    select
        runs.athlete,
        best_efforts.distance_m,
        runs.local_date,
        activity_id,
        best_efforts.time_s,
        min(best_efforts.time_s) over (
            partition by runs.athlete, best_efforts.distance_m
            order by runs.started_at, activity_id
            rows between unbounded preceding and 1 preceding
        ) as previous_s
    from best_efforts
    join runs using (activity_id)
)
select
    athlete,
    distance_m,
    local_date,
    activity_id,
    time_s,
    previous_s
from efforts
where previous_s is null or time_s < previous_s;
comment on view personal_bests is 'One row per athlete, distance and run that was faster over it than every run before.';
comment on column personal_bests.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column personal_bests.distance_m is 'Length of the stretch, metres.';
comment on column personal_bests.local_date is 'The day, in the athlete''s time.';
comment on column personal_bests.activity_id is 'The run.';
comment on column personal_bests.time_s is 'Seconds it took.';
comment on column personal_bests.previous_s is 'Seconds of the best before; null for the first.';

create table race_equivalents (
    athlete varchar not null,
    week_start date not null,
    critical_speed_m_per_s double,
    d_prime_m double,
    critical_speed_r2 double,
    critical_speed_efforts integer,
    from_activity_id varchar,
    from_date date,
    from_distance_m double,
    from_time_s double,
    half_riegel_s double,
    own_exponent double,
    half_own_s double,
    vdot double,
    half_vdot_s double,
    goal_s double
);
comment on table race_equivalents is 'One row per athlete and week: what the best efforts of the twelve weeks up to it are worth. Hardly any was all-out, so the speed is a lower bound and the times are upper bounds.';
comment on column race_equivalents.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column race_equivalents.week_start is 'First day of the week, by the athlete''s setting.';
comment on column race_equivalents.critical_speed_m_per_s is 'Slope of distance on time over efforts of 2 to 20 minutes: a lower bound; null below two that are far enough apart.';
comment on column race_equivalents.d_prime_m is 'Metres that can be run above critical speed: height of the same line.';
comment on column race_equivalents.critical_speed_r2 is 'How well the line fits, up to 1.';
comment on column race_equivalents.critical_speed_efforts is 'How many efforts the line rests on.';
comment on column race_equivalents.from_activity_id is 'The run of the effort that is worth most over the half marathon.';
comment on column race_equivalents.from_date is 'Its day, in the athlete''s time.';
comment on column race_equivalents.from_distance_m is 'Length of that effort, metres: 5 km or more.';
comment on column race_equivalents.from_time_s is 'Seconds it took.';
comment on column race_equivalents.half_riegel_s is 'Half marathon worth as much after Riegel 1981, exponent 1.06, seconds.';
comment on column race_equivalents.own_exponent is 'The athlete''s own exponent from 5 and 10 km of different runs; null where it is not between 1.01 and 1.2.';
comment on column race_equivalents.half_own_s is 'Half marathon with the own exponent, seconds.';
comment on column race_equivalents.vdot is 'VDOT of that effort (Daniels & Gilbert 1979), ml/kg/min.';
comment on column race_equivalents.half_vdot_s is 'Half marathon of the same VDOT, seconds.';
comment on column race_equivalents.goal_s is 'Goal time in the settings, seconds.';
