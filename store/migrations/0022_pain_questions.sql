-- What the words of an export leave open about a knee.

create table pain_questions (
    question_id varchar primary key,
    athlete varchar not null,
    local_date date not null,
    activity_id varchar not null,
    side varchar check (side in ('left', 'right', 'both')),
    words varchar not null,
    asked_at timestamptz not null,
    status varchar not null check (status in ('open', 'answered', 'dismissed')),
    closed_at timestamptz
);
comment on table pain_questions is 'One row per sentence in a title or note that speaks of a knee and can be read in more than one way; nothing was made of it.';
comment on column pain_questions.question_id is 'SHA-256 over athlete, day and words.';
comment on column pain_questions.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column pain_questions.local_date is 'The day of the activity, in the athlete''s time.';
comment on column pain_questions.activity_id is 'The activity whose title or note it is; of a run with several records the one read first.';
comment on column pain_questions.side is 'left, right or both, where the words name one; else null.';
comment on column pain_questions.words is 'The sentence as it was written; never leaves this database.';
comment on column pain_questions.asked_at is 'When it was read (UTC).';
comment on column pain_questions.status is 'open; answered by a report of that day; dismissed by hand.';
comment on column pain_questions.closed_at is 'When it was answered or dismissed (UTC); null while it is open.';
comment on column pain_reports.source is 'cli, form (Prefect''s), the file it came from, or ''note of'' the file in whose words it stood.';
