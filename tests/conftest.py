"""What several test files share: a home, settings, real files of others, and the sample data taken in once."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser

from flows.steps import Clock, run_all
from store import home as homes
from store.database import opened_store
from store.home import Home
from store.settings import PREFIX, Settings, read_settings
from tests.chromium import CHROMIUM, chromium

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("KNEEWATCH_CORPUS") or ROOT.parent / "shared" / "corpus")
DAY_AFTER_THE_LAST_RUN = Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3))

# How long an example takes says something about the machine and nothing about the code.
hypothesis_settings.register_profile("kneewatch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("kneewatch")


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    _forget_settings(monkeypatch)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home with its folders."""
    return homes.at(tmp_path / "home").prepare()


@pytest.fixture
def settings(home: Home) -> Settings:
    """The settings of somebody who set nothing."""
    return read_settings(home)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real activity files, which lies outside of the checkout."""
    if not CORPUS.is_dir():
        pytest.skip(f"There are no real activity files at {CORPUS}; KNEEWATCH_CORPUS says where they are.")
    return CORPUS


@pytest.fixture(scope="session")
def bare_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose store is made, with nothing in it. Only to be copied."""
    home = homes.at(tmp_path_factory.mktemp("bare") / "home").prepare()
    with opened_store(home):
        return home


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Mara's home on 3 October 2026: all sample files, good and broken, went through everything. Only to be read."""
    home = homes.at(tmp_path_factory.mktemp("sample") / "home").prepare()
    for folder in ("inbox", "broken"):
        shutil.copytree(ROOT / "sample_data" / folder, home.inbox, dirs_exist_ok=True)
    shutil.copy(ROOT / "sample_data" / "kneewatch.toml", home.settings_file)
    with pytest.MonkeyPatch.context() as environment:
        _forget_settings(environment)
        run_all(home, read_settings(home), DAY_AFTER_THE_LAST_RUN)
    return home


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, to look at pages with."""
    if not CHROMIUM.exists():
        pytest.skip(f"There is no {CHROMIUM} to look at the pages with.")
    with chromium() as browser:
        yield browser


def _forget_settings(environment: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        environment.delenv(name)
