"""What machines are told: whether all is well, and numbers."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from flows.steps import clock_of, note_restart
from kneewatch.health import COUNTS, health, metrics
from store import home as homes
from store.database import opened_store
from store.errors import KneewatchError
from store.home import Home
from store.settings import read_settings


def numbers(home: Home) -> dict[tuple[str, ...], float]:
    """Return each sample by its name and the values of its labels."""
    families = text_string_to_metric_families(metrics(home).decode())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_prometheus_reads_the_numbers_of_the_published_copy(sample_home: Home, tmp_path: Path) -> None:
    """All of them, and nobody's name, score, distance or file is among them."""
    home = homes.at(shutil.copytree(sample_home.root, tmp_path / "copy"))
    note_restart(home, clock_of(read_settings(home)), "inbox", 1)

    found = numbers(home)

    assert {name for name, *_ in found} >= {name for name, *_ in COUNTS} - {"kneewatch_step_failures"}
    assert found["kneewatch_exports", "quarantined"] > 0
    assert found["kneewatch_activities",] > 50
    assert found["kneewatch_last_success_timestamp_seconds", "refresh"] > 1.7e9
    assert found["kneewatch_part_restarts", "inbox"] == 1
    assert not re.search(r"mara|fit|kneecap", metrics(home).decode(), flags=re.IGNORECASE)


def test_health_is_bad_where_a_finding_is(home: Home) -> None:
    """There is a store and its published copy is gone; what is found says so and how to mend it."""
    with opened_store(home):
        pass
    is_well, found = health(home)

    (published,) = (one for one in found if one["what"] == "published copy")
    assert not is_well
    assert (published["state"], published["remedy"]) == ("bad", "kneewatch run")
    with pytest.raises(KneewatchError):
        metrics(home)


def test_health_is_good_where_nothing_is_bad(sample_home: Home) -> None:
    """What only wants a look does not wake anybody."""
    is_well, found = health(sample_home)

    assert is_well, found
