-- Easy pace (at the reference heart rate) of the sixteen weeks up to $today; null in a week with too little of it.
select
    week_start,
    easy_pace_s_per_km
from weekly_trends
where athlete = $athlete
and week_start > cast($today as date) - 7 * 16
and week_start <= cast($today as date)
order by week_start;
