"""What is said about a knee, in English: red flags, cues with both sides, questionnaires. Never what is wrong with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from analytics.cues import AcuteEvent, Aspect, Cue, KneeCues, Pattern, Said
from analytics.pain import Pain
from analytics.questionnaires import KOOS_MDC, KOOS_MIC
from report.format import number, score, short_day
from report.messages import FLAG_WORDS, MEDICAL, SAME_DAY, SOON

NOT_REPORTED = "Nothing was reported in the last four weeks, which is not taken for no pain."
WHAT_CUES_ARE = (
    "Cues, not a diagnosis: what your reports of the last four weeks share with five patterns, and what they do not. "
    "Several may fit, or none; only somebody who looks at the knee can say what it is."
)
RED_FLAGS_FIRST = "This comes before everything else about this knee, whatever the score."

PATTERN_WORDS: Mapping[Pattern, str] = {
    "kneecap": "Under or around the kneecap",
    "outer_side": "Outer side",
    "below_kneecap": "Below the kneecap",
    "hyperextension": "Bent back too far",
    "sore_muscles": "Sore muscles",
}
ASPECT_WORDS: Mapping[Aspect, str] = {
    "onset": "how it began",
    "site": "where it is",
    "both_legs": "whether both legs are sore",
    "provoked_by": "what brings it on",
    "course": "how it goes on after the run",
    "swelling": "swelling",
}
NOTED_WORDS: Mapping[str, str] = {
    "gradual": "began gradually",
    "sudden": "began suddenly",
    "later_in_run": "began later in the run",
    "at_start": "there from the start",
    "hours_later": "began hours later",
    "hyperextension": "bent back too far",
    "kneecap": "at the kneecap",
    "below_kneecap": "below the kneecap",
    "outer": "on the outer side",
    "inner": "on the inner side",
    "back": "at the back",
    "whole": "in the whole knee",
    "muscles": "sore muscles",
    "no_sore_muscles": "no sore muscles",
    "both_legs": "both legs sore",
    "one_leg": "one leg sore and not the other",
    "stairs": "stairs",
    "squat": "squatting",
    "sitting": "sitting",
    "downhill": "downhill",
    "jumping": "jumping",
    "long_runs": "long runs",
    "straightening": "straightening it",
    "stretching": "stretching",
    "lingers": "not settled an hour after or on the next morning",
    "settles": "settled an hour after",
    "worse_in_run": "worse in the run than before",
    "not_worse_in_run": "no worse in the run than before",
    "in_the_run": "felt in the run itself",
    "worst_next_morning": "worst on the next morning",
    "peaks_within_3_days": "muscles sorest within three days",
    "peaks_later": "muscles sorest after more than three days",
    "gone_within_7_days": "muscles fine again within a week",
    "lasts_over_7_days": "muscles sore for more than a week",
    "swelling": "swelling",
}
KIND_WORDS = {"ostrc_o2": "OSTRC-O2", "koos_pf": "KOOS-PF"}
OSTRC_LABELS = {
    "participation": (
        "Taking part in training and races",
        ("fully, the knee no trouble", "fully, with a troubled knee", "less than meant", "not at all"),
    ),
    "volume": ("Training changed for the knee", ("not", "a little", "moderately", "much")),
    "performance": ("Running worse for the knee", ("not", "a little", "moderately", "much")),
    "pain": ("Knee pain", ("none", "mild", "moderate", "severe")),
}
"""Item: label and its four answers. Short words of our own; the questions themselves are their authors'."""
OF_THE_LAST_WEEK = "OSTRC-O2, the last 7 days. These are labels of our own: the questions stand in Clarsen 2020, BJSM 54:390."
THE_FORM_AT_KOOS = (
    "KOOS-PF, the last week. Its eleven items and answers are on the form at koos.nu; here they have numbers."
)
KOOS_ANSWERS = "0 none, 1 mild, 2 moderate, 3 severe, 4 extreme, - left out"
LEVEL_WORDS = {
    "P0": "no pain noted",
    "P1": "little pain, settled",
    "P2": "pain of 3 to 5, or not settled",
    "P3": "pain above 5, limping or rising",
    "R": "a red flag",
}


def red_flags_sentence(cues: KneeCues) -> str:
    """Name the red flags of the last weeks with their days; empty without one."""
    noted = [f"{FLAG_WORDS.get(one.flag, one.flag)} ({short_day(one.local_date)})" for one in cues.red_flags]
    return f"You noted {', '.join(noted)}. {RED_FLAGS_FIRST}" if noted else ""


def event_sentence(event: AcuteEvent) -> str:
    """Say of a hyperextension that it is an event of its own, and what makes it one for a doctor."""
    swelling = ", with swelling on that day or since" if event.has_swelling else ""
    return (
        f"On {short_day(event.local_date)} you noted that the knee was bent back too far{swelling}: an event of its own, "
        "apart from load. If it swells, locks or gives way, seek medical advice."
    )


def advice_sentence(cues: KneeCues) -> str:
    """Say whether to seek medical advice, and always when to."""
    soon = {"same_day": f"{SAME_DAY} ", "soon": f"{SOON} ", None: ""}[cues.urgency]
    return f"{soon}{MEDICAL}"


def episode_sentence(episode: Mapping[str, Any]) -> str:
    """Say since when an episode is open, and where to read what to consider."""
    return (
        f"An episode is open since {short_day(episode['since'])}, last with {episode['severity'].upper()}: "
        "kneewatch alerts says what to consider."
    )


def level_sentence(pain: Pain | None) -> str:
    """Say what the newest report of pain says, seen with those before it; empty without one."""
    if pain is None:
        return ""
    rising = "; the pain is rising" if pain.is_rising else ""
    return f"{pain.level}: {LEVEL_WORDS[pain.level]}{rising}."


def newest_sentence(newest: Mapping[str, Any]) -> str:
    """Return the newest report in one line."""
    scores = [
        f"{score(newest[name])}/10 {when}"
        for name, when in (
            ("before", "before"),
            ("during", "during"),
            ("after_60min", "after 60 min"),
            ("next_morning", "next morning"),
        )
        if newest[name] is not None
    ]
    words = [NOTED_WORDS[newest["site"]]] if newest["site"] else []
    flags = [FLAG_WORDS.get(flag, flag) for flag in newest["flags"]]
    gait = ["it changed how you ran"] if newest["changed_gait"] else []
    said = ", ".join([*scores, *words, *flags, *gait]) or "muscles alone"
    return f"Newest report {short_day(newest['local_date'])}: {said}."


def cue_words(cue: Cue) -> tuple[str, str, str, str]:
    """Return (pattern, what fits, what does not fit, what is not known) of one pattern."""
    return (
        PATTERN_WORDS[cue.pattern],
        _listed(cue.fits),
        _listed(cue.does_not_fit),
        ", ".join(ASPECT_WORDS[aspect] for aspect in cue.not_known) or "nothing",
    )


def questionnaire_sentence(row: Mapping[str, Any]) -> str:
    """
    Say what a questionnaire scored and how that changed, and no more than the change shows.

    Args:
        row: A row of the question `questionnaires`.
    """
    is_ostrc = row["kind"] == "ostrc_o2"
    scale = "0 is no problem" if is_ostrc else "100 is no problem"
    substantial = ", substantial" if row["is_substantial"] else ""
    said = f"{KIND_WORDS[row['kind']]} {_score(row['score'])} of 100 on {short_day(row['local_date'])}{substantial} ({scale})"
    if row["change"] is None:
        return f"{said}; the first."
    return f"{said}; {_change(row)}."


def _change(row: Mapping[str, Any]) -> str:
    since = f"than on {short_day(row['previous_date'])}"
    if not row["change"]:
        return f"no other {since}"
    change = f"{_score(abs(row['change']))} {'more' if row['change'] > 0 else 'less'} {since}"
    if row["is_beyond_mdc"] is None:
        return change
    if row["is_beyond_mic"]:
        return f"{change}, as much as people call a change ({KOOS_MIC:g})"
    if row["is_beyond_mdc"]:
        return f"{change}, more than measuring twice gives ({KOOS_MDC:g})"
    return f"{change}, no more than measuring twice gives ({KOOS_MDC:g})"


def _listed(said: Sequence[Said]) -> str:
    return ", ".join(map(_said, said)) or "nothing noted"


def _said(said: Said) -> str:
    times = f" ({len(said.report_ids)}×)" if len(said.report_ids) > 1 else ""
    return f"{NOTED_WORDS[said.word]}{times}"


def _score(value: float) -> str:
    return number(value, digits=0 if float(value).is_integer() else 1)
