-- The last 50 files that came in, the newest first: what became of each, and of what was in it if it was an archive.
select
    files.seen_at,
    files.file_name,
    files.format,
    files.size_bytes,
    files.outcome,
    files.reason,
    files.activities,
    (select count(*) from exports as members where members.athlete = files.athlete and members.parent_id = files.export_id) as members
from exports as files
where files.athlete = $athlete
and files.parent_id is null
order by files.seen_at desc, files.file_name
limit 50;
