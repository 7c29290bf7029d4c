with
    evidence (id, name, value) as (values
        {numbers}
    ),
    of_runs as (
        select
            r.activity_id as id,
            r.distance_m,
            m.longest_30d_m,
            m.spike_ratio,
            sum(d.distance_m) filter (d.local_date > r.local_date - 7) as week_m,
            sum(d.distance_m) filter (d.local_date between r.local_date - 13 and r.local_date - 7) as week_before_m,
            sum(d.steep_descent_m) filter (d.local_date > r.local_date - 7) as descent_7d_m,
            sum(d.steep_descent_m) filter (d.local_date <= r.local_date - 7) / 3 as descent_mean_m,
            max(d.acwr_uncoupled) filter (d.local_date = r.local_date) as acwr_uncoupled,
            sum(d.distance_m) filter (d.local_date > r.local_date - 7) as ran_7d_m,
            (
                select max(p.planned_distance_m)
                from plan_vs_actual p
                where p.activity_id = r.activity_id
            ) as planned_distance_m,
            (
                select sum(p.planned_distance_m)
                from plan_vs_actual p
                where p.athlete = r.athlete and p.local_date between r.local_date - 6 and r.local_date
            ) as planned_7d_m
        from runs r
        join run_metrics m using (activity_id)
        join daily_load d on d.athlete = r.athlete and d.local_date between r.local_date - 27 and r.local_date
        where r.activity_id in (select id from evidence)
        group by all
    ),
    of_reports as (
        select
            report_id as id,
            before,
            during,
            after_60min,
            next_morning,
            greatest(before, during, after_60min, next_morning) as peak,
            len(flags)::double as flag_count
        from pain_reports
        where report_id in (select id from evidence)
    ),
    of_sessions as (
        select athlete || ' ' || local_date || ' ' || session as id, max(distance_m) as distance_m
        from plan_sessions
        group by all
    ),
    of_the_plan as (
        select
            planned.id,
            planned.distance_m as planned_distance_m,
            longest.distance_m as longest_30d_m,
            planned.distance_m / longest.distance_m - 1 as spike_ratio
        from of_sessions planned
        join (from of_sessions union all select activity_id, distance_m from runs) longest on longest.id = {longest}
        where planned.id = {planned}
    ),
    of_days as (
        select id, (cast({seen_on} as date) - local_date)::double as days_ago
        from (
            select report_id as id, local_date from pain_reports
            union all
            select session_id, local_date from strength_sessions
            union all
            select activity_id, local_date from activities where not is_run
        )
    ),
    found as (
        from (unpivot of_runs on columns(* exclude (id)) into name name value value)
        union all
        from (unpivot of_reports on columns(* exclude (id)) into name name value value)
        union all
        from (unpivot of_the_plan on columns(* exclude (id)) into name name value value)
        union all
        from (unpivot of_days on columns(* exclude (id)) into name name value value)
    )
select id, name, evidence.value as in_alert, found.value as in_database
from evidence
left join found using (id, name)
order by id, name;
