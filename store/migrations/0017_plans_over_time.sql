-- A plan has a goal, may begin later and may be changed; each session keeps its name and has a pace.

alter table plan_choices add column start_date date;
alter table plan_choices add column goal_s double;
alter table plan_choices add column counts_from date;
comment on table plan_choices is 'Which plan was chosen, and when; on each day the one counts that was chosen last by then.';
comment on column plan_choices.race_date is 'Race day; the last week of the plan ends on it.';
comment on column plan_choices.start_date is 'First day that counts; what the plan has before it is left out. Null when it is followed from its first day.';
comment on column plan_choices.goal_s is 'Goal time over the half marathon, seconds; null when none was given with the choice.';
comment on column plan_choices.counts_from is 'The athlete''s day on which it was chosen; null in choices of earlier versions, which count from the day of chosen_at.';

create table plan_changes (
    athlete varchar not null,
    plan varchar not null,
    chosen_at timestamptz,
    changed_at timestamptz not null,
    kind varchar not null check (kind in ('move', 'holiday', 'race')),
    session_key varchar,
    days integer,
    from_date date,
    to_date date,
    undone_at timestamptz,
    check ((kind = 'move') = (session_key is not null and days is not null)),
    check ((kind = 'holiday') = (from_date is not null)),
    check ((kind = 'move') = (to_date is null))
);
comment on table plan_changes is 'What the athlete changed about the plan; rows of one changed_at are one change.';
comment on column plan_changes.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column plan_changes.plan is 'Name of the plan.';
comment on column plan_changes.chosen_at is 'The choice of plan that it belongs to (plan_choices.chosen_at); null when the settings name the plan.';
comment on column plan_changes.changed_at is 'When it was changed (UTC).';
comment on column plan_changes.kind is 'move (one session by some days), holiday (no training on these days) or race (another race day, and the plan with it).';
comment on column plan_changes.session_key is 'The session that is moved (plan_sessions.session_key); null for other kinds.';
comment on column plan_changes.days is 'By how many days it is moved, earlier below 0; null for other kinds.';
comment on column plan_changes.from_date is 'First day of the holiday; null for other kinds.';
comment on column plan_changes.to_date is 'Last day of the holiday, or the new race day; null for a move.';
comment on column plan_changes.undone_at is 'When it was undone (UTC); null while it holds.';

alter table plan_sessions add column session_key varchar;
alter table plan_sessions add column planned_pace_s_per_km double;
alter table plan_sessions add column pace_from varchar;
comment on column plan_sessions.week is 'Plan week, 1 to 16 in the built-in plans; a moved session is in the week it was moved to.';
comment on column plan_sessions.session_key is 'The session''s place in the plan as it was written (week-day-session), which stays when it is moved.';
comment on column plan_sessions.planned_pace_s_per_km is 'Pace for the session, of its quicker parts where it has several: the middle of its zone, seconds per kilometre; null where neither goal nor fitness is known, and for what is not a run.';
comment on column plan_sessions.pace_from is 'What the paces rest on: goal, threshold pace or best efforts.';
