-- The last runs of eight weeks with a left-right balance, beside the knee pain noted on their day; null is not reported.
with noted as (
    select
        local_date,
        side,
        greatest(before, during, after_60min, next_morning) as worst
    from pain_reports
    where athlete = $athlete
),
worst as (
    select
        local_date,
        max(worst) filter (where side in ('left', 'both')) as left_pain,
        max(worst) filter (where side in ('right', 'both')) as right_pain
    from noted
    group by local_date
)
select
    runs.local_date,
    runs.distance_m,
    stance_balance_pct,
    stance_balance_drift_pct,
    left_pain,
    right_pain
from runs
join run_metrics using (activity_id)
left join worst using (local_date)
where runs.athlete = $athlete
and stance_balance_pct is not null
and runs.local_date > cast($today as date) - 7 * 8
and runs.local_date <= cast($today as date)
order by runs.started_at desc
limit 12;
