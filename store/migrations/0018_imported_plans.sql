-- Plans that were imported stand beside the built-in ones.

create table imported_plans (
    plan varchar not null,
    week integer not null,
    day varchar not null,
    session varchar not null,
    distance_m double,
    duration_s double,
    rpe double,
    zone varchar,
    notes varchar,
    imported_at timestamptz not null
);
comment on table imported_plans is 'One row per session of a plan that was imported, in its order; a plan imported again replaces the one of its name.';
comment on column imported_plans.plan is 'Name of the plan.';
comment on column imported_plans.week is 'Week of the plan, from 1.';
comment on column imported_plans.day is 'Day of the week, mon to sun.';
comment on column imported_plans.session is 'easy, steady, tempo, intervals, long, shakeout, race, strength, mobility or rest.';
comment on column imported_plans.distance_m is 'Planned metres; 0 when it is not a run, null when the plan does not say.';
comment on column imported_plans.duration_s is 'Planned seconds; null when the plan does not say.';
comment on column imported_plans.rpe is 'Planned exertion, 0 to 10; null when the plan does not say.';
comment on column imported_plans.zone is 'Five-zone scheme of maximum heart rate; none for what is not a run.';
comment on column imported_plans.notes is 'What to do.';
comment on column imported_plans.imported_at is 'When it was imported (UTC).';
