-- What an activity says about its athlete, and the athlete's own values that follow from it, dated.

create table activity_marks (
    activity_id varchar not null,
    peak_hr_bpm double,
    lowest_hr_bpm double,
    hour_hr_bpm double,
    hour_pace_s_per_km double,
    inputs_key varchar not null
);
comment on table activity_marks is 'One row per activity that counts: what it says about its athlete, whatever the athlete''s values; estimates rest on it.';
comment on column activity_marks.activity_id is 'The activity.';
comment on column activity_marks.peak_hr_bpm is 'Highest mean heart rate of 30 seconds, beats per minute; null without heart rate.';
comment on column activity_marks.lowest_hr_bpm is 'Lowest mean heart rate of 60 seconds, beats per minute; null without heart rate.';
comment on column activity_marks.hour_hr_bpm is 'Highest mean heart rate of an hour, beats per minute; null when there is no hour of it.';
comment on column activity_marks.hour_pace_s_per_km is 'Pace for an hour by Riegel''s formula from the best effort over 5 km or more, seconds per kilometre; null when none was run.';
comment on column activity_marks.inputs_key is 'What the marks were computed from; another one means that they have to be computed again.';

create table athlete_parameters (
    athlete varchar not null,
    parameter varchar not null check (parameter in (
        'resting_hr_bpm', 'max_hr_bpm', 'threshold_hr_bpm', 'vt1_hr_bpm', 'vt2_hr_bpm', 'threshold_pace_s_per_km'
    )),
    valid_from date,
    value double not null,
    is_estimated boolean not null,
    evidence json not null
);
comment on table athlete_parameters is 'One row per athlete, parameter and day from which a value counts: from the settings, else estimated from the history.';
comment on column athlete_parameters.athlete is 'Key of the athlete in kneewatch.toml.';
comment on column athlete_parameters.parameter is 'resting_hr_bpm, max_hr_bpm, threshold_hr_bpm, vt1_hr_bpm, vt2_hr_bpm (beats per minute) or threshold_pace_s_per_km (seconds per kilometre).';
comment on column athlete_parameters.valid_from is 'First day on which the value counts; null is from the beginning.';
comment on column athlete_parameters.value is 'The value, in the unit of the parameter''s name.';
comment on column athlete_parameters.is_estimated is 'True when it was estimated from the history, because the settings give none for that day.';
comment on column athlete_parameters.evidence is 'What it rests on: method, the activity and its day, how many activities were looked at; of a set value where it is set.';
