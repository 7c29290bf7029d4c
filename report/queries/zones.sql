-- Time in zones of heart rate and of pace in the week of $today, how much of it was easy, and whether they rest on an estimate.
with limits as (
    select
        case parameter when 'max_hr_bpm' then 'heart_rate' else 'pace' end as kind,
        is_estimated
    from athlete_parameters
    where athlete = $athlete
    and parameter in ('max_hr_bpm', 'threshold_pace_s_per_km')
    and (valid_from is null or valid_from <= cast($today as date))
    qualify row_number() over (partition by parameter order by valid_from desc nulls last) = 1
)
select
    zones.kind,
    [zone_1_s, zone_2_s, zone_3_s, zone_4_s, zone_5_s] as times_s,
    zone_0_s,
    easy_share,
    hard_share,
    known_share,
    coalesce(limits.is_estimated, false) as is_estimated
from weekly_zones as zones
left join limits
    on limits.kind = zones.kind
where athlete = $athlete
and week_start between cast($today as date) - 6 and cast($today as date)
order by zones.kind;
