-- What is no run adds to heart-rate load, and to nothing else.

create table cross_training (
    activity_id varchar primary key,
    trimp_banister double,
    hrss double,
    srpe double,
    inputs_key varchar not null
);
comment on table cross_training is 'One row per activity that is no run and counts: its load by heart rate and by exertion.';
comment on column cross_training.activity_id is 'The activity.';
comment on column cross_training.trimp_banister is 'Training impulse after Banister; null without heart rate.';
comment on column cross_training.hrss is 'Heart-rate load: 100 is an hour at threshold; null without heart rate.';
comment on column cross_training.srpe is 'Session-RPE: exertion times minutes; null without exertion.';
comment on column cross_training.inputs_key is 'Hash of what the row was computed from; another one means that it has to be computed again.';

comment on column daily_load.hrss is 'Heart-rate load of runs and cross-training; null when there were sessions and none has heart rate.';
comment on column weekly_trends.load_hrss is 'Heart-rate load of the week, cross-training included; null when there were sessions and none has heart rate.';
