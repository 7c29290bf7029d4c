-- The fastest stretch over each distance up to $today, with the best before it; and the fastest of the last twelve weeks.
with lately as (
    select
        best_efforts.distance_m,
        min(best_efforts.time_s) as lately_s
    from best_efforts
    join runs using (activity_id)
    where runs.athlete = $athlete
    and runs.local_date > cast($today as date) - 7 * 12
    and runs.local_date <= cast($today as date)
    group by best_efforts.distance_m
)
select
    distance_m,
    time_s,
    time_s / distance_m * 1000 as pace_s_per_km,
    local_date,
    previous_s,
    local_date > cast($today as date) - 7 as is_new,
    lately_s
from personal_bests
left join lately using (distance_m)
where athlete = $athlete
and local_date <= cast($today as date)
qualify row_number() over (partition by distance_m order by time_s) = 1
order by distance_m;
