"""
Replay two real people's knee reports day by day: `make bench-case-study`.

Reads p11 and p12 of PMData (Thambawita et al., MMSys 2020; CC BY 4.0 as far as we know) from pmdata/ in $KNEEWATCH_CORPUS. Prints which alerts come and when, and writes benchmarks/out/case_study.json.

The data are not what Kneewatch asks for, so three things are assumed and said. (1) Knees are "minor" or "major" there, not 0 to 10:
a major knee counts as 6, a minor one as 2 and once more as 3, on either side of the line between P1 and P2. A report that marks
no knee counts as 0 for both. (2) Few runs have a distance, so the load is taken twice: from the kilometres that the watch
measured, and from session-RPE, with every session told as the kilometres that this much would be at an exertion of 7 and 6 min/km.
(3) No after-an-hour or next-morning score, no red flag and no altitude: these parts of the rules are silent.
"""

import ast
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl

from analytics.alerts import KNEES, SEVERITIES, Alert, find_alerts
from analytics.calendar import daily_load
from analytics.load import srpe, with_spikes
from analytics.pain import Report

OUT = Path(__file__).parent / "out" / "case_study.json"
CORPUS = Path(os.environ.get("KNEEWATCH_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
PEOPLE = ("p11", "p12")
LOADS = ("watch", "session_rpe")
MINOR_SCORES = (2, 3)
MAJOR_SCORE = 6
SRPE_OF_A_KM = 7 * 6
RUNS_OF_THE_WATCH = ("Run", "Treadmill")
BURDEN_DAYS = 28
FORTNIGHT_DAYS = 14

RUNS = pl.Schema(
    {
        "activity_id": pl.String,
        "started_at": pl.Datetime("us", "UTC"),
        "local_date": pl.Date,
        "distance_m": pl.Float64,
        "srpe": pl.Float64,
    }
)
NOT_KNOWN = ("timer_s", "descent_m", "steep_descent_m", "steps", "hrss", "rtss", "knee_load_klu")


@dataclass(frozen=True, slots=True)
class Person:
    """What one person logged: the knees (right and left apart) and the runs by either measure, in order of time."""

    name: str
    knees: list[tuple[datetime, str, str | None]]
    runs: dict[str, pl.DataFrame]

    @property
    def first_day(self) -> date:
        return min(self._days())

    @property
    def last_day(self) -> date:
        return max(self._days())

    def _days(self) -> list[date]:
        ran_on = [day for runs in self.runs.values() for day in runs["local_date"]]
        return [*ran_on, *(told_at.date() for told_at, _, _ in self.knees)]


def main() -> None:
    """Replay and write down."""
    folder = CORPUS / "pmdata"
    if not folder.is_dir():
        sys.exit(f"There is no PMData at {folder}; set KNEEWATCH_CORPUS to the folder that holds pmdata/.")
    studies = [
        study(person, load=load, minor=minor)
        for person in (read_person(folder / name) for name in PEOPLE)
        for load in LOADS
        for minor in MINOR_SCORES
    ]
    for one in studies:
        print_study(one)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"studies": studies}, indent=2))
    print(OUT)


# What was logged -------------------------------------------------------------------------------------------


def read_person(folder: Path) -> Person:
    """Return what one person logged; the clocks of the files agree with one another and are taken as they are."""
    return Person(
        folder.name, read_knees(folder), {"watch": read_watch(folder), "session_rpe": read_sessions(folder)}
    )


def read_knees(folder: Path) -> list[tuple[datetime, str, str | None]]:
    """Return (time, knee, "minor", "major" or None) of every report; one that marks no knee says so of both."""
    rows = pl.read_csv(folder / "injury.csv", infer_schema=False).sort("effective_time_frame")
    return [
        (moment(told_at), knee, ast.literal_eval(injuries).get(f"{knee}_knee"))
        for told_at, injuries in rows.iter_rows()
        for knee in KNEES
    ]


def read_watch(folder: Path) -> pl.DataFrame:
    """Return the runs that the watch saw; a distance only where it measured one."""
    activities = json.loads((folder / "exercise.json").read_text())
    rows = [
        (
            str(one["logId"]),
            started_at := datetime.fromisoformat(one["startTime"]).replace(tzinfo=UTC),
            started_at.date(),
            1000 * one["distance"] if one.get("distanceUnit") == "Kilometer" else None,
            None,
        )
        for one in activities
        if one["activityName"] in RUNS_OF_THE_WATCH
    ]
    return pl.DataFrame(rows, schema=RUNS, orient="row").sort("started_at")


def read_sessions(folder: Path) -> pl.DataFrame:
    """Return every session, whatever it was, as a run of the kilometres that its session-RPE stands for."""
    rows = []
    for ended, _, exertion, minutes in pl.read_csv(folder / "srpe.csv", infer_schema=False).iter_rows():
        started_at = moment(ended) - timedelta(minutes=float(minutes))
        load = srpe(float(exertion), 60 * float(minutes))
        assert load is not None
        rows.append((ended, started_at, started_at.date(), 1000 * load / SRPE_OF_A_KM, load))
    return pl.DataFrame(rows, schema=RUNS, orient="row").sort("started_at")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def reports_of(person: Person, minor: int) -> list[Report]:
    """Return the reports with a score for each word."""
    scores = {None: 0, "minor": minor, "major": MAJOR_SCORE}
    return [
        Report(
            report_id=f"{told_at.isoformat()} {knee}",
            reported_at=told_at,
            local_date=told_at.date(),
            side=knee,
            during=scores[word],
        )
        for told_at, knee, word in person.knees
    ]


# The replay ------------------------------------------------------------------------------------------------


def replay(runs: pl.DataFrame, reports: Sequence[Report], first: date, last: date) -> list[Alert]:
    """Live through the days, each knowing no more than was there by its end; an alert must come on its own day and stay."""
    seen: dict[str, Alert] = {}
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        so_far = runs.filter(pl.col("local_date") <= day)
        told = [report for report in reports if report.local_date <= day]
        alerts = alerts_on(so_far, told, day)
        fresh = [alert for alert in alerts if alert.alert_id not in seen]
        if [a for a in fresh if a.local_date != day] or len(alerts) != len(seen) + len(fresh):
            raise AssertionError(
                f"On {day} an alert came late or was taken back, though nothing was corrected."
            )
        seen |= {alert.alert_id: alert for alert in fresh}
    return list(seen.values())


def alerts_on(runs: pl.DataFrame, reports: Sequence[Report], day: date) -> list[Alert]:
    """Return the alerts that the product would hold at the end of a day."""
    compared = runs.join(with_spikes(runs), on="activity_id", how="left", maintain_order="left")
    loads = compared.with_columns(**{name: pl.lit(None, pl.Float64) for name in NOT_KNOWN})
    strength = pl.DataFrame(schema={"local_date": pl.Date, "srpe": pl.Float64})
    return find_alerts(compared, daily_load(loads, strength, through=day), reports, athlete="case", today=day)


def study(person: Person, *, load: str, minor: int) -> dict[str, object]:
    """Return which alerts came to one person and when, against the first and the worst report of each knee."""
    runs = person.runs[load]
    first, last = person.first_day, person.last_day
    alerts = replay(runs, reports_of(person, minor), first, last)
    days = (last - first).days + 1
    return {
        "person": person.name,
        "load": load,
        "minor_counts_as": minor,
        "major_counts_as": MAJOR_SCORE,
        "days": days,
        "runs": runs.height,
        "runs_with_distance": runs["distance_m"].count(),
        "runs_by_spike_bin": by_bin(runs),
        "knees": {knee: against_reports(person, knee, alerts) for knee in KNEES},
        "alerts": [row_of(alert) for alert in alerts],
        "alerts_by_rule": dict(sorted(Counter(alert.rule for alert in alerts).items())),
        "alerts_per_28_days": round(BURDEN_DAYS * len(alerts) / days, 2),
        "warnings_per_28_days": round(BURDEN_DAYS * sum(is_loud(alert) for alert in alerts) / days, 2),
        "most_in_14_days": most_within(sorted(alert.local_date for alert in alerts)),
    }


def by_bin(runs: pl.DataFrame) -> dict[str, int]:
    """Return how many runs fall into each bin of the single session; null is a run without a distance."""
    counts = Counter(with_spikes(runs)["spike_bin"])
    return {str(name): count for name, count in sorted(counts.items(), key=str)}


def against_reports(person: Person, knee: str, alerts: Sequence[Alert]) -> dict[str, object] | None:
    """Return when a knee was first and worst reported and what was said before and after; None for one never reported."""
    sore = [(told_at.date(), word) for told_at, side, word in person.knees if side == knee and word]
    if not sore:
        return None
    first_day = sore[0][0]
    worst_day = next((day for day, word in sore if word == "major"), first_day)
    of_knee = [alert for alert in alerts if alert.side == knee]
    first_alert = min((alert.local_date for alert in of_knee), default=None)
    before_worst = [alert for alert in of_knee if alert.local_date < worst_day]
    return {
        "sore_reports": len(sore),
        "first_report": first_day.isoformat(),
        "worst_report": worst_day.isoformat(),
        "first_alert": first_alert.isoformat() if first_alert else None,
        "days_from_first_report_to_first_alert": (first_alert - first_day).days if first_alert else None,
        "alerts_before_the_worst": len(before_worst),
        "last_alert_before_the_worst": max(
            (alert.local_date.isoformat() for alert in before_worst), default=None
        ),
        "on_the_worst_day": [alert.severity for alert in of_knee if alert.local_date == worst_day],
        "days_between_alerts": [
            (later.local_date - earlier.local_date).days for earlier, later in pairwise(of_knee)
        ],
    }


def row_of(alert: Alert) -> dict[str, object]:
    return {
        "date": alert.local_date.isoformat(),
        "side": alert.side,
        "rule": alert.rule,
        "severity": alert.severity,
        "load_level": alert.load_level,
        "pain_level": alert.pain_level,
        "order_of_events": alert.order_of_events,
        "is_medical": alert.is_medical,
    }


def is_loud(alert: Alert) -> bool:
    return SEVERITIES.index(alert.severity) >= SEVERITIES.index("warning")


def most_within(days: Sequence[date]) -> int:
    """Return the largest number of alerts in so many days on end."""
    return max((sum(0 <= (day - first).days < FORTNIGHT_DAYS for day in days) for first in days), default=0)


def print_study(one: dict[str, object]) -> None:
    print(
        f"\n{one['person']}, load from {one['load']}, minor counts as {one['minor_counts_as']}: "
        f"{len(one['alerts'])} alerts in {one['days']} days, {one['alerts_per_28_days']} in 28 days; "
        f"runs {one['runs']}, with distance {one['runs_with_distance']}, {one['runs_by_spike_bin']}"
    )
    for knee, told in one["knees"].items():
        if told:
            print(
                f"  {knee} knee: "
                + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items())
            )
    for alert in one["alerts"]:
        medical = ", medical" if alert["is_medical"] else ""
        print(
            f"  {alert['date']}  {alert['severity']:<8}{alert['rule']:<16}{alert['side'] or '':<6}"
            f"load {alert['load_level']}  {alert['pain_level'] or ''}{medical}"
        )


if __name__ == "__main__":
    main()
