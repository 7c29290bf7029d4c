"""
Write docs/wording.md: every sentence of words.en.toml, and as the program says it: `make wording`.

The examples come from made-up histories that go through the same code as everybody's.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from analytics.alerts import Alert, find_alerts
from analytics.calendar import daily_load
from analytics.cues import knee_cues
from analytics.load import with_spikes
from analytics.notices import StrengthDone, find_notices
from analytics.pain import RED_FLAGS, Report
from analytics.plan import PLAN_SESSIONS
from analytics.plan_check import PlanSummary
from analytics.reminders import Reminder
from analytics.spikes import find_spikes
from report import knee_words
from report.coach_words import call_sentence
from report.digest import Digest, digest_words
from report.format import Units
from report.load_words import load_notes
from report.messages import alert_words, open_questions_words, reminder_words
from report.notify import shared_words, title_of
from report.plan_words import finding_sentence, place, summary_rows
from report.words import FILE, words

DOCUMENT = Path(__file__).parent.parent / "docs" / "wording.md"
INTRO = f"""# Wording

Every sentence that alerts, reminders, letters, the weekly digest, `kneewatch knee`, `plan check`, the notes on load and the strength work say, from `report/{FILE}`,
and how it reads in a made-up runner's weeks. `make wording` writes this page; a test holds it up to date. A translation is
another such file; what pages, commands and complaints about files say besides is not in it.

What must hold, and is tested: a message has both numbers, the dates, the window, the order of events, the source and what is
missing, and ends with the line on medical advice. What no sentence may hold: a diagnosis, a probability for one person, or
the word *safe*; no report is never "no pain", and silence is no promise.
"""

DAY_0 = date(2026, 6, 1)
START = datetime(2026, 6, 1, 7, tzinfo=UTC)
STEADY = tuple((day, 12_000.0, 0.0) for day in range(56) if day % 7 in (0, 2, 4))
RAMP = tuple((56 + day, 12_000.0, 0.0) for day in (0, 1, 2, 4))
Run = tuple[int, float, float]
"""Day from 0, metres, and metres of it down steep grades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What somebody did, noted and plans, in days from 0."""

    runs: Sequence[Run] = STEADY
    reports: Sequence[Report] = ()
    plan: Sequence[tuple[int, str, float]] = ()
    strength: Sequence[int] = ()
    planned_m: float | None = None
    today: int = 60


def report_of(day: int, side: str = "right", *, hour: int = 13, **told: Any) -> Report:
    """Return what was noted of a knee on a day, so many hours after the run's start."""
    at = START + timedelta(days=day, hours=hour)
    return Report(report_id=f"{day} {side} {hour}", reported_at=at, local_date=day_of(day), side=side, **told)


def day_of(day: int) -> date:
    """Return the date of a day."""
    return DAY_0 + timedelta(days=day)


SPIKED = (*STEADY, (58, 13_500.0, 0.0))
SORE = (report_of(52, during=1.0), report_of(58, during=2.0), report_of(60, before=1.0, during=4.0, after_60min=3.0, next_morning=2.0))  # fmt: skip
STORIES = (
    Story(runs=SPIKED, reports=[report_of(60, before=0.0, during=3.0, after_60min=2.0, next_morning=0.0)]),
    Story(runs=SPIKED, reports=[report_of(59, during=2.0)]),
    Story(runs=SPIKED, reports=[report_of(58, "left", during=2.0)]),
    Story(runs=SPIKED, reports=SORE),
    Story(runs=SPIKED, reports=[report_of(55, during=1.0)]),
    Story(runs=(*SPIKED, (60, 16_000.0, 0.0)), reports=[report_of(59, during=3.0)]),
    Story(runs=(*STEADY, (58, 16_000.0, 0.0))),
    Story(runs=(*STEADY, (58, 26_000.0, 0.0)), reports=[report_of(58, "left", during=0.0)]),
    Story(runs=SPIKED, reports=[report_of(58, "both", during=0.0)]),
    Story(runs=SPIKED, reports=[report_of(58, "right", during=0.0)]),
    Story(runs=(*STEADY, *RAMP)),
    Story(runs=(*STEADY, *RAMP, (58, 17_000.0, 0.0)), planned_m=9_000.0),
    Story(runs=(*STEADY, (58, 12_000.0, 150.0))),
    Story(runs=(*STEADY[:8], (18, 14_000.0, 0.0)), today=18),
    Story(runs=STEADY[:2], reports=[report_of(5, during=4.0)], today=5),
    Story(reports=[report_of(day, during=3.0) for day in (30, 37, 44)]),
    Story(reports=[report_of(40, during=3.0, flags=(*sorted(RED_FLAGS), "hyperextension"), changed_gait=True)]),
    Story(reports=[report_of(30, during=1.0), report_of(33, during=2.0), report_of(36, during=4.0)]),
    Story(reports=[report_of(40, flags=("swelling",))]),
    Story(reports=[report_of(40, changed_gait=True)]),
    Story(plan=[(59, "easy", 13_500.0), (62, "long", 15_000.0), (63, "race", 31_000.0)]),
    Story(plan=[(60, "tempo", 13_500.0), (61, "intervals", 17_000.0)], reports=[report_of(58, during=2.0)]),
    Story(plan=[(60, "steady", 14_000.0), (61, "shakeout", 17_000.0)], reports=[report_of(58, during=7.0)]),
    Story(runs=STEADY[:7], plan=[(16, "long", 14_000.0)], today=16),
    Story(strength=[20, 40], reports=[report_of(50, during=2.0)]),
    Story(plan=[(20, "strength", 0.0)], reports=[report_of(50, flags=(), after_60min=1.0)]),
    Story(strength=[20], reports=[report_of(45, changed_gait=True), report_of(50, during=0.0)]),
    Story(runs=SPIKED, strength=[30], today=58),
    Story(runs=SPIKED, reports=[report_of(54, during=0.0)], today=61),
    Story(
        runs=[(7 * week + day, 12_000.0, 0.0) for week in range(17) for day in (0, 2, 4)] + [(120, 13_500.0, 0.0)],
        reports=[report_of(40, during=4.0)],
        today=123,
    ),
)  # fmt: skip


def alerts_of(story: Story) -> list[Alert]:
    """Return every alert of a story."""
    runs, daily = _frames(story)
    today = day_of(story.today)
    alerts = find_alerts(runs, daily, story.reports, athlete="you", today=today)
    rows = [
        {
            "plan": "own",
            "week": 1 + day // 7,
            "local_date": day_of(day),
            "session": what,
            "distance_m": metres,
        }
        for day, what, metres in story.plan
    ]
    notices = find_notices(
        runs,
        find_spikes(runs, daily),
        story.reports,
        alerts,
        sessions=pl.DataFrame(rows, schema=PLAN_SESSIONS),
        planned_since=None,
        strength=[StrengthDone(day_of(day), f"strength {day}") for day in story.strength],
        athlete="you",
        today=today,
    )
    return [*alerts, *notices]


def examples() -> dict[str, str]:
    """Return each sentence as the program said it first, by section and key; those that it did not say are left out."""
    with _listening() as heard:
        for story in STORIES:
            for alert in alerts_of(story):
                alert_words(alert, Units())
        _say_the_rest()
        return dict(heard)


def document() -> str:
    """Return docs/wording.md as it should be."""
    said = examples()
    parts = [INTRO]
    for section, sentences in words().items():
        parts.append(f"\n## {section}\n\n| | sentence | as it is said |\n|---|---|---|\n")
        parts += [
            f"| `{key}` | {_cell(sentence)} | {_cell(said.get(f'{section}.{key}', ''))} |\n"
            for key, sentence in sentences.items()
        ]
    parts.append("\n## Whole messages\n\nOne of each rule: the message, and what to consider.\n")
    for alert in _one_of_each_rule():
        message, action = alert_words(alert, Units())
        parts.append(f"\n**`{alert.rule}`**, {alert.severity}: {message}\n\n> {action}\n")
    return "".join(parts)


def _one_of_each_rule() -> Iterable[Alert]:
    found: dict[str, Alert] = {}
    for story in STORIES:
        for alert in alerts_of(story):
            found.setdefault(alert.rule, alert)
    return found.values()


def _say_the_rest() -> None:
    """Reminders, knees, the digest, letters, findings about plans, and notes on load."""
    on = day_of(58)
    asked = {
        "after_60min": ("left", "both"),
        "next_morning": ("left", "both"),
        "report": (None,),
        "words": (None,),
        "ostrc_o2": ("left",),
        "koos_pf": ("left",),
    }
    for asks, side in ((asks, side) for asks, sides in asked.items() for side in sides):
        reminder_words(Reminder(asks=asks, local_date=on, side=side, report_id="0" * 64, words="knee 3?"))  # type: ignore[arg-type]
    for count in (1, 2):
        open_questions_words(count, None)
    _say_of_knees(on)
    _say_of_the_week()
    _say_to_the_coach()
    for name in (None, "Mara"):
        title_of("digest", name)
    shared_words("…", "Mara")
    finding: dict[str, Any] = {"week": 9, "local_date": on, "session": "long", "value": 13_500.0}
    finding |= {"compared_with": 12_000.0, "ratio": 0.125, "spike_bin": "small"}
    place(finding)
    counted = {"no_cut_back": 5.0}
    for rule in [key for key in words()["plan_check"] if key not in ("place", "entry_longest_none")]:
        finding_sentence(finding | {"rule": rule, "value": counted.get(rule, 13_500.0)}, Units())
    finding_sentence(finding | {"rule": "entry_longest", "value": None}, Units())
    summary = PlanSummary(16, 64, 22_500.0, 38_100.0, 19_300.0, 0.1, 0, 0.093, 0.11, 7_800.0, 20_000.0, 8_000.0, 21_000.0)  # fmt: skip
    for one in (summary, summary._replace(own_longest_m=None, own_week_m=None)):
        summary_rows(one, Units())
    load: dict[str, Any] = {"ctl": 30.0, "is_warming_up": True, "warming_up_until": day_of(27), "load_unit": "hrss"}  # fmt: skip
    load |= {"week_runs": 4, "runs_42d": 20, "week_runs_without_heart_rate": 1}
    for without, rest, unit in ((1, 1, "hrss"), (3, 3, "rtss"), (4, 3, "srpe")):
        load_notes(
            load | {"week_runs_without_hrss": without, "runs_42d_without_load": rest, "load_unit": unit}
        )


def _say_of_knees(on: date) -> None:
    """A knee with everything: a flag, an event, rising pain, cues with both sides, an episode, both questionnaires."""
    swollen = report_of(57, before=1.0, during=4.0, after_60min=2.0, next_morning=3.0, site="kneecap",
                        flags=("swelling", "hyperextension"), changed_gait=True, provoked_by=("stairs",))  # fmt: skip
    reports = [report_of(51, during=1.0, site="kneecap"), report_of(54, during=2.0, site="outer"), swollen]
    cues = knee_cues(reports, "right", today=on)
    knee_words.red_flags_sentence(cues)
    knee_words.advice_sentence(cues)
    knee_words.level_sentence(cues.pain)
    for event in cues.events:
        knee_words.event_sentence(event)
    for cue in cues.cues:
        knee_words.cue_words(cue)
    names = ("local_date", "site", "before", "during", "after_60min", "next_morning", "flags", "changed_gait")
    knee_words.newest_sentence({name: getattr(swollen, name) for name in names})
    knee_words.episode_sentence({"since": day_of(51), "severity": "warning"})
    first: dict[str, Any] = {"kind": "ostrc_o2", "score": 50.0, "local_date": on, "is_substantial": True, "change": None}  # fmt: skip
    knee_words.questionnaire_sentence(first)
    later = first | {"kind": "koos_pf", "score": 68.2, "is_substantial": None, "previous_date": day_of(30)}
    for change, mdc, mic in (
        (0, None, None),
        (-4, None, None),
        (5, False, False),
        (16.2, True, False),
        (18, True, True),
    ):
        knee_words.questionnaire_sentence(
            later | {"change": change, "is_beyond_mdc": mdc, "is_beyond_mic": mic}
        )


def _say_of_the_week() -> None:
    """Digests of a week with much in it, and of one with nothing."""
    week = {"plan_week": 9, "runs": 4, "distance_m": 31_000.0, "planned_runs": 4, "planned_distance_m": 30_000.0, "strength_sessions": 1}  # fmt: skip
    run: dict[str, Any] = {"local_date": day_of(62), "session": "long", "distance_m": 15_000.0}
    ahead = run | {"planned_distance_m": 15_000.0, "spike_ratio": 0.25, "longest_30d_m": 12_000.0, "longest_without_spike_m": 13_200.0}  # fmt: skip
    one = Digest(
        week_start=day_of(49),
        week=week,
        knees=[{"side": "right", "reports": 1, "worst": 4.0, "flags": ["swelling"]}],
        alerts=[{"severity": "warning", "side": "right", "local_date": day_of(55)}],
        planned=[run],
        ahead=[ahead | {"spike_bin": "small"}, ahead | {"spike_bin": "no_baseline"}],
    )
    none = Digest(week_start=day_of(49), week=None, knees=[], alerts=[], planned=[], ahead=[])
    more = replace(one, week=week | {"runs": 1, "strength_sessions": 2}, knees=[{"side": "left", "reports": 2, "worst": None, "flags": []}])  # fmt: skip
    for digest in (one, none, more):
        digest_words(digest, Units())


def _say_to_the_coach() -> None:
    """Whom to call and why: each reason once."""
    alert: dict[str, Any] = {
        "rule": "spike_and_pain", "side": "right", "alert_peak": 4.0, "alert_pain_date": day_of(58), "alert_flags": ["swelling"],
        "alert_spike_ratio": 0.25, "alert_distance_m": 15_000.0, "alert_longest_30d_m": 12_000.0, "alert_spike_date": day_of(56),
        "alert_week_m": 48_000.0, "alert_week_before_m": 24_000.0,
    }  # fmt: skip
    known: dict[str, Any] = alert | {
        "silent_days": 9, "peak": 3.0, "peak_date": day_of(58), "earlier_peak": 1.0, "earlier_peak_date": day_of(51),
        "spike_distance_m": 15_000.0, "spike_longest_30d_m": 12_000.0, "spike_ratio": 0.25, "spike_date": day_of(56),
        "missed_runs": 2, "planned_runs": 6, "last_missed_date": day_of(57),
    }  # fmt: skip
    for call in ("alert", "pain_rising", "not_reported", "missed", "quiet"):
        call_sentence(known | {"call": call}, Units())


class _Heard(str):
    """A sentence that remembers how it was said first."""

    __slots__ = ("heard", "name")
    heard: dict[str, str]
    name: str

    def format(self, *args: object, **filled_in: object) -> str:
        text = super().format(*args, **filled_in)
        self.heard.setdefault(self.name, text)
        return text


@contextmanager
def _listening() -> Iterator[dict[str, str]]:
    heard: dict[str, str] = {}
    words.cache_clear()
    for section, sentences in words().items():
        for key, sentence in sentences.items():
            if isinstance(sentence, str):
                sentences[key] = one = _Heard(sentence)
                one.heard, one.name = heard, f"{section}.{key}"
    try:
        yield heard
    finally:
        words.cache_clear()


def _frames(story: Story) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = [
        (f"run {day}", START + timedelta(days=day), day_of(day), metres, down_m)
        for day, metres, down_m in story.runs
    ]
    names = ("activity_id", "started_at", "local_date", "distance_m", "steep_descent_m")
    runs = pl.DataFrame(rows, schema=names, orient="row")
    runs = runs.join(with_spikes(runs), on="activity_id", maintain_order="left")
    planned = pl.lit(story.planned_m, pl.Float64)
    runs = runs.with_columns(planned_distance_m=planned, planned_7d_m=3 * planned)
    unknown = ("timer_s", "descent_m", "steps", "srpe", "hrss", "rtss", "knee_load_klu")
    loads = runs.with_columns(**{name: pl.lit(None, pl.Float64) for name in unknown})
    strength = pl.DataFrame(schema={"local_date": pl.Date, "srpe": pl.Float64})
    return runs, daily_load(loads, strength, through=day_of(story.today))


def _cell(sentence: object) -> str:
    if isinstance(sentence, list):
        texts = [", ".join(one.values()) if isinstance(one, dict) else str(one) for one in sentence]
        return "<br>".join(text.replace("|", "\\|") for text in texts)
    return str(sentence).replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
