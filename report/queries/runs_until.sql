-- The runs of the sixteen weeks up to $today, each with its week, its spike, its knee load and the worst pain reported with it.
with weeks as (
    select week_start
    from weekly_trends
    where athlete = $athlete
    and week_start > cast($today as date) - 7 * 16
    and week_start <= cast($today as date)
),
pain as (
    select
        activity_id,
        max(greatest(before, during, after_60min, next_morning)) as worst_pain
    from pain_reports
    where athlete = $athlete
    group by activity_id
)
select
    weeks.week_start,
    runs.activity_id,
    runs.local_date,
    runs.title,
    runs.is_indoor,
    runs.is_excluded,
    runs.distance_m,
    runs.timer_s,
    runs.pace_s_per_km,
    metrics.spike_bin,
    metrics.spike_ratio,
    metrics.knee_load_klu,
    pain.worst_pain
from weeks
join runs
    on runs.athlete = $athlete
    and runs.local_date between weeks.week_start and weeks.week_start + 6
left join run_metrics as metrics
    on metrics.activity_id = runs.activity_id
left join pain
    on pain.activity_id = runs.activity_id
order by runs.started_at;
