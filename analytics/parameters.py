"""The athlete's own values, dated: those that are set, else what the history says, with its evidence."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.load import HOUR_S, Floats, HeartRateProfile, is_measured
from analytics.pace import column, durations_s
from analytics.run_metrics import AthleteValues

MARKS_VERSION = "1"  # a change computes the marks of every activity again

PEAK_S = 30.0  # held so long a rate is no flicker of the sensor, ours
LOWEST_S = 60.0
LEAST_ACTIVITIES = 5  # fewer say nothing about the athlete, ours
YEAR = timedelta(days=365)  # heart rates change slowly, ours
SEASON = timedelta(days=90)  # fitness does not, ours
POSSIBLE_PEAK_BPM = (100.0, 230.0)
TYPICAL_RESTING_BPM = 65.0  # few rest while they record; most adults who run are at or below it
AGE_TERMS = (208.0, -0.7)  # maximum by age in years; Tanaka 2001
AGE_SPREAD_BPM = 10.0  # about what people differ from it; further below, nobody ran hard

RIEGEL_EXPONENT = 1.06  # time grows with distance to this power; Riegel 1981
HOUR_FROM_M = 5000.0  # shorter efforts say little about an hour

Places = NDArray[np.intp]
ParameterName = Literal[
    "resting_hr_bpm",
    "max_hr_bpm",
    "threshold_hr_bpm",
    "vt1_hr_bpm",
    "vt2_hr_bpm",
    "threshold_pace_s_per_km",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """
    One of the athlete's values.

    Attributes:
        valid_from: First day on which it counts; None is from the beginning.
        is_estimated: Whether it comes from the history and not from the athlete.
        evidence: What it rests on.
    """

    name: ParameterName
    value: float
    valid_from: date | None = None
    is_estimated: bool = False
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """One mark of every activity that has it, in order of time."""

    name: str
    days: Sequence[date]
    activity_ids: Sequence[str]
    values: Floats


def heart_rate_marks(samples: pl.DataFrame) -> dict[str, float | None]:
    """Return the highest 30 seconds, the lowest minute and the highest hour of heart rate in an activity's samples."""
    dt_s, hr_bpm = durations_s(samples), column(samples, "hr_bpm")
    return {
        "peak_hr_bpm": _held_bpm(hr_bpm, dt_s, PEAK_S)[1],
        "lowest_hr_bpm": _held_bpm(hr_bpm, dt_s, LOWEST_S)[0],
        "hour_hr_bpm": _held_bpm(hr_bpm, dt_s, HOUR_S)[1],
    }


def hour_pace_s_per_km(efforts: pl.DataFrame) -> float | None:
    """
    Return the pace for an hour that the best efforts of a run show, by Riegel's formula.

    `efforts` has distance_m and time_s; those below 5 km do not count. No run in training is an hour's race, so
    this is the slowest that it can be.
    """
    efforts_of_run = zip(column(efforts, "distance_m"), column(efforts, "time_s"), strict=True)
    metres = [hour_distance_m(*effort) for effort in efforts_of_run if effort[0] >= HOUR_FROM_M]
    return 1000 * HOUR_S / max(metres) if metres else None


def hour_distance_m(distance_m: float, time_s: float) -> float:
    """Return how far somebody gets in an hour who runs this distance in this time, by Riegel's formula."""
    return float(distance_m * (HOUR_S / time_s) ** (1 / RIEGEL_EXPONENT))


def parameters_of(
    marks: pl.DataFrame, given: Iterable[Parameter], *, birth_year: int | None = None
) -> list[Parameter]:
    """
    Put together what counts on each day: the given values from their days on, before them what the history says.

    An estimate rests on the activities up to its day and counts from that day on, until another takes its place; what
    lies before the first one goes by the first.

    Args:
        marks: Of the activities that count: activity_id, local_date, is_run, peak_hr_bpm, lowest_hr_bpm, hour_hr_bpm,
            hour_pace_s_per_km.
        given: What the athlete set.
        birth_year: Keeps the maximum from being taken for too low where nobody ran hard.

    Returns:
        The parameters by name, and of each in order of time.
    """
    given = sorted(given, key=_from)
    runs = marks.filter("is_run")
    possible = runs.filter(pl.col("peak_hr_bpm").is_between(*POSSIBLE_PEAK_BPM))
    counted = [
        *_in_force("resting_hr_bpm", given, _resting(_marks(marks, "lowest_hr_bpm"))),
        *_in_force("max_hr_bpm", given, _maximum(_marks(possible, "peak_hr_bpm"), birth_year)),
        *_in_force("vt1_hr_bpm", given, ()),
        *_in_force("vt2_hr_bpm", given, ()),
        *_in_force("threshold_pace_s_per_km", given, _threshold_pace(_marks(runs, "hour_pace_s_per_km"))),
    ]
    threshold = _threshold(counted, _marks(runs, "hour_hr_bpm"))
    return [*counted, *_in_force("threshold_hr_bpm", given, threshold)]


def values_on(
    parameters: Iterable[Parameter], day: date, *, sex: Literal["female", "male"] | None
) -> AthleteValues:
    """Return the values that count on a day; what none is known of is unknown."""
    known = {one.name: one.value for one in parameters if one.valid_from is None or one.valid_from <= day}
    return AthleteValues(
        heart_rate=HeartRateProfile(
            sex=sex,
            resting_bpm=known.get("resting_hr_bpm"),
            max_bpm=known.get("max_hr_bpm"),
            threshold_bpm=known.get("threshold_hr_bpm"),
            vt1_bpm=known.get("vt1_hr_bpm"),
            vt2_bpm=known.get("vt2_hr_bpm"),
        ),
        threshold_pace_s_per_km=known.get("threshold_pace_s_per_km"),
    )


def values_over_time(
    parameters: Iterable[Parameter], *, sex: Literal["female", "male"] | None
) -> Callable[[date], AthleteValues]:
    """Return what values_on says of any day, looked up: changes are few and days many."""
    parameters = list(parameters)
    changes = sorted({date.min, *map(_from, parameters)})
    values = [values_on(parameters, day, sex=sex) for day in changes]
    return lambda day: values[bisect_right(changes, day) - 1]


def _held_bpm(hr_bpm: Floats, dt_s: Floats, window_s: float) -> tuple[float | None, float | None]:
    """Lowest and highest mean of a window of measured time; an extreme one begins or ends at a sample."""
    beats = is_measured(hr_bpm, dt_s)
    at_s = np.concatenate(([0.0], np.cumsum(dt_s[beats])))
    summed = np.concatenate(([0.0], np.cumsum(hr_bpm[beats] * dt_s[beats])))
    ends_s = np.concatenate((at_s, at_s + window_s))
    ends_s = ends_s[(ends_s >= window_s) & (ends_s <= at_s[-1])]
    if not len(ends_s):
        return None, None
    means = (np.interp(ends_s, at_s, summed) - np.interp(ends_s - window_s, at_s, summed)) / window_s
    return float(means.min()), float(means.max())


def _marks(marks: pl.DataFrame, name: str) -> _Marks:
    known = marks.filter(pl.col(name).is_not_null()).sort("local_date", "activity_id")
    return _Marks(
        name=name,
        days=known["local_date"].to_list(),
        activity_ids=known["activity_id"].to_list(),
        values=known[name].cast(pl.Float64).to_numpy(),
    )


def _windows(marks: _Marks, length: timedelta) -> tuple[Places, Places]:
    """Where the marks of the time up to each day begin and end, from the day on at which there are enough."""
    days = np.array(marks.days, dtype="datetime64[D]")
    ends = np.flatnonzero(np.diff(days, append=np.datetime64(date.max, "D")).astype(np.intp)) + 1
    starts = np.searchsorted(days, days[ends - 1] - np.timedelta64(length), side="right")
    enough = ends - starts >= LEAST_ACTIVITIES
    return starts[enough], ends[enough]


def _highest(values: Floats, starts: Places, ends: Places) -> Floats:
    """Highest of each window; negative infinity of one without a value."""
    padded = np.append(values, -np.inf)  # the end of a window may be that of the values
    highest = np.maximum.reduceat(padded, np.column_stack((starts, ends)).ravel())[::2]
    return np.where(starts < ends, highest, -np.inf)


def _second_highest(values: Floats, starts: Places, ends: Places) -> Floats:
    """Second highest of each window: of what lies on both sides of its highest."""
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(len(values))
    highest = order[_highest(ranks, starts, ends).astype(np.intp)]
    return np.maximum(_highest(values, starts, highest), _highest(values, highest + 1, ends))


def _changes(values: Floats, starts: Places, ends: Places) -> Iterator[tuple[float, slice]]:
    """The windows whose value, in whole units, is another than that of the window before."""
    for place in np.flatnonzero(np.diff(np.round(values), prepend=np.nan)):
        yield float(values[place]), slice(int(starts[place]), int(ends[place]))


def _resting(marks: _Marks) -> Iterator[Parameter]:
    """Lowest minute of a year; where nobody rested while recording, what is typical."""
    windows = _windows(marks, YEAR)
    for lowest_bpm, window in _changes(-_highest(-marks.values, *windows), *windows):
        lowest = window.start + int(np.argmin(marks.values[window]))
        is_typical = lowest_bpm > TYPICAL_RESTING_BPM
        method = (
            "typical, as no recording holds a minute of rest" if is_typical else "lowest minute of a year"
        )
        yield _estimate("resting_hr_bpm", min(lowest_bpm, TYPICAL_RESTING_BPM), method, marks, window, lowest)


def _maximum(marks: _Marks, birth_year: int | None) -> Iterator[Parameter]:
    """Second highest half minute of a year, so that one sensor gone wild does not count; by age if that is far below it."""
    starts, ends = _windows(marks, YEAR)
    seconds_bpm = _second_highest(marks.values, starts, ends)
    years = np.array([marks.days[end - 1].year for end in ends]) - (birth_year or 0)
    by_age_bpm = AGE_TERMS[0] + AGE_TERMS[1] * years if birth_year else np.zeros(len(ends))
    by_age = seconds_bpm < by_age_bpm - AGE_SPREAD_BPM
    for value_bpm, window in _changes(np.where(by_age, by_age_bpm, seconds_bpm), starts, ends):
        second = window.start + int(np.argpartition(marks.values[window], -2)[-2])
        is_by_age = value_bpm != marks.values[second]
        method = "by age, as nobody ran that hard" if is_by_age else "second highest 30 s of a year"
        yield _estimate("max_hr_bpm", value_bpm, method, marks, window, second)


def _threshold_pace(marks: _Marks) -> Iterator[Parameter]:
    """Best hour that an effort of the last 90 days stands for."""
    windows = _windows(marks, SEASON)
    for fastest_s, window in _changes(-_highest(-marks.values, *windows), *windows):
        fastest = window.start + int(np.argmin(marks.values[window]))
        method = "best effort of 90 days, as an hour"
        yield _estimate("threshold_pace_s_per_km", fastest_s, method, marks, window, fastest)


def _threshold(counted: Sequence[Parameter], marks: _Marks) -> Iterator[Parameter]:
    """85 % of the reserve, or the highest hour of a year where that is more; a new one with each change of either."""
    starts, ends = _windows(marks, YEAR)
    highest_bpm = _highest(marks.values, starts, ends)
    known_on = [marks.days[end - 1] for end in ends]
    told = values_over_time(counted, sex=None)
    last_bpm: float | None = None
    for start in sorted({*map(_from, counted), *known_on}):
        heart_rate = told(start).heart_rate
        default_bpm = heart_rate.threshold_or_default_bpm
        if default_bpm is None or heart_rate.max_bpm is None:
            continue
        place = bisect_right(known_on, start) - 1
        is_held = place >= 0 and highest_bpm[place] > default_bpm
        value_bpm = (
            float(round(min(float(highest_bpm[place]), heart_rate.max_bpm))) if is_held else default_bpm
        )
        if value_bpm == last_bpm:
            continue
        last_bpm = value_bpm
        if is_held:
            window = slice(int(starts[place]), int(ends[place]))
            highest = window.start + int(np.argmax(marks.values[window]))
            found = _estimate("threshold_hr_bpm", value_bpm, "highest hour of a year", marks, window, highest)
        else:
            found = Parameter(
                name="threshold_hr_bpm",
                value=default_bpm,
                is_estimated=True,
                evidence={
                    "method": "85 % of the reserve",
                    "resting_hr_bpm": heart_rate.resting_bpm,
                    "max_hr_bpm": heart_rate.max_bpm,
                },
            )
        yield replace(found, valid_from=None if start == date.min else start)


def _estimate(
    name: ParameterName, value: float, method: str, marks: _Marks, window: slice, best: int
) -> Parameter:
    """An estimate of the window's last day; `best` is where the mark lies that it rests on."""
    return Parameter(
        name=name,
        value=float(round(value)),  # finer would say more than it knows, and change every day
        valid_from=marks.days[window.stop - 1],
        is_estimated=True,
        evidence={
            "method": method,
            marks.name: round(float(marks.values[best]), 1),
            "local_date": marks.days[best].isoformat(),
            "activity_id": marks.activity_ids[best],
            "activities": window.stop - window.start,
        },
    )


def _in_force(
    name: ParameterName, given: Sequence[Parameter], estimated: Iterable[Parameter]
) -> Iterator[Parameter]:
    """Each change of one parameter: estimates up to the first given value, then the given ones."""
    set_values = [one for one in given if one.name == name]
    first_set = _from(set_values[0]) if set_values else date.max
    last: float | None = None
    for one in estimated:
        if (date.min if last is None else _from(one)) >= first_set:
            break
        if one.value != last:
            yield one if last is not None else _from_the_beginning(one)
        last = one.value
    yield from set_values


def _from_the_beginning(one: Parameter) -> Parameter:
    """The first estimate counts for what lies before it, too."""
    made_on = {"estimated_on": one.valid_from.isoformat()} if one.valid_from else {}
    return replace(one, valid_from=None, evidence={**one.evidence, **made_on})


def _from(one: Parameter) -> date:
    return one.valid_from or date.min
