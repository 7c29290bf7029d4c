-- A channel that is down is tried again after growing waits.

alter table deliveries add column next_attempt_at timestamptz;
comment on column deliveries.next_attempt_at is 'When the next try is due after a failed one (UTC); null before the first try and after delivery.';
