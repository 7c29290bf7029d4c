-- What the questionnaires of each knee scored up to $today, the newest first, with the change since the one before.
select
    questionnaire_id,
    local_date,
    side,
    kind,
    score,
    is_substantial,
    change,
    lag(local_date) over (partition by side, kind order by local_date) as previous_date,
    is_beyond_mdc,
    is_beyond_mic,
    scoring_version
from questionnaire_scores
where athlete = $athlete
and local_date <= cast($today as date)
order by local_date desc, side, kind desc;
