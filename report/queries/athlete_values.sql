-- The athlete's own values on $today: what counts, since when, whether it was estimated, and what it rests on.
select
    parameter,
    value,
    valid_from,
    is_estimated,
    evidence
from athlete_parameters
where athlete = $athlete
and (valid_from is null or valid_from <= cast($today as date))
qualify row_number() over (partition by parameter order by valid_from desc nulls last) = 1
order by list_position(
    [
        'resting_hr_bpm', 'max_hr_bpm', 'threshold_hr_bpm', 'vt1_hr_bpm', 'vt2_hr_bpm', 'threshold_pace_s_per_km'
    ],
    parameter
);
