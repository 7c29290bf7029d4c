"""From a run of the story to what a watch would have recorded of it, second by second.

All noise comes from the run's own seed, by NumPy's frozen generator; every value is rounded to the step in
which it is stored, so that the last bit of a sine does not decide a byte.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from sample_data.route import START_LAT_DEG, START_LON_DEG, Loop, find_loop
from sample_data.story import REFERENCE_HR_BPM, REFERENCE_PACE_S_PER_KM, SPIKE_DATE, Run

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BPM_PER_M_PER_S = 38.7  # from 6:50 min/km at 139.5 bpm to 5:20 min/km at 166 bpm
STEADY_PACE_S_PER_KM = 362
WARM_UP_S = 420
WARM_UP_SPEED_RATIO = 0.84
FIRST_SPEED_RATIO = 0.8
FIRST_HR_BPM = 88.0
HR_LAG_S = 38.0
SPEED_LAG_S = 6.0
PAUSE_DIP_BPM_PER_S = 0.45
PAUSE_DIP_LAG_S = 30.0
WALK_M_PER_S = 1.45
JOG_S, WALK_S = 180, 60
WALKING_BELOW_M_PER_S = 1.9
WALKING_CADENCE_SPM = 112
USUAL_CADENCE_SPM = 168
CADENCE_RANGE_SPM = (164, 172)
GPS_ERROR_M = 1.6
BAROMETER_STEP_M = 0.2
EARTH_RADIUS_CM = 637_100_880
SEMICIRCLES_PER_DEG = 2**31 / 180
SEMICIRCLES_PER_CM = 2**31 / (math.pi * EARTH_RADIUS_CM)
START_LAT_SEMICIRCLES = round(START_LAT_DEG * SEMICIRCLES_PER_DEG)
START_LON_SEMICIRCLES = round(START_LON_DEG * SEMICIRCLES_PER_DEG)
START_COSINE = math.cos(math.radians(START_LAT_DEG))


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the watch thought it was, in FIT's 2^31 parts of half a turn."""

    lat_semicircles: Ints
    lon_semicircles: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamics:
    """What a chest strap says of each step, in the units FIT stores."""

    stance_time_tenth_ms: Ints
    stance_balance_hundredth_pct: Ints
    vertical_oscillation_tenth_mm: Ints
    step_length_tenth_mm: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A run as recorded: one value a second while the timer runs."""

    run: Run
    started_at: datetime
    elapsed_s: Ints
    distance_cm: Ints
    speed_mm_per_s: Ints
    hr_bpm: Ints
    cadence_spm: Ints
    altitude_steps: Ints | None
    """Barometric height in steps of 0.2 m; none indoors."""
    position: Position | None
    dynamics: Dynamics | None
    pauses: tuple[tuple[int, int], ...]
    """(index of the last sample before it, seconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noise:
    speed_ratio: Floats
    hr_bpm: Floats
    cadence_spm: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    form_m_per_s: float
    """On the flat at the reference heart rate."""
    easy_m_per_s: float
    """What she runs on an easy day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Legs:
    """What body and way gave, before a watch looked at it."""

    distance_m: Floats
    speed_m_per_s: Floats
    hr_bpm: Floats


def record(run: Run) -> Recording:
    """Return the recording of a run; the same run gives the same recording."""
    random = np.random.RandomState(run.seed)
    loop = find_loop(run.km * 1000, run.seed)
    noise = _draw_noise(random, int(run.km * 1000 / WALK_M_PER_S) + WARM_UP_S)
    legs = _move(run, loop, noise, _draw_day(run, random))
    pauses = _pauses(run, legs.distance_m)
    cadence_spm = _cadence(run, legs, noise)
    return Recording(
        run=run,
        started_at=run.started_at,
        elapsed_s=_elapsed(len(legs.distance_m), pauses),
        distance_cm=_whole(legs.distance_m * 100),
        speed_mm_per_s=_whole(legs.speed_m_per_s * 1000),
        hr_bpm=_whole(legs.hr_bpm),
        cadence_spm=cadence_spm,
        altitude_steps=_altitudes(run, loop, legs.distance_m, random),
        position=_position(run, loop, legs.distance_m, random),
        dynamics=_dynamics(run, legs, cadence_spm, random) if run.kind == "long" else None,
        pauses=pauses,
    )


def smooth_noise(random: np.random.RandomState, count: int, spread: float, width_s: int) -> Floats:
    """Return noise of this standard deviation that wanders instead of jumping."""
    window = np.hanning(width_s + 2)[1:-1]
    window /= np.sqrt(np.sum(window**2))
    return spread * np.convolve(random.standard_normal(count + width_s - 1), window, mode="valid")


def _whole(values: NDArray[np.floating]) -> Ints:
    whole: Ints = np.rint(values).astype(np.int64)
    return whole


def _draw_noise(random: np.random.RandomState, count: int) -> _Noise:
    return _Noise(
        speed_ratio=smooth_noise(random, count, 0.012, 18),
        hr_bpm=smooth_noise(random, count, 0.75, 30),
        cadence_spm=smooth_noise(random, count, 1.2, 24),
    )


def _draw_day(run: Run, random: np.random.RandomState) -> _Day:
    """Return today's form, at most 0.3 % off the week's, and how briskly she sets out."""
    form_m_per_s = 1000 / REFERENCE_PACE_S_PER_KM[run.plan_week] * (1 + float(random.uniform(-0.003, 0.003)))
    return _Day(
        form_m_per_s=form_m_per_s,
        easy_m_per_s=form_m_per_s + float(random.uniform(-1.2, 1.2)) / BPM_PER_M_PER_S,
    )


def _move(run: Run, loop: Loop, noise: _Noise, day: _Day) -> _Legs:
    """Run second by second until the distance is done."""
    goal_m = run.km * 1000
    distance_m, speed_m_per_s, hr_bpm = [0.0], [FIRST_SPEED_RATIO * day.form_m_per_s], [FIRST_HR_BPM]
    while distance_m[-1] < goal_m:
        second, done_m = len(distance_m), distance_m[-1]
        effort_m_per_s = _effort(run, day.easy_m_per_s, second, done_m)
        wanted = effort_m_per_s * _tiredness_ratio(run, done_m) / _cost(loop.grade(done_m))
        speed_m_per_s.append(
            _lagged(speed_m_per_s[-1], wanted * (1 + noise.speed_ratio[second]), SPEED_LAG_S)
        )
        above_form_bpm = (effort_m_per_s - day.form_m_per_s) * BPM_PER_M_PER_S
        drift_bpm = _drift_bpm(run) * (done_m / goal_m - 0.5)
        hr_bpm.append(_lagged(hr_bpm[-1], REFERENCE_HR_BPM + above_form_bpm + drift_bpm, HR_LAG_S))
        distance_m.append(done_m + speed_m_per_s[-1])
    return _legs(
        run, np.array(distance_m), np.array(speed_m_per_s), np.array(hr_bpm) + noise.hr_bpm[: len(hr_bpm)]
    )


def _lagged(now: float, goal: float, lag_s: float) -> float:
    return now + (goal - now) / lag_s


def _legs(run: Run, distance_m: Floats, speed_m_per_s: Floats, hr_bpm: Floats) -> _Legs:
    """Trim the last step to the story's distance and let the heart rest in the pauses."""
    return _Legs(
        distance_m=distance_m * (run.km * 1000 / distance_m[-1]),
        speed_m_per_s=speed_m_per_s,
        hr_bpm=hr_bpm - _pause_dips(run, distance_m),
    )


def _effort(run: Run, easy_m_per_s: float, second: int, distance_m: float) -> float:
    """Return the speed on the flat she aims at, fresh."""
    if run.kind == "walk_jog":
        return easy_m_per_s * 0.97 if second % (JOG_S + WALK_S) < JOG_S else WALK_M_PER_S
    if second < WARM_UP_S:
        return easy_m_per_s * (WARM_UP_SPEED_RATIO + (1 - WARM_UP_SPEED_RATIO) * second / WARM_UP_S)
    if abs(distance_m - run.km * 500) < run.steady_km * 500:
        return 1000 / STEADY_PACE_S_PER_KM
    return easy_m_per_s


def _tiredness_ratio(run: Run, distance_m: float) -> float:
    """Return below 1 where the long run gets too long, and on the way home with a sore knee."""
    if run.day == SPIKE_DATE and distance_m > 13_000:
        return 1 - 0.05 * (distance_m - 13_000) / 5_400
    if run.is_cut_short and distance_m > 4_500:
        return 0.92
    return 1.0


def _cost(grade: float) -> float:
    """Return how many times harder this grade is than the flat, by heart rate (fit for gentle grades)."""
    return 1 + 2.8489 * grade + 17.160 * grade**2


def _drift_bpm(run: Run) -> float:
    """Return the rise of heart rate at equal speed over the run: 3 % on short runs, up to 6 % on long ones."""
    share = min(0.03 + 0.0025 * max(0.0, run.km - 5), 0.06)
    return share * REFERENCE_HR_BPM


def _pauses(run: Run, distance_m: Floats) -> tuple[tuple[int, int], ...]:
    return tuple(
        (int(np.searchsorted(distance_m, pause.at_share * run.km * 1000)), pause.duration_s)
        for pause in run.pauses
    )


def _pause_dips(run: Run, distance_m: Floats) -> Floats:
    """Return by how much the heart is slower after each pause."""
    dips = np.zeros(len(distance_m))
    for index, duration_s in _pauses(run, distance_m):
        after_s = np.arange(len(distance_m) - index - 1)
        dips[index + 1 :] += min(PAUSE_DIP_BPM_PER_S * duration_s, 38) * np.exp(-after_s / PAUSE_DIP_LAG_S)
    return dips


def _elapsed(count: int, pauses: tuple[tuple[int, int], ...]) -> Ints:
    elapsed_s = np.arange(count)
    for index, duration_s in pauses:
        elapsed_s[index + 1 :] += duration_s
    return elapsed_s


def _cadence(run: Run, legs: _Legs, noise: _Noise) -> Ints:
    """Return steps of both feet a minute."""
    usual = USUAL_CADENCE_SPM + run.seed % 3 - 1
    spm = usual + 8 * (legs.speed_m_per_s - 2.45) + noise.cadence_spm[: len(legs.speed_m_per_s)]
    running = np.clip(_whole(spm), *CADENCE_RANGE_SPM)
    return np.where(legs.speed_m_per_s < WALKING_BELOW_M_PER_S, WALKING_CADENCE_SPM, running)


def _position(run: Run, loop: Loop, distance_m: Floats, random: np.random.RandomState) -> Position | None:
    """Return the way as GPS saw it; none indoors."""
    if run.is_treadmill:
        return None
    east_m, north_m = loop.position_m(distance_m)
    east_cm = _whole(100 * (east_m + smooth_noise(random, len(distance_m), GPS_ERROR_M, 60)))
    north_cm = _whole(100 * (north_m + smooth_noise(random, len(distance_m), GPS_ERROR_M, 60)))
    return Position(
        lat_semicircles=START_LAT_SEMICIRCLES + _whole(north_cm * SEMICIRCLES_PER_CM),
        lon_semicircles=START_LON_SEMICIRCLES + _whole(east_cm * (SEMICIRCLES_PER_CM / START_COSINE)),
    )


def _altitudes(run: Run, loop: Loop, distance_m: Floats, random: np.random.RandomState) -> Ints | None:
    """Return barometric height in steps: the way's, the weather's slow change, a little noise."""
    if run.is_treadmill:
        return None
    weather_m = np.linspace(0, float(random.uniform(-1.5, 1.5)), len(distance_m))
    height_m = loop.altitude_m(distance_m) + weather_m + smooth_noise(random, len(distance_m), 0.08, 40)
    return _whole(height_m / BAROMETER_STEP_M)


def _dynamics(run: Run, legs: _Legs, cadence_spm: Ints, random: np.random.RandomState) -> Dynamics:
    count = len(cadence_spm)
    speed = legs.speed_m_per_s
    return Dynamics(
        stance_time_tenth_ms=_whole((282 - 35 * (speed - 2.45) + smooth_noise(random, count, 3, 20)) * 10),
        stance_balance_hundredth_pct=_whole(
            (_balance_pct(run, legs) + smooth_noise(random, count, 0.35, 30)) * 100
        ),
        vertical_oscillation_tenth_mm=_whole(
            (84 + 4 * (speed - 2.45) + smooth_noise(random, count, 1.5, 20)) * 10
        ),
        step_length_tenth_mm=_whole(speed * 60 / cadence_spm * 10_000),
    )


def _balance_pct(run: Run, legs: _Legs) -> Floats:
    """Return the left foot's share of ground contact; late in the run that was too long she spares the right."""
    if run.day != SPIKE_DATE:
        return np.full(len(legs.distance_m), 50.2)
    return 50.2 + 1.4 * np.clip((legs.distance_m - 14_000) / 4_000, 0, 1)
