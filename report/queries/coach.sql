-- Every athlete on $today in one row: the alert that weighs most, the last two pain scores, the last spike and missed runs of 14 days, last run and report, what is next.
with people as (
    select athlete from activities
    union
    select athlete from pain_reports
    union
    select athlete from plan_sessions
),
open_alert as (
    select
        *,
        evidence -> '$.spikes[#-1]' as spike,
        evidence -> '$.pain' as pain
    from alerts
    where status = 'open'
    and local_date <= cast($today as date)
    qualify row_number() over (
        partition by athlete
        order by
            is_medical desc,
            coalesce(urgency = 'same_day', false) desc,
            list_position(['stop', 'warning', 'caution', 'info'], severity),
            local_date desc,
            alert_id
    ) = 1
),
peaks as (
    select
        athlete,
        local_date,
        max(greatest(before, during, after_60min, next_morning)) as peak
    from pain_reports
    where local_date <= cast($today as date)
    group by athlete, local_date
),
reported as (
    select athlete, max(local_date) as last_report_date
    from peaks
    group by athlete
),
scored as (
    select
        athlete,
        local_date as peak_date,
        peak,
        lag(peak) over by_day as earlier_peak,
        lag(local_date) over by_day as earlier_peak_date
    from peaks
    where peak is not null
    and local_date > cast($today as date) - 14
    window by_day as (partition by athlete order by local_date)
    qualify row_number() over (partition by athlete order by local_date desc) = 1
),
last_run as (
    select
        athlete,
        max(local_date) as last_run_date,
        arg_max(distance_m, started_at) as last_run_m
    from runs
    where local_date <= cast($today as date)
    group by athlete
),
last_spike as (
    select
        runs.athlete,
        runs.local_date as spike_date,
        runs.distance_m as spike_distance_m,
        run_metrics.longest_30d_m as spike_longest_30d_m,
        run_metrics.spike_ratio,
        run_metrics.spike_bin
    from runs
    join run_metrics using (activity_id)
    where runs.local_date > cast($today as date) - 14
    and runs.local_date <= cast($today as date)
    and run_metrics.spike_bin in ('small', 'moderate', 'large')
    qualify row_number() over (partition by runs.athlete order by runs.started_at desc) = 1
),
kept as (
    select
        athlete,
        count(*) as planned_runs,
        count(*) filter (where status = 'missed') as missed_runs,
        max(local_date) filter (where status = 'missed') as last_missed_date
    from plan_vs_actual
    where planned_distance_m > 0
    and status <> 'upcoming'
    and local_date > cast($today as date) - 14
    and local_date <= cast($today as date)
    group by athlete
),
next_session as (
    select
        athlete,
        local_date as next_date,
        session as next_session,
        distance_m as next_distance_m
    from plan_sessions
    where local_date >= cast($today as date)
    and session <> 'rest'
    qualify row_number() over (partition by athlete order by local_date, distance_m desc) = 1
)
select
    people.athlete,
    open_alert.alert_id,
    open_alert.severity,
    open_alert.rule,
    open_alert.side,
    open_alert.is_medical,
    open_alert.urgency,
    cast(open_alert.pain ->> '$.local_date' as date) as alert_pain_date,
    cast(open_alert.pain ->> '$.peak' as double) as alert_peak,
    cast(open_alert.pain -> '$.flags' as varchar[]) as alert_flags,
    cast(open_alert.spike ->> '$.local_date' as date) as alert_spike_date,
    cast(open_alert.spike ->> '$.distance_m' as double) as alert_distance_m,
    cast(open_alert.spike ->> '$.longest_30d_m' as double) as alert_longest_30d_m,
    cast(open_alert.spike ->> '$.spike_ratio' as double) as alert_spike_ratio,
    cast(open_alert.spike ->> '$.week_m' as double) as alert_week_m,
    cast(open_alert.spike ->> '$.week_before_m' as double) as alert_week_before_m,
    scored.* exclude (athlete),
    reported.last_report_date,
    last_run.last_run_date,
    last_run.last_run_m,
    last_spike.* exclude (athlete),
    coalesce(kept.planned_runs, 0) as planned_runs,
    coalesce(kept.missed_runs, 0) as missed_runs,
    kept.last_missed_date,
    next_session.* exclude (athlete)
from people
left join open_alert using (athlete)
left join reported using (athlete)
left join scored using (athlete)
left join last_run using (athlete)
left join last_spike using (athlete)
left join kept using (athlete)
left join next_session using (athlete)
order by people.athlete;
