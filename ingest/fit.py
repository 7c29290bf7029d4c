"""FIT: messages to Recording."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.errors import IngestError, NotAnActivityError
from ingest.fit_messages import Floats, Messages, Value, read_messages
from ingest.fit_scan import CUT
from ingest.recording import RAW_LAPS, RAW_SAMPLES, Columns, Recording, Session, no_samples

FIT_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
CLOCK_NOT_SET_BELOW_S = 0x10000000
"""Timestamps below this are seconds since power-on (FIT profile, type date_time)."""
NO_TIMESTAMP_FROM_S = 0xFFFFFFFF
DEGREES_PER_SEMICIRCLE = 180 / 2**31
QUARTER_HOUR_S = 900
GPSBABEL = ("garmin", 1001)
"""Maker and product by which GPSBabel signs; it writes every recorded track as a course."""

# Global numbers of the messages we care for.
FILE_ID, SPORT, SESSION, LAP, RECORD, EVENT, ACTIVITY = 0, 12, 18, 19, 20, 21, 34

TIMER, TIMER_START, TIMER_STOPS = 0, 0, {1, 4, 8, 9}
"""Event, and event types: stop, stop all, both of them for good."""
MOST_SESSIONS = 200
"""The longest multisport race has a dozen; more are a damaged or a made-up file."""

SAMPLE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "lat_deg": ("position_lat",),
    "lon_deg": ("position_long",),
    "distance_m": ("distance",),
    "speed_m_per_s": ("enhanced_speed", "speed"),
    "altitude_m": ("enhanced_altitude", "altitude"),
    "hr_bpm": ("heart_rate",),
    "cadence_spm": ("cadence",),
    "power_w": ("power",),
    "temperature_c": ("temperature",),
    "stance_time_ms": ("stance_time",),
    "stance_balance_pct": ("stance_time_balance",),
    "vertical_oscillation_mm": ("vertical_oscillation",),
    "step_length_mm": ("step_length",),
}
"""The fields of a record that a column is read from, the best first."""

Values = Mapping[str, Value]


def read_fit(content: bytes) -> Recording:
    """
    Decode a FIT file.

    Raises:
        NotAnActivityError: For courses, workouts, settings and the like.
        IngestError: If nothing usable can be read.
    """
    messages = read_messages(content)
    findings = _refuse_what_is_no_activity(messages)
    files = messages.chained(SESSION, RECORD)
    if (count := max(len(files), len(messages.table(SESSION)))) > MOST_SESSIONS:
        raise IngestError(f"This FIT file is damaged: it claims to hold {count:,} sessions.")
    sessions, samples = _of_chain([_sessions_and_samples(one) for one in files])
    if not len(samples["at"]) and all(session.started_at is None for session in sessions):
        raise IngestError(_nothing_usable(messages))
    if messages.has_wrong_crc:
        findings.append("the checksum is wrong: something was changed after the watch had written it")
    return Recording(
        format="fit",
        sessions=sessions,
        samples=samples,
        laps=_laps(messages),
        pauses=tuple(_pauses(messages)),
        device=_device(messages),
        utc_offset_s=_utc_offset_s(_first(messages, ACTIVITY, "timestamp", "local_timestamp")),
        missing=_what_is_missing(messages, samples, len(content)),
        findings=tuple(findings),
    )


def _first(messages: Messages, number: int, *names: str) -> Values:
    return next(iter(messages.table(number).rows(*names)), {})


def _refuse_what_is_no_activity(messages: Messages) -> list[str]:
    """Return what is to be said about the kind of file that it is."""
    kinds = messages.table(FILE_ID).values("type")
    if not kinds or "activity" in kinds or kinds[0] is None:
        return []
    kind = kinds[0]
    if kind == "course" and _is_recorded_course(messages):
        return ["saved as a course by GPSBabel; the times and speeds in it are recorded ones"]
    what = str(kind).replace("_", " ") if isinstance(kind, str) else f"type {kind}"
    raise NotAnActivityError(f"This FIT file is a {what} file, not a recorded activity.")


def _is_recorded_course(messages: Messages) -> bool:
    """Tell a track that GPSBabel converted from a planned route, for which it makes up one speed."""
    file_id = _first(messages, FILE_ID, "manufacturer", "garmin_product")
    if (file_id.get("manufacturer"), file_id.get("garmin_product")) != GPSBABEL:
        return False
    speeds = messages.table(RECORD).numbers("speed")
    return len(np.unique(speeds[~np.isnan(speeds)])) > 2


def _nothing_usable(messages: Messages) -> str:
    if messages.stopped_by or messages.missing_bytes:
        why = messages.stopped_by or f"{messages.missing_bytes:,} bytes are missing"
        return f"This FIT file is damaged and nothing in it can be read ({why})."
    if len(messages.table(RECORD)) or any(messages.table(SESSION).rows("start_time")):
        return "The watch's clock was not set, so nobody can say when this was recorded."
    return "This FIT file holds no samples and no session: there is nothing to take in."


def _what_is_missing(messages: Messages, samples: Columns, size_bytes: int) -> str | None:
    if messages.stopped_by not in (None, CUT):
        return f"The file is damaged ({messages.stopped_by}): {_what_was_taken_in(samples)}."
    if messages.missing_bytes:
        there = f"{size_bytes:,} of {size_bytes + messages.missing_bytes:,} bytes are there"
        return f"The file breaks off: {there}, {_what_was_taken_in(samples)}."
    if messages.stopped_by:
        return f"The file breaks off ({CUT}): {_what_was_taken_in(samples)}."
    if not len(messages.table(SESSION)) and "activity" in messages.table(FILE_ID).values("type"):
        return "The file has no summary, so the watch did not finish it; the samples were taken in."
    return None


def _what_was_taken_in(samples: Columns) -> str:
    if not len(samples["at"]):
        return "only the summary was taken in"
    last: datetime = samples["at"].max().item()
    return f"{len(samples['at']):,} samples up to {last:%H:%M} UTC were taken in"


def _at(seconds: object) -> datetime | None:
    """Return the instant of a FIT timestamp; None when it is none or the clock was not set."""
    if isinstance(seconds, int | float) and CLOCK_NOT_SET_BELOW_S <= seconds < NO_TIMESTAMP_FROM_S:
        return FIT_EPOCH + timedelta(seconds=float(seconds))
    return None


def _total(values: Values, *names: str, most: float = math.inf) -> float | None:
    """Return the first of the fields that is a number, if it is one from 0 to `most`."""
    for name in names:
        value = values.get(name)
        if isinstance(value, int | float) and math.isfinite(value):
            return float(value) if 0 <= value <= most else None
    return None


def _text(value: object) -> str | None:
    return value.strip("\0 ") or None if isinstance(value, str) else None


def _sessions_and_samples(messages: Messages) -> tuple[list[Session], Columns]:
    sessions = _sessions(messages)
    return sessions, _samples(messages, sessions)


def _of_chain(
    files: Sequence[tuple[list[Session], Columns]],
) -> tuple[tuple[Session, ...], Columns]:
    """Put the sessions of chained files in order of time, and their samples with them."""
    sessions = [session for one, _ in files for session in one]
    if len(files) == 1:
        return tuple(sessions), files[0][1]
    in_time = sorted(range(len(sessions)), key=lambda place: sessions[place].started_at or FIT_EPOCH)
    place_of = np.argsort(in_time)
    firsts = np.cumsum([0, *(len(one) for one, _ in files)]).tolist()
    for first, (_, samples) in zip(firsts, files, strict=False):
        samples["session"] = place_of[samples["session"] + first]
    together = {name: np.concatenate([samples[name] for _, samples in files]) for name in RAW_SAMPLES}
    return tuple(sessions[place] for place in in_time), together


def _sessions(messages: Messages) -> list[Session]:
    told = [_session(values) for values in messages.table(SESSION).rows(*SESSION_FIELDS)]
    if not told:
        sport = _first(messages, SPORT, "sport", "sub_sport")
        return [Session(sport=_text(sport.get("sport")), sub_sport=_sub_sport(sport.get("sub_sport")))]
    return sorted(told, key=lambda one: one.started_at or FIT_EPOCH)


SESSION_FIELDS = (
    "sport",
    "sub_sport",
    "start_time",
    "total_elapsed_time",
    "total_timer_time",
    "total_distance",
    "total_ascent",
    "total_descent",
    "avg_heart_rate",
    "max_heart_rate",
    "total_strides",
    "workout_rpe",
    "unknown_193",
    "workout_feel",
    "unknown_192",
)


def _session(values: Values) -> Session:
    strides = _total(values, "total_strides")
    rpe_times_ten = _total(values, "workout_rpe", "unknown_193", most=100)
    return Session(
        sport=_text(values.get("sport")),
        sub_sport=_sub_sport(values.get("sub_sport")),
        started_at=_at(values.get("start_time")),
        elapsed_s=_total(values, "total_elapsed_time"),
        timer_s=_total(values, "total_timer_time"),
        distance_m=_total(values, "total_distance"),
        ascent_m=_total(values, "total_ascent"),
        descent_m=_total(values, "total_descent"),
        avg_hr_bpm=_total(values, "avg_heart_rate"),
        max_hr_bpm=_total(values, "max_heart_rate"),
        steps=None if strides is None else int(strides * 2),
        rpe=None if rpe_times_ten is None else rpe_times_ten / 10,
        feel=_total(values, "workout_feel", "unknown_192", most=100),
    )


def _sub_sport(value: object) -> str | None:
    text = _text(value)
    return None if text == "generic" else text


def _samples(messages: Messages, sessions: Sequence[Session]) -> Columns:
    """Return the records that have a time; values that are no numbers are unknown."""
    records = messages.table(RECORD)
    seconds = records.numbers("timestamp")
    at = _instants(seconds)
    if not len(at) or np.isnat(at).all():
        return no_samples()
    columns = {column: records.numbers(*names) for column, names in SAMPLE_FIELDS.items()}
    columns["cadence_spm"] += np.nan_to_num(records.numbers("fractional_cadence"), posinf=0, neginf=0)
    columns["lat_deg"] *= DEGREES_PER_SEMICIRCLE
    columns["lon_deg"] *= DEGREES_PER_SEMICIRCLE
    samples: Columns = {"at": at, "session": _place_in(sessions, seconds)}
    samples |= {column: _finite(values) for column, values in columns.items()}
    is_dated = ~np.isnat(at)
    return samples if is_dated.all() else {name: values[is_dated] for name, values in samples.items()}


def _instants(seconds: Floats) -> NDArray[np.datetime64]:
    """Return FIT timestamps as instants; NaT where there is none or the clock was not set."""
    is_dated = (seconds >= CLOCK_NOT_SET_BELOW_S) & (seconds < NO_TIMESTAMP_FROM_S)
    since_1970_us = np.round((np.where(is_dated, seconds, 0) + FIT_EPOCH.timestamp()) * 1e6)
    at = since_1970_us.astype(np.int64).view("datetime64[us]")
    at[~is_dated] = np.datetime64("NaT")
    return at


def _finite(values: Floats) -> Floats:
    values[np.isinf(values)] = np.nan
    return values


def _place_in(sessions: Sequence[Session], seconds: Floats) -> NDArray[np.int64]:
    """Say for each sample which session it belongs to: the last one that had started."""
    starts = [(one.started_at - FIT_EPOCH).total_seconds() for one in sessions[1:] if one.started_at]
    return np.searchsorted(np.array(starts), seconds, side="right")


def _laps(messages: Messages) -> pl.DataFrame:
    laps = messages.table(LAP)
    started_at = pl.Series(_instants(laps.numbers("start_time")).view(np.int64), dtype=pl.Int64)
    is_known = started_at != np.iinfo(np.int64).min
    columns = {
        "timer_s": "total_timer_time",
        "distance_m": "total_distance",
        "avg_hr_bpm": "avg_heart_rate",
    }
    return pl.DataFrame(
        {"started_at": started_at.set(~is_known, None).cast(RAW_LAPS["started_at"])}
        | {
            column: pl.Series(_not_negative(laps.numbers(name)), nan_to_null=True)
            for column, name in columns.items()
        }
    )


def _not_negative(values: Floats) -> Floats:
    values[values < 0] = np.nan
    return _finite(values)


def _pauses(messages: Messages) -> Iterable[tuple[datetime, datetime]]:
    """Yield (stop, start) of the timer; a stop that nothing follows is the end, not a pause."""
    events = messages.table(EVENT)
    is_timer = events.numbers("event") == TIMER
    times, kinds = events.numbers("timestamp")[is_timer], events.numbers("event_type")[is_timer]
    stopped_at: datetime | None = None
    for at, kind in zip(map(_at, times.tolist()), kinds.tolist(), strict=True):
        if at is None:
            continue
        if kind in TIMER_STOPS:
            stopped_at = stopped_at or at
        elif kind == TIMER_START and stopped_at is not None:
            if at > stopped_at:
                yield stopped_at, at
            stopped_at = None


def _device(messages: Messages) -> str | None:
    file_id = _first(messages, FILE_ID, "manufacturer", "product_name", "garmin_product")
    maker = _text(file_id.get("manufacturer"))
    product = _text(file_id.get("product_name")) or _text(file_id.get("garmin_product"))
    return " ".join(part.replace("_", " ") for part in (maker, product) if part) or None


def _utc_offset_s(activity: Values) -> int | None:
    """Return the offset of local time, rounded to a quarter of an hour because watches drift."""
    at, local = _at(activity.get("timestamp")), _at(activity.get("local_timestamp"))
    if at is None or local is None:
        return None
    offset_s = round((local - at).total_seconds() / QUARTER_HOUR_S) * QUARTER_HOUR_S
    return offset_s if abs(offset_s) <= 14 * 3600 else None
