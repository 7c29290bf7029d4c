-- How closely each plan week up to $today was kept: distance, time, sessions and intensity, due beside done.
select
    plan_week,
    week_start,
    planned_distance_m,
    distance_m,
    distance_share,
    distance_band,
    planned_timer_s,
    timer_s,
    time_share,
    time_band,
    planned_sessions,
    done_sessions,
    sessions_share,
    unplanned_runs,
    known_intensities,
    intensities_as_planned
from weekly_adherence
where athlete = $athlete
and week_start <= cast($today as date)
order by plan_week;
