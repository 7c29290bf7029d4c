"""The backtest on files made up with the header of the real ones: what it must find, what it must not, and its arithmetic."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import backtest as bt

ROUNDS = 200
ATHLETES, DAYS = 12, 700
DAY_FEATURES = (
    "nr. sessions", "total km", "km Z3-4", "km Z5-T1-T2", "km sprinting", "strength training", "hours alternative",
    "perceived exertion", "perceived trainingSuccess", "perceived recovery",
)  # fmt: skip
WEEK_FEATURES = (
    "nr. sessions", "nr. rest days", "total kms", "max km one day", "total km Z3-Z4-Z5-T1-T2",
    "nr. tough sessions (effort in Z5, T1 or T2)", "nr. days with interval session", "total km Z3-4",
    "max km Z3-4 one day", "total km Z5-T1-T2", "max km Z5-T1-T2 one day", "total hours alternative training",
    "nr. strength trainings", "avg exertion", "min exertion", "max exertion", "avg training success",
    "min training success", "max training success", "avg recovery", "min recovery", "max recovery",
)  # fmt: skip
RELATIVE = ("rel total kms week 0_1", "rel total kms week 0_2", "rel total kms week 1_2")


def header(features, windows):
    return [name + (f".{window}" if window else "") for window in range(windows) for name in features]


def is_soon(injury):
    """Tell whether an injury comes within three weeks: the real files have no such rows but that of the injury."""
    soon = np.zeros(len(injury), bool)
    for before in range(1, 22):
        soon[:-before] |= injury[before:]
    return soon


def write_files(folder, *, odds_of_spike=1.0, undefined_before_injury=False, seed=7):
    """Two files of made-up runners; a row beyond the longest day before is injured so many times as often as others."""
    rng = np.random.default_rng(seed)
    count = ATHLETES * DAYS
    athlete, day = np.repeat(np.arange(ATHLETES), DAYS), np.tile(np.arange(DAYS), ATHLETES)
    longest = rng.uniform(5, 20, (count, 3))
    kms = longest + rng.uniform(5, 30, (count, 3))
    is_spike = longest[:, 0] > 1.15 * longest[:, 1:].max(axis=1)
    injury = rng.random(count) < 0.01 * np.where(is_spike, odds_of_spike, 1)
    if undefined_before_injury:
        longest[injury, 1:] = 0
    week = pl.DataFrame(np.zeros((count, 66)), schema=header(WEEK_FEATURES, 3)).with_columns(
        **{f"max km one day{s}": longest[:, n] for n, s in enumerate(("", ".1", ".2"))},
        **{f"total kms{s}": kms[:, n] for n, s in enumerate(("", ".1", ".2"))},
    )
    days = pl.DataFrame(np.zeros((count, 70)), schema=header(DAY_FEATURES, 7)).with_columns(
        **{f"total km{s}": rng.uniform(0, 15, count) for s in ("", *(f".{n}" for n in range(1, 7)))}
    )
    of_row = [pl.Series("Athlete ID", athlete), pl.Series("injury", injury.astype(int))]
    relative = [pl.Series(name, np.ones(count)) for name in RELATIVE]
    date = pl.Series("Date", day)
    kept = rng.permutation(np.flatnonzero(injury | ~is_soon(injury)))
    week.hstack([*of_row, *relative, date])[kept].write_csv(folder / bt.WEEK_FILE)
    days.hstack([*of_row, date])[kept].write_csv(folder / bt.DAY_FILE)
    return folder


def test_a_planted_effect_is_found_and_the_other_rules_stay_null(tmp_path):
    """Five times the injuries after a spike; monotony knows nothing of it."""
    result = bt.backtest(write_files(tmp_path, odds_of_spike=5), rounds=ROUNDS)

    found = result["rules"]["single_day"]
    low, high = found["rate_ratio_95"]
    assert 2.5 < low < found["rate_ratio"] < high < 10
    assert found["p_holm"] < 0.05
    assert found["auc_within_athletes"] > 0.6
    assert found["auc_of_permuted_labels"] == pytest.approx(0.5, abs=0.02)
    assert result["rules"]["monotony"]["p_holm"] > 0.05
    assert "single_day" in result["verdict"]
    assert "monotony" not in result["verdict"]


def test_nothing_planted_is_an_honest_null(tmp_path):
    """No rule is found, and the text does not read more into it."""
    result = bt.backtest(write_files(tmp_path), rounds=ROUNDS)

    assert result["verdict"] == "No rule went with injuries beyond chance: an honest null."
    assert "not about knee pain" in result["conclusion"]
    for one in result["rules"].values():
        assert one["p_holm"] > 0.05
        assert 0.4 < one["auc_within_athletes"] < 0.6


def test_a_rule_that_is_undefined_before_injuries_is_not_judged(tmp_path):
    """Being defined would tell the classes apart by itself."""
    result = bt.backtest(
        write_files(tmp_path, odds_of_spike=5, undefined_before_injury=True, seed=3), rounds=ROUNDS
    )

    gate = result["rules"]["acwr_7_14"]["gate"], result["rules"]["single_day"]["gate"]
    assert [one["passed"] for one in gate] == [True, False]
    assert gate[1]["undefined_before_injury"] == 1
    assert "Not to be judged, because being defined tells already: single_day" in result["verdict"]


def test_the_canary_sings_and_no_rule_hears_it(tmp_path):
    """The days since the row before tell injuries; the rules are not given runner, date or label, and not their order."""
    rows, training = bt.read_rows(write_files(tmp_path) / bt.WEEK_FILE, bt.WEEK_NEEDS)

    canary = bt.leak_canary(rows)
    assert canary["auc"] > 0.9
    assert canary["injuries_after_22_days_or_more"] > 0.7
    assert not set(training.columns) & set(bt.NOT_TRAINING)
    order = np.random.default_rng(1).permutation(training.height)
    for file, rule in bt.RULES.values():
        if file == bt.WEEK_FILE:
            one, mixed = rule(training), rule(training[order])
            np.testing.assert_array_equal(mixed.value, one.value[order])
            np.testing.assert_array_equal(mixed.flag, one.flag[order])


# Two rows of the real file, which is free of rights (CC0), and limits of the rules.
LAST_WEEKS = [
    ((22.2, 30.9, 16.1), (16.4, 13.8, 9.9), 0.1884, 0.71845, 0.9447, 1),
    ((51.8, 27.9, 8.0), (35.0, 12.8, 5.0), 1.734, 1.8566, 2.886, 3),
]


@pytest.mark.parametrize(("kms", "longest", "single", "ramp", "acwr", "level"), LAST_WEEKS)
def test_ratios_are_those_of_the_real_rows(kms, longest, single, ramp, acwr, level):
    """The newest week comes first in the file."""
    training = pl.DataFrame(
        {f"total kms{s}": [km] for s, km in zip(("", ".1", ".2"), kms, strict=True)}
        | {f"max km one day{s}": [km] for s, km in zip(("", ".1", ".2"), longest, strict=True)}
    )

    assert bt.single_day(training).value[0] == pytest.approx(single, abs=5e-4)
    assert bt.ramp(training).value[0] + 1 == pytest.approx(ramp, rel=1e-4)
    assert bt.acwr(training).value[0] == pytest.approx(acwr, rel=2e-4)
    assert bt.load_level(training).value[0] == level


def test_a_week_before_of_less_than_ten_kilometres_has_no_ramp():
    """Undefined, which is not the same as no ramp."""
    training = pl.DataFrame({"total kms": [30.0, 30.0, 0.0], "total kms.1": [9.9, 10.0, 0.0]})

    scored = bt.ramp(training)

    assert scored.is_defined.tolist() == [False, True, False]
    assert scored.flag.tolist() == [False, True, False]


# Arithmetic ------------------------------------------------------------------------------------------------

rows_of_few = st.lists(
    st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 4)), min_size=2, max_size=40
)


def pairs_won(rows, *, same_athlete):
    won = pairs = 0.0
    for athlete, injured, value in rows:
        for other, other_injured, other_value in rows:
            if injured and not other_injured and (athlete == other or not same_athlete):
                pairs += 1
                won += 1 if value > other_value else 0.5 if value == other_value else 0
    return won / pairs if pairs else np.nan


@given(rows_of_few)
def test_areas_are_shares_of_pairs(few):
    """Counted one by one, over all runners and within them."""
    few = sorted(few, key=lambda row: row[0])
    athlete, injury, value = (np.array(one) for one in zip(*few, strict=True))
    rows = bt.Rows(athlete, injury, np.zeros(len(few), int))
    one = bt.everybody(rows)

    assert bt.areas(rows, value, one)[0] == pytest.approx(pairs_won(few, same_athlete=False), nan_ok=True)
    assert bt.within_athletes(rows, value)(one)[0] == pytest.approx(
        pairs_won(few, same_athlete=True), nan_ok=True
    )


@given(rows_of_few, st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_a_runner_drawn_twice_counts_as_two(few, times):
    """Weights are what copying the rows would give."""
    few = sorted([*few, (0, True, 1), (1, False, 2), (2, False, 1)], key=lambda row: row[0])
    copied = [row for row in few for _ in range(times[row[0]])]
    athlete, injury, value = (np.array(one) for one in zip(*few, strict=True))
    rows = bt.Rows(athlete, injury, np.zeros(len(few), int))

    found = bt.areas(rows, value, np.array([times], dtype=float))[0]

    assert found == pytest.approx(pairs_won(copied, same_athlete=False), nan_ok=True)


def test_rate_ratio_and_average_precision_of_numbers_small_enough_to_count():
    """Two of four flagged rows against one of six: 3; precision 1/2, then 2/4 and 3/10 as rows of one value come together."""
    injury = np.array([1, 0, 1, 0, 1, 0, 0, 0, 0, 0]) == 1
    flag = np.arange(10) < 4
    rows = bt.Rows(np.zeros(10, int), injury, np.arange(10))

    assert bt.rate_ratios(rows, flag, bt.everybody(rows))[0] == pytest.approx(3)
    assert bt.average_precision(injury, np.array([4, 4, 3, 3, 2, 2, 2, 2, 2, 2.0])) == pytest.approx(
        (1 / 2 + 2 / 4 + 3 / 10) / 3
    )


def test_holm_steps_down():
    """The smallest counts for all rules, the next for one less, and none below one before."""
    assert bt.holm({"a": 0.04, "b": 0.01, "c": 0.03}) == pytest.approx({"b": 0.03, "c": 0.06, "a": 0.06})


def test_controls_are_thinned_to_one_a_week_and_injuries_kept():
    """Two runners' fortnights: two rows each, and the injuries beside them."""
    athlete, day = np.repeat([0, 1], 14), np.tile(np.arange(14), 2)
    rows = bt.Rows(athlete, (athlete == 1) & (day < 2), day)

    kept = rows.where(bt.one_control_a_week(rows, np.random.default_rng(0)))

    others = list(zip(kept.athlete[~kept.injury], kept.day[~kept.injury] // 7, strict=True))
    assert sorted(others) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert kept.injury.sum() == 2


def test_six_weeks_after_an_injury_are_left_out_for_that_runner_alone():
    """Day 42 after is out, day 43 is in, the injury itself stays."""
    athlete, day = np.repeat([0, 1], 60), np.tile(np.arange(60), 2)
    rows = bt.Rows(athlete, (athlete == 0) & (day == 10), day)

    kept = bt.not_after_an_injury(rows)

    assert day[~kept].tolist() == list(range(11, 53))
    assert athlete[~kept].max() == 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder / "nowhere", "Say where the folder"),
        (lambda folder: folder, "is not there; both files are at DataverseNL"),
    ],
)
def test_what_is_missing_is_a_sentence(tmp_path, make, said):
    """Files not to be had here are asked for by name."""
    command = [sys.executable, "-m", "benchmarks.backtest", str(make(tmp_path))]
    found = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent
    )

    assert found.returncode == 1
    assert said in found.stderr
    assert "Traceback" not in found.stderr
