-- The sixteen weeks that end with that of $today: distance, time and knee load beside the plan, how closely it was kept, pain and spikes.
with weeks as (
    select *
    from weekly_trends
    where athlete = $athlete
    and week_start > cast($today as date) - 7 * 16
    and week_start <= cast($today as date)
),
spikes as (
    select
        weeks.week_start,
        max(spike_ratio) as spike_ratio
    from weeks
    join activities
        on activities.athlete = $athlete
        and activities.local_date between weeks.week_start and weeks.week_start + 6
        and activities.duplicate_of is null
        and activities.part_of is null
        and not activities.is_excluded
    join run_metrics using (activity_id)
    where spike_bin in ('small', 'moderate', 'large')
    group by weeks.week_start
)
select
    weeks.week_start,
    weeks.week_start + 6 >= cast($today as date) as is_last,
    weeks.plan_week,
    weeks.runs,
    weeks.distance_m,
    weeks.planned_distance_m,
    weeks.timer_s,
    weeks.planned_timer_s,
    weeks.knee_load_klu,
    weeks.pace_s_per_km,
    weeks.easy_pace_s_per_km,
    weeks.pace_trend,
    weeks.pace_trend_s_per_km_per_week,
    weeks.pace_trend_low,
    weeks.pace_trend_high,
    weeks.worst_pain,
    weeks.pain_reports,
    spikes.spike_ratio,
    kept.planned_sessions,
    kept.done_sessions,
    kept.distance_share,
    kept.distance_band
from weeks
left join spikes
    on spikes.week_start = weeks.week_start
left join weekly_adherence as kept
    on kept.athlete = $athlete
    and kept.week_start between weeks.week_start and weeks.week_start + 6
order by weeks.week_start;
