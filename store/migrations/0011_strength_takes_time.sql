-- How long a strength session took, so that it adds its exertion times minutes.

alter table strength_sessions add column duration_s double;
comment on column strength_sessions.duration_s is 'Seconds of all strength work of the day; null when not logged.';
comment on table cross_training is 'One row per activity that is no run and counts: its load by heart rate and by exertion; of a strength session the exertion may come from the diary.';
