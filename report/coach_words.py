"""Why a coach should call an athlete, in one sentence with the numbers."""

from collections.abc import Mapping
from typing import Any

from report.format import Units, percent, score, short_day
from report.words import said, words


def call_sentence(row: Mapping[str, Any], units: Units) -> str:
    """
    Return why this athlete stands where they stand.

    Args:
        row: Of the question coach, with call and silent_days of `analytics.coach.call_order`.
        units: Kilometres or miles.
    """
    call = row["call"]
    if call in ("medical", "alert"):
        return _alert(row, units)
    if call == "quiet" and row["silent_days"] is None:
        return said("coach.quiet_never")
    return said(
        f"coach.{call}",
        days=row["silent_days"],
        peak=score(row["peak"]),
        peak_day=short_day(row["peak_date"]),
        earlier_peak=score(row["earlier_peak"]),
        earlier_day=short_day(row["earlier_peak_date"]),
        distance=units.distance(row["spike_distance_m"]),
        longest=units.distance(row["spike_longest_30d_m"]),
        rise=percent(row["spike_ratio"], signed=True),
        spike_day=short_day(row["spike_date"]),
        missed=row["missed_runs"],
        planned=row["planned_runs"],
        missed_day=short_day(row["last_missed_date"]),
    )


def _alert(row: Mapping[str, Any], units: Units) -> str:
    numbers = []
    if row["alert_peak"] is not None:
        numbers.append(
            said("coach.peak", peak=score(row["alert_peak"]), day=short_day(row["alert_pain_date"]))
        )
    if row["alert_flags"]:
        signs = ", ".join(words()["flags"][flag] for flag in row["alert_flags"])
        numbers.append(said("coach.signs", signs=signs, day=short_day(row["alert_pain_date"])))
    if row["alert_spike_ratio"] is not None:
        numbers.append(
            said(
                "coach.spike",
                distance=units.distance(row["alert_distance_m"]),
                longest=units.distance(row["alert_longest_30d_m"]),
                rise=percent(row["alert_spike_ratio"], signed=True),
                day=short_day(row["alert_spike_date"]),
            )
        )
    if row["alert_week_m"] is not None:
        numbers.append(
            said(
                "coach.ramp",
                week=units.distance(row["alert_week_m"]),
                week_before=units.distance(row["alert_week_before_m"]),
                day=short_day(row["alert_spike_date"]),
            )
        )
    rule = words()["rule"][row["rule"]]
    about = f"{rule}, {said('coach.knee', side=row['side'])}" if row["side"] else rule
    return said("coach.alert", about=about, numbers="; ".join(numbers)) if numbers else f"{about}."
