-- The weekly digest: a letter a week and athlete, which goes out by the same outbox as alerts.

create table digests (
    digest_id varchar primary key,
    athlete varchar not null,
    week_start date not null,
    written_at timestamptz not null,
    message varchar not null,
    unique (athlete, week_start)
);
comment on table digests is 'One row per athlete and week whose digest was put into the outbox, as it is sent.';
comment on column digests.digest_id is 'SHA-256 over athlete and week; stands in deliveries.alert_id.';
comment on column digests.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column digests.week_start is 'First day of the week that it speaks of.';
comment on column digests.written_at is 'When it was written (UTC).';
comment on column digests.message is 'Its text.';
comment on table deliveries is 'One row per alert and channel, and per weekly digest and channel: the outbox.';
comment on column deliveries.alert_id is 'The alert; of a weekly digest its digest_id.';
comment on column exports.format is 'What the content is: fit, gpx, tcx, polar, summary, zip, pain_csv, strength_csv, log_json; null when not recognised.';
comment on column flow_log.step is 'take_in, refresh, raise_alerts, write_digests, publish, deliver, or the command that was given.';
