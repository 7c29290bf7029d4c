-- Adjustments of the plan: what is proposed for the fortnight, what was accepted, and where the course leads.

create table plan_adjustments (
    adjustment_id varchar primary key,
    athlete varchar not null,
    plan varchar not null,
    race_date date not null,
    adjusted_on date not null,
    accepted_at timestamptz not null,
    undone_at timestamptz,
    changes json not null
);
comment on table plan_adjustments is 'Adjustments of the plan that were accepted; they hold in the order in which that was, while the plan and its race date stay the same.';
comment on column plan_adjustments.adjustment_id is 'Id of the adjustment.';
comment on column plan_adjustments.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column plan_adjustments.plan is 'Name of the plan that was adjusted.';
comment on column plan_adjustments.race_date is 'Its race day then.';
comment on column plan_adjustments.adjusted_on is 'The athlete''s day on which it was accepted.';
comment on column plan_adjustments.accepted_at is 'When it was accepted (UTC).';
comment on column plan_adjustments.undone_at is 'When it was undone (UTC); null while it holds.';
comment on column plan_adjustments.changes is 'The rows of plan_proposal at that time, as JSON.';

create table plan_proposal (
    athlete varchar not null,
    week integer not null,
    local_date date not null,
    session varchar,
    distance_m double,
    duration_s double,
    new_session varchar not null,
    new_distance_m double,
    new_duration_s double,
    new_rpe double,
    new_zone varchar,
    new_notes varchar,
    reason varchar not null
);
comment on table plan_proposal is 'What `kneewatch plan adjust` proposes for the next 14 days: one row per session that would change. No rows: nothing to change.';
comment on column plan_proposal.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column plan_proposal.week is 'Plan week, 1 to 16.';
comment on column plan_proposal.local_date is 'The day.';
comment on column plan_proposal.session is 'What is planned; null for a run that would be added.';
comment on column plan_proposal.distance_m is 'Planned metres.';
comment on column plan_proposal.duration_s is 'Planned seconds.';
comment on column plan_proposal.new_session is 'What it would become; also walk.';
comment on column plan_proposal.new_distance_m is 'Metres it would have.';
comment on column plan_proposal.new_duration_s is 'Seconds it would have.';
comment on column plan_proposal.new_rpe is 'Exertion it would have, 0 to 10.';
comment on column plan_proposal.new_zone is 'Zone it would have.';
comment on column plan_proposal.new_notes is 'What to do.';
comment on column plan_proposal.reason is 'Why, in words.';

create table plan_outlook (
    athlete varchar not null,
    pain_level varchar check (pain_level in ('P0', 'P1', 'P2', 'P3', 'R')),
    missed_runs integer not null,
    last_strength_on date,
    strength_gap_days integer,
    next_strength_from date,
    race_on date,
    race_longest_30d_m double,
    race_spike_ratio double,
    race_spike_bin varchar,
    rejoins_on date,
    advice varchar not null
);
comment on table plan_outlook is 'One row per athlete with a plan: what an adjustment goes by, and where the course leads with it.';
comment on column plan_outlook.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column plan_outlook.pain_level is 'Pain level of the worse knee by its newest report of the last fortnight; null where nothing was reported.';
comment on column plan_outlook.missed_runs is 'Planned runs of the last fortnight that were missed.';
comment on column plan_outlook.last_strength_on is 'Day of the last strength session.';
comment on column plan_outlook.strength_gap_days is 'Days since then.';
comment on column plan_outlook.next_strength_from is 'First day on which the next one is 48 hours later.';
comment on column plan_outlook.race_on is 'Day of the next race of the plan.';
comment on column plan_outlook.race_longest_30d_m is 'Longest run of the 30 days that will lie before it, by the rules of the adjustment, metres.';
comment on column plan_outlook.race_spike_ratio is 'Race distance over that, minus 1.';
comment on column plan_outlook.race_spike_bin is 'reference, small, moderate, large or no_baseline.';
comment on column plan_outlook.rejoins_on is 'First day on which the plan holds again as it is; race day when it does not before; null when nothing needs to change.';
comment on column plan_outlook.advice is 'In words.';
comment on column plan_sessions.session is 'easy, steady, tempo, intervals, long, shakeout, race, strength, mobility, rest, or walk in an adjusted plan.';
