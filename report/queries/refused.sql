-- Exports that were refused, or taken in only partly: the newest first, each with its reason.
select
    cast(seen_at at time zone 'UTC' as date) as seen_date,
    file_name,
    outcome,
    reason
from exports
where athlete = $athlete
and outcome in ('quarantined', 'partly_ingested')
order by seen_at desc, file_name;
