-- Which runs go on, within a quarter of an hour and in the same place, from one that ended: was the watch restarted?
with ways as (
    select
        a.activity_id,
        a.athlete,
        a.started_at,
        a.started_at + to_milliseconds((a.elapsed_s * 1000)::bigint) as ended_at,
        o.lat_deg[1] as from_lat_deg,
        o.lon_deg[1] as from_lon_deg,
        o.lat_deg[len(o.lat_deg)] as to_lat_deg,
        o.lon_deg[len(o.lon_deg)] as to_lon_deg
    from activities a
    join outlines o using (activity_id)
    where a.is_run and a.duplicate_of is null and a.part_of is null and not a.is_excluded
)
select
    first.athlete,
    first.activity_id as first_id,
    second.activity_id as second_id,
    epoch(second.started_at - first.ended_at) as gap_s,
    111195 * sqrt(
        (second.from_lat_deg - first.to_lat_deg) ** 2
        + ((second.from_lon_deg - first.to_lon_deg) * cos(radians(first.to_lat_deg))) ** 2
    ) as apart_m
from ways first
join ways second
    on second.athlete = first.athlete
    and second.started_at >= first.ended_at
    and second.started_at < first.ended_at + interval 15 minute
where apart_m <= 200
order by second.started_at;
