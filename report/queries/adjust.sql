-- What `kneewatch plan adjust` proposes for the 14 days from $today: each session before and after, and why.
select
    week,
    local_date,
    session,
    distance_m,
    duration_s,
    new_session,
    new_distance_m,
    new_duration_s,
    new_rpe,
    new_zone,
    new_notes,
    reason
from plan_proposal
where athlete = $athlete
and local_date >= cast($today as date)
order by local_date, session nulls last, distance_m;
