-- Alerts that are open, the most severe first.
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
    is_medical,
    urgency,
    message,
    action,
    evidence
from alerts
where athlete = $athlete
and status = 'open'
and local_date <= cast($today as date)
order by list_position(['stop', 'warning', 'caution', 'info'], severity), is_medical desc, local_date desc, alert_id;
