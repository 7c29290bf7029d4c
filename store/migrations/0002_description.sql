-- What the runner wrote about an activity, where the file or the archive it came in says so.

alter table activities add column description varchar;
comment on column activities.description is 'Description and notes in the file, or in the table of the archive it came in; never shown in shared reports.';

create or replace view runs as
select * from activities where is_run and duplicate_of is null and not is_excluded;
comment on view runs is 'The runs that count: canonical, running, not excluded. Columns as in activities.';
