"""
The alert rules a second time, written from their text alone: day by day, with plain loops and lists.

Slow and simple on purpose, and no rule taken from `analytics`, so that the engine has somebody to disagree with. Days
are numbers from 0 and moments are hours from midnight of day 0. Below the rules: random histories, histories as the
engine takes them, and what the engine says of them.
"""

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import polars as pl

from analytics.alerts import find_alerts
from analytics.calendar import daily_load
from analytics.load import with_spikes
from analytics.pain import Report

DAY_0 = date(2026, 1, 5)  # a Monday
MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
APART_DAYS = 200
"""From one random history to the next: no window reaches from the last day of one to the first of the other."""

KNEES = ("left", "right")
ORDER = ("info", "caution", "warning", "stop")
TABLE = {
    "P0": (None, "info", "info", "caution"),
    "P1": (None, "caution", "caution", "warning"),
    "P2": ("caution", "warning", "warning", "warning"),
    "P3": ("warning", "warning", "stop", "stop"),
    "R": ("stop", "stop", "stop", "stop"),
}
RED = ("swelling", "locking", "giving_way", "cannot_bear_weight", "deformity", "hot_red_fever", "night_or_rest_pain",
       "trauma_pop", "numbness")  # fmt: skip
TODAY = ("cannot_bear_weight", "locking", "deformity", "hot_red_fever")


@dataclass(frozen=True)
class Run:
    """One run: its day, the hour it began, its metres and the metres of it down steep grades; None where unknown."""

    day: int
    hour: float
    metres: float | None
    down_m: float | None = None

    @cached_property
    def at(self) -> float:
        return 24 * self.day + self.hour


@dataclass(frozen=True)
class Note:
    """One report of knee pain."""

    day: int
    hour: float
    side: str
    before: float | None = None
    during: float | None = None
    after: float | None = None
    morning: float | None = None
    flags: tuple[str, ...] = ()
    gait: bool | None = None
    name: str = ""

    @cached_property
    def at(self) -> float:
        return 24 * self.day + self.hour

    @cached_property
    def worst(self) -> float | None:
        worst = None
        for score in (self.before, self.during, self.after, self.morning):
            if score is not None and (worst is None or score > worst):
                worst = score
        return worst


@dataclass(frozen=True)
class History:
    """What one runner did and noted up to a day."""

    runs: tuple[Run, ...]
    notes: tuple[Note, ...]
    today: int


@dataclass
class Rise:
    """A run at which load rose."""

    run: Run
    level_of_length: int
    is_ramp: bool
    is_downhill: bool

    @property
    def at(self) -> float:
        return self.run.at

    def parts_on(self, day):
        """Level of its length, and whether its ramp and its downhill still count, on a day."""
        ago = day - self.run.day
        if ago < 0:
            return 0, False, False
        return (
            self.level_of_length if ago <= 14 else 0,
            self.is_ramp and ago <= 21,
            self.is_downhill and ago <= 14,
        )

    def counts_on(self, day):
        return any(self.parts_on(day))


@dataclass
class Episode:
    """What was said about one knee so far."""

    has_rise: bool
    last_day: int | None = None
    last_severity: str = ""
    medical_at: float | None = None
    medical_urgency: str | None = None
    newest_rise_at: float | None = None


def find_naively(history):
    """Return (day, side, severity, load level, pain level, is medical, urgency) of every alert, sorted."""
    runs = [run for run in history.runs if run.day <= history.today]
    notes = [note for note in history.notes if note.day <= history.today]
    rises = rises_of(runs)
    alerts = []
    named = []
    for knee in KNEES:
        for row, active in alerts_of_knee(knee, rises, notes, runs, history.today, set()):
            alerts.append(row)
            for rise in active:
                named.append((row[0], rise.run))
    for rise in rises:
        if (rise.run.day, rise.run) in named:
            continue
        level = level_on(rise.run.day, [other for other in rises if other.at <= rise.at])
        alerts.append((rise.run.day, None, TABLE["P0"][level], level, None, False, None))
    return sorted(alerts, key=str)


# Load ------------------------------------------------------------------------------------------------------


def rises_of(runs):
    rises = []
    last_ramp = last_downhill = None
    if not runs:
        return []
    first_day = min(run.day for run in runs)
    for run in sorted(runs, key=lambda run: run.at):
        age = run.day - first_day
        if age < 14:
            continue
        length = level_of_length(run, runs)
        is_ramp = is_downhill = False
        if age >= 28:
            if ramps_on(run.day, runs):
                is_ramp = last_ramp is None or run.day - last_ramp > 7
                last_ramp = run.day
            if goes_down_on(run.day, runs):
                is_downhill = last_downhill is None or run.day - last_downhill > 7
                last_downhill = run.day
        if length or is_ramp or is_downhill:
            rises.append(Rise(run, length, is_ramp, is_downhill))
    return rises


def longest_before(run, runs):
    longest = None
    for other in runs:
        if run.at - 30 * 24 <= other.at < run.at and other.metres:
            longest = other.metres if longest is None else max(longest, other.metres)
    return longest


def level_of_length(run, runs):
    base = longest_before(run, runs)
    if base is None or run.metres is None:
        return 0
    if run.metres > 2 * base + 1e-6:
        return 3
    if run.metres > 1.3 * base + 1e-6:
        return 2
    beyond = run.metres - 1.1 * base
    return 1 if beyond >= max(200, 0.01 * base) - 1e-6 else 0


def metres_of(runs, first_day, last_day):
    return sum(run.metres or 0 for run in runs if first_day <= run.day <= last_day)


def down_of(runs, first_day, last_day):
    return sum(run.down_m or 0 for run in runs if first_day <= run.day <= last_day)


def ramps_on(day, runs):
    week, before = metres_of(runs, day - 6, day), metres_of(runs, day - 13, day - 7)
    return before >= 10_000 and week > 1.3 * before + 1e-6 and week - before >= 5_000


def goes_down_on(day, runs):
    down, weekly = down_of(runs, day - 6, day), down_of(runs, day - 27, day - 7) / 3
    known = any(day - 27 <= run.day <= day - 7 and run.down_m is not None and run.metres for run in runs)
    return known and down >= 100 and down > 1.5 * weekly + 1e-6


def level_on(day, rises):
    length, also, any_at_all = 0, False, False
    for rise in rises:
        level, is_ramp, is_downhill = rise.parts_on(day)
        length = max(length, level)
        also = also or is_ramp or is_downhill
        any_at_all = any_at_all or rise.counts_on(day)
    if length == 1 and also:
        return 2
    return max(length, 1) if any_at_all else 0


def is_load_known(day, runs):
    if not runs or day - min(run.day for run in runs) < 14:
        return False
    return not any(
        run.day == day and run.metres is not None and longest_before(run, runs) is None for run in runs
    )


# Pain ------------------------------------------------------------------------------------------------------


def speaks(note):
    return note.worst is not None or note.gait is True or any(flag in RED for flag in note.flags)


def rises_in_pain(notes):
    newest = notes[-1]
    if newest.worst is None:
        return False
    earlier = []
    for note in notes[:-1]:
        if note.worst is not None and newest.day - note.day <= 14:
            earlier.append(note.worst)
    if len(earlier) < 2:
        return False
    in_order = sorted(earlier)
    middle = len(in_order) // 2
    median = in_order[middle] if len(in_order) % 2 else (in_order[middle - 1] + in_order[middle]) / 2
    return earlier[-2] < earlier[-1] < newest.worst or newest.worst >= median + 2


def level_of_pain(notes):
    newest = notes[-1]
    if any(flag in RED for flag in newest.flags):
        return "R"
    worst = newest.worst or 0
    if worst > 5 or newest.gait or rises_in_pain(notes):
        return "P3"
    if worst > 2 or max(newest.after or 0, newest.morning or 0) > (newest.before or 0):
        return "P2"
    return "P1" if worst > 0 else "P0"


def lasting_days(notes, levels):
    place = len(notes) - 1
    if levels[place] in ("P0", "P1"):
        return 0
    while (
        place > 0 and levels[place - 1] not in ("P0", "P1") and notes[place].day - notes[place - 1].day <= 14
    ):
        place -= 1
    return notes[-1].day - notes[place].day


def is_calm(note, level):
    return note.worst is not None and note.worst <= 1 and level in ("P0", "P1")


# Both ------------------------------------------------------------------------------------------------------


def alerts_of_knee(knee, rises, notes, runs, today, open_days):
    """Live through the days of one knee; return its alerts, each with the rises it names, and note the days with an open episode."""
    found = []
    told, levels = [], []
    episode = None
    of_knee = notes_of(knee, notes)
    for day in range(today + 1):
        for event in events_on(day, rises, of_knee):
            if isinstance(event, Note):
                told.append(event)
                levels.append(level_of_pain(told))
            elif not told or day - told[-1].day > 7:
                continue
            active = active_at(event.at, day, rises)
            row = row_of(day, knee, active, told, levels, runs)
            if levels[-1] == "P0" or row[2] is None:
                continue
            if episode is None or (active and not episode.has_rise):
                episode = Episode(has_rise=bool(active))
            if is_due(episode, event.at, row, active):
                remember(episode, event.at, row, active)
                found.append((row, active))
        episode = None if is_over(episode, day, told, levels, rises) else episode
        open_days.update([day] if episode else [])
    return found


def asked_naively(history):
    """Return the days on which a report is asked for, three after a rise that nobody reported after."""
    runs = [run for run in history.runs if run.day <= history.today]
    notes = [note for note in history.notes if note.day <= history.today]
    rises, open_days = rises_of(runs), set()
    for knee in KNEES:
        alerts_of_knee(knee, rises, notes, runs, history.today, open_days)
    reported = {note.day for knee in KNEES for note in notes_of(knee, notes)}
    asked = []
    for day in range(history.today + 1):
        for rise in rises:
            began = rise.run.day
            if began != day - 3 or any(began <= one <= day for one in reported):
                continue
            is_usual = any(began - 60 <= one < began for one in reported) or day in open_days
            is_unanswered = asked and not any(asked[-1] < one <= day for one in reported)
            if is_usual and not is_unanswered and rise.counts_on(day):
                asked.append(day)
    return asked


def notes_of(knee, notes):
    return [note for note in notes if note.side in (knee, "both") and speaks(note)]


def active_at(at, day, rises):
    return [rise for rise in rises if rise.at <= at and rise.counts_on(day)]


def events_on(day, rises, notes):
    """What happened on a day in order of time: a run before the note of the same moment."""
    events = [(rise.at, 0, "", rise) for rise in rises if rise.run.day == day]
    events += [(note.at, 1, note.name, note) for note in notes if note.day == day]
    return [event for *_, event in sorted(events, key=lambda event: event[:3])]


def row_of(day, knee, active, told, levels, runs):
    """What the table says on a day, with a severity of None for nothing."""
    load = level_on(day, active) if active else 0 if is_load_known(day, runs) else None
    severity = TABLE[levels[-1]][load or 0]
    medical = levels[-1] == "R" or rises_in_pain(told) or lasting_days(told, levels) >= 14
    return day, knee, severity, load, levels[-1], medical, urgency_of(told[-1].flags) if medical else None


def urgency_of(flags):
    if any(flag in TODAY for flag in flags):
        return "same_day"
    return "same_day" if "trauma_pop" in flags and "swelling" in flags else "soon"


def is_due(episode, at, row, active):
    day, _, severity, _, _, medical, urgency = row
    if episode.last_day is None:
        return True
    if medical and (episode.medical_at is None or at - episode.medical_at >= 24):
        return True
    if ORDER.index(severity) > ORDER.index(episode.last_severity):
        return True
    if urgency == "same_day" and episode.medical_urgency != "same_day":
        return True
    if any(episode.newest_rise_at is None or rise.at > episode.newest_rise_at for rise in active):
        return True
    return day - episode.last_day >= 7


def remember(episode, at, row, active):
    episode.last_day, _, episode.last_severity, _, _, medical, urgency = row
    if medical:
        episode.medical_at, episode.medical_urgency = at, urgency
    if active:
        episode.newest_rise_at = max(rise.at for rise in active)


def is_over(episode, day, told, levels, rises):
    if episode is None or episode.last_day is None or any(rise.counts_on(day) for rise in rises):
        return False
    first = last = None
    count = 0
    for note, level in reversed(list(zip(told, levels, strict=True))):
        if note.day <= episode.last_day or not is_calm(note, level):
            break
        first, last, count = note.day, note.day if last is None else last, count + 1
    return count >= 2 and last - first >= 7


# Random histories ------------------------------------------------------------------------------------------


def random_history(seed):
    """Two to five months of a runner who overdoes it now and then and whose knees complain."""
    chance = random.Random(seed)
    today = chance.randint(60, 150)
    runs = random_runs(chance, today)
    notes = random_notes(chance, today, runs)
    chance.shuffle(runs)
    chance.shuffle(notes)
    return History(tuple(runs), tuple(notes), today)


def random_runs(chance, today):
    usual_m = chance.randrange(3_000, 9_000, 50)
    per_day = chance.choice((0.25, 0.45, 0.6))
    hills = chance.choice((0, 0, 30, 60))
    away = chance.choice((None, None, chance.randint(20, 100)))
    away_days = chance.randint(8, 40)
    runs = []
    for day in range(chance.choice((0, 0, 0, 20)), today + 1):
        is_away = away is not None and away <= day < away + away_days
        if is_away or chance.random() > per_day:
            continue
        for hour in chance.choice(((7.5,), (18.25,), (7.5,), (7.5, 18.25))):
            longer = chance.choice((0.6, 0.8, 0.9, 1, 1, 1, 1.05, 1.1, 1.15, 1.3, 1.5, 2.2))
            metres = None if chance.random() < 0.01 else round(usual_m * longer / 50) * 50
            down_m = None if not hills or chance.random() < 0.2 else hills * chance.choice((0, 0, 1, 2, 3))
            # a grade is metres over metres: who knows no distance knows of no steep way down either
            runs.append(Run(day, hour, metres, None if metres is None else down_m))
    return runs


def random_notes(chance, today, runs):
    is_often = chance.choice((0.1, 0.3, 0.6))
    moods = chance.choice(((0, 0, 0, 1), (0, 1, 1, 2), (0, 1, 2, 3, 4), (1, 2, 3, 5, 6, 8)))
    ran_on = {run.day for run in runs}
    notes = []
    for day in range(today + 1):
        if chance.random() > is_often * (1 if day in ran_on else 0.3):
            continue
        for hour in chance.choice(((20.0,), (23.5,), (6.0,), (12.0, 20.0), (23.5, 23.5))):
            notes.append(random_note(chance, day, hour, moods, name=f"{chance.random():.6f}"))
    return notes


def random_note(chance, day, hour, moods, *, name):
    worst = chance.choice(moods)
    lower = (None, None, 0, 0, max(worst - 1, 0), worst)
    flags = [chance.choice((*RED, "hyperextension"))] if chance.random() < 0.04 else []
    if flags and chance.random() < 0.3:
        flags += ["swelling", "trauma_pop"]
    is_blank = chance.random() < 0.05
    return Note(
        day=day,
        hour=hour,
        side=chance.choice(("left", "right", "right", "right", "both")),
        before=None if is_blank else chance.choice(lower),
        during=None if is_blank else worst,
        after=None if is_blank else chance.choice(lower),
        morning=None if is_blank else chance.choice(lower),
        flags=tuple(dict.fromkeys(flags)),
        gait=chance.choice((None, None, False, False)) if chance.random() > 0.03 else True,
        name=name,
    )


# Histories as the engine takes them ------------------------------------------------------------------------


def date_of(day):
    return DAY_0 + timedelta(days=day)


def frames_of(runs, through):
    """Return the frames of runs and of days, as the engine takes them."""
    rows = [
        (
            f"run of hour {run.at}",
            MIDNIGHT + timedelta(hours=run.at),
            date_of(run.day),
            run.metres,
            run.down_m,
        )
        for run in runs
    ]
    schema = {
        "activity_id": pl.String,
        "started_at": pl.Datetime("us", "UTC"),
        "local_date": pl.Date,
        "distance_m": pl.Float64,
        "steep_descent_m": pl.Float64,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    frame = frame.join(with_spikes(frame), on="activity_id", how="left", maintain_order="left")
    unknown = ("timer_s", "descent_m", "steps", "srpe", "hrss", "rtss", "knee_load_klu")
    loads = frame.with_columns(**{name: pl.lit(None, pl.Float64) for name in unknown})
    strength = pl.DataFrame(schema={"local_date": pl.Date, "srpe": pl.Float64})
    return frame, daily_load(loads, strength, through=date_of(through))


def one_after_another(histories):
    """
    Return (history, runs, days) of each, moved so that one follows the other.

    All are computed at once: for one by one, the frames would take longer than everything else.
    """
    moved = [shifted(history, place * APART_DAYS) for place, history in enumerate(histories)]
    runs, daily = frames_of([run for history in moved for run in history.runs], moved[-1].today)
    for history in moved:
        first, last = min((run.day for run in history.runs), default=history.today), history.today
        yield history, *(frame.filter(on_days(first, last)) for frame in (runs, daily))


def shifted(history, days):
    """Return the same history so many days later."""
    return History(
        tuple(replace(run, day=run.day + days) for run in history.runs),
        tuple(replace(note, day=note.day + days) for note in history.notes),
        history.today + days,
    )


def on_days(first_day, last_day):
    return pl.col("local_date").is_between(date_of(first_day), date_of(last_day))


def reports_of(notes):
    """Return the reports of notes, as the engine takes them."""
    return [
        Report(
            report_id=note.name or f"note of hour {note.at}, {note.side}",
            reported_at=MIDNIGHT + timedelta(hours=note.at),
            local_date=date_of(note.day),
            side=note.side,
            before=note.before,
            during=note.during,
            after_60min=note.after,
            next_morning=note.morning,
            flags=note.flags,
            changed_gait=note.gait,
        )
        for note in notes
    ]


# What the engine says --------------------------------------------------------------------------------------


def alerts_of(history, *, athlete="me", today=None):
    """The engine's alerts of a history."""
    runs, daily = frames_of(history.runs, history.today)
    return find_alerts(
        runs,
        daily,
        reports_of(history.notes),
        athlete=athlete,
        today=date_of(history.today if today is None else today),
    )


def days_of(alert):
    return (alert.local_date - DAY_0).days


def as_row(alert):
    """What `find_naively` returns of an alert."""
    return (
        days_of(alert),
        alert.side,
        alert.severity,
        alert.load_level,
        alert.pain_level,
        alert.is_medical,
        alert.urgency,
    )
