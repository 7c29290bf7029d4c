-- How knee pain began, and what brings it on.

alter table pain_reports add column onset varchar;
alter table pain_reports add column provoked_by varchar[] default [];
comment on column pain_reports.onset is 'How it began: gradual, sudden, later_in_run, at_start, hours_later; null where not said.';
comment on column pain_reports.provoked_by is 'What brings it on: stairs, squat, sitting, downhill, jumping, long_runs, straightening, stretching; empty where not said.';
