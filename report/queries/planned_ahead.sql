-- What is planned on $today and on the next day that is none of rest: each session with what it would be as a spike.
with ahead as (
    select *
    from plan_sessions
    where athlete = $athlete
    and local_date >= cast($today as date)
),
next_day as (
    select min(local_date) as local_date
    from ahead
    where local_date > cast($today as date)
    and session <> 'rest'
)
select
    ahead.local_date,
    ahead.local_date = cast($today as date) as is_today,
    ahead.week as plan_week,
    ahead.session,
    ahead.distance_m,
    ahead.duration_s,
    ahead.rpe,
    ahead.zone,
    ahead.notes,
    ahead.planned_pace_s_per_km,
    coming.longest_30d_m,
    coming.spike_ratio,
    coming.spike_bin,
    coming.longest_safe_m as longest_without_spike_m,
    coming.reason,
    matched.status,
    matched.distance_m as done_m
from ahead
left join upcoming_spikes as coming
    on coming.athlete = ahead.athlete
    and coming.local_date = ahead.local_date
    and coming.session = ahead.session
    and coming.planned_distance_m = ahead.distance_m
left join plan_vs_actual as matched
    on matched.athlete = ahead.athlete
    and matched.local_date = ahead.local_date
    and matched.session = ahead.session
    and matched.planned_distance_m = ahead.distance_m
where ahead.local_date in (cast($today as date), (select local_date from next_day))
order by ahead.local_date, ahead.distance_m desc;
