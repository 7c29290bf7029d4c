-- How the alerts of each channel went out: how many were delivered, the last time, and what waits with the reason.
select
    channel,
    count(delivered_at) as delivered,
    max(delivered_at) as last_delivered_at,
    count(*) - count(delivered_at) as waiting,
    any_value(last_error) filter (where delivered_at is null) as last_error
from deliveries
group by channel
order by channel;
