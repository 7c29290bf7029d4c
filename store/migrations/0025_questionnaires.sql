-- Questionnaires about one knee: what was answered, and what it scores.

create table questionnaires (
    questionnaire_id varchar primary key,
    athlete varchar not null,
    side varchar not null check (side in ('left', 'right')),
    kind varchar not null check (kind in ('ostrc_o2', 'koos_pf')),
    local_date date not null,
    answers json not null,
    answered_at timestamptz not null,
    source varchar not null
);
comment on table questionnaires is 'One row per answered questionnaire about one knee. Of the same knee, kind and day the one taken down last counts.';
comment on column questionnaires.questionnaire_id is 'SHA-256 over athlete, side, kind, day and answers.';
comment on column questionnaires.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column questionnaires.side is 'left or right.';
comment on column questionnaires.kind is 'ostrc_o2 (of the last 7 days) or koos_pf.';
comment on column questionnaires.local_date is 'The day it was answered, in the athlete''s time.';
comment on column questionnaires.answers is 'Value of each answer by item, as the questionnaire counts it: ostrc_o2 0, 8, 17, 25; koos_pf 0 to 4, items left out not named. Never leaves this database.';
comment on column questionnaires.answered_at is 'When it was taken down (UTC).';
comment on column questionnaires.source is 'cli, or the file it came from.';

comment on column exports.format is 'What the content is: fit, gpx, pain_csv, strength_csv, questionnaire_csv and others; null when not recognised.';

-- Derived ---------------------------------------------------------------------------------------------------

create table questionnaire_scores (
    questionnaire_id varchar primary key,
    athlete varchar not null,
    side varchar not null,
    kind varchar not null,
    local_date date not null,
    score double not null check (score between 0 and 100),
    is_substantial boolean,
    change double,
    is_beyond_mdc boolean,
    is_beyond_mic boolean,
    scoring_version varchar not null
);
comment on table questionnaire_scores is 'One row per questionnaire that counts, with the change since the one of that knee and kind before it.';
comment on column questionnaire_scores.questionnaire_id is 'The questionnaire.';
comment on column questionnaire_scores.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column questionnaire_scores.side is 'left or right.';
comment on column questionnaire_scores.kind is 'ostrc_o2 or koos_pf.';
comment on column questionnaire_scores.local_date is 'The day it was answered.';
comment on column questionnaire_scores.score is '0 to 100. ostrc_o2: 0 is no problem. koos_pf: 100 is no problem.';
comment on column questionnaire_scores.is_substantial is 'ostrc_o2: training or performance reduced moderately or more, or no participation; null for koos_pf.';
comment on column questionnaire_scores.change is 'Score less that of the one before; null for the first.';
comment on column questionnaire_scores.is_beyond_mdc is 'koos_pf: whether the change is beyond what measuring twice gives (16); null without one.';
comment on column questionnaire_scores.is_beyond_mic is 'koos_pf: whether the change is as large as what people call a change (16.4); null without one.';
comment on column questionnaire_scores.scoring_version is 'Which version of which questionnaire was scored, and by which rule.';
