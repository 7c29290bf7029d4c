"""Numbers for people: kilometres or miles, minutes and seconds, percent, days; None becomes a dash."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, TypeGuard

from report.words import words

UNKNOWN = "–"
METRES_PER_KM = 1000.0
METRES_PER_MILE = 1609.344

# Not from strftime: its names follow the locale of whoever runs the program, the rest of the text does not.
DAYS: tuple[str, ...] = tuple(words()["calendar"]["days"])
MONTHS: tuple[str, ...] = tuple(words()["calendar"]["months"])


@dataclass(frozen=True, slots=True)
class Locale:
    """
    How a country writes numbers and days; the words around them stay English.

    Attributes:
        decimal: Sign before the fraction.
        thousands: Sign between groups of three digits; empty for none.
        is_month_first: Aug 23 instead of 23 Aug.
        groups_from_digits: Digits that a whole number has at least where groups are set apart.
    """

    decimal: str = "."
    thousands: str = ""
    is_month_first: bool = False
    groups_from_digits: int = 4


# After the Unicode CLDR; what is the same everywhere (a space before the percent sign, minutes and seconds) is not in it.
LOCALES = {
    "en": Locale(),
    "en-GB": Locale(thousands=","),
    "en-US": Locale(thousands=",", is_month_first=True),
    "da": Locale(decimal=",", thousands="."),
    "de": Locale(decimal=",", thousands="."),
    "de-AT": Locale(decimal=",", thousands="\N{NO-BREAK SPACE}"),
    "de-CH": Locale(thousands="’"),
    "es": Locale(decimal=",", thousands=".", groups_from_digits=5),
    "fr": Locale(decimal=",", thousands="\N{NARROW NO-BREAK SPACE}"),
    "it": Locale(decimal=",", thousands="."),
    "nl": Locale(decimal=",", thousands="."),
    "sv": Locale(decimal=",", thousands="\N{NO-BREAK SPACE}"),
}
# In the context and not an argument: whoever reads the settings says it once, and no sentence has to hand it on.
_locale: ContextVar[Locale] = ContextVar("_locale", default=LOCALES["en"])


def use_locale(name: str) -> None:
    """Write numbers and days as in this locale, one of LOCALES, from now on."""
    _locale.set(LOCALES[name])


def current_locale() -> Locale:
    """Return how numbers and days are written now, for what is written elsewhere: the axes of a chart."""
    return _locale.get()


@contextmanager
def written_as_in(name: str) -> Iterator[None]:
    """Write numbers and days as in this locale, one of LOCALES, within."""
    token = _locale.set(LOCALES[name])
    try:
        yield
    finally:
        _locale.reset(token)


@dataclass(frozen=True, slots=True)
class Units:
    """
    What the runner counts in; every distance and pace a person sees goes through here.

    Attributes:
        name: "km" or "miles", as in the settings.
    """

    name: Literal["km", "miles"] = "km"

    def __post_init__(self) -> None:
        if self.name not in ("km", "miles"):
            raise ValueError(f"units are 'km' or 'miles', not {self.name!r}")

    @property
    def metres(self) -> float:
        """Length of the unit in metres."""
        return METRES_PER_MILE if self.name == "miles" else METRES_PER_KM

    @property
    def symbol(self) -> str:
        """Return km or mi."""
        return "mi" if self.name == "miles" else "km"

    def distance(self, distance_m: float | None) -> str:
        """Return 12.3 km or 7.6 mi."""
        return _with_unit(self.distance_number(distance_m), f" {self.symbol}")

    def distance_number(self, distance_m: float | None) -> str:
        """Return the distance without its unit, for a column that names it in its head."""
        return number(distance_m if distance_m is None else distance_m / self.metres, digits=1)

    def pace(self, pace_s_per_km: float | None) -> str:
        """Return 5:30 /km or 8:51 /mi."""
        return _with_unit(self.pace_number(pace_s_per_km), f" /{self.symbol}")

    def pace_number(self, pace_s_per_km: float | None) -> str:
        """Return the pace without its unit; minutes go on past 60."""
        pace_s = self.pace_s(pace_s_per_km)
        return UNKNOWN if pace_s is None else _minutes(_rounded(pace_s, 0))

    def pace_s(self, pace_s_per_km: float | None) -> float | None:
        """Seconds per kilometre as seconds per unit; also for differences of pace."""
        return pace_s_per_km * self.metres / METRES_PER_KM if _is_known(pace_s_per_km) else None


def number(value: float | None, *, digits: int = 0, signed: bool = False) -> str:
    """Return a rounded number with a true minus; `signed` puts a plus before what is above 0."""
    if not _is_known(value):
        return UNKNOWN
    rounded = _rounded(value, digits)
    sign = "−" if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{_digits(f'{abs(rounded):.{digits}f}')}"


def figure(value: float) -> str:
    """Return a number with the digits that it has, up to six: 1.64."""
    return ("−" if value < 0 else "") + _digits(f"{abs(value):g}")


def percent(share: float | None, *, signed: bool = False, digits: int = 0) -> str:
    """Return a share (0.12) as percent: 12 %, or signed +12 %."""
    return _with_unit(number(share if share is None else share * 100, digits=digits, signed=signed), " %")


def duration(duration_s: float | None) -> str:
    """Return 1:02:33, or 42:10 below an hour."""
    if not _is_known(duration_s):
        return UNKNOWN
    seconds = _rounded(duration_s, 0)
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else _minutes(seconds)


def score(value: float | None) -> str:
    """Return a 0 to 10 score without its scale: 3, or 2.5."""
    if not _is_known(value):
        return UNKNOWN
    return number(value, digits=0 if float(value).is_integer() else 1)


def pain(value: float | None) -> str:
    """Return a knee score with its scale: 3/10. What is not there was not reported; it is never no pain."""
    return f"{score(value)}/10" if _is_known(value) else "not reported"


def day(value: date | None) -> str:
    """Return Sun 23 Aug."""
    if value is None:
        return UNKNOWN
    comma = "," if current_locale().is_month_first else ""
    return f"{DAYS[value.weekday()][:3]}{comma} {short_day(value)}"


def short_day(value: date | None) -> str:
    """Return 23 Aug."""
    if value is None:
        return UNKNOWN
    month = MONTHS[value.month - 1][:3]
    return f"{month} {value.day}" if current_locale().is_month_first else f"{value.day} {month}"


def long_day(value: date | None) -> str:
    """Return Sunday 23 August 2026."""
    if value is None:
        return UNKNOWN
    weekday, month = DAYS[value.weekday()], MONTHS[value.month - 1]
    if current_locale().is_month_first:
        return f"{weekday}, {month} {value.day}, {value.year}"
    return f"{weekday} {value.day} {month} {value.year}"


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _rounded(value: float, digits: int) -> Decimal:
    """Half goes up, as people expect: 12.5 is 13, where round() says 12."""
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _digits(plain: str) -> str:
    """Write 12345.6 with the locale's own signs; what has an exponent stays as it is."""
    locale = current_locale()
    whole, _, fraction = plain.partition(".")
    if not whole.isdigit() or "e" in fraction:
        return plain
    if len(whole) >= locale.groups_from_digits:
        whole = f"{int(whole):,}".replace(",", locale.thousands)
    return f"{whole}{locale.decimal}{fraction}" if fraction else whole


def _minutes(seconds: Decimal) -> str:
    # Rounded before it is split: 359.6 s is 6:00, never 5:60.
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _with_unit(text: str, unit: str) -> str:
    return text if text == UNKNOWN else text + unit
