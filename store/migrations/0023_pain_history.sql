-- What pain reports were before they were changed.

create table pain_history (
    report_id varchar not null,
    athlete varchar not null,
    local_date date not null,
    side varchar not null,
    changed_at timestamptz not null,
    how varchar not null check (how in ('completed', 'edited', 'deleted')),
    was json not null
);
comment on table pain_history is 'One row per change of a pain report: what it was before. Rows are never changed.';
comment on column pain_history.report_id is 'The report; one that was deleted is not in pain_reports any more.';
comment on column pain_history.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column pain_history.local_date is 'The day it speaks of.';
comment on column pain_history.side is 'left, right or both.';
comment on column pain_history.changed_at is 'When it was changed (UTC).';
comment on column pain_history.how is 'completed: by a later report of the same day, time and side. edited, deleted: by hand.';
comment on column pain_history.was is 'The whole report before the change, by the names of the columns of pain_reports; never leaves this database.';
