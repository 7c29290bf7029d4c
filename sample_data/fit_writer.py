"""Write a recording as a FIT file: header, definitions, data messages, CRC."""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from sample_data import fit_profile as fit
from sample_data.recording import Ints, Recording
from sample_data.story import LOCAL_ZONE

FIT_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
HEADER_BYTES = 14
PROTOCOL_VERSION = 0x20
PROFILE_VERSION = 2132
ALTITUDE_OFFSET_STEPS = 2500  # 500 m in steps of 0.2 m
STEPS_PER_M = 5
LAP_CM = 100_000
NOT_SAID = 255


def encode(recording: Recording) -> bytes:
    """Return the recording as the bytes of a FIT file."""
    body = b"".join(_messages(recording))
    content = header(len(body)) + body
    return content + struct.pack("<H", crc16(content))


def header(body_bytes: int) -> bytes:
    """Return a 14-byte file header for a body of this size."""
    head = struct.pack("<BBHI4s", HEADER_BYTES, PROTOCOL_VERSION, PROFILE_VERSION, body_bytes, b".FIT")
    return head + struct.pack("<H", crc16(head))


def crc16(data: bytes) -> int:
    """Return the checksum FIT uses (CRC-16/ARC)."""
    crc = 0
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC_TABLE = tuple(_crc_of_byte(byte) for byte in range(256))


def _messages(recording: Recording) -> Iterator[bytes]:
    """Yield all messages in the order a watch writes them."""
    last = len(recording.elapsed_s) - 1
    yield from _opening(recording)
    yield from _samples_with_laps_and_pauses(recording)
    yield _timer_event(recording, int(recording.elapsed_s[last]), fit.TYPE_STOP_ALL)
    yield fit.LAP.data(_lap(recording, len(_lap_ends(recording)) - 1)).tobytes()
    yield fit.SESSION.definition() + fit.SESSION.data(_session(recording)).tobytes()
    yield fit.ACTIVITY.definition() + fit.ACTIVITY.data(_activity(recording)).tobytes()


def _opening(recording: Recording) -> Iterator[bytes]:
    start = _stamp(recording, 0)
    device: dict[str, fit.Value] = {
        "manufacturer": fit.MANUFACTURER_DEVELOPMENT,
        "product": 1,
        "serial_number": 1001,
        "product_name": "Sample watch",
    }
    yield (
        fit.FILE_ID.definition()
        + fit.FILE_ID.data({"type": fit.FILE_ACTIVITY, "time_created": start, **device}).tobytes()
    )
    info = {"timestamp": start, "device_index": 0, "software_version": 100, **device}
    yield fit.DEVICE_INFO.definition() + fit.DEVICE_INFO.data(info).tobytes()
    yield fit.EVENT.definition() + _timer_event(recording, 0, fit.TYPE_START)
    yield _record_layout(recording).definition() + fit.LAP.definition()


def _samples_with_laps_and_pauses(recording: Recording) -> Iterator[bytes]:
    """Yield the samples, with each full lap after its last sample and each pause where it happened."""
    samples = _samples(recording)
    laps = {end: index for index, end in enumerate(_lap_ends(recording)[:-1])}
    pauses = dict(recording.pauses)
    done = 0
    for index in sorted(laps.keys() | pauses.keys()):
        yield samples[done : index + 1].tobytes()
        done = index + 1
        if index in laps:
            yield fit.LAP.data(_lap(recording, laps[index])).tobytes()
        if index in pauses:
            stopped_s = int(recording.elapsed_s[index])
            yield _timer_event(recording, stopped_s, fit.TYPE_STOP_ALL)
            yield _timer_event(recording, stopped_s + pauses[index], fit.TYPE_START)
    yield samples[done:].tobytes()


def _stamp(recording: Recording, elapsed_s: int) -> int:
    return int((recording.started_at - FIT_EPOCH) / timedelta(seconds=1)) + elapsed_s


def _timer_event(recording: Recording, elapsed_s: int, event_type: int) -> bytes:
    stamp = _stamp(recording, elapsed_s)
    values = {"timestamp": stamp, "event": fit.EVENT_TIMER, "event_type": event_type, "event_group": 0}
    return fit.EVENT.data(values).tobytes()


def _record_layout(recording: Recording) -> fit.Layout:
    outdoors = {} if recording.run.is_treadmill else fit.RECORD_OUTDOORS
    dynamics = {} if recording.dynamics is None else fit.RECORD_DYNAMICS
    return fit.Layout(fit.RECORD_LOCAL, fit.RECORD_NUMBER, {**fit.RECORD, **outdoors, **dynamics})


def _samples(recording: Recording) -> NDArray[np.void]:
    values: dict[str, Ints] = {
        "timestamp": _stamp(recording, 0) + recording.elapsed_s,
        "distance": recording.distance_cm,
        "enhanced_speed": recording.speed_mm_per_s,
        "heart_rate": recording.hr_bpm,
        "cadence": recording.cadence_spm // 2,  # strides of one leg
        "fractional_cadence": recording.cadence_spm % 2 * 64,
    }
    if recording.altitude_steps is not None:
        values["enhanced_altitude"] = recording.altitude_steps + ALTITUDE_OFFSET_STEPS
    if recording.position is not None:
        values["position_lat"] = recording.position.lat_semicircles
        values["position_long"] = recording.position.lon_semicircles
    if recording.dynamics is not None:
        values["vertical_oscillation"] = recording.dynamics.vertical_oscillation_tenth_mm
        values["stance_time"] = recording.dynamics.stance_time_tenth_ms
        values["stance_time_balance"] = recording.dynamics.stance_balance_hundredth_pct
        values["step_length"] = recording.dynamics.step_length_tenth_mm
    return _record_layout(recording).data(values, len(recording.elapsed_s))


def _lap_ends(recording: Recording) -> list[int]:
    """Return the index of each lap's last sample: every full kilometre, and the end."""
    full = np.arange(LAP_CM, int(recording.distance_cm[-1]), LAP_CM)
    return [*np.searchsorted(recording.distance_cm, full).tolist(), len(recording.distance_cm) - 1]


def _totals(recording: Recording, first: int, last: int) -> dict[str, fit.Value]:
    """Return what laps and session have in common, from this sample to that one."""
    timer_s = last - first  # one sample a second
    elapsed_s = int(recording.elapsed_s[last] - recording.elapsed_s[first])
    distance_cm = int(recording.distance_cm[last] - recording.distance_cm[first])
    part = slice(first + 1, last + 1)
    return {
        "timestamp": _stamp(recording, int(recording.elapsed_s[last])),
        "event_type": fit.TYPE_STOP,
        "start_time": _stamp(recording, int(recording.elapsed_s[first])),
        "total_elapsed_time": elapsed_s * 1000,
        "total_timer_time": timer_s * 1000,
        "total_distance": distance_cm,
        "total_cycles": round(int(recording.cadence_spm[part].sum()) / 120),  # strides of one leg
        "sport": fit.SPORT_RUNNING,
        "avg_heart_rate": round(float(recording.hr_bpm[part].mean())),
        "max_heart_rate": int(recording.hr_bpm[part].max()),
        "enhanced_avg_speed": round(distance_cm * 10 / timer_s),
    }


def _lap(recording: Recording, index: int) -> dict[str, fit.Value]:
    ends = _lap_ends(recording)
    first, last = (0, *ends)[index], ends[index]
    return {
        **_totals(recording, first, last),
        "message_index": index,
        "event": fit.EVENT_LAP,
        "avg_running_cadence": int(recording.cadence_spm[first + 1 : last + 1].mean()) // 2,
        "lap_trigger": fit.LAP_BY_SESSION_END if last == ends[-1] else fit.LAP_BY_DISTANCE,
    }


def _session(recording: Recording) -> dict[str, fit.Value]:
    run = recording.run
    steps_per_min = round(float(recording.cadence_spm.mean()))
    ascent_m, descent_m = climb_m(recording)
    return {
        **_totals(recording, 0, len(recording.elapsed_s) - 1),
        "message_index": 0,
        "event": fit.EVENT_SESSION,
        "sub_sport": fit.SUB_SPORT_TREADMILL if run.is_treadmill else fit.SUB_SPORT_GENERIC,
        "avg_running_cadence": steps_per_min // 2,
        "avg_fractional_cadence": steps_per_min % 2 * 64,
        "total_ascent": ascent_m,
        "total_descent": descent_m,
        "first_lap_index": 0,
        "num_laps": len(_lap_ends(recording)),
        "trigger": 0,
        "workout_feel": NOT_SAID if run.feel is None else run.feel,
        "workout_rpe": NOT_SAID if run.rpe is None else run.rpe * 10,
    }


def climb_m(recording: Recording) -> tuple[int, int]:
    """Return metres up and down; changes below a metre are taken for noise."""
    if recording.altitude_steps is None:
        return 0, 0
    up = down = 0
    level = int(recording.altitude_steps[0])
    for height in recording.altitude_steps.tolist():
        change = height - level
        if abs(change) >= STEPS_PER_M:
            up, down, level = up + max(change, 0), down + max(-change, 0), height
    return round(up / STEPS_PER_M), round(down / STEPS_PER_M)


def _activity(recording: Recording) -> dict[str, fit.Value]:
    end = _stamp(recording, int(recording.elapsed_s[-1]))
    offset = LOCAL_ZONE.utcoffset(None)
    return {
        "timestamp": end,
        "total_timer_time": (len(recording.elapsed_s) - 1) * 1000,
        "num_sessions": 1,
        "type": 0,
        "event": fit.EVENT_ACTIVITY,
        "event_type": fit.TYPE_STOP,
        "local_timestamp": end + int(offset / timedelta(seconds=1)),
    }
