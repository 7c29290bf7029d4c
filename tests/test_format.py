"""Numbers for people: rounding, units, and a dash for what is not known."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.format import (
    LOCALES,
    UNKNOWN,
    Units,
    day,
    duration,
    figure,
    long_day,
    number,
    pain,
    percent,
    score,
    short_day,
    written_as_in,
)

KM = Units("km")
MILES = Units("miles")


def test_distance_comes_in_the_runners_unit() -> None:
    """One decimal, with the unit."""
    assert KM.distance(12_300) == "12.3 km"
    assert MILES.distance(12_300) == "7.6 mi"
    assert KM.distance_number(12_250) == "12.3"


def test_pace_comes_in_the_runners_unit() -> None:
    """Minutes and seconds per kilometre or mile; a slow pace runs past 60 minutes."""
    assert KM.pace(330) == "5:30 /km"
    assert MILES.pace(330) == "8:51 /mi"
    assert KM.pace(359.6) == "6:00 /km"
    assert KM.pace(4000) == "66:40 /km"


def test_duration_shows_hours_when_there_are_any() -> None:
    """Seconds are rounded before they are split."""
    assert duration(3753) == "1:02:33"
    assert duration(2530) == "42:10"
    assert duration(3599.6) == "1:00:00"


def test_percent_is_signed_on_request() -> None:
    """Half goes up, and the minus is a true one."""
    assert percent(0.12, signed=True) == "+12 %"
    assert percent(0.125, signed=True, digits=1) == "+12.5 %"
    assert percent(-0.05, signed=True) == "−5 %"
    assert percent(0.125) == "13 %"
    assert percent(-0.001, signed=True) == "0 %"


def test_days_are_written_in_english() -> None:
    """Short, without weekday, and in full, whatever the locale of the machine."""
    assert day(date(2026, 8, 23)) == "Sun 23 Aug"
    assert short_day(date(2026, 8, 3)) == "3 Aug"
    assert long_day(date(2026, 8, 23)) == "Sunday 23 August 2026"


def test_scores_keep_halves() -> None:
    """Whole scores stay whole; a score that is not there was not reported."""
    assert score(3.0) == "3"
    assert score(2.5) == "2.5"
    assert pain(0) == "0/10"
    assert pain(None) == "not reported"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_unknown_is_a_dash(value: float | None) -> None:
    """What is not known is never written as 0."""
    written = (
        KM.distance(value),
        KM.pace(value),
        duration(value),
        percent(value),
        number(value),
        score(value),
    )

    assert written == (UNKNOWN,) * 6
    assert (day(None), short_day(None), long_day(None)) == (UNKNOWN,) * 3


def test_unknown_units_are_refused() -> None:
    """A typo in the settings does not silently become kilometres."""
    with pytest.raises(ValueError, match="'km' or 'miles'"):
        Units("furlongs")  # type: ignore[arg-type]


@given(st.floats(min_value=0, max_value=20_000), st.sampled_from([KM, MILES]))
def test_pace_never_shows_sixty_seconds(pace_s_per_km: float, units: Units) -> None:
    """mm:ss with ss below 60, and within half a second of the pace itself."""
    match = re.fullmatch(r"(\d+):([0-5]\d)", units.pace_number(pace_s_per_km))

    assert match is not None
    shown_s = int(match[1]) * 60 + int(match[2])
    assert abs(shown_s - pace_s_per_km * units.metres / 1000) <= 0.5 + 1e-6


@given(st.floats(min_value=0, max_value=400_000))
def test_duration_reads_back_to_the_nearest_second(duration_s: float) -> None:
    """Hours, minutes and seconds add up again."""
    parts = [int(part) for part in duration(duration_s).split(":")]

    shown_s = sum(part * 60**power for power, part in enumerate(reversed(parts)))
    assert all(part < 60 for part in parts[1:])
    assert abs(shown_s - duration_s) <= 0.5


@given(st.floats(min_value=-1e9, max_value=1e9), st.integers(min_value=0, max_value=3))
def test_numbers_never_show_a_minus_nought(value: float, digits: int) -> None:
    """What rounds to nothing has no sign."""
    assert not re.fullmatch(r"[+−]0(\.0*)?", number(value, digits=digits, signed=True))


@pytest.mark.parametrize(
    ("locale", "kilometres", "steps", "share", "short", "long"),
    [
        ("en", "18.4 km", "13000", "+41.5 %", "Sun 23 Aug", "Sunday 23 August 2026"),
        ("en-GB", "18.4 km", "13,000", "+41.5 %", "Sun 23 Aug", "Sunday 23 August 2026"),
        ("en-US", "18.4 km", "13,000", "+41.5 %", "Sun, Aug 23", "Sunday, August 23, 2026"),
        ("de", "18,4 km", "13.000", "+41,5 %", "Sun 23 Aug", "Sunday 23 August 2026"),
        ("de-CH", "18.4 km", "13’000", "+41.5 %", "Sun 23 Aug", "Sunday 23 August 2026"),
        ("fr", "18,4 km", "13\u202f000", "+41,5 %", "Sun 23 Aug", "Sunday 23 August 2026"),
    ],
)
def test_signs_and_the_order_of_a_date_follow_the_locale(
    locale: str, kilometres: str, steps: str, share: str, short: str, long: str
) -> None:
    """Decimal sign, thousands, day and month; the words stay English."""
    with written_as_in(locale):
        written = (KM.distance(18_400), number(13_000), percent(0.415, signed=True, digits=1))
        days = (day(date(2026, 8, 23)), long_day(date(2026, 8, 23)))

    assert (*written, *days) == (kilometres, steps, share, short, long)


def test_spanish_sets_thousands_apart_from_five_digits_on() -> None:
    """1234 is one word there, 12.345 is not."""
    with written_as_in("es"):
        assert (number(1234), number(12_345), number(-1234.5, digits=1)) == ("1234", "12.345", "−1234,5")


def test_a_figure_keeps_its_digits_in_every_locale() -> None:
    """What is as large as to need an exponent is left as it is."""
    with written_as_in("de"):
        assert (figure(1.64), figure(-0.5), figure(7), figure(1e9)) == ("1,64", "−0,5", "7", "1e+09")


def test_a_locale_holds_within_its_block_alone() -> None:
    """Nothing of it is left behind."""
    with written_as_in("de"):
        pass

    assert number(1234.5, digits=1) == "1234.5"


@given(st.sampled_from(sorted(LOCALES)), st.decimals(-(10**8), 10**8, places=2))
def test_no_locale_changes_the_digits(locale: str, value: float) -> None:
    """Only the signs between them."""
    plain = number(float(value), digits=2)
    with written_as_in(locale):
        written = number(float(value), digits=2)

    assert re.sub(r"\D", "", written) == re.sub(r"\D", "", plain)
    assert written.count(LOCALES[locale].decimal) >= 1
