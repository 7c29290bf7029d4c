"""Load as the formulas read aloud: plain loops over plain lists, a second opinion on analytics/load.py."""

import math
from collections.abc import Sequence

BANISTER = {"male": (0.64, 1.92), "female": (0.86, 1.67)}


def banister(
    rates_bpm: Sequence[float], minutes: Sequence[float], sex: str, rest: float, top: float
) -> float:
    """Minutes times reserve times a·e^(b·reserve)."""
    a, b = BANISTER[sex]
    total = 0.0
    for bpm, lasted in zip(rates_bpm, minutes, strict=True):
        x = min(max((bpm - rest) / (top - rest), 0), 1)
        total += lasted * x * a * math.exp(b * x)
    return total


def edwards(rates_bpm: Sequence[float], minutes: Sequence[float], top: float) -> float:
    """One point a minute for each tenth of maximum from half of it on."""
    total = 0.0
    for bpm, lasted in zip(rates_bpm, minutes, strict=True):
        total += lasted * sum(bpm >= top * share / 10 for share in (5, 6, 7, 8, 9))
    return total


def lucia(rates_bpm: Sequence[float], minutes: Sequence[float], vt1: float, vt2: float) -> float:
    """One, two or three points a minute."""
    total = 0.0
    for bpm, lasted in zip(rates_bpm, minutes, strict=True):
        total += lasted * (1 if bpm < vt1 else 2 if bpm <= vt2 else 3)
    return total


def hrss(impulse: float, sex: str, rest: float, top: float, threshold: float) -> float:
    """Per cent of an hour at threshold."""
    return 100 * impulse / banister([threshold], [60], sex, rest, top)


def hrss_squared(minutes: float, bpm: float, rest: float, top: float, threshold: float) -> float:
    """The other formula of the same name, which is not ours."""
    return 100 * minutes / 60 * ((bpm - rest) / (top - rest) / ((threshold - rest) / (top - rest))) ** 2


def mean_of_days(daily: Sequence[float], alpha: float, seed: float) -> list[float]:
    """Yesterday's mean, and a share of the way to today's load."""
    means = []
    for load in daily:
        seed += alpha * (load - seed)
        means.append(seed)
    return means


def alphas(days: int) -> dict[str, float]:
    """The three ways to make a share of a number of days."""
    return {"1/N": 1 / days, "exp": 1 - math.exp(-1 / days), "2/(N+1)": 2 / (days + 1)}


def acwr(daily: Sequence[float], day: int, *, coupled: bool) -> float:
    """Seven days over the weekly mean of 28 that hold them, or of the 21 before them."""
    acute = sum(daily[day - 6 : day + 1])
    chronic = sum(daily[day - 27 : day + 1]) / 4 if coupled else sum(daily[day - 27 : day - 6]) / 3
    return acute / chronic if chronic else math.nan


def acwr_ewma(daily: Sequence[float]) -> list[tuple[float, float, float]]:
    """Means of 7 and of 28 days from the first day's load on, and their ratio."""
    acute = [daily[0], *mean_of_days(daily[1:], alphas(7)["2/(N+1)"], daily[0])]
    chronic = [daily[0], *mean_of_days(daily[1:], alphas(28)["2/(N+1)"], daily[0])]
    return [(a, c, a / c if c else math.nan) for a, c in zip(acute, chronic, strict=True)]


def monotony(daily: Sequence[float], *, of_sample: bool) -> float:
    """Mean over standard deviation."""
    mean = sum(daily) / len(daily)
    squares = sum((load - mean) ** 2 for load in daily)
    return mean / math.sqrt(squares / (len(daily) - of_sample))


def study_bin(distance: float, longest: float) -> str:
    """The bins as the study has them, without a dead-band; an edge belongs to the lower one."""
    over = [
        name
        for name, edge in (("small", 1.1), ("moderate", 1.3), ("large", 2.0))
        if distance > longest * edge * (1 + 1e-9)
    ]
    return over[-1] if over else "reference"
