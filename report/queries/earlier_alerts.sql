-- Alerts of the last sixteen weeks that were acknowledged or have cleared, the newest first.
select
    local_date,
    side,
    rule,
    severity,
    message,
    status
from alerts
where athlete = $athlete
and status in ('acknowledged', 'cleared')
and local_date > cast($today as date) - 7 * 16
and local_date <= cast($today as date)
order by local_date desc, alert_id;
