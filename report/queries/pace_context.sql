-- How sure the trend of easy pace is, and heat and hills of its sixteen weeks.
with weeks as (
    select *
    from weekly_pace
    where athlete = $athlete
    and week_start > cast($today as date) - 7 * 16
    and week_start <= cast($today as date)
)
select
    arg_max(trend_tau, week_start) as trend_tau,
    arg_max(trend_p, week_start) as trend_p,
    coalesce(arg_max(confounders, week_start), []) as confounders,
    min(temperature_c) as coolest_c,
    max(temperature_c) as warmest_c,
    min(climb_m_per_km) as flattest_m_per_km,
    max(climb_m_per_km) as hilliest_m_per_km
from weeks;
