-- Sixteen weeks, run beside planned: those of the plan while $today lies in it, else the last sixteen.
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
plan_span as (
    select
        min(local_date) as first_date,
        max(local_date) as last_date
    from plan_sessions
    where athlete = $athlete
),
bounds as (
    -- Counted from this week, so that the weeks start on the athlete's own first day of the week.
    select
        coalesce(this_week.week_start between first_date - 6 and last_date, false) as is_in_plan,
        case
            when is_in_plan then this_week.week_start - 7 * cast(ceil((this_week.week_start - first_date) / 7) as integer)
            else this_week.week_start - 7 * 15
        end as first_week_start,
        case when is_in_plan then last_date else this_week.week_start end as last_date
    from this_week
    cross join plan_span
),
weeks as (
    select
        cast(unnest(generate_series(first_week_start, last_date, interval 7 day)) as date) as week_start,
        is_in_plan
    from bounds
),
planned as (
    select
        weeks.week_start,
        max(week) as plan_week,
        sum(distance_m) as planned_distance_m
    from weeks
    join plan_sessions
        on plan_sessions.athlete = $athlete
        and plan_sessions.local_date between weeks.week_start and weeks.week_start + 6
    group by weeks.week_start
),
spikes as (
    select
        weeks.week_start,
        max(spike_ratio) as spike_ratio
    from weeks
    join runs
        on runs.athlete = $athlete
        and runs.local_date between weeks.week_start and weeks.week_start + 6
    join run_metrics using (activity_id)
    where spike_bin in ('small', 'moderate', 'large')
    group by weeks.week_start
)
select
    weeks.week_start,
    weeks.is_in_plan,
    weeks.week_start = this_week.week_start as is_this_week,
    coalesce(trends.plan_week, planned.plan_week) as plan_week,
    trends.runs,
    trends.distance_m,
    coalesce(trends.planned_distance_m, planned.planned_distance_m) as planned_distance_m,
    trends.timer_s,
    trends.longest_run_m,
    trends.pace_s_per_km,
    trends.load_hrss,
    trends.worst_pain,
    trends.alerts,
    spikes.spike_ratio
from weeks
cross join this_week
left join weekly_trends as trends
    on trends.athlete = $athlete
    and trends.week_start = weeks.week_start
    and trends.week_start <= this_week.week_start
left join planned
    on planned.week_start = weeks.week_start
left join spikes
    on spikes.week_start = weeks.week_start
order by weeks.week_start;
