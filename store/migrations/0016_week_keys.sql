-- A late run changes its week and those after it; the weeks before need not be computed again.

create table week_keys (
    athlete varchar not null,
    week_start date not null,
    inputs_key varchar not null
);
comment on table week_keys is 'One row per athlete and week: what the rows of this week and of all before it were computed from.';
comment on column week_keys.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column week_keys.week_start is 'First day of the week, by the athlete''s setting.';
comment on column week_keys.inputs_key is 'Another as soon as anything is that the days and weeks up to this one rest on.';
