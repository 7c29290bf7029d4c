"""FIT: bytes to Recording, by fitparse."""

import io
import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from fitparse import FitFile
from fitparse.records import DEV_TYPES
from fitparse.utils import FitParseError

from ingest.errors import IngestError, NotAnActivityError
from ingest.recording import RAW_LAPS, RAW_SAMPLES, Recording, Session

FIT_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
CLOCK_NOT_SET_BELOW_S = 0x10000000
"""Timestamps below this are seconds since power-on (FIT profile, type date_time)."""
DEGREES_PER_SEMICIRCLE = 180 / 2**31
WANTED = {"file_id", "session", "sport", "lap", "record", "event", "activity", "device_info"}
QUARTER_HOUR_S = 900

# What fitparse 1.2 raises on damaged bytes besides its own errors.
FITPARSE_FAILURES = (
    FitParseError,
    struct.error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    RecursionError,
)

Values = dict[str, Any]


class _ValuesAsStored:
    """A data processor that leaves values alone: fitparse's own costs more time than its decoding."""

    def run_type_processor(self, field_data: object) -> None: ...
    def run_field_processor(self, field_data: object) -> None: ...
    def run_unit_processor(self, field_data: object) -> None: ...
    def run_message_processor(self, data_message: object) -> None: ...


@dataclass(slots=True)
class _Messages:
    """The messages we care for, by name, in the order of the file, and why reading stopped early if it did."""

    by_name: dict[str, list[Values]] = field(default_factory=dict)
    stopped_by: str | None = None

    def all(self, name: str) -> list[Values]:
        return self.by_name.get(name, [])

    def first(self, name: str) -> Values:
        return next(iter(self.all(name)), {})


def read_fit(content: bytes) -> Recording:
    """
    Decode a FIT file.

    Raises:
        NotAnActivityError: For courses, workouts, settings and the like.
        IngestError: If nothing usable can be read.
    """
    messages = _read_messages(content)
    _refuse_what_is_no_activity(messages)
    sessions = _sessions(messages)
    samples = _samples(messages, sessions)
    if samples.is_empty() and all(session.started_at is None for session in sessions):
        raise IngestError(_nothing_usable(messages))
    return Recording(
        format="fit",
        sessions=sessions,
        samples=samples,
        laps=_laps(messages),
        pauses=tuple(_pauses(messages.all("event"))),
        device=_device(messages),
        utc_offset_s=_utc_offset_s(messages.first("activity")),
        missing=_what_is_missing(messages),
    )


def _read_messages(content: bytes) -> _Messages:
    """Read as far as the bytes go; the developer fields of the file before must not leak into this one."""
    DEV_TYPES.clear()
    messages = _Messages()
    try:
        file = FitFile(io.BytesIO(content), check_crc=False, data_processor=_ValuesAsStored())
        for message in file.get_messages():
            if message.name in WANTED:
                messages.by_name.setdefault(message.name, []).append(_values(message.fields))
    except FITPARSE_FAILURES as error:
        messages.stopped_by = str(error) or type(error).__name__
    return messages


def _values(fields: Iterable[Any]) -> Values:
    """
    Return field values by name.

    Developer fields stay out (they may bear a device field's name), and what is only a component of another
    field (it has no definition) gives way to the field itself.
    """
    values: Values = {}
    for one in fields:
        if one.value is None or one.field_type == "devfield":
            continue
        if one.field_def is None:
            values.setdefault(one.name, one.value)
        else:
            values[one.name] = one.value
    return values


def _refuse_what_is_no_activity(messages: _Messages) -> None:
    kind = messages.first("file_id").get("type", "activity")
    if kind != "activity":
        what = str(kind).replace("_", " ") if isinstance(kind, str) else f"type {kind}"
        raise NotAnActivityError(f"This FIT file is a {what} file, not a recorded activity.")


def _nothing_usable(messages: _Messages) -> str:
    if messages.stopped_by:
        return f"This FIT file is damaged and nothing in it can be read ({messages.stopped_by})."
    if messages.all("record") or any("start_time" in values for values in messages.all("session")):
        return "The watch's clock was not set, so nobody can say when this was recorded."
    return "This FIT file holds no samples and no session: there is nothing to take in."


def _what_is_missing(messages: _Messages) -> str | None:
    if messages.stopped_by:
        return f"The file breaks off or is damaged after {len(messages.all('record'))} samples ({messages.stopped_by}); what comes before was taken in."
    if not messages.all("session"):
        return "The file has no summary, so the watch did not finish it; the samples were taken in."
    return None


def _at(seconds: object) -> datetime | None:
    """Return the instant of a FIT timestamp; None when it is none or the clock was not set."""
    if isinstance(seconds, int | float) and CLOCK_NOT_SET_BELOW_S <= seconds <= 0xFFFFFFFE:
        return FIT_EPOCH + timedelta(seconds=float(seconds))
    return None


def _number(values: Mapping[str, Any], *names: str) -> float | None:
    """Return the first of the fields that is a number; damaged ones may be infinite or no number."""
    for name in names:
        value = values.get(name)
        if isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    return None


def _total(values: Mapping[str, Any], *names: str, most: float = math.inf) -> float | None:
    """Return the first of the fields that is a number, if it is one from 0 to `most`."""
    number = _number(values, *names)
    return number if number is not None and 0 <= number <= most else None


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.strip("\0 ") or None if isinstance(value, str) else None


def _sessions(messages: _Messages) -> tuple[Session, ...]:
    sport = messages.first("sport")
    told = [_session(values) for values in messages.all("session")]
    if not told:
        return (Session(sport=_text(sport.get("sport")), sub_sport=_sub_sport(sport.get("sub_sport"))),)
    return tuple(sorted(told, key=lambda one: one.started_at or FIT_EPOCH))


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


def _samples(messages: _Messages, sessions: tuple[Session, ...]) -> pl.DataFrame:
    rows = [row for values in messages.all("record") if (row := _sample(values)) is not None]
    samples = pl.DataFrame(rows, schema=RAW_SAMPLES)
    return _with_session(samples, sessions)


def _sample(values: Values) -> Values | None:
    at = _at(values.get("timestamp"))
    if at is None:
        return None
    lat, lon = _number(values, "position_lat"), _number(values, "position_long")
    cadence = _number(values, "cadence")
    return {
        "at": at,
        "session": 0,
        "lat_deg": None if lat is None else lat * DEGREES_PER_SEMICIRCLE,
        "lon_deg": None if lon is None else lon * DEGREES_PER_SEMICIRCLE,
        "distance_m": _number(values, "distance"),
        "speed_m_per_s": _number(values, "enhanced_speed", "speed"),
        "altitude_m": _number(values, "enhanced_altitude", "altitude"),
        "hr_bpm": _number(values, "heart_rate"),
        "cadence_spm": None if cadence is None else cadence + (_number(values, "fractional_cadence") or 0.0),
        "power_w": _number(values, "power"),
        "temperature_c": _number(values, "temperature"),
        "stance_time_ms": _number(values, "stance_time"),
        "stance_balance_pct": _number(values, "stance_time_balance"),
        "vertical_oscillation_mm": _number(values, "vertical_oscillation"),
        "step_length_mm": _number(values, "step_length"),
    }


def _with_session(samples: pl.DataFrame, sessions: tuple[Session, ...]) -> pl.DataFrame:
    """Say for each sample which session it belongs to: the last one that had started."""
    place = pl.lit(0, dtype=pl.Int64)
    for later in sessions[1:]:
        if later.started_at is not None:
            place = place + (pl.col("at") >= later.started_at).cast(pl.Int64)
    return samples.with_columns(session=place)


def _laps(messages: _Messages) -> pl.DataFrame:
    rows = [
        {
            "started_at": _at(values.get("start_time")),
            "timer_s": _total(values, "total_timer_time"),
            "distance_m": _total(values, "total_distance"),
            "avg_hr_bpm": _total(values, "avg_heart_rate"),
        }
        for values in messages.all("lap")
    ]
    return pl.DataFrame(rows, schema=RAW_LAPS)


def _pauses(events: Iterable[Values]) -> Iterable[tuple[datetime, datetime]]:
    """Yield (stop, start) of the timer; a stop that nothing follows is the end, not a pause."""
    stopped_at: datetime | None = None
    for values in events:
        at, what = _at(values.get("timestamp")), str(values.get("event_type"))
        if values.get("event") != "timer" or at is None:
            continue
        if what.startswith("stop"):
            stopped_at = stopped_at or at
        elif what == "start" and stopped_at is not None:
            if at > stopped_at:
                yield stopped_at, at
            stopped_at = None


def _device(messages: _Messages) -> str | None:
    file_id = messages.first("file_id")
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
