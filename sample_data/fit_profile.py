"""The part of the FIT profile that a run needs: messages, fields, base types and enumerations by number."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_data.recording import Ints

DEFINITION_BIT = 0x40

# Numbers of the FIT profile's enumerations.
FILE_ACTIVITY, MANUFACTURER_DEVELOPMENT = 4, 255
EVENT_TIMER, EVENT_SESSION, EVENT_LAP, EVENT_ACTIVITY = 0, 8, 9, 26
TYPE_START, TYPE_STOP, TYPE_STOP_ALL = 0, 1, 4
SPORT_RUNNING, SUB_SPORT_GENERIC, SUB_SPORT_TREADMILL = 1, 0, 1
LAP_BY_DISTANCE, LAP_BY_SESSION_END = 2, 7

# FIT base type and NumPy type by the name the profile uses.
BASE_TYPES = {
    "enum": (0x00, "u1"),
    "uint8": (0x02, "u1"),
    "uint16": (0x84, "<u2"),
    "sint32": (0x85, "<i4"),
    "uint32": (0x86, "<u4"),
    "uint32z": (0x8C, "<u4"),
    "string": (0x07, "S16"),
}

Value = int | str
Values = Mapping[str, Value | Ints]


@dataclass(frozen=True, slots=True)
class Layout:
    """How one kind of message is laid out: its local and global number, and name → (field number, base type)."""

    local: int
    number: int
    fields: Mapping[str, tuple[int, str]]

    @property
    def dtype(self) -> np.dtype[np.void]:
        """NumPy type of one data message, its header byte included."""
        return np.dtype(
            [("header", "u1")] + [(name, BASE_TYPES[base][1]) for name, (_, base) in self.fields.items()]
        )

    def definition(self) -> bytes:
        """Return the definition message."""
        head = struct.pack("<BBBHB", DEFINITION_BIT | self.local, 0, 0, self.number, len(self.fields))
        return head + b"".join(
            struct.pack("BBB", number, np.dtype(BASE_TYPES[base][1]).itemsize, BASE_TYPES[base][0])
            for number, base in self.fields.values()
        )

    def data(self, values: Values, count: int = 1) -> NDArray[np.void]:
        """Return `count` data messages filled with these values."""
        messages = np.zeros(count, dtype=self.dtype)
        messages["header"] = self.local
        for name in self.fields:
            messages[name] = values[name]
        return messages


FILE_ID = Layout(
    0,
    0,
    {
        "type": (0, "enum"),
        "manufacturer": (1, "uint16"),
        "product": (2, "uint16"),
        "serial_number": (3, "uint32z"),
        "time_created": (4, "uint32"),
        "product_name": (8, "string"),
    },
)
DEVICE_INFO = Layout(
    1,
    23,
    {
        "timestamp": (253, "uint32"),
        "device_index": (0, "uint8"),
        "manufacturer": (2, "uint16"),
        "serial_number": (3, "uint32z"),
        "product": (4, "uint16"),
        "software_version": (5, "uint16"),
        "product_name": (27, "string"),
    },
)
EVENT = Layout(
    2,
    21,
    {
        "timestamp": (253, "uint32"),
        "event": (0, "enum"),
        "event_type": (1, "enum"),
        "event_group": (4, "uint8"),
    },
)
_TOTALS = {
    "timestamp": (253, "uint32"),
    "event": (0, "enum"),
    "event_type": (1, "enum"),
    "start_time": (2, "uint32"),
    "total_elapsed_time": (7, "uint32"),
    "total_timer_time": (8, "uint32"),
    "total_distance": (9, "uint32"),
    "total_cycles": (10, "uint32"),
}
LAP = Layout(
    3,
    19,
    {
        "message_index": (254, "uint16"),
        **_TOTALS,
        "avg_heart_rate": (15, "uint8"),
        "max_heart_rate": (16, "uint8"),
        "avg_running_cadence": (17, "uint8"),
        "lap_trigger": (24, "enum"),
        "sport": (25, "enum"),
        "enhanced_avg_speed": (110, "uint32"),
    },
)
SESSION = Layout(
    4,
    18,
    {
        "message_index": (254, "uint16"),
        **_TOTALS,
        "sport": (5, "enum"),
        "sub_sport": (6, "enum"),
        "avg_heart_rate": (16, "uint8"),
        "max_heart_rate": (17, "uint8"),
        "avg_running_cadence": (18, "uint8"),
        "total_ascent": (22, "uint16"),
        "total_descent": (23, "uint16"),
        "first_lap_index": (25, "uint16"),
        "num_laps": (26, "uint16"),
        "trigger": (28, "enum"),
        "avg_fractional_cadence": (92, "uint8"),
        "enhanced_avg_speed": (124, "uint32"),
        "workout_feel": (192, "uint8"),
        "workout_rpe": (193, "uint8"),
    },
)
ACTIVITY = Layout(
    5,
    34,
    {
        "timestamp": (253, "uint32"),
        "total_timer_time": (0, "uint32"),
        "num_sessions": (1, "uint16"),
        "type": (2, "enum"),
        "event": (3, "enum"),
        "event_type": (4, "enum"),
        "local_timestamp": (5, "uint32"),
    },
)
RECORD = {
    "timestamp": (253, "uint32"),
    "distance": (5, "uint32"),
    "enhanced_speed": (73, "uint32"),
    "heart_rate": (3, "uint8"),
    "cadence": (4, "uint8"),
    "fractional_cadence": (53, "uint8"),
}
RECORD_OUTDOORS = {
    "position_lat": (0, "sint32"),
    "position_long": (1, "sint32"),
    "enhanced_altitude": (78, "uint32"),
}
RECORD_DYNAMICS = {
    "vertical_oscillation": (39, "uint16"),
    "stance_time": (41, "uint16"),
    "stance_time_balance": (84, "uint16"),
    "step_length": (85, "uint16"),
}
RECORD_LOCAL, RECORD_NUMBER = 6, 20
