-- The last twelve knee reports of the sixteen weeks up to $today, the newest first. Notes are private and stay out.
select
    local_date,
    side,
    site,
    before,
    during,
    after_60min,
    next_morning,
    flags,
    changed_gait
from pain_reports
where athlete = $athlete
and local_date > cast($today as date) - 7 * 16
and local_date <= cast($today as date)
order by local_date desc, reported_at desc, side
limit 12;
