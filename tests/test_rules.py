"""The thresholds of the alerts: those of the settings reach the rules."""

import pytest

from analytics.rules import PUBLISHED
from flows.refresh import rules_of
from store.home import Home
from store.settings import Settings, read_settings


def test_without_settings_the_published_thresholds_hold(settings: Settings) -> None:
    """What the settings default to is what docs/alerts.md says."""
    assert rules_of(settings) == PUBLISHED


def test_a_threshold_of_the_settings_reaches_the_rules(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the file or the environment."""
    home.settings_file.write_text("[alerts]\npain_p1_max = 1\n")
    monkeypatch.setenv("KNEEWATCH_ALERTS__RAMP_OVER", "0.5")

    rules = rules_of(read_settings(home))

    assert (rules.pain_p1_max, rules.ramp_over) == (1, 0.5)
