"""Settings: what may be said, where, and how a mistake is answered."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, ValidationError

from report.format import LOCALES
from store.home import Home, at
from store.settings import (
    Alerts,
    Athlete,
    Channel,
    Limits,
    Locale,
    Plan,
    Schedules,
    Settings,
    SettingsError,
    machine_time_zone,
    parse_goal,
    parse_pace,
    read_settings,
    template,
)

ROOT = Path(__file__).parents[1]
MODELS: list[type[BaseModel]] = [Settings, Athlete, Plan, Alerts, Channel, Schedules, Limits]

IN_ALERTS = ", ".join(Alerts.model_fields)


@pytest.fixture(autouse=True)
def _nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("KNEEWATCH_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return at(tmp_path)


def written(home: Home, text: str) -> Home:
    home.settings_file.write_text(text, encoding="utf-8")
    return home


def complaint(home: Home, text: str = "") -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings(written(home, text))
    return str(caught.value)


def fields() -> Iterator[tuple[type[BaseModel], str]]:
    for model in MODELS:
        yield from ((model, name) for name in model.model_fields)


def test_without_a_file_everything_has_its_default(home: Home) -> None:
    """A home without settings works: one athlete of whom nothing is known."""
    settings = read_settings(home)

    assert settings == Settings(athletes={"me": Athlete()})
    assert settings.athletes["me"].max_hr_bpm is None
    assert settings.alerts == Alerts(deliver_within_days=3, min_severity="caution")
    assert settings.schedules == Schedules(
        intake="*/15 * * * *", review="0 6 * * *", daily="30 6 * * *", remind="30 7 * * *"
    )
    assert settings.limits.max_file_mib == 256


def test_sample_settings_are_those_of_the_made_up_runner(home: Home) -> None:
    """The settings of the demo are valid and complete."""
    shutil.copy(ROOT / "sample_data" / "kneewatch.toml", home.settings_file)

    settings = read_settings(home)

    mara = settings.athletes[settings.default_athlete]
    assert settings.default_athlete == "mara"
    assert (mara.name, mara.sex, mara.birth_year) == ("Mara", "female", 1988)
    assert (mara.resting_hr_bpm, mara.threshold_hr_bpm, mara.max_hr_bpm) == (52, 166, 186)
    assert mara.threshold_pace_s_per_km == 320.0
    assert ("threshold_pace_s_per_km", 320.0, None) in mara.values_given()
    assert mara.zone == ZoneInfo("Europe/Berlin")
    assert mara.week_start == "monday"
    assert mara.plan == Plan(name="half_marathon_beginner", race_date=date(2026, 10, 4), goal_time="2:05:00")


def test_a_value_may_change_on_a_day(home: Home) -> None:
    """What stands below a day counts from it on; the rest is as before."""
    home.settings_file.write_text(
        "[athletes.me]\nresting_hr_bpm = 52\nmax_hr_bpm = 186\n"
        "[athletes.me.since.2026-11-01]\nmax_hr_bpm = 180\nthreshold_pace = '5:10'\n"
        "[athletes.me.since.2026-09-01]\nmax_hr_bpm = 184\n"
    )

    given = list(read_settings(home).athletes["me"].values_given())

    assert given == [
        ("resting_hr_bpm", 52.0, None),
        ("max_hr_bpm", 186.0, None),
        ("max_hr_bpm", 184.0, date(2026, 9, 1)),
        ("max_hr_bpm", 180.0, date(2026, 11, 1)),
        ("threshold_pace_s_per_km", 310.0, date(2026, 11, 1)),
    ]


def test_settings_cannot_be_changed() -> None:
    """Settings are a value: read once, never written."""
    settings = Settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.units = "miles"


def test_making_settings_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only read_settings looks at the environment."""
    monkeypatch.setenv("KNEEWATCH_UNITS", "miles")

    assert Settings().units == "km"


def test_environment_overrides_the_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable wins over the same key of the file and leaves its neighbours alone."""
    monkeypatch.setenv("KNEEWATCH_ALERTS__DELIVER_WITHIN_DAYS", "7")
    monkeypatch.setenv("KNEEWATCH_ATHLETES__ME__PLAN__RACE_DATE", "2026-10-11")
    monkeypatch.setenv("KNEEWATCH_ATHLETES__ME__NAME", "123")
    monkeypatch.setenv("KNEEWATCH_CHANNELS__PHONE__URL", "json://localhost")
    text = (
        '[alerts]\ndeliver_within_days = 1\nmin_severity = "stop"\n'
        '[athletes.me]\nsex = "male"\n[athletes.me.plan]\nname = "mine"\nrace_date = 2026-10-04\n'
    )

    settings = read_settings(written(home, text))

    assert settings.alerts == Alerts(deliver_within_days=7, min_severity="stop")
    assert settings.athletes["me"].plan == Plan(name="mine", race_date=date(2026, 10, 11))
    assert (settings.athletes["me"].name, settings.athletes["me"].sex) == ("123", "male")
    assert settings.channels["phone"].url.get_secret_value() == "json://localhost"


def test_lists_and_yes_or_no_may_stand_in_the_environment(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With commas between the names."""
    monkeypatch.setenv("KNEEWATCH_ATHLETES__ME__SHARE_WITH", "physio, coach")
    monkeypatch.setenv("KNEEWATCH_CHANNELS__COACH__DIGEST", "false")
    text = '[channels.physio]\nurl = "json://a"\nrole = "physio"\n[channels.coach]\nurl = "json://b"\nrole = "coach"\n'

    settings = read_settings(written(home, text))

    assert settings.athletes["me"].share_with == ("physio", "coach")
    assert [channel.digest for channel in settings.channels.values()] == [True, False]


TWO_RUNNERS = """
default_athlete = "mara"
[athletes.mara]
share_with = ["physio", "coach"]
[athletes.zoe]
[channels.phone]
url = "json://a"
[channels.both]
url = "json://a"
athletes = ["mara", "zoe"]
[channels.physio]
url = "json://a"
role = "physio"
[channels.coach]
url = "json://a"
role = "coach"
athletes = ["zoe"]
"""


def test_a_channel_hears_of_its_own_runners_and_others_by_consent(home: Home) -> None:
    """Nobody's alerts go to somebody else unasked; a home of one is as simple as it looks."""
    settings = read_settings(written(home, TWO_RUNNERS))
    of_one = read_settings(written(home, '[athletes.mara]\n[channels.phone]\nurl = "json://a"\n'))

    heard = {
        name: [key for key in ("mara", "zoe", "gone") if settings.may_hear_of(name, key)]
        for name in (*settings.channels, "nowhere")
    }
    assert heard == {
        "phone": ["mara"],
        "both": ["mara", "zoe"],
        "physio": ["mara"],
        "coach": [],
        "nowhere": [],
    }
    assert of_one.may_hear_of("phone", "mara")
    assert of_one.may_hear_of("phone", "under an earlier key")


@pytest.mark.parametrize("name", ["KNEEWATCH_HOME", "KNEEWATCH_CORPUS", "OTHER_UNITS"])
def test_variables_that_are_no_settings_are_left_alone(
    name: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The home's and the corpus' place and other programs' variables are none of ours."""
    monkeypatch.setenv(name, "x")

    assert read_settings(home).units == "km"


def test_an_empty_variable_says_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files hand over empty variables for what is not set."""
    monkeypatch.setenv("KNEEWATCH_UNITS", "")

    assert read_settings(home).units == "km"


def test_channel_urls_never_print(home: Home) -> None:
    """The URL of a channel is a password and stays out of every text made of the settings."""
    text = '[channels.phone]\nurl = "tgram://secret-token/1"\nmin_severity = "warning"\n'

    settings = read_settings(written(home, text))

    assert "secret-token" not in f"{settings} {settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    "text",
    [
        '[channels.phone]\nurl = "secret"\n',
        "[channels.phone]\nurl = [ 'secret' ]\n",
        "[channels.phone]\nuri = 'secret://x'\n",
        '[channels]\nphone = "secret://x"\n',
        "channels = 'secret://x'\n",
        "[channels.phone]\nurl = 'a://b'\nmin_severity = 'secret'\n",
    ],
)
def test_complaints_never_quote_a_channel(text: str, home: Home) -> None:
    """A slip of the pen in a channel does not put its password on the screen."""
    said = complaint(home, text)

    assert said.startswith("kneewatch.toml: channels")
    assert "secret" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[alerts]\ndeliver_within_dayz = 1",
            "kneewatch.toml: alerts.deliver_within_dayz is not a setting; did you mean alerts.deliver_within_days? "
            f"Allowed here: {IN_ALERTS}.",
        ),
        (
            "[athletes.me]\nsex = 'x'",
            "kneewatch.toml: athletes.me.sex is 'x'; allowed are female, male.",
        ),
        (
            "race_date = 2026-10-04",
            "kneewatch.toml: race_date is not a setting; did you mean athletes.<name>.plan.race_date? "
            "Allowed here: default_athlete, units, locale, athletes, alerts, channels, schedules, limits, web.",
        ),
        (
            "[limits]\nxyz = 1",
            "kneewatch.toml: limits.xyz is not a setting. Allowed here: max_file_mib, max_read_s, max_read_mib, "
            "max_archive_entries, max_archive_gib, max_nested_gib.",
        ),
        (
            "alerts = 3",
            f"kneewatch.toml: alerts is a table, not a single value; allowed in it are {IN_ALERTS}.",
        ),
        (
            "athletes = 3",
            "kneewatch.toml: athletes is a table, not a single value; allowed in it are tables with a name.",
        ),
        (
            "[athletes.Mara]",
            "kneewatch.toml: athletes.Mara is no name for a table; "
            "allowed are up to 40 lower-case letters, digits, - and _.",
        ),
        (
            "[athletes.me.plan]\nname = 'mine'",
            "kneewatch.toml: athletes.me.plan.race_date is missing; allowed is a day such as 2026-10-04.",
        ),
        (
            "[athletes.me.plan]\nname = 'mine'\nrace_date = 86400",
            "kneewatch.toml: athletes.me.plan.race_date is 86400; allowed is a day such as 2026-10-04.",
        ),
        (
            "[alerts]\ndeliver_within_days = -1",
            "kneewatch.toml: alerts.deliver_within_days is -1; allowed is a whole number from 0.",
        ),
        (
            "[alerts]\ndeliver_within_days = true",
            "kneewatch.toml: alerts.deliver_within_days is true; allowed is a whole number from 0.",
        ),
        (
            "default_athlete = 'tom'\n[athletes.mara]\n[athletes.jo]",
            "kneewatch.toml: default_athlete is 'tom'; allowed are jo, mara.",
        ),
        (
            "[athletes.mara]\n[athletes.jo]",
            "kneewatch.toml: default_athlete is not given and so 'me'; allowed are jo, mara.",
        ),
        (
            "[athletes.me]\nresting_hr_bpm = 60\nthreshold_hr_bpm = 60",
            "kneewatch.toml: athletes.me.resting_hr_bpm is 60; allowed is below threshold_hr_bpm, which is 60.",
        ),
        (
            "[athletes.me]\nmax_hr_bpm = 186\nthreshold_hr_bpm = 190",
            "kneewatch.toml: athletes.me.threshold_hr_bpm is 190; allowed is at most max_hr_bpm, which is 186.",
        ),
        (
            "[athletes.me]\nmax_hr_bpm = 110\nresting_hr_bpm = 115",
            "kneewatch.toml: athletes.me.resting_hr_bpm is 115; allowed is below max_hr_bpm, which is 110.",
        ),
        (
            "[athletes.me]\nvt1_hr_bpm = 160\nvt2_hr_bpm = 150",
            "kneewatch.toml: athletes.me.vt1_hr_bpm is 160; allowed is below vt2_hr_bpm, which is 150.",
        ),
        (
            "[athletes.me]\nthreshold_hr_bpm = 166\n[athletes.me.since.2026-09-01]\nmax_hr_bpm = 160",
            "kneewatch.toml: athletes.me.since.2026-09-01.max_hr_bpm is 160; "
            "allowed is at least threshold_hr_bpm, which is 166.",
        ),
        (
            "[athletes.me.since.september]\nmax_hr_bpm = 160",
            "kneewatch.toml: athletes.me.since.september is no day; allowed is a day such as 2026-09-01.",
        ),
        (
            "[athletes.me.since.2026-09-01]\nsex = 'male'",
            "kneewatch.toml: athletes.me.since.2026-09-01.sex is not a setting; did you mean athletes.me.sex? "
            "Allowed here: resting_hr_bpm, max_hr_bpm, threshold_hr_bpm, vt1_hr_bpm, vt2_hr_bpm, threshold_pace.",
        ),
        (
            "[alerts]\ndigest = 'sunday'",
            "kneewatch.toml: alerts.digest is 'sunday'; allowed is a day of the week and a time such as \"sunday 18:00\".",
        ),
        (
            "[athletes.me]\nshare_with = ['physio']",
            "kneewatch.toml: athletes.me.share_with names 'physio'; allowed are channels with the role physio or coach; "
            "there is none.",
        ),
        (
            "[athletes.me]\nshare_with = ['phone']\n[channels.phone]\nurl = 'json://a'\n"
            "[channels.coach]\nurl = 'json://b'\nrole = 'coach'",
            "kneewatch.toml: athletes.me.share_with names 'phone'; allowed are coach.",
        ),
        (
            "[athletes.me]\n[channels.phone]\nurl = 'json://a'\nathletes = ['jo']",
            "kneewatch.toml: channels.phone.athletes names 'jo'; allowed are me.",
        ),
        (
            "[athletes.me]\nshare_with = 3",
            'kneewatch.toml: athletes.me.share_with is 3; allowed is a list of names of channels such as ["physio"].',
        ),
        (
            "units = 'km'\nunits = = 'km'\n",
            "kneewatch.toml: line 2, column 9: this is not TOML: invalid value.",
        ),
    ],
)
def test_mistakes_are_answered_with_one_sentence(text: str, said: str, home: Home) -> None:
    """A mistake is answered with the file, the key and what is allowed."""
    assert complaint(home, text) == said


def test_every_mistake_is_named_at_once(home: Home) -> None:
    """Whoever made three mistakes reads of three, a line each."""
    said = complaint(home, "unitz = 1\n[alerts]\nmin_severity = 'high'\n[limits]\nmax_file_mib = 0\n")

    assert len(said.splitlines()) == 3


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("KNEEWATCH_UNITS", "ells", "KNEEWATCH_UNITS is 'ells'; allowed are km, miles."),
        (
            "KNEEWATCH_UNITZ",
            "km",
            "KNEEWATCH_UNITZ is not a setting; did you mean KNEEWATCH_UNITS? "
            "Allowed here: default_athlete, units, locale, athletes, alerts, channels, schedules, limits, web.",
        ),
        ("KNEEWATCH_UNITS__X", "1", "KNEEWATCH_UNITS__X is not a setting."),
        (
            "KNEEWATCH_ALERTS__DELIVER_WITHIN_DAYZ",
            "1",
            "KNEEWATCH_ALERTS__DELIVER_WITHIN_DAYZ is not a setting; "
            f"did you mean KNEEWATCH_ALERTS__DELIVER_WITHIN_DAYS? Allowed here: {IN_ALERTS}.",
        ),
        (
            "KNEEWATCH_ATHLETES__ME__RACE_DATE",
            "2026-10-04",
            "KNEEWATCH_ATHLETES__ME__RACE_DATE is not a setting; "
            "did you mean KNEEWATCH_ATHLETES__ME__PLAN__RACE_DATE? Allowed here: name, sex, birth_year, "
            "resting_hr_bpm, max_hr_bpm, threshold_hr_bpm, vt1_hr_bpm, vt2_hr_bpm, threshold_pace, time_zone, week_start, "
            "privacy_radius_m, share_with, plan, since.",
        ),
        (
            "KNEEWATCH_ALERTS",
            '{"deliver_within_days": 1}',
            f"KNEEWATCH_ALERTS is a table, not a single value; allowed in it are {IN_ALERTS}, "
            "as in KNEEWATCH_ALERTS__DELIVER_WITHIN_DAYS.",
        ),
        ("KNEEWATCH_DEFAULT_ATHLETE", "tom", "KNEEWATCH_DEFAULT_ATHLETE is 'tom'; allowed are me."),
        (
            "KNEEWATCH_ATHLETES__ME__RESTING_HR_BPM",
            "110",
            "KNEEWATCH_ATHLETES__ME__RESTING_HR_BPM is 110; allowed is below max_hr_bpm, which is 105.",
        ),
        (
            "KNEEWATCH_ATHLETES__ME__MAX_HR_BPM",
            "100",
            "kneewatch.toml: athletes.me.resting_hr_bpm is 101; allowed is below max_hr_bpm, which is 100 "
            "(from KNEEWATCH_ATHLETES__ME__MAX_HR_BPM).",
        ),
    ],
)
def test_mistakes_in_the_environment_name_the_variable(
    variable: str, value: str, said: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value from the environment is not looked for in the file."""
    monkeypatch.setenv(variable, value)

    assert complaint(home, "[athletes.me]\nresting_hr_bpm = 101\nmax_hr_bpm = 105\n") == said


def test_unreadable_files_are_answered_with_one_sentence(home: Home) -> None:
    """A file that is no text, or no file at all, is not a traceback."""
    home.settings_file.write_bytes(b"name = '\xff'")
    with pytest.raises(SettingsError, match=r"^kneewatch\.toml: it is not text in UTF-8"):
        read_settings(home)

    home.settings_file.unlink()
    home.settings_file.mkdir()
    with pytest.raises(SettingsError, match=r"^kneewatch\.toml: it cannot be read: Is a directory\.$"):
        read_settings(home)


def test_a_byte_order_mark_is_no_mistake(home: Home) -> None:
    """Some editors put one in front."""
    home.settings_file.write_bytes(b'\xef\xbb\xbfunits = "miles"')

    assert read_settings(home).units == "miles"


@pytest.mark.parametrize(
    ("text", "pace_s_per_km"),
    [("5:20", 320.0), ("5:20/km", 320.0), ("4:05 min/km", 245.0), ("12:00 /km", 720.0)],
)
def test_paces_are_minutes_per_kilometre(text: str, pace_s_per_km: float) -> None:
    """A pace is written as runners write it and kept in seconds."""
    assert parse_pace(text) == pace_s_per_km
    assert Athlete(threshold_pace=text).threshold_pace_s_per_km == pace_s_per_km


@pytest.mark.parametrize(("text", "goal_s"), [("1:55:00", 6900.0), ("0:56:42", 3402.0), ("6:00:00", 21600.0)])
def test_goals_are_hours_minutes_and_seconds(text: str, goal_s: float) -> None:
    """A goal is written as race clocks show it and kept in seconds."""
    assert parse_goal(text) == goal_s
    assert Plan(name="mine", race_date=date(2026, 10, 4), goal_time=text).goal_s == goal_s
    assert Plan(name="mine", race_date=date(2026, 10, 4)).goal_s is None


@pytest.mark.parametrize("text", ["", "1:55", "115", "1:60:00", "0:49:59", "6:00:01", "sub 2"])
def test_what_is_no_goal_is_refused(text: str, home: Home) -> None:
    """Hours left out could be minutes; nothing is guessed at."""
    plan = "[athletes.me.plan]\nname = 'mine'\nrace_date = 2026-10-04\n"

    said = complaint(home, f"{plan}goal_time = '{text}'")

    assert "athletes.me.plan.goal_time" in said
    assert 'such as "1:55:00"' in said


@pytest.mark.parametrize("text", ["", "5", "5:60", "5.20", "8:35/mi", "1:59", "20:01", "5:20:00"])
def test_what_is_no_pace_is_refused(text: str, home: Home) -> None:
    """Miles, hours and decimal minutes are not guessed at."""
    said = complaint(home, f"[athletes.me]\nthreshold_pace = '{text}'")

    assert said == (
        f"kneewatch.toml: athletes.me.threshold_pace is '{text}'; "
        'allowed is minutes and seconds per kilometre from "2:00" to "20:00", such as "5:20".'
    )


@pytest.mark.parametrize(
    "cron", ["*/15 * * * *", "0 6 * * *", "0,30 6-9 1 jan-mar mon-fri", "5 4-20/2 * * 0,7", "0 6 * * SUN"]
)
def test_schedules_are_cron_expressions(cron: str) -> None:
    """The usual forms are taken: steps, lists, ranges, names."""
    assert Schedules(intake=cron).intake == cron


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "daily",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "9-5 * * * *",
        "*/0 * * * *",
        "* mon * * *",
    ],
)
def test_what_is_no_cron_expression_is_refused(cron: str, home: Home) -> None:
    """A schedule that could not run is found when the settings are read, not at night."""
    said = complaint(home, f"[schedules]\nreview = '{cron}'")

    assert (
        said == f"kneewatch.toml: schedules.review is '{cron}'; allowed is a cron expression of five fields."
    )


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "Europe", "../../etc/passwd", "/etc/localtime"])
def test_what_is_no_time_zone_is_refused(zone: str, home: Home) -> None:
    """Folders, paths and fancies are no time zones."""
    said = complaint(home, f"[athletes.me]\ntime_zone = '{zone}'")

    assert (
        said
        == f"kneewatch.toml: athletes.me.time_zone is '{zone}'; allowed is an IANA name such as \"Europe/Berlin\"."
    )


def test_the_machines_zone_is_that_of_its_localtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$TZ comes first, then the link, then UTC."""
    link = tmp_path / "localtime"
    monkeypatch.delenv("TZ", raising=False)

    assert machine_time_zone(link) == "UTC"

    zone_file = tmp_path / "zoneinfo" / "Asia" / "Tokyo"
    zone_file.parent.mkdir(parents=True)
    zone_file.touch()
    link.symlink_to(zone_file)
    assert machine_time_zone(link) == "Asia/Tokyo"

    monkeypatch.setenv("TZ", "Europe/Lisbon")
    assert machine_time_zone(link) == "Europe/Lisbon"

    monkeypatch.setenv("TZ", "CET-1CEST")
    assert machine_time_zone(link) == "Asia/Tokyo"


def test_the_template_changes_nothing(home: Home) -> None:
    """A home with a fresh template behaves as one without."""
    assert read_settings(written(home, template())) == Settings()


@pytest.mark.parametrize("athlete", ["me", "mara"])
def test_the_template_without_its_comment_signs_is_valid(athlete: str, home: Home) -> None:
    """Every line of the template can be put to use as it stands."""
    text = re.sub(r"(?m)^#(?=[a-z\[])", "", template(athlete))

    settings = read_settings(written(home, text))

    assert settings.default_athlete == athlete
    assert settings.athletes[athlete].plan is not None
    assert settings.channels["phone"].min_severity == "warning"


@pytest.mark.parametrize(("model", "field"), list(fields()))
def test_the_template_explains_every_setting(model: type[BaseModel], field: str) -> None:
    """Every field of every table is in the template, with a comment above it."""
    stands = re.search(rf"(?m)^# .*\.\n#?(?:{field} = |\[{field}|\[\w+\.\w+\.{field}[].])", template())

    assert stands, f"{model.__name__}.{field}"
    assert model.model_fields[field].description


def test_settings_are_light_to_import() -> None:
    """The command line reads settings before anything else and must not wait for frames or databases."""
    script = "import store.settings, sys; print(*sorted({'polars', 'duckdb', 'numpy', 'prefect'} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert done.stdout.strip() == ""


def test_a_single_athlete_is_the_default_one(home: Home) -> None:
    """Nobody has to say twice who they are."""
    home.settings_file.write_text("[athletes.mara]\nsex = 'female'\n")

    assert read_settings(home).default_athlete == "mara"


def test_every_locale_of_the_settings_can_be_written() -> None:
    """The names stand in two places, because settings know nothing of reports."""
    assert set(get_args(Locale)) == set(LOCALES)


@pytest.mark.parametrize(("radius_m", "is_allowed"), [(0, True), (199, False), (200, True), (2001, False)])
def test_a_privacy_zone_is_a_street_at_least(home: Home, radius_m: int, is_allowed: bool) -> None:
    """Or none at all."""
    text = f"[athletes.me]\nprivacy_radius_m = {radius_m}\n"
    if is_allowed:
        home.settings_file.write_text(text)
        assert read_settings(home).athletes["me"].privacy_radius_m == radius_m
    else:
        assert complaint(home, text) == (
            f"kneewatch.toml: athletes.me.privacy_radius_m is {radius_m}; allowed is 0, or a whole number from 200 to 2000."
        )
