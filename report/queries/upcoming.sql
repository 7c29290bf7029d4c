-- Planned runs of the 14 days from $today against the longest run of the 30 days that will lie before each, with the rise of the week.
select
    local_date,
    session,
    planned_distance_m,
    longest_30d_m,
    spike_ratio,
    spike_bin,
    longest_safe_m as longest_without_spike_m,
    reason,
    week_done_m,
    week_planned_m,
    week_before_m,
    week_ramp_ratio,
    week_is_ramp
from upcoming_spikes
where athlete = $athlete
and local_date >= cast($today as date)
and local_date <= cast($today as date) + 14
order by local_date, planned_distance_m desc;
