"""A changed fortnight when the knee hurts or sessions were missed, by rules that a physio could read, and the way back to the plan."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date, timedelta
from itertools import groupby

import polars as pl

from analytics.load import SMALL_SPIKE_RATIO, SpikeBin, spike_bin
from analytics.pain import PainLevel, Report, pains_of, says_something
from analytics.plan import (
    PLAN_SESSIONS,
    RACE_SESSION,
    RUN_SESSIONS,
    SPIKE_WINDOW_DAYS,
    STRENGTH_SESSION,
    WEEK_DAYS,
    day_and_month,
    km,
)
from analytics.rules import PUBLISHED, Rules

FORTNIGHT_DAYS = 14
PAIN_COUNTS_DAYS = 14  # ours; silence is no news, so the newest report counts as long as what it changes
LEVELS: tuple[PainLevel, ...] = ("P0", "P1", "P2", "P3", "R")
RUNNING_STOPS_AT = ("P3", "R")

# Longest run over the longest of the 30 days before, by pain level; science behind the first, the others ours.
GROWTH: Mapping[PainLevel, float] = {"P0": 1 + SMALL_SPIKE_RATIO, "P1": 1.0, "P2": 0.5}
USED_TO_DAYS = 35  # as long as a missed week or two do not hide what the runner is used to, ours
COME_BACK_SHARE = 0.8  # of the fullest seven days, whatever the last seven hold, ours
RESTART_M = 3_000.0  # first run after 30 days without one, ours
SHORTEST_RUN_M = 2_000.0  # below that a rest day does more good, ours
STEP_M = 100.0
STRENGTH_GAP_DAYS = 2  # 48 hours
EASY_RPE, WALK_RPE = 3.0, 2.0
WALK_S = 1800.0
QUALITY_SESSIONS = frozenset({"steady", "tempo", "intervals", "long", "race"})
FLAT = "Flat, no downhill; stop above 2/10."

Run = tuple[date, float]
"""Day and metres."""

CHANGES = pl.Schema(
    {
        "week": pl.Int32,
        "local_date": pl.Date,
        "session": pl.String,
        "distance_m": pl.Float64,
        "duration_s": pl.Float64,
        "new_session": pl.String,
        "new_distance_m": pl.Float64,
        "new_duration_s": pl.Float64,
        "new_rpe": pl.Float64,
        "new_zone": pl.String,
        "new_notes": pl.String,
        "reason": pl.String,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """
    What an adjustment goes by.

    Attributes:
        today: The athlete's day.
        level: Pain level of the worse knee; None where nothing was reported.
        missed_runs: Planned runs of the last fortnight that were missed.
        runs: Day and metres of the runs so far; those of the last 42 days count.
        strength_dates: Days of strength sessions so far.
    """

    today: date
    level: PainLevel | None
    missed_runs: int
    runs: Sequence[Run]
    strength_dates: Sequence[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Where the course leads: the race against the longest run before it, and the day on which the plan is rejoined."""

    race_on: date | None
    race_longest_30d_m: float | None
    race_spike_ratio: float | None
    race_spike_bin: SpikeBin | None
    rejoins_on: date | None
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrengthGap:
    """How long ago the last strength session was, and from which day on the next is 48 hours later."""

    last_strength_on: date | None
    strength_gap_days: int | None
    next_strength_from: date | None


@dataclass(frozen=True, slots=True)
class _Session:
    """A row of plan_sessions without the plan's name."""

    week: int
    local_date: date
    session: str
    distance_m: float | None
    duration_s: float | None
    rpe: float | None
    zone: str | None
    notes: str | None

    @property
    def is_run(self) -> bool:
        return self.session in RUN_SESSIONS


@dataclass(frozen=True, slots=True)
class _Draft:
    """A session as planned (None for one that is added), as it would be, and why."""

    before: _Session | None
    after: _Session
    reason: str = ""


def knee_level(reports: Iterable[Report], *, today: date, rules: Rules = PUBLISHED) -> PainLevel | None:
    """Return the pain level of the worse knee by its newest report of the last fortnight; None without one."""
    told = sorted(
        (report for report in reports if report.local_date <= today and says_something(report)),
        key=lambda report: (report.reported_at, report.report_id),
    )
    levels = []
    for knee in ("left", "right"):
        of_knee = [report for report in told if report.side in (knee, "both")]
        if of_knee and (today - of_knee[-1].local_date).days <= PAIN_COUNTS_DAYS:
            pain = pains_of(of_knee, rules)[-1]
            levels += [pain.level] if pain else []
    return max(levels, key=LEVELS.index, default=None)


def situation(
    matched: pl.DataFrame,
    runs: pl.DataFrame,
    strength_dates: Sequence[date],
    reports: Iterable[Report],
    *,
    today: date,
    rules: Rules = PUBLISHED,
) -> Situation:
    """
    Put together what an adjustment goes by.

    Args:
        matched: What plan_vs_actual returns.
        runs: local_date, distance_m.
        strength_dates: Day of each strength session.
        reports: What was reported of the knees.
        today: The athlete's day.
        rules: What counts as pain.
    """
    is_late = pl.col("local_date").is_between(today - timedelta(days=FORTNIGHT_DAYS), today, closed="left")
    is_missed = (pl.col("status") == "missed") & pl.col("session").is_in(list(RUN_SESSIONS))
    since = today - timedelta(days=USED_TO_DAYS + WEEK_DAYS)
    recent = runs.filter(pl.col("distance_m") > 0, pl.col("local_date").is_between(since, today))
    return Situation(
        today=today,
        level=knee_level(reports, today=today, rules=rules),
        missed_runs=matched.filter(is_late & is_missed).height,
        runs=recent.select("local_date", "distance_m").rows(),
        strength_dates=[day for day in strength_dates if day <= today],
    )


def proposed(
    sessions: pl.DataFrame, now: Situation, *, days: int = FORTNIGHT_DAYS, rules: Rules = PUBLISHED
) -> pl.DataFrame:
    """
    Return what to change in the days ahead; nothing when the plan already keeps to the rules.

    1. At R nothing but rest, at P3 walks instead of runs, and no strength, until a report says otherwise.
    2. A run is at most 10 % longer than the longest of the 30 days before, with one step up in seven days; at P1 no longer
       than that; at P2 half of it, easy and on the flat, and what is cut goes to a day of strength or mobility as another
       short run. After 30 days without a run the first is 3 km.
    3. When the knee hurts or runs were missed, seven days hold at most the highest of: 30 % more than the seven before, 5 km
       more, 80 % of the fullest seven of the last five weeks, 10 km. The shorter runs give way first.
    4. Strength sessions lie two days apart; one that is too close is dropped, as is whatever was missed.

    A race that would break rule 2 becomes a run that does not. No day is given more than the plan has for its seven days.

    Args:
        sessions: Columns of plan_sessions, adjustments that were accepted included.
        now: What it goes by.
        days: How far ahead to look, today included.
        rules: What counts as a ramp.

    Returns:
        One row a changed session in order of days: the columns of CHANGES; session is null for a run that is added.
    """
    drafts = _drafts(_ahead(sessions, now, days), now, rules)
    rows = [_row(draft) for draft in drafts if draft.before != draft.after]
    return pl.DataFrame(rows, schema=CHANGES, orient="row")


def adjustment(
    sessions: pl.DataFrame, active: pl.DataFrame, now: Situation, *, rules: Rules = PUBLISHED
) -> pl.DataFrame:
    """
    Return what is proposed, counted from the plan as it was made, where that differs from the plan as it stands.

    So the way back opens by itself: once the knee is quiet, sessions that an earlier adjustment cut are given back.

    Args:
        sessions: Columns of plan_sessions, without any adjustment.
        active: The same with the adjustments that were accepted.
        now: What it goes by.
        rules: What counts as a ramp.

    Returns:
        One row a session in order of days: the columns of CHANGES; no rows when the plan as it stands is what is proposed.
    """
    changes = proposed(sessions, now, rules=rules)
    target = set(_ahead(with_changes(sessions, changes), now, FORTNIGHT_DAYS))
    others = target ^ set(_ahead(active, now, FORTNIGHT_DAYS))
    kept = [
        _Draft(one, one, "The plan holds again as it is.") for one in _ahead(sessions, now, FORTNIGHT_DAYS)
    ]
    given_back = [_row(draft) for draft in kept if draft.after in others & target]
    if not others:
        return CHANGES.to_frame()
    return pl.concat([changes, pl.DataFrame(given_back, schema=CHANGES, orient="row")]).sort(
        "local_date", maintain_order=True
    )


def merged(adjustments: Iterable[tuple[date, pl.DataFrame]]) -> pl.DataFrame:
    """
    Put adjustments together: each takes the place of what earlier ones say of its day and those after it.

    Args:
        adjustments: The day and the changes (columns of CHANGES) of each, oldest first.
    """
    changes = CHANGES.to_frame()
    for day, newer in adjustments:
        changes = pl.concat([changes.filter(pl.col("local_date") < day), newer])
    return changes


def with_changes(sessions: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """
    Put changes into a plan; those of a session that is no longer there are left out, and then no run is added either.

    Args:
        sessions: Columns of plan_sessions.
        changes: Columns of CHANGES.

    Returns:
        One row a session in order of days, as plan_sessions.
    """
    if sessions.is_empty() or changes.is_empty():
        return sessions
    plan = sessions.get_column("plan")[0]
    rows = list(sessions.select(PLAN_SESSIONS.names()).iter_rows(named=True))
    added: list[dict[str, object]] = []
    replaced: set[int] = set()
    for change in changes.iter_rows(named=True):
        new = {
            name: change[f"new_{name}"]
            for name in ("session", "distance_m", "duration_s", "rpe", "zone", "notes")
        }
        new |= {"plan": plan, "week": change["week"], "local_date": change["local_date"]}
        if change["session"] is None:
            added.append(new)
        elif (place := _place_of(change, rows, replaced)) is not None:
            rows[place] = rows[place] | new
            replaced.add(place)
    is_whole = len(replaced) + len(added) == len(changes)
    return pl.DataFrame(rows + added if is_whole else rows, schema=PLAN_SESSIONS).sort(
        "local_date", maintain_order=True
    )


def strength_gap(now: Situation) -> StrengthGap:
    """Return the gap since the last strength session; all unknown before the first one."""
    last = max(now.strength_dates, default=None)
    return StrengthGap(
        last_strength_on=last,
        strength_gap_days=(now.today - last).days if last else None,
        next_strength_from=last + timedelta(days=STRENGTH_GAP_DAYS) if last else None,
    )


def outlook(sessions: pl.DataFrame, now: Situation, *, rules: Rules = PUBLISHED) -> Outlook:
    """
    Follow the rules of `proposed` up to the race, with a knee that is quiet after the fortnight, and say where that leads.

    Args:
        sessions: Columns of plan_sessions, adjustments that were accepted included.
        now: What it goes by.
        rules: What counts as a ramp.
    """
    race = next((one for one in _ahead(sessions, now, None) if one.session == RACE_SESSION), None)
    if race is None or not race.distance_m:
        return Outlook(
            race_on=None,
            race_longest_30d_m=None,
            race_spike_ratio=None,
            race_spike_bin=None,
            rejoins_on=None,
            advice="",
        )
    days = (race.local_date - now.today).days
    drafts = _drafts(_ahead(sessions, now, days), now, rules)
    before = [
        *now.runs,
        *((one.after.local_date, one.after.distance_m or 0.0) for one in drafts if one.after.is_run),
    ]
    longest_m = _longest(before, race.local_date - timedelta(days=SPIKE_WINDOW_DAYS))
    last_change = max((one.after.local_date for one in drafts if one.before != one.after), default=None)
    later = [one.after.local_date for one in drafts if last_change and one.after.local_date > last_change]
    rejoins_on = min(later, default=race.local_date) if last_change else None
    bin_name = spike_bin(race.distance_m, longest_m)
    return Outlook(
        race_on=race.local_date,
        race_longest_30d_m=longest_m,
        race_spike_ratio=race.distance_m / longest_m - 1 if longest_m else None,
        race_spike_bin=bin_name,
        rejoins_on=rejoins_on,
        advice=_advice(race.local_date, race.distance_m, longest_m, bin_name, rejoins_on),
    )


# The rules ---------------------------------------------------------------------------------------------------


def _drafts(ahead: Sequence[_Session], now: Situation, rules: Rules) -> list[_Draft]:
    """Take the sessions by seven days and in order, each with what was run and what would be run before it."""
    drafts = [_Draft(one, one) for one in ahead]
    if now.level == "P2":
        drafts = _shared_out(drafts, now)
    runs, strength = list(now.runs), max(now.strength_dates, default=None)
    done: list[_Draft] = []
    for _, block in groupby(drafts, key=lambda draft: _block(draft.after.local_date, now)):
        for draft in _within_the_week([_on_a_sore_knee(draft, now) for draft in block], now, runs, rules):
            kept = _short_enough(_far_enough(draft, strength), now, runs, rules)
            if kept.after.is_run and kept.after.distance_m:
                runs.append((kept.after.local_date, kept.after.distance_m))
            if kept.after.session == STRENGTH_SESSION:
                strength = kept.after.local_date
            done.append(kept)
    return done


def _is_behind(now: Situation) -> bool:
    return now.missed_runs > 0 or (now.level or "P0") != "P0"


def _level_on(day: date, now: Situation) -> PainLevel:
    """The pain level that counts on a day ahead; after the fortnight the knee is taken to be quiet."""
    is_near = (day - now.today).days < FORTNIGHT_DAYS
    return now.level if now.level and is_near else "P0"


def _shared_out(drafts: Sequence[_Draft], now: Situation) -> list[_Draft]:
    """Halve the long runs, and give the other half to a day of strength or mobility of the same seven days."""
    longest_m = _longest(now.runs, now.today - timedelta(days=SPIKE_WINDOW_DAYS))
    most_m = _whole_steps(GROWTH["P2"] * longest_m) if longest_m else RESTART_M
    reason = f"The knee hurts: no run of more than {km(most_m)}, half the longest of the last 30 days; shorter and more often."
    run_days = {one.after.local_date for one in drafts if one.after.is_run}
    spare = [
        one.after
        for one in drafts
        if one.after.session in (STRENGTH_SESSION, "mobility") and one.after.local_date not in run_days
    ]
    shared: list[_Draft] = []
    for draft in drafts:
        one = draft.after
        near = _level_on(one.local_date, now) == "P2"
        if not (near and one.is_run and one.distance_m and one.distance_m > most_m):
            shared.append(draft)
            continue
        shared.append(_Draft(draft.before, _cut(one, most_m), reason))
        rest_m = _whole_steps(min(one.distance_m - most_m, most_m))
        day = next(
            (other for other in spare if _block(other.local_date, now) == _block(one.local_date, now)), None
        )
        if day and rest_m >= SHORTEST_RUN_M:
            spare.remove(day)
            part = replace(_cut(one, rest_m), local_date=day.local_date, week=day.week, session="easy")
            shared.append(_Draft(None, part, f"Some of what was cut from {day_and_month(one.local_date)}."))
    return sorted(shared, key=lambda draft: draft.after.local_date)


def _on_a_sore_knee(draft: _Draft, now: Situation) -> _Draft:
    """Rest at R, walk at P3, easy and flat at P2."""
    one, level = draft.after, _level_on(draft.after.local_date, now)
    if level in RUNNING_STOPS_AT and (one.is_run or one.session == STRENGTH_SESSION):
        what = (
            "a sign that needs somebody to look at the knee"
            if level == "R"
            else "pain above 5/10, rising or with a limp"
        )
        reason = f"No running and no strength after {what}, until a report says that it is quiet."
        is_walk = level == "P3" and one.is_run
        return _Draft(draft.before, _walk(one) if is_walk else _rest(one), reason)
    if level == "P2" and one.is_run:
        easy = _easy(one) if one.session in QUALITY_SESSIONS else one
        notes = easy.notes or ""
        flat = easy if notes.startswith(FLAT) else replace(easy, notes=f"{FLAT} {notes}".strip())
        return _Draft(draft.before, flat, draft.reason or "The knee hurts: easy and on the flat.")
    return draft


def _within_the_week(drafts: list[_Draft], now: Situation, runs: Sequence[Run], rules: Rules) -> list[_Draft]:
    """Cut the runs of seven days to what they may hold: the shorter ones to half first, then all of them alike."""
    lengths_m = {
        place: min(one.distance_m, _limit_of_length(one, now, runs)[0])
        for place, one in enumerate(draft.after for draft in drafts)
        if one.is_run and one.distance_m and one.session != RACE_SESSION
    }
    if not lengths_m or not _is_behind(now):
        return drafts
    last_day = now.today + timedelta(days=WEEK_DAYS * (_block(drafts[0].after.local_date, now) + 1) - 1)
    most_m, reason = _limit_of_week(last_day, runs, rules)
    over_m = sum(lengths_m.values()) - most_m
    if over_m <= 0:
        return drafts
    longest = max(lengths_m, key=lambda place: lengths_m[place])
    others_m = sum(lengths_m.values()) - lengths_m[longest]
    others_share = max(1 - over_m / others_m, 0.5) if others_m else 1.0
    left_m = lengths_m[longest] + others_share * others_m
    all_share = min(most_m / left_m, 1.0)
    shares = {place: all_share * (1.0 if place == longest else others_share) for place in lengths_m}
    return [
        _no_longer(draft, shares[place] * lengths_m[place], reason) if place in shares else draft
        for place, draft in enumerate(drafts)
    ]


def _short_enough(draft: _Draft, now: Situation, runs: Sequence[Run], rules: Rules) -> _Draft:
    """Cut a run to the lower of its limits, or drop it where little is left; a race is run whole or not at all."""
    one = draft.after
    if not one.is_run or not one.distance_m:
        return draft
    most_m, reason = _limit_of_length(one, now, runs)
    if one.session == RACE_SESSION:
        if one.distance_m <= most_m:
            return draft
        instead = _Draft(draft.before, _easy(one), f"{reason} Consider another goal, or a later race.")
        run = _short_enough(instead, now, runs, rules)
        return replace(run, reason=instead.reason)
    if _is_behind(now):
        most_m, reason = min((most_m, reason), _limit_of_week(one.local_date, runs, rules))
    return _no_longer(draft, most_m, reason)


def _no_longer(draft: _Draft, most_m: float, reason: str) -> _Draft:
    one = draft.after
    if not one.distance_m or one.distance_m <= most_m:
        return draft
    most_m = _whole_steps(most_m)
    if most_m < SHORTEST_RUN_M:
        return _Draft(draft.before, _rest(one), f"{reason} That leaves too little to go out for.")
    return _Draft(draft.before, _cut(one, most_m), reason)


def _limit_of_length(one: _Session, now: Situation, runs: Sequence[Run]) -> tuple[float, str]:
    """Longest the run may be, and why: one step up in seven days, counted from the longest before them."""
    level = _level_on(one.local_date, now)
    is_race = one.session == RACE_SESSION
    growth = GROWTH["P0"] if is_race and level == "P1" else GROWTH.get(level, GROWTH["P0"])
    since = one.local_date - timedelta(days=SPIKE_WINDOW_DAYS)
    block_start = now.today + timedelta(days=WEEK_DAYS * _block(one.local_date, now))
    before_block = [*now.runs, *((on, metres) for on, metres in runs if on < block_start)]
    longest_m = _longest(before_block, since)
    if longest_m is None:
        longest_m, growth = _longest(runs, since), 1.0
    if longest_m is None:
        return RESTART_M, "There is no run in the 30 days before: a short one to begin with."
    planned_m = one.distance_m or 0.0
    if growth > 1 and spike_bin(planned_m, longest_m) == "reference":
        return planned_m, ""
    most_m = growth * longest_m
    over = f"{km(planned_m)} would be {100 * (planned_m / longest_m - 1):+.0f} % of the longest of the 30 days before, {km(longest_m)}"
    why = {
        "P1": f"The knee hurts a little: {over}; no further than that.",
        "P2": f"The knee hurts: {over}; half of it at most.",
    }
    return most_m, why.get(
        level if growth <= 1 else "P0", f"{over}; up to {km(_whole_steps(most_m))} is no spike."
    )


def _limit_of_week(day: date, runs: Sequence[Run], rules: Rules) -> tuple[float, str]:
    """What may still be run in the seven days up to this one on the way back, and why."""
    week_m, before_m = _metres_to(runs, day), _metres_to(runs, day - timedelta(days=WEEK_DAYS))
    # one poor week is no new beginning: what the runner is used to counts as well
    fullest_m = max(
        _metres_to(runs, day - timedelta(days=days)) for days in range(WEEK_DAYS, USED_TO_DAYS + 1)
    )
    most_m = max(
        (1 + rules.ramp_over) * before_m,
        before_m + rules.ramp_by_m - STEP_M,
        COME_BACK_SHARE * fullest_m,
        rules.ramp_from_m,
    )
    reason = (
        f"Back step by step: {km(most_m)} at most in seven days, after {km(before_m)} in the seven before."
    )
    return max(most_m - week_m, 0.0), reason


def _far_enough(draft: _Draft, last: date | None) -> _Draft:
    if draft.after.session != STRENGTH_SESSION or last is None:
        return draft
    if (draft.after.local_date - last).days >= STRENGTH_GAP_DAYS:
        return draft
    reason = f"Strength sessions lie 48 hours apart, and the last one is of {day_and_month(last)}: dropped, not made up for."
    return _Draft(draft.before, _rest(draft.after), reason)


# Helpers -----------------------------------------------------------------------------------------------------


def _ahead(sessions: pl.DataFrame, now: Situation, days: int | None) -> list[_Session]:
    """Sessions from today on in order of days; of those of today only what was not done yet."""
    until = date.max if days is None else now.today + timedelta(days=days)
    columns = ("week", "local_date", "session", "distance_m", "duration_s", "rpe", "zone", "notes")
    rows = (
        sessions.filter(pl.col("local_date") >= now.today, pl.col("local_date") < until)
        .sort("local_date", "session", "distance_m")
        .select(columns)
        .iter_rows()
    )
    ahead = [_Session(*row) for row in rows]
    has_run, has_lifted = any(on == now.today for on, _ in now.runs), now.today in now.strength_dates
    return [
        one
        for one in ahead
        if one.local_date > now.today
        or not ((has_run and one.is_run) or (has_lifted and one.session == STRENGTH_SESSION))
    ]


def _block(day: date, now: Situation) -> int:
    """Which seven days from today a day lies in."""
    return (day - now.today).days // WEEK_DAYS


def _longest(runs: Iterable[Run], since: date) -> float | None:
    return max((metres for on, metres in runs if on >= since), default=None)


def _metres_to(runs: Iterable[Run], day: date) -> float:
    """Metres of the seven days that end with this one."""
    return sum(metres for on, metres in runs if 0 <= (day - on).days < WEEK_DAYS)


def _whole_steps(metres: float) -> float:
    return math.floor(metres / STEP_M + 1e-6) * STEP_M


def _cut(one: _Session, distance_m: float) -> _Session:
    share = distance_m / one.distance_m if one.distance_m else 1.0
    return replace(
        one, distance_m=distance_m, duration_s=None if one.duration_s is None else one.duration_s * share
    )


def _easy(one: _Session) -> _Session:
    return replace(
        one, session="easy", zone="Z2", rpe=min(one.rpe, EASY_RPE) if one.rpe is not None else None
    )


def _walk(one: _Session) -> _Session:
    return replace(
        _rest(one),
        session="walk",
        duration_s=min(one.duration_s, WALK_S) if one.duration_s is not None else WALK_S,
        rpe=min(one.rpe, WALK_RPE) if one.rpe is not None else WALK_RPE,
        notes="Walk on the flat, or rest; stop above 2/10.",
    )


def _rest(one: _Session) -> _Session:
    return replace(
        one, session="rest", distance_m=0.0, duration_s=0.0, rpe=0.0, zone="none", notes="Full rest."
    )


def _row(draft: _Draft) -> tuple[object, ...]:
    """One row of CHANGES."""
    before, after = draft.before, draft.after
    told = (before.session, before.distance_m, before.duration_s) if before else (None, None, None)
    week, day, *new = astuple(after)
    return (week, day, *told, *new, draft.reason)


def _place_of(
    change: Mapping[str, object], rows: Sequence[Mapping[str, object]], replaced: set[int]
) -> int | None:
    key = ("local_date", "session", "distance_m")
    return next(
        (
            place
            for place, row in enumerate(rows)
            if place not in replaced and all(row[name] == change[name] for name in key)
        ),
        None,
    )


def _advice(
    race_on: date, race_m: float, longest_m: float | None, bin_name: SpikeBin, rejoins_on: date | None
) -> str:
    """Where the course leads, in a sentence or two."""
    if rejoins_on is None:
        way = "No session up to the race needs to change."
    elif rejoins_on < race_on:
        way = f"Step by step you are back on the plan on {day_and_month(rejoins_on)}."
    else:
        way = "Step by step you are not back on the plan before the race."
    if not longest_m:
        return (
            f"{way} There is no run in the 30 days before race day: consider another goal, or a later race."
        )
    if bin_name == "reference":
        return f"{way} Race day will be no spike."
    return (
        f"{way} Race day will be a {100 * (race_m / longest_m - 1):+.0f} % spike ({km(race_m)} after {km(longest_m)}): "
        "consider another goal, or a later race."
    )
