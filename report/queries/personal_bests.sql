-- The fastest stretch over each distance up to $today: ever, and of the last twelve weeks.
with efforts as (
    select
        best_efforts.distance_m,
        best_efforts.time_s,
        runs.local_date,
        runs.started_at,
        best_efforts.time_s / best_efforts.distance_m * 1000 as pace_s_per_km
    from best_efforts
    join runs using (activity_id)
    where runs.athlete = $athlete
    and runs.local_date <= cast($today as date)
),
lately as (
    select
        distance_m,
        min(time_s) as lately_s
    from efforts
    where local_date > cast($today as date) - 7 * 12
    group by distance_m
)
select
    distance_m,
    time_s,
    local_date,
    pace_s_per_km,
    lately_s
from efforts
left join lately using (distance_m)
qualify row_number() over (partition by distance_m order by time_s, started_at) = 1
order by distance_m;
