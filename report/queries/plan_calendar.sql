-- The whole plan, session by session: what became of each, what the runs ahead would be as spikes, and the runs that were not planned.
with planned as (
    select
        *,
        row_number() over (partition by local_date, session order by distance_m, session_key) as place
    from plan_sessions
    where athlete = $athlete
),
became as (
    select
        *,
        row_number() over (partition by local_date, session order by planned_distance_m) as place
    from plan_vs_actual
    where athlete = $athlete
    and session is not null
),
coming as (
    select
        *,
        row_number() over (partition by local_date, session order by planned_distance_m) as place
    from upcoming_spikes
    where athlete = $athlete
)
select
    planned.* exclude (place),
    became.status,
    became.activity_id,
    became.distance_m as done_m,
    coming.longest_30d_m,
    coming.spike_ratio,
    coming.spike_bin,
    coming.longest_safe_m as longest_without_spike_m
from planned
left join became using (local_date, session, place)
left join coming using (local_date, session, place)
union all by name
select
    athlete,
    plan_week as week,
    local_date,
    status,
    activity_id,
    distance_m as done_m
from plan_vs_actual
where athlete = $athlete
and session is null
order by local_date, session nulls last;
