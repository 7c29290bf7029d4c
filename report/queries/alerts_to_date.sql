-- Alerts of the year up to $today that were not withdrawn, the newest first: open ones and those that are over.
select
    alert_id,
    episode_id,
    local_date,
    side,
    rule,
    severity,
    load_level,
    pain_level,
    order_of_events,
    message,
    action,
    evidence,
    status
from alerts
where athlete = $athlete
and status <> 'superseded'
and local_date > cast($today as date) - 365
and local_date <= cast($today as date)
order by local_date desc, alert_id;
