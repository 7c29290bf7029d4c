-- The week of $today beside the plan: always one row, also without a run or a plan.
with this_week as (
    select coalesce(
        (
            select max(week_start)
            from weekly_trends
            where athlete = $athlete
            and week_start between cast($today as date) - 6 and cast($today as date)
        ),
        cast(date_trunc('week', cast($today as date)) as date)
    ) as week_start
),
planned as (
    select
        max(plan) as plan,
        max(week) as plan_week,
        sum(distance_m) as planned_distance_m,
        sum(distance_m) filter (where local_date <= cast($today as date)) as planned_so_far_m,
        count(*) filter (where distance_m > 0) as planned_runs
    from plan_sessions
    join this_week on local_date between week_start and week_start + 6
    where athlete = $athlete
),
plan_span as (
    select
        count(*) > 0 as has_plan,
        max(local_date) as plan_ends_on
    from plan_sessions
    where athlete = $athlete
)
select
    this_week.week_start,
    this_week.week_start + 6 as week_end,
    planned.*,
    plan_span.*,
    (
        select max(local_date)
        from activities
        where athlete = $athlete
        and local_date <= cast($today as date)
    ) as newest_on,
    coalesce(trends.runs, 0) as runs,
    coalesce(trends.distance_m, 0) as distance_m,
    coalesce(trends.timer_s, 0) as timer_s,
    trends.longest_run_m,
    trends.pace_s_per_km,
    trends.load_hrss,
    trends.worst_pain,
    coalesce(trends.pain_reports, 0) as pain_reports,
    coalesce(trends.strength_sessions, 0) as strength_sessions,
    trends.pace_trend_s_per_km_per_week,
    trends.pace_trend_low,
    trends.pace_trend_high,
    trends.pace_trend
from this_week
cross join planned
cross join plan_span
left join weekly_trends as trends
    on trends.athlete = $athlete
    and trends.week_start = this_week.week_start;
