"""What is said about a knee: red flags, cues with both sides, questionnaires. Never what is wrong with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from analytics.cues import AcuteEvent, Cue, KneeCues, Said
from analytics.pain import Pain
from analytics.questionnaires import KOOS_MDC, KOOS_MIC
from report.format import number, score, short_day
from report.words import said, words

NOT_REPORTED = said("knee.not_reported")
WHAT_CUES_ARE = said("knee.what_cues_are")
OSTRC_LABELS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    item: (label, tuple(answers))
    for (item, label), answers in zip(
        words()["ostrc"].items(), words()["ostrc_answers"].values(), strict=True
    )
}
"""Item: label and its four answers. Short words of our own; the questions themselves are their authors'."""
OF_THE_LAST_WEEK = said("questionnaire.of_the_last_week")
THE_FORM_AT_KOOS = said("questionnaire.the_form_at_koos")
KOOS_ANSWERS = said("questionnaire.koos_answers")


def red_flags_sentence(cues: KneeCues) -> str:
    """Name the red flags of the last weeks with their days; empty without one."""
    noted = [
        said("knee.flag", flag=flag_words(one.flag), day=short_day(one.local_date)) for one in cues.red_flags
    ]
    return said("knee.red_flags", flags=", ".join(noted)) if noted else ""


def flag_words(flag: str) -> str:
    """Return a flag in words."""
    return str(words()["flags"].get(flag, flag))


def event_sentence(event: AcuteEvent) -> str:
    """Say of a hyperextension that it is an event of its own, and what makes it one for a doctor."""
    swelling = said("knee.event_swelling") if event.has_swelling else ""
    return said("knee.event", day=short_day(event.local_date), swelling=swelling)


def advice_sentence(cues: KneeCues) -> str:
    """Say whether to seek medical advice, and always when to."""
    soon = f"{said(f'action.{cues.urgency}')} " if cues.urgency else ""
    return f"{soon}{said('always.medical')}"


def episode_sentence(episode: Mapping[str, Any]) -> str:
    """Say since when an episode is open, and where to read what to consider."""
    return said("knee.episode", since=short_day(episode["since"]), severity=episode["severity"].upper())


def level_sentence(pain: Pain | None) -> str:
    """Say what the newest report of pain says, seen with those before it; empty without one."""
    if pain is None:
        return ""
    rising = said("knee.level_rising") if pain.is_rising else ""
    return said("knee.level", level=pain.level, words=said(f"pain_level.{pain.level}"), rising=rising)


def newest_sentence(newest: Mapping[str, Any]) -> str:
    """Return the newest report in one line."""
    noted = [
        said(f"knee_score.{name}", score=score(newest[name]))
        for name in words()["knee_score"]
        if newest[name] is not None
    ]
    noted += [said(f"noted.{newest['site']}")] if newest["site"] else []
    noted += [flag_words(flag) for flag in newest["flags"]]
    noted += [said("knee.newest_gait")] if newest["changed_gait"] else []
    return said(
        "knee.newest",
        day=short_day(newest["local_date"]),
        noted=", ".join(noted) or said("knee.newest_muscles"),
    )


def cue_words(cue: Cue) -> tuple[str, str, str, str]:
    """Return (pattern, what fits, what does not fit, what is not known) of one pattern."""
    return (
        said(f"pattern.{cue.pattern}"),
        _listed(cue.fits),
        _listed(cue.does_not_fit),
        ", ".join(said(f"aspect.{aspect}") for aspect in cue.not_known) or said("knee.nothing_known"),
    )


def questionnaire_sentence(row: Mapping[str, Any]) -> str:
    """
    Say what a questionnaire scored and how that changed, and no more than the change shows.

    Args:
        row: A row of the question `questionnaires`.
    """
    return said(
        "questionnaire.scored",
        kind=said(f"questionnaire.{row['kind']}"),
        score=_score(row["score"]),
        day=short_day(row["local_date"]),
        substantial=said("questionnaire.substantial") if row["is_substantial"] else "",
        scale=said(f"questionnaire.{row['kind']}_scale"),
        change=_change(row),
    )


def _change(row: Mapping[str, Any]) -> str:
    if row["change"] is None:
        return said("questionnaire.first")
    day = short_day(row["previous_date"])
    if not row["change"]:
        return said("questionnaire.same", day=day)
    change = said(
        "questionnaire.more" if row["change"] > 0 else "questionnaire.less",
        by=_score(abs(row["change"])),
        day=day,
    )
    if row["is_beyond_mdc"] is None:
        return change
    if row["is_beyond_mic"]:
        return said("questionnaire.beyond_mic", change=change, limit=f"{KOOS_MIC:g}")
    if row["is_beyond_mdc"]:
        return said("questionnaire.beyond_mdc", change=change, limit=f"{KOOS_MDC:g}")
    return said("questionnaire.within_mdc", change=change, limit=f"{KOOS_MDC:g}")


def _listed(noted: Sequence[Said]) -> str:
    return ", ".join(map(_said, noted)) or said("knee.nothing_noted")


def _said(one: Said) -> str:
    word, times = said(f"noted.{one.word}"), len(one.report_ids)
    return said("knee.times", word=word, times=times) if times > 1 else word


def _score(value: float) -> str:
    return number(value, digits=0 if float(value).is_integer() else 1)
