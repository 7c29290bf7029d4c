-- The newest report of each knee in the 14 days up to $today; always a row a knee, empty when nothing was reported.
with sides as (
    select unnest(['left', 'right']) as side
),
reports as (
    select *
    from pain_reports
    where athlete = $athlete
    and local_date > cast($today as date) - 14
    and local_date <= cast($today as date)
)
select
    sides.side,
    reports.local_date,
    coalesce(reports.local_date = cast($today as date), false) as is_today,
    reports.site,
    reports.before,
    reports.during,
    reports.after_60min,
    reports.next_morning,
    coalesce(reports.flags, []) as flags,
    reports.changed_gait
from sides
left join reports
    on reports.side in (sides.side, 'both')
qualify row_number() over (partition by sides.side order by reports.local_date desc, reports.reported_at desc) = 1
order by sides.side;
