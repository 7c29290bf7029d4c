-- What the best efforts of the twelve weeks up to that of $today are worth over the half marathon, beside the goal.
select
    week_start,
    critical_speed_m_per_s,
    1000 / critical_speed_m_per_s as critical_pace_s_per_km,
    d_prime_m,
    critical_speed_efforts,
    from_distance_m,
    from_time_s,
    from_date,
    half_riegel_s,
    own_exponent,
    half_own_s,
    vdot,
    half_vdot_s,
    goal_s,
    goal_s / 21.0975 as goal_pace_s_per_km
from race_equivalents
where athlete = $athlete
and week_start <= cast($today as date)
order by week_start desc
limit 1;
