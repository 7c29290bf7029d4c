-- What tells records of one session apart, and what people have decided about them.

create table outlines (
    activity_id varchar primary key,
    lat_deg double[] not null,
    lon_deg double[] not null,
    distance_m double[] not null,
    known_columns integer not null,
    samples integer not null
);
comment on table outlines is 'One row per activity: where one was at 61 moments equally apart in time, by which records of the same session are known.';
comment on column outlines.activity_id is 'The activity.';
comment on column outlines.lat_deg is 'Latitudes, degrees; NaN where unknown.';
comment on column outlines.lon_deg is 'Longitudes, degrees; NaN where unknown.';
comment on column outlines.distance_m is 'Metres since the start; NaN where unknown.';
comment on column outlines.known_columns is 'How many of position, distance, altitude, heart rate, cadence and running dynamics the samples have.';
comment on column outlines.samples is 'How many samples there are.';

create table activity_decisions (
    decided_at timestamptz not null,
    athlete varchar not null,
    kind varchar not null check (kind in ('split', 'exclude', 'include', 'correct', 'join')),
    activity_id varchar not null,
    other_id varchar,
    distance_m double
);
comment on table activity_decisions is 'One row per decision of a person about an activity; the last one about the same thing counts, for good.';
comment on column activity_decisions.decided_at is 'When.';
comment on column activity_decisions.athlete is 'Whose activity it is.';
comment on column activity_decisions.kind is 'split: these two are not the same session. exclude, include: leave it out of all sums, or not. correct: its distance is this one. join: it is a part of the other.';
comment on column activity_decisions.activity_id is 'The activity.';
comment on column activity_decisions.other_id is 'The other one, of split and join.';
comment on column activity_decisions.distance_m is 'Metres, of correct; null is the recorded distance again.';

alter table activities add column duplicate_reason varchar;
alter table activities add column part_of varchar;
alter table activities add column recorded_distance_m double;
comment on column activities.duplicate_reason is 'Why it was judged to be the same session as duplicate_of.';
comment on column activities.part_of is 'activity_id of the activity that it was joined to by hand; null when it stands for itself.';
comment on column activities.recorded_distance_m is 'Distance before it was corrected by hand; null when it was not.';

-- A run is its canonical record, with what the others know and it does not, and with the parts that were joined to it.
create or replace view runs as
with
    known_elsewhere as (
        select
            duplicate_of as activity_id,
            arg_min(title, activity_id) filter (title is not null) as title,
            arg_min(description, activity_id) filter (description is not null) as description,
            arg_min(gear, activity_id) filter (gear is not null) as gear,
            arg_min(rpe, activity_id) filter (rpe is not null) as rpe,
            arg_min(feel, activity_id) filter (feel is not null) as feel,
            arg_min(steps, activity_id) filter (steps is not null) as steps,
            arg_min(avg_hr_bpm, activity_id) filter (avg_hr_bpm is not null) as avg_hr_bpm,
            arg_min(max_hr_bpm, activity_id) filter (avg_hr_bpm is not null) as max_hr_bpm,
            arg_min(avg_cadence_spm, activity_id) filter (avg_cadence_spm is not null) as avg_cadence_spm
        from activities
        where duplicate_of is not null
        group by duplicate_of
    ),
    with_parts as (
        select
            coalesce(part_of, activity_id) as activity_id,
            epoch(max(started_at + to_milliseconds((elapsed_s * 1000)::bigint)) - min(started_at)) as elapsed_s,
            sum(timer_s) as timer_s,
            sum(moving_s) as moving_s,
            sum(distance_m) as distance_m,
            sum(ascent_m) as ascent_m,
            sum(descent_m) as descent_m,
            sum(steps)::bigint as steps,
            sum(avg_hr_bpm * timer_s) / sum(timer_s) filter (avg_hr_bpm is not null) as avg_hr_bpm,
            max(max_hr_bpm) as max_hr_bpm,
            sum(avg_cadence_spm * timer_s) / sum(timer_s) filter (avg_cadence_spm is not null) as avg_cadence_spm
        from activities
        where duplicate_of is null and not is_excluded
        group by coalesce(part_of, activity_id)
        having count(*) > 1
    )
select
    a.* replace (
        coalesce(a.title, k.title) as title,
        coalesce(a.description, k.description) as description,
        coalesce(a.gear, k.gear) as gear,
        coalesce(a.rpe, k.rpe) as rpe,
        coalesce(a.feel, k.feel) as feel,
        coalesce(p.elapsed_s, a.elapsed_s) as elapsed_s,
        coalesce(p.timer_s, a.timer_s) as timer_s,
        coalesce(p.moving_s, a.moving_s) as moving_s,
        coalesce(p.distance_m, a.distance_m) as distance_m,
        coalesce(p.timer_s / (p.distance_m / 1000), a.pace_s_per_km) as pace_s_per_km,
        coalesce(p.ascent_m, a.ascent_m) as ascent_m,
        coalesce(p.descent_m, a.descent_m) as descent_m,
        coalesce(p.steps, a.steps, k.steps) as steps,
        coalesce(p.avg_hr_bpm, a.avg_hr_bpm, k.avg_hr_bpm) as avg_hr_bpm,
        coalesce(p.max_hr_bpm, a.max_hr_bpm, k.max_hr_bpm) as max_hr_bpm,
        coalesce(p.avg_cadence_spm, a.avg_cadence_spm, k.avg_cadence_spm) as avg_cadence_spm
    )
from activities a
left join known_elsewhere k using (activity_id)
left join with_parts p using (activity_id)
where a.is_run and a.duplicate_of is null and a.part_of is null and not a.is_excluded;
comment on view runs is 'The runs that count: canonical, running, not excluded; with what other records of the same session know, and with joined parts. Columns as in activities.';
