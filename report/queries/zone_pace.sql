-- The pace of this week's runs in each zone of the plan, beside the pace the plan has for it.
select
    zone,
    runs,
    distance_m,
    planned_pace_s_per_km,
    gap_s_per_km,
    pace
from zone_pace
where athlete = $athlete
and week_start > cast($today as date) - 7
and week_start <= cast($today as date)
order by zone;
