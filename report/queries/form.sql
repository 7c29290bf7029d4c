-- Running form of the four weeks up to $today against the four before, at equal speeds; and the median change within a run.
with trends as (
    select *
    from form_trends
    where athlete = $athlete
    and week_start <= cast($today as date)
    qualify week_start = max(week_start) over ()
    and week_start > cast($today as date) - 7
)
select
    trends.measure,
    any_value(trends.value) as value,
    any_value(trends.runs) as runs,
    any_value(trends.runs_before) as runs_before,
    any_value(trends.change) as change,
    any_value(trends.change_low) as change_low,
    any_value(trends.change_high) as change_high,
    any_value(trends.trend) as trend,
    median(
        case trends.measure
            when 'stance_time_ms' then run_metrics.stance_time_drift_ms
            when 'stance_balance_pct' then run_metrics.stance_balance_drift_pct
            when 'vertical_oscillation_mm' then run_metrics.vertical_oscillation_drift_mm
            when 'step_length_mm' then run_metrics.step_length_drift_mm
            when 'cadence_spm' then run_metrics.cadence_drift_spm
        end
    ) as drift
from trends
left join runs
    on runs.athlete = $athlete
    and runs.local_date between trends.week_start - 21 and cast($today as date)
left join run_metrics using (activity_id)
group by trends.measure
order by list_position(
    ['stance_time_ms', 'stance_balance_pct', 'vertical_oscillation_mm', 'step_length_mm', 'cadence_spm'],
    trends.measure
);
