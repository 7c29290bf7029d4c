-- What was worn or ridden, where an archive says so.

alter table activities add column gear varchar;
comment on column activities.gear is 'Shoes or other gear, as the archive that the export came in names it.';

create or replace view runs as
select * from activities where is_run and duplicate_of is null and not is_excluded;
comment on view runs is 'The runs that count: canonical, running, not excluded. Columns as in activities.';
