-- Knees with an open episode on $today: since when, and its newest alert.
select
    side,
    episode_id,
    min(local_date) over episode as since,
    alert_id,
    local_date,
    severity
from alerts
where athlete = $athlete
and side is not null
and status in ('open', 'acknowledged')
and local_date <= cast($today as date)
window episode as (partition by side, episode_id)
qualify row_number() over (partition by side, episode_id order by local_date desc, raised_at desc, alert_id) = 1
order by local_date desc, episode_id;
