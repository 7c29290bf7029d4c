"""What a runner may set: kneewatch.toml and the environment, read once into one frozen value."""

import difflib
import json
import os
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from store.errors import WrongUseError
from store.home import Home

PREFIX = "KNEEWATCH_"
NOT_SETTINGS = frozenset(
    {"KNEEWATCH_HOME", "KNEEWATCH_CORPUS"}
)  # where the home is; where the tests' files are
KEY_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,39}$"
FASTEST_PACE_S_PER_KM = 120.0  # world record pace over the kilometre is 2:12
SLOWEST_PACE_S_PER_KM = 1200.0  # 20:00 is a slow walk
FASTEST_GOAL_S = 3000.0  # the world record over the half marathon is 56:42
SLOWEST_GOAL_S = 6 * 3600.0  # races close before that
SMALLEST_PRIVACY_M = 200  # a street; what is smaller would be told by the first house that is drawn

Role = Literal["runner", "physio", "coach"]
Severity = Literal["info", "caution", "warning", "stop"]
Sex = Literal["female", "male"]
Units = Literal["km", "miles"]
Locale = Literal["en", "en-GB", "en-US", "da", "de", "de-AT", "de-CH", "es", "fr", "it", "nl", "sv"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_PACE = re.compile(r"([0-9]{1,2}):([0-5][0-9])(?: ?(?:min)?/km)?")
_GOAL = re.compile(r"([0-9]):([0-5][0-9]):([0-5][0-9])")
_WEEKLY = re.compile(rf"({'|'.join(get_args(Weekday))}) +([01]?[0-9]|2[0-3]):([0-5][0-9])")
_CLOCK_TIME = re.compile(r"[0-2][0-9]:[0-5][0-9]")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_CRON_PART = re.compile(r"(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([0-9]{1,2}))?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    *((0, 59, ()), (0, 23, ()), (1, 31, ())),
    *((1, 12, _MONTHS), (0, 7, _DAYS)),
)
_TABLE_ERRORS = frozenset({"dict_type", "model_type", "model_attributes_type"})
_SHOWN_CHARS = 60

Place = tuple[str, ...]


class SettingsError(WrongUseError):
    """The settings cannot be used. Its text is one sentence a problem, a line each."""


def machine_time_zone(localtime: Path = Path("/etc/localtime")) -> str:
    """Return the IANA name of this machine's zone: from $TZ, else from where `localtime` points, else UTC."""
    linked = str(localtime.resolve()).partition("zoneinfo/")[2]
    names = (os.environ.get("TZ", "").removeprefix(":"), linked.removeprefix("posix/"), "UTC")
    return next(name for name in names if _is_zone(name))


def parse_pace(text: str) -> float:
    """
    Read "5:20" or "5:20/km" as seconds per kilometre.

    Raises:
        ValueError: It is not minutes and seconds from 2:00 to 20:00.
    """
    found = _PACE.fullmatch(text.strip())
    pace_s_per_km = int(found[1]) * 60.0 + int(found[2]) if found else 0.0
    if not FASTEST_PACE_S_PER_KM <= pace_s_per_km <= SLOWEST_PACE_S_PER_KM:
        raise ValueError("not a pace")
    return pace_s_per_km


def parse_goal(text: str) -> float:
    """
    Read "1:55:00" as seconds.

    Raises:
        ValueError: It is not hours, minutes and seconds from 0:50:00 to 6:00:00.
    """
    found = _GOAL.fullmatch(text.strip())
    goal_s = int(found[1]) * 3600.0 + int(found[2]) * 60 + int(found[3]) if found else 0.0
    if not FASTEST_GOAL_S <= goal_s <= SLOWEST_GOAL_S:
        raise ValueError("not a goal")
    return goal_s


def parse_weekly(text: str) -> tuple[int, time]:
    """
    Read "sunday 18:00" as the day of the week (Monday is 0) and the local time.

    Raises:
        ValueError: It is not a day of the week and a time.
    """
    found = _WEEKLY.fullmatch(text.strip().lower())
    if not found:
        raise ValueError("not a day of the week and a time")
    return get_args(Weekday).index(found[1]), time(int(found[2]), int(found[3]))


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # OSError: "Europe" is a folder
        return False
    return name != ""


def _is_cron(text: str) -> bool:
    fields = text.lower().split()
    return len(fields) == len(_CRON_FIELDS) and all(
        _is_cron_part(part, low, high, names)
        for field, (low, high, names) in zip(fields, _CRON_FIELDS, strict=True)
        for part in field.split(",")
    )


def _is_cron_part(part: str, low: int, high: int, names: Sequence[str]) -> bool:
    for number, name in enumerate(names, low):
        part = part.replace(name, str(number))
    found = _CRON_PART.fullmatch(part)
    if found is None:
        return False
    first = int(found[1] or low)
    last = int(found[2] or first)
    return low <= first <= last <= high and found[3] not in ("0", "00")


def _zone(name: str) -> str:
    if not _is_zone(name):
        raise ValueError("not a time zone")
    return name


def _cron(text: str) -> str:
    if not _is_cron(text):
        raise ValueError("not a cron expression")
    return text


def _pace(text: str) -> str:
    parse_pace(text)
    return text


def _goal(text: str) -> str:
    parse_goal(text)
    return text


def _weekly(text: str) -> str:
    parse_weekly(text)
    return text


def _names(value: object) -> object:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        raise ValueError("not a list")  # noqa: TRY004 - pydantic wants a ValueError
    names = tuple(name.strip() if isinstance(name, str) else "" for name in names)
    if not all(re.match(KEY_PATTERN, name) for name in names):
        raise ValueError("not a list of names")
    return names


def _url(url: SecretStr) -> SecretStr:
    if not _URL.fullmatch(url.get_secret_value()):
        raise ValueError("not a URL")
    return url


def _whole(value: object) -> object:
    if type(value) is bool:  # pydantic would take true for 1
        raise ValueError("not a number")
    return value


def _yes_no(value: object) -> object:
    said = {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value
    if not isinstance(said, bool):
        raise ValueError("neither true nor false")  # noqa: TRY004 - pydantic wants a ValueError
    return said


def _clock_time(value: object) -> object:
    if isinstance(value, str) and _CLOCK_TIME.fullmatch(value):
        return time.fromisoformat(value)
    if not isinstance(value, time):
        raise ValueError("not a time")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a number")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def _listed(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value  # as a variable holds it


def _day(value: object) -> object:
    if isinstance(value, str):
        return date.fromisoformat(value)
    if type(value) is not date:  # pydantic would take a number for seconds since 1970
        raise ValueError("not a date")
    return value


def _day_key(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError("not a date")
    return text


Key = Annotated[str, StringConstraints(pattern=KEY_PATTERN)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Whole = Annotated[int, BeforeValidator(_whole)]
Number = Annotated[float, BeforeValidator(_number)]
YesNo = Annotated[bool, BeforeValidator(_yes_no)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Zone = Annotated[str, AfterValidator(_zone)]
Cron = Annotated[str, AfterValidator(_cron)]
Pace = Annotated[str, AfterValidator(_pace)]
Goal = Annotated[str, AfterValidator(_goal)]
Day = Annotated[date, BeforeValidator(_day)]
ClockTime = Annotated[time, BeforeValidator(_clock_time)]
DayKey = Annotated[str, AfterValidator(_day_key)]
HostName = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9.:_-]{1,253}$")]
HostNames = Annotated[tuple[HostName, ...], BeforeValidator(_listed)]
Weekly = Annotated[str, AfterValidator(_weekly)]
Url = Annotated[SecretStr, AfterValidator(_url)]


SCORE = ("a number from 0 to 10",)
POSITIVE = ("a number above 0",)
DAYS = ("a whole number from 1",)
CLOCK_TIME = 'hours and minutes from "00:00" to "23:59"'


def _setting(what: str, allowed: str = "", *, example: object = None, **field: Any) -> Any:
    """Declare a value: what it is, what it may be (Literals say so themselves) and how it looks in the template."""
    extra: dict[str, Any] = {"allowed": allowed, "example": example}
    return Field(description=what, json_schema_extra=extra, **field)


class _Table(BaseModel):
    # Inputs stay out of pydantic's own messages: a channel's URL is a password.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)


class Plan(_Table):
    """Which plan an athlete trains by; `race_date` is the day its sixteen weeks end on."""

    name: Text = _setting(
        "Which plan: half_marathon_beginner, half_marathon_intermediate or one you imported.",
        "the name of a plan",
        example="half_marathon_beginner",
    )
    race_date: Day = _setting(
        "Race day; the weeks of the plan end on it.", "a day such as 2026-10-04", example=date(2026, 10, 4)
    )
    goal_time: Goal | None = _setting(
        "Time you hope for over the half marathon; the report shows what your best efforts are worth beside it.",
        'hours, minutes and seconds from "0:50:00" to "6:00:00", such as "1:55:00"',
        example="1:55:00",
        default=None,
    )

    @property
    def goal_s(self) -> float | None:
        return None if self.goal_time is None else parse_goal(self.goal_time)


RESTING_HR = _setting(
    "Resting heart rate, beats per minute.",
    "a whole number from 20 to 120",
    example=52,
    default=None,
    ge=20,
    le=120,
)
MAX_HR = _setting(
    "Highest heart rate, beats per minute.",
    "a whole number from 100 to 250",
    example=186,
    default=None,
    ge=100,
    le=250,
)
THRESHOLD_HR = _setting(
    "Heart rate you can hold for about an hour, beats per minute; above resting, not above the highest.",
    "a whole number from 60 to 250",
    example=166,
    default=None,
    ge=60,
    le=250,
)
VT1_HR = _setting(
    "Heart rate at the first ventilatory threshold, from a laboratory, beats per minute.",
    "a whole number from 60 to 250",
    example=142,
    default=None,
    ge=60,
    le=250,
)
VT2_HR = _setting(
    "Heart rate at the second ventilatory threshold, from a laboratory, beats per minute; above the first.",
    "a whole number from 60 to 250",
    example=168,
    default=None,
    ge=60,
    le=250,
)
THRESHOLD_PACE = _setting(
    "Pace on the flat you can hold for about an hour, minutes per kilometre.",
    'minutes and seconds per kilometre from "2:00" to "20:00", such as "5:20"',
    example="5:20",
    default=None,
)
RATES_IN_ORDER = (  # lower, upper, and how they must stand to each other
    ("resting_hr_bpm", "threshold_hr_bpm", "below"),
    ("threshold_hr_bpm", "max_hr_bpm", "at most"),
    ("resting_hr_bpm", "max_hr_bpm", "below"),
    ("resting_hr_bpm", "vt1_hr_bpm", "below"),
    ("vt1_hr_bpm", "vt2_hr_bpm", "below"),
    ("vt2_hr_bpm", "max_hr_bpm", "at most"),
)


class Since(_Table):
    """The athlete's values that changed on a day; what is None is as before."""

    resting_hr_bpm: Whole | None = RESTING_HR
    max_hr_bpm: Whole | None = MAX_HR
    threshold_hr_bpm: Whole | None = THRESHOLD_HR
    vt1_hr_bpm: Whole | None = VT1_HR
    vt2_hr_bpm: Whole | None = VT2_HR
    threshold_pace: Pace | None = THRESHOLD_PACE


class Athlete(_Table):
    """One athlete; what is None is unknown or estimated, and what needs the unknown is left out."""

    name: Text | None = _setting("Name for the report.", "a text", example="Mara", default=None)
    sex: Sex | None = _setting(
        "Heart-rate load weighs effort differently by sex; without it there is none.",
        example="female",
        default=None,
    )
    birth_year: Whole | None = _setting(
        "Year of birth; keeps an estimated maximum from being too low.",
        "a whole number from 1900 to 2100",
        example=1988,
        default=None,
        ge=1900,
        le=2100,
    )
    resting_hr_bpm: Whole | None = RESTING_HR
    max_hr_bpm: Whole | None = MAX_HR
    threshold_hr_bpm: Whole | None = THRESHOLD_HR
    vt1_hr_bpm: Whole | None = VT1_HR
    vt2_hr_bpm: Whole | None = VT2_HR
    threshold_pace: Pace | None = THRESHOLD_PACE
    time_zone: Zone = _setting(
        "Time zone that decides which day a run belongs to.",
        'an IANA name such as "Europe/Berlin"',
        default_factory=machine_time_zone,
    )
    week_start: Weekday = _setting("First day of the week.", default="monday")
    privacy_radius_m: Whole = _setting(
        "On every map that can be handed on, nothing is drawn within so many metres of where runs begin most often; 0 draws everything.",
        "0, or a whole number from 200 to 2000",
        default=400,
        ge=0,
        le=2000,
    )
    share_with: Names = _setting(
        "Consent: names of the channels of a physio or coach that may get this athlete's alerts and digest. Nothing goes there without it, and taking a name out withdraws it.",
        'a list of names of channels such as ["physio"]',
        default=(),
    )
    plan: Plan | None = _setting("The plan this athlete trains by.", default=None)
    since: dict[DayKey, Since] = _setting(
        "Values that changed: one table for each day from which on they count. Without a day a value counts always.",
        default={},
    )

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def threshold_pace_s_per_km(self) -> float | None:
        return None if self.threshold_pace is None else parse_pace(self.threshold_pace)

    def values_given(self) -> Iterator[tuple[str, float, date | None]]:
        """Yield each value that was set, by its name with the unit, and the day from which it counts (None: always)."""
        for day, table in self._tables():
            rates = {name: getattr(table, name) for name in Since.model_fields if name != "threshold_pace"}
            pace = table.threshold_pace
            given = rates | {"threshold_pace_s_per_km": parse_pace(pace) if pace else None}
            yield from ((name, float(value), day) for name, value in given.items() if value is not None)

    @model_validator(mode="after")
    def _check_privacy(self) -> Self:
        if 0 < self.privacy_radius_m < SMALLEST_PRIVACY_M:
            says = f"is {self.privacy_radius_m}; allowed is 0, or a whole number from {SMALLEST_PRIVACY_M} to 2000"
            raise PydanticCustomError(
                "clash", "{says}", {"says": says, "key": "privacy_radius_m", "other": ""}
            )
        return self

    @model_validator(mode="after")
    def _check_rates(self) -> Self:
        counted: dict[str, int] = {}
        for day, table in self._tables():
            given = {name: getattr(table, name) for pair in RATES_IN_ORDER for name in pair[:2]}
            counted |= {name: value for name, value in given.items() if value is not None}
            _check_order(counted, given, f"since.{day}." if day else "")
        return self

    def _tables(self) -> Iterator[tuple[date | None, Self | Since]]:
        """Yield what counts always, and what counts from its day on."""
        yield None, self
        yield from ((date.fromisoformat(day), table) for day, table in sorted(self.since.items()))


def _check_order(counted: Mapping[str, int], given: Mapping[str, int | None], where: str) -> None:
    for lower, upper, relation in RATES_IN_ORDER:
        low, high = counted.get(lower), counted.get(upper)
        if low is None or high is None or low < high or (low == high and relation == "at most"):
            continue
        at_fault, other, value, bound, relation_to = (
            (lower, upper, low, high, relation)
            if given[lower] is not None
            else (upper, lower, high, low, {"below": "above", "at most": "at least"}[relation])
        )
        says = f"is {value}; allowed is {relation_to} {other}, which is {bound}"
        raise PydanticCustomError(
            "clash", "{says}", {"says": says, "key": where + at_fault, "other": where + other}
        )


class Alerts(_Table):
    """What counts as pain and as a spike (analytics/rules.py has the same names), and which alerts are delivered."""

    deliver_within_days: Whole = _setting(
        "Only alerts about the last so many days are delivered, days.",
        "a whole number from 0",
        default=3,
        ge=0,
    )
    min_severity: Severity = _setting("The mildest alert that is delivered.", default="caution")
    digest: Weekly | None = _setting(
        "When the digest of the week goes to the channels, in the default athlete's time zone; without it there is none.",
        'a day of the week and a time such as "sunday 18:00"',
        example="sunday 18:00",
        default=None,
    )
    pain_p1_max: Number = _setting(
        "Highest knee score (0 to 10) that is still level P1 when it settles.", *SCORE, default=2, ge=0, le=10
    )
    pain_p2_max: Number = _setting(
        "Highest knee score (0 to 10) that is still level P2.", *SCORE, default=5, ge=0, le=10
    )
    ramp_over: Number = _setting(
        "Rise of 7 days over the 7 before above which it is a ramp; 0.3 is +30 %.",
        *POSITIVE,
        default=0.3,
        gt=0,
    )
    ramp_by_m: Number = _setting("Metres by which it must have risen as well.", *POSITIVE, default=5000, gt=0)
    ramp_from_m: Number = _setting(
        "Metres that the 7 days before must hold, for a ramp.", *POSITIVE, default=10000, gt=0
    )
    downhill_over: Number = _setting(
        "Metres downhill of 7 days over the weekly mean of the 21 before.", *POSITIVE, default=1.5, gt=0
    )
    downhill_from_m: Number = _setting("Metres downhill that 7 days must hold.", *POSITIVE, default=100, gt=0)
    spike_window_days: Whole = _setting("Days that a spike counts after its run.", *DAYS, default=14, ge=1)
    ramp_window_days: Whole = _setting("Days that a ramp counts.", *DAYS, default=21, ge=1)
    remind_after_days: Whole = _setting(
        "Days after which a new report may raise an alert of the same level again.", *DAYS, default=7, ge=1
    )
    planned_ahead_days: Whole = _setting(
        "Days before a planned run on which it may first be called a spike.", *DAYS, default=3, ge=1, le=13
    )
    strength_gap_days: Whole = _setting(
        "Days without strength work after which it is called a gap.", *DAYS, default=14, ge=1
    )
    not_reported_days: Whole = _setting(
        "Days after a spike without a report on the knees after which it is asked for.",
        *DAYS,
        default=3,
        ge=1,
    )
    quiet_from: ClockTime | None = _setting(
        "Letters wait from this time of the athlete's day on, medical ones apart; quiet_until says how long.",
        CLOCK_TIME,
        example="21:30",
        default=None,
    )
    quiet_until: ClockTime | None = _setting(
        "Letters wait until this time of the athlete's day; it may be on the next morning.",
        CLOCK_TIME,
        example="06:30",
        default=None,
    )

    @model_validator(mode="after")
    def _check_quiet_hours(self) -> Self:
        """Both or none: one alone would be no hours, or all of them."""
        for name, other in (("quiet_from", "quiet_until"), ("quiet_until", "quiet_from")):
            if getattr(self, name) is not None and getattr(self, other) is None:
                says = f"goes with {other}, which is not given; allowed are both or none"
                raise PydanticCustomError("clash", "{says}", {"says": says, "key": name, "other": other})
        return self

    @property
    def digest_cron(self) -> str | None:
        """When the digest goes out, as a cron expression; None without one."""
        if self.digest is None:
            return None
        weekday, at = parse_weekly(self.digest)
        return f"{at.minute} {at.hour} * * {(weekday + 1) % 7}"


class Channel(_Table):
    """Where alerts go, and whose; `min_severity` None means that of the alerts. See `Settings.may_hear_of`."""

    url: Url = _setting(
        "Apprise URL of the service (https://appriseit.com lists them); keep it secret.",
        "an Apprise URL such as ntfys://ntfy.sh/topic",
        example="ntfys://ntfy.sh/a-topic-nobody-guesses",
    )
    min_severity: Severity | None = _setting(
        "The mildest alert for this channel; that of [alerts] unless given.", example="warning", default=None
    )
    reminders: bool = _setting(
        "Whether it asks once a day for the scores and reports that are missing (`kneewatch remind`).",
        "true or false",
        default=False,
    )
    role: Role = _setting(
        "Who reads it. A physio or coach hears only of athletes who name this channel in share_with.",
        default="runner",
    )
    athletes: Names = _setting(
        "Whose alerts it gets. Unless given: a runner's channel those of the default athlete, a physio's or coach's those of everybody who shares with it.",
        'a list of keys of athletes such as ["mara"]',
        default=(),
    )
    digest: YesNo = _setting(
        "Whether the weekly digest goes there as well (digest in [alerts] says when).",
        "true or false",
        default=True,
    )


class Schedules(_Table):
    """When the flows run, as cron expressions."""

    intake: Cron = _setting(
        "Takes in what lies in the inbox.", "a cron expression of five fields", default="*/15 * * * *"
    )
    review: Cron = _setting(
        "Works out trends, alerts and the report.", "a cron expression of five fields", default="0 6 * * *"
    )
    daily: Cron = _setting("Does both.", "a cron expression of five fields", default="30 6 * * *")
    remind: Cron = _setting(
        "Asks for what is missing, by the channels with reminders = true.",
        "a cron expression of five fields",
        default="30 7 * * *",
    )


class Limits(_Table):
    """What is too much."""

    max_file_mib: Whole = _setting(
        "Larger files are refused, mebibytes.", "a whole number from 1", default=256, ge=1
    )
    max_read_s: Whole = _setting(
        "A file that takes longer to read is refused, seconds.", "a whole number from 1", default=7, ge=1
    )
    max_read_mib: Whole = _setting(
        "A file is refused if the process that reads it takes more memory, mebibytes; it has some 100 before it begins.",
        "a whole number from 192",
        default=512,
        ge=192,
    )
    max_archive_entries: Whole = _setting(
        "A zip archive with more entries, those of archives in it included, is refused.",
        "a whole number from 1",
        default=100_000,
        ge=1,
    )
    max_archive_gib: Whole = _setting(
        "A zip archive whose exports, those of archives in it included, are larger together is refused, gibibytes.",
        "a whole number from 1",
        default=16,
        ge=1,
    )
    max_nested_gib: Whole = _setting(
        "A larger archive within an archive is refused; it is unpacked on the disk for a while, gibibytes.",
        "a whole number from 1",
        default=1,
        ge=1,
    )


class Web(_Table):
    """Where `kneewatch web` serves its pages."""

    host: HostName = _setting(
        "Address that the pages are served on; one that others can reach is refused without a token (`kneewatch web --new-token`).",
        "an address or a name of this machine",
        default="127.0.0.1",
    )
    port: Whole = _setting(
        "Port that the pages are served on.", "a whole number from 0 to 65535", default=8765, ge=0, le=65535
    )
    names: HostNames = _setting(
        "Other names under which a browser reaches the pages; under any other they answer nobody.",
        "a list of names without ports",
        example=["knee.local"],
        default=(),
    )


class Settings(_Table):
    """All settings. There is always at least one athlete, and `default_athlete` is one of them."""

    default_athlete: Key = _setting(
        "Key of the athlete to whom everything belongs that names nobody else.",
        "the key of an athlete below",
        default="me",
    )
    units: Units = _setting("Units of every number shown to a person.", default="km")
    locale: Locale = _setting(
        "How numbers and days shown to a person are written: decimal sign, thousands, order of day and month. The words stay English.",
        default="en",
    )
    athletes: dict[Key, Athlete] = _setting(
        "You: one table for each athlete. The key after the dot is lower-case letters, digits, - and _. What is not given is estimated from the history where it can be, and else what needs it is left out.",
        default={},
    )
    alerts: Alerts = _setting(
        "What counts as pain and as a spike, as docs/alerts.md explains, and which alerts are delivered; all are stored.",
        default=Alerts(),
    )
    channels: dict[Key, Channel] = _setting(
        "Where alerts go; one table for each channel, with a name of your own.", default={}
    )
    schedules: Schedules = _setting(
        "When `kneewatch serve` runs what: minute, hour, day of the month, month, day of the week.",
        default=Schedules(),
    )
    limits: Limits = _setting("What is too much.", default=Limits())
    web: Web = _setting("Where `kneewatch web` serves its pages.", default=Web())

    def may_hear_of(self, channel: str, athlete: str) -> bool:
        """
        Tell whether what is known of an athlete may go to a channel.

        A runner's channel has its own athletes: the default one unless it names others, and all there are in a home
        of one. A physio's or coach's has those who consent, and of these only whom it names if it names any.
        """
        if channel not in self.channels:
            return False
        whose, role = self.channels[channel].athletes, self.channels[channel].role
        if role != "runner":
            consents = athlete in self.athletes and channel in self.athletes[athlete].share_with
            return consents and (not whose or athlete in whose)
        return athlete in (whose or (self.default_athlete,)) or (not whose and len(self.athletes) == 1)

    @model_validator(mode="before")
    @classmethod
    def _there_is_a_default_athlete(cls, values: Any) -> Any:
        """Without athletes there is the default one; a single athlete is the default one."""
        if not isinstance(values, dict):
            return values
        if athletes := values.get("athletes"):
            if not isinstance(athletes, dict) or len(athletes) > 1:
                return values
            (only,) = athletes
            return {"default_athlete": only} | values if re.match(KEY_PATTERN, only) else values
        key = values.get("default_athlete", "me")
        is_key = isinstance(key, str) and re.match(KEY_PATTERN, key)
        return values | {"athletes": {key if is_key else "me": {}}}

    @model_validator(mode="after")
    def _check_default_athlete(self) -> Self:
        if self.default_athlete not in self.athletes:
            how = "is" if "default_athlete" in self.model_fields_set else "is not given and so"
            says = f"{how} {self.default_athlete!r}; allowed are {', '.join(sorted(self.athletes))}"
            raise PydanticCustomError(
                "clash", "{says}", {"says": says, "key": "default_athlete", "other": ""}
            )
        return self

    @model_validator(mode="after")
    def _check_who_hears_of_whom(self) -> Self:
        """A name that means nobody would withhold letters, or a consent, without a word."""
        others = [name for name, channel in self.channels.items() if channel.role != "runner"]
        named = [
            *(
                (f"channels.{name}.athletes", one.athletes, self.athletes)
                for name, one in self.channels.items()
            ),
            *((f"athletes.{key}.share_with", one.share_with, others) for key, one in self.athletes.items()),
        ]
        for where, names, known in named:
            for name in names:
                if name not in known:
                    allowed = (
                        ", ".join(sorted(known)) or "channels with the role physio or coach; there is none"
                    )
                    says = f"names {name!r}; allowed are {allowed}"
                    raise PydanticCustomError("clash", "{says}", {"says": says, "key": where, "other": ""})
        return self


class _Environment(BaseSettings, Settings):
    """The same fields, for pydantic-settings to look for; never made, so that Settings reads nothing by itself."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, enable_decoding=False
    )


def read_settings(home: Home) -> Settings:
    """
    Read the home's kneewatch.toml, if there is one, and the KNEEWATCH_… variables, which win.

    Raises:
        SettingsError: The file is not TOML, or a key or a value is none that is allowed; all of them are named.
    """
    file = home.settings_file
    variables = _variables(os.environ)
    from_environment = EnvSettingsSource(_Environment)()
    strangers = [place for place in variables if not _holds(from_environment, place)]
    problems = [_unknown(place, variables, file.name) for place in strangers]
    try:
        settings = Settings.model_validate(_merged(_read_toml(file), from_environment))
    except ValidationError as error:
        problems += [_sentence(found, variables, file.name) for found in error.errors(include_url=False)]
        settings = None
    if settings is None or problems:
        raise SettingsError("\n".join(problems))
    return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """
    A value in force, and where it comes from.

    Attributes:
        place: Where it stands: ("alerts", "min_severity").
        value: As kneewatch.toml would have it; empty where nothing is set. Of a channel's URL only the kind of service.
        origin: "default", "kneewatch.toml, line 12" or the name of a variable.
        what: What it is.
        allowed: What it may be.
        variable: The variable that would set it, and wins over the file.
    """

    place: Place
    value: str
    origin: str
    what: str
    allowed: str
    variable: str

    @property
    def name(self) -> str:
        """Return alerts.min_severity."""
        return ".".join(self.place)


def origins(home: Home, settings: Settings) -> list[Origin]:
    """Return every value of `settings`, as read from `home`, with where it comes from, in the order of the settings."""
    variables = _variables(os.environ)
    file = home.settings_file
    lines = _lines_of(file.read_text(encoding="utf-8-sig")) if file.exists() else {}
    return [
        Origin(
            place=place,
            value=_without_secret(value),
            origin=_variable_of(place, variables)
            or (f"{file.name}, line {lines[place]}" if place in lines else "default"),
            what=model.model_fields[place[-1]].description or "",
            allowed=_allowed_by(model, place[-1]),
            variable=_as_variable(place),
        )
        for place, model, value in _values_in(settings)
    ]


def template(default_athlete: str = "me") -> str:
    """Return a kneewatch.toml that explains every setting and changes none: its values are commented out."""
    intro = (
        "# Settings of Kneewatch. To change one, take the # from the start of its line.\n"
        "# An environment variable wins over this file: KNEEWATCH_ALERTS__MIN_SEVERITY over min_severity in [alerts].\n\n"
    )
    top = "".join(_value_lines(Settings, {"default_athlete": default_athlete}))
    tables = (
        _table_lines(("athletes",), f"[athletes.{default_athlete}]", Athlete),
        _table_lines(("athletes", "", "since"), f"#[athletes.{default_athlete}.since.2026-09-01]", Since),
        _table_lines(("athletes", "", "plan"), f"#[athletes.{default_athlete}.plan]", Plan),
        _table_lines(("alerts",), "[alerts]", Alerts),
        _table_lines(("channels",), "#[channels.phone]", Channel),
        _table_lines(("schedules",), "[schedules]", Schedules),
        _table_lines(("limits",), "[limits]", Limits),
        _table_lines(("web",), "[web]", Web),
    )
    return intro + top + "".join(tables)


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"{file.name}: it cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file.name}: it is not text in UTF-8; save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).rstrip(")").partition(" (at ")
        raise SettingsError(
            f"{file.name}: {where}: this is not TOML: {what[:1].lower()}{what[1:]}."
        ) from None


def _lines_of(text: str) -> dict[Place, int]:
    """Return the line on which each value begins, by its place; `text` is TOML without mistakes."""
    found: dict[Place, int] = {}
    table: Place = ()
    statement, first_line = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        statement += f"{line}\n"
        try:
            parsed = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue  # it goes on in the next line
        places = list(_leaves(parsed))
        if statement.lstrip().startswith("["):
            [table] = places
        else:
            found |= {(*table, *place): first_line for place in places}
        statement, first_line = "", number + 1
    return found


def _leaves(values: Mapping[str, Any], above: Place = ()) -> Iterator[Place]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key)


def _values_in(table: BaseModel, above: Place = ()) -> Iterator[tuple[Place, type[BaseModel], object]]:
    """Yield place, table and value of everything that is no table itself."""
    for key in type(table).model_fields:
        value = getattr(table, key)
        named = value if isinstance(value, dict) else {"": value} if isinstance(value, BaseModel) else None
        if named is None and not _table_in(type(table).model_fields[key].annotation):
            yield (*above, key), type(table), value
        for name, inner in (named or {}).items():
            yield from _values_in(inner, (*above, key, name) if name else (*above, key))


def _without_secret(value: object) -> str:
    if isinstance(value, SecretStr):
        return f"{value.get_secret_value().partition('://')[0]}://…"
    return "" if value is None else _toml(list(value) if isinstance(value, tuple) else value)


def _variables(environment: Mapping[str, str]) -> dict[Place, str]:
    """Return the name of each KNEEWATCH_… variable that is not empty, by the place of the setting it speaks of."""
    return {
        tuple(name[len(PREFIX) :].lower().split("__")): name
        for name, value in environment.items()
        if name.upper().startswith(PREFIX) and name.upper() not in NOT_SETTINGS and value
    }


def _holds(values: Any, place: Place) -> bool:
    for part in place:
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(under[key], value)
        for key, value in over.items()
        if isinstance(value, dict) and isinstance(under.get(key), dict)
    }
    return under | over | both


def _sentence(error: ErrorDetails, variables: Mapping[Place, str], file: str) -> str:
    kind, context = error["type"], error.get("ctx", {})
    place = tuple(str(part) for part in error["loc"])
    if kind == "extra_forbidden":
        return _unknown(place, variables, file)
    if place[-1:] == ("[key]",):
        start = _name(place[:-1], variables, file)
        if place[-3:-2] == ("since",):
            return f"{start} is no day; allowed is a day such as 2026-09-01."
        return f"{start} is no name for a table; allowed are up to 40 lower-case letters, digits, - and _."
    if kind == "clash":
        other = variables.get((*place, context["other"]))
        start = _name((*place, context["key"]), variables, file)
        return f"{start} {context['says']}{f' (from {other})' if other else ''}."
    start = _name(place, variables, file)
    if kind == "missing":
        return f"{start} is missing; {_allowed(place)}."
    if kind in _TABLE_ERRORS:
        return f"{start} is a table, not a single value; {_allowed_in(place, variables)}."
    return f"{start} {_shown(place, error['input'])}; {_allowed(place)}."


def _unknown(place: Place, variables: Mapping[Place, str], file: str) -> str:
    variable = _variable_of(place, variables)
    names = _fields_in(place[:-1])
    near = difflib.get_close_matches(place[-1], names, n=1)
    meant = [(*place[:-1], name) for name in near] or [one for one in _places(place) if one[-1] == place[-1]]
    written = [_as_variable(one) if variable else ".".join(one) for one in meant[:1]]
    guess = f"; did you mean {written[0]}?" if written else "."
    known = f" Allowed here: {', '.join(names)}." if names else ""
    return f"{_name(place, variables, file)} is not a setting{guess}{known}"


def _name(place: Place, variables: Mapping[Place, str], file: str) -> str:
    variable = _variable_of(place, variables)
    return variable or f"{file}: {'.'.join(place)}"


def _variable_of(place: Place, variables: Mapping[Place, str]) -> str | None:
    """Return the variable that set the value at `place`, something below it, or the whole it belongs to."""
    ends = ((place[: len(set_at)], set_at[: len(place)], name) for set_at, name in variables.items())
    return next((name for mine, its, name in ends if mine == its), None)


def _as_variable(place: Place) -> str:
    return PREFIX + "__".join(place).upper()


def _shown(place: Place, value: object) -> str:
    if place[0] == "channels":  # holds passwords
        return "is none that can be used"
    text = repr(value) if isinstance(value, str) else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return f"is {text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + '…'}"


def _allowed(place: Place) -> str:
    model = _model_at(place[:-1])
    return (
        _allowed_by(model, place[-1]) if model and place[-1] in model.model_fields else "allowed is a table"
    )


def _allowed_by(model: type[BaseModel], key: str) -> str:
    field = model.model_fields[key]
    choices = _choices(field.annotation)
    return f"allowed are {', '.join(choices)}" if choices else f"allowed is {_extra(model, key)['allowed']}"


def _allowed_in(place: Place, variables: Mapping[Place, str]) -> str:
    names = _fields_in(place) or ["tables with a name"]
    example = f", as in {_as_variable((*place, names[0]))}" if place in variables else ""
    return f"allowed in it are {', '.join(names)}{example}"


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [choice for part in get_args(annotation) for choice in _choices(part)]


def _extra(model: type[BaseModel], key: str) -> dict[str, Any]:
    extra = model.model_fields[key].json_schema_extra
    return extra if isinstance(extra, dict) else {}


def _table_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _table_in(part))), None)


def _model_at(place: Place) -> type[BaseModel] | None:
    """Return what the table at `place` may hold; None for a single value and for a table of named tables."""
    model: type[BaseModel] = Settings
    is_key = False
    for part in place:
        if is_key:
            is_key = False
            continue
        field = model.model_fields.get(part)
        inner = _table_in(field.annotation) if field else None
        if field is None or inner is None:
            return None
        model, is_key = inner, get_origin(field.annotation) is dict
    return None if is_key else model


def _fields_in(place: Place) -> list[str]:
    model = _model_at(place)
    return list(model.model_fields) if model else []


def _places(near: Place, model: type[BaseModel] = Settings, above: Place = ()) -> Iterator[Place]:
    """Yield the place of every setting; a table with a name of the runner's own has that of `near`, else <name>."""
    for key, field in model.model_fields.items():
        here = (*above, key)
        yield here
        inner = _table_in(field.annotation)
        if get_origin(field.annotation) is dict:
            is_beside = near[: len(here)] == here and len(near) > len(here) + 1
            here += (near[len(here)] if is_beside else "<name>",)
        if inner:
            yield from _places(near, inner, here)


def _table_lines(place: Place, header: str, model: type[BaseModel]) -> str:
    parent = _model_at(place[:-1])
    about = parent.model_fields[place[-1]].description if parent else ""
    return "".join(["\n", _comment(about or ""), header, "\n", *_value_lines(model, {})])


def _value_lines(model: type[BaseModel], given: Mapping[str, object]) -> Iterator[str]:
    """Yield each value of a table with its explanation; only the `given` ones stand without a comment sign."""
    for key, field in model.model_fields.items():
        if _table_in(field.annotation):
            continue
        default = field.get_default(call_default_factory=True)
        allowed = _allowed_by(model, key)
        end = "" if field.is_required() or default is None else f" Default: {_toml(default)}."
        value = given.get(key, _extra(model, key)["example"] or default)
        sign = "" if key in given else "#"
        yield f"{_comment(f'{field.description} {allowed[:1].upper()}{allowed[1:]}.{end}')}{sign}{key} = {_toml(value)}\n"


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, width=100))


def _toml(value: object) -> str:
    return json.dumps(value) if isinstance(value, str | bool | list | tuple) else str(value)
