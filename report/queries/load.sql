-- Load on $today and in its week: fitness, ratios, knee load, and how many runs have no heart-rate load. Always one row.
with this_week as (
    select coalesce(
        (
            select max(week_start)
            from weekly_trends
            where athlete = $athlete
            and week_start between cast($today as date) - 6 and cast($today as date)
        ),
        cast(date_trunc('week', cast($today as date)) as date)
    ) as week_start
),
days as (
    select *
    from daily_load
    where athlete = $athlete
    and local_date <= cast($today as date)
),
last_day as (
    select
        ctl,
        atl,
        tsb,
        acwr_uncoupled,
        acwr_ewma,
        is_warming_up,
        load_unit,
        (select min(local_date) from days) + 41 as warming_up_until
    from days
    qualify row_number() over (order by local_date desc) = 1
),
counted as (
    select
        count(*) filter (local_date >= this_week.week_start) as week_runs,
        count(*) filter (local_date >= this_week.week_start and avg_hr_bpm is null) as week_runs_without_heart_rate,
        count(*) filter (local_date >= this_week.week_start and hrss is null) as week_runs_without_hrss,
        count(*) as runs_42d,
        count(*) filter (
            case last_day.load_unit when 'hrss' then hrss when 'rtss' then rtss else srpe end is null
        ) as runs_42d_without_load
    from runs
    join run_metrics using (activity_id)
    cross join this_week
    left join last_day on true
    where athlete = $athlete
    and local_date between cast($today as date) - 41 and cast($today as date)
)
select
    last_day.*,
    counted.*,
    trends.ramp_ratio,
    trends.two_week_ramp_ratio,
    trends.knee_load_klu,
    trends.steep_descent_m,
    trends.steps,
    before.knee_load_klu as last_week_knee_load_klu,
    before.steep_descent_m as last_week_steep_descent_m,
    before.monotony as last_week_monotony,
    before.strain as last_week_strain
from this_week
cross join counted
left join last_day on true
left join weekly_trends as trends
    on trends.athlete = $athlete
    and trends.week_start = this_week.week_start
left join weekly_trends as before
    on before.athlete = $athlete
    and before.week_start = this_week.week_start - 7;
