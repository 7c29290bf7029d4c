-- The days of the week of $today: what was planned, what was run, and what became of it.
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
days as (
    select cast(unnest(generate_series(week_start, week_start + 6, interval 1 day)) as date) as local_date
    from this_week
)
select
    days.local_date,
    matched.session,
    matched.planned_distance_m,
    matched.status,
    matched.activity_id,
    matched.distance_m,
    activities.local_date as run_date,
    activities.pace_s_per_km,
    activities.title
from days
left join plan_vs_actual as matched
    on matched.athlete = $athlete
    and matched.local_date = days.local_date
left join activities
    on activities.activity_id = matched.activity_id
order by days.local_date, matched.planned_distance_m desc nulls last, activities.started_at, matched.session;
