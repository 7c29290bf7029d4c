"""
Hold the load half of the rules to real injuries: `python -m benchmarks.backtest PATH`.

PATH is the folder with the two files of Lövdal, den Hartigh & Azzopardi 2021 (DataverseNL, doi 10.34894/UWU9PV, CC0):
day_approach_maskedID_timeseries.csv and week_approach_maskedID_timeseries.csv. 74 competitive runners, seven years, a row a day with
what was trained before it, and whether that day brought an injury, of whatever site. There are no pain scores in them, so the
conjunction of load and knee pain cannot be tested by them; docs/alerts.md says what can.

The rules and their thresholds were stated before (`RULES`) and nothing is fitted. Each rule sees the training of one row and nothing
else: neither the runner, nor the date, nor the row next to it. Prints a table, writes benchmarks/out/backtest.json.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.load import monotony, spike_bin
from analytics.rules import PUBLISHED
from analytics.spikes import LEVEL_OF_BIN

OUT = Path(__file__).parent / "out" / "backtest.json"
DAY_FILE = "day_approach_maskedID_timeseries.csv"
WEEK_FILE = "week_approach_maskedID_timeseries.csv"
NOT_TRAINING = ("Athlete ID", "injury", "Date")
WEEK_NEEDS = ("max km one day", "total kms")
DAY_NEEDS = ("total km",)
ACWR_OVER = 1.5
MONOTONY_OVER = 2.0  # Foster 1998
AFTER_INJURY_DAYS = 42
ROUNDS = 1000
AREAS_OF_PERMUTED = 100
SIGNIFICANT = 0.05
CONCLUSION = (
    "This is about load flags in competitive Dutch runners and injuries of any site. It is not about knee pain, and "
    "not about an alert, which needs both."
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scored:
    """What one rule says of each row: its continuous value, nan where it is undefined, and whether it fires."""

    value: Floats
    flag: Bools

    @property
    def is_defined(self) -> Bools:
        return ~np.isnan(self.value)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a file, sorted by runner and then by date: who, whether injured, and on which day since the first."""

    athlete: NDArray[np.int64]
    injury: Bools
    day: NDArray[np.int64]

    def where(self, kept: Bools) -> "Rows":
        return Rows(self.athlete[kept], self.injury[kept], self.day[kept])


def main() -> None:
    """Test the rules and write down."""
    if len(sys.argv) != 2 or not (folder := Path(sys.argv[1])).is_dir():
        sys.exit(
            f"Say where the folder with {DAY_FILE} and {WEEK_FILE} is: python -m benchmarks.backtest PATH"
        )
    result = backtest(folder)
    print_result(result)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2))
    print(OUT)


def backtest(folder: Path, *, rounds: int = ROUNDS) -> dict[str, object]:
    """Return what each rule was worth, and the controls, for the files of a folder."""
    rng = np.random.default_rng(2021)
    files, rules = {}, {}
    for name, needs in ((WEEK_FILE, WEEK_NEEDS), (DAY_FILE, DAY_NEEDS)):
        rows, training = read_rows(folder / name, needs)
        files[name] = {
            "rows": len(rows.injury),
            "injuries": int(rows.injury.sum()),
            "base_rate_brier": float(rows.injury.mean() * (1 - rows.injury.mean())),
            "leak_canary": leak_canary(rows),
        }
        for rule, (file, score) in RULES.items():
            if file == name:
                rules[rule] = judged(rows, score(training), rng, rounds)
    for rule, p in holm({rule: one["p"] for rule, one in rules.items()}).items():
        rules[rule]["p_holm"] = p
    return {"files": files, "rules": rules, "verdict": verdict(rules), "conclusion": CONCLUSION}


def read_rows(path: Path, needs: tuple[str, ...]) -> tuple[Rows, pl.DataFrame]:
    """Return the rows and, apart from them, what was trained: the rules get that and nothing more."""
    if not path.is_file():
        sys.exit(f"{path} is not there; both files are at DataverseNL, doi 10.34894/UWU9PV.")
    frame = pl.read_csv(path, infer_schema_length=None)
    missing = [name for name in (*needs, *NOT_TRAINING) if name not in frame.columns]
    if missing:
        sys.exit(f"{path} has no column {', '.join(missing)}; give the files as they are at DataverseNL.")
    frame = frame.sort("Athlete ID", "Date", "injury")
    rows = Rows(
        frame["Athlete ID"].cast(pl.Int64).to_numpy(),
        frame["injury"].to_numpy() == 1,
        frame["Date"].cast(pl.Int64).to_numpy(),
    )
    return rows, frame.drop(NOT_TRAINING)


# The rules -------------------------------------------------------------------------------------------------


def single_day(training: pl.DataFrame) -> Scored:
    """S1 by proxy: the longest day of the week against the longest of the two weeks before, in the study's bins."""
    longest, before = longest_days(training)
    value = ratio(longest, before, at_least=0) - 1
    return Scored(value, levels_of(longest, before) >= 1)


def ramp(training: pl.DataFrame) -> Scored:
    """S2: the week against the week before, which must hold as much as the rule asks."""
    week, before = (1000 * column(training, f"total kms{suffix}") for suffix in ("", ".1"))
    value = ratio(week, before, at_least=PUBLISHED.ramp_from_m) - 1
    return Scored(value, (value > PUBLISHED.ramp_over) & (week - before >= PUBLISHED.ramp_by_m))


def load_level(training: pl.DataFrame) -> Scored:
    """S1 and S2 together, the load half of the decision: 0 to 3."""
    longest, before = longest_days(training)
    single, ramped = single_day(training), ramp(training)
    level = levels_of(longest, before).astype(np.float64)
    level = np.where(ramped.flag, np.where(level == 1, 2, np.maximum(level, 1)), level)
    return Scored(np.where(single.is_defined, level, np.nan), level >= 1)


def acwr(training: pl.DataFrame) -> Scored:
    """Acute to chronic, 7 days to the 14 before; in the product it is context and raises nothing."""
    week, *before = (column(training, f"total kms{suffix}") for suffix in ("", ".1", ".2"))
    value = ratio(week, np.mean(before, axis=0), at_least=0)
    return Scored(value, value > ACWR_OVER)


def sameness(training: pl.DataFrame) -> Scored:
    """Foster's monotony of the kilometres of the seven days before."""
    days = np.column_stack(
        [column(training, f"total km{suffix}") for suffix in ("", *(f".{n}" for n in range(1, 7)))]
    )
    value = np.array([np.nan if (one := monotony(row)) is None else one for row in days])
    return Scored(value, value > MONOTONY_OVER)


RULES: Mapping[str, tuple[str, Callable[[pl.DataFrame], Scored]]] = {
    "single_day": (WEEK_FILE, single_day),
    "ramp": (WEEK_FILE, ramp),
    "load_level": (WEEK_FILE, load_level),
    "acwr_7_14": (WEEK_FILE, acwr),
    "monotony": (DAY_FILE, sameness),
}


def longest_days(training: pl.DataFrame) -> tuple[Floats, Floats]:
    """Return the longest day of the week and of the two weeks before, in metres."""
    week, *before = (1000 * column(training, f"max km one day{suffix}") for suffix in ("", ".1", ".2"))
    return week, np.maximum(*before)


def levels_of(longest: Floats, before: Floats) -> NDArray[np.int64]:
    bins = (spike_bin(metres, base) for metres, base in zip(longest, before, strict=True))
    return np.array([LEVEL_OF_BIN.get(name, 0) for name in bins])


def ratio(over: Floats, under: Floats, *, at_least: float) -> Floats:
    """Divide, nan where the lower number is nothing or less than the rule asks for."""
    result = np.full(len(over), np.nan)
    return np.divide(over, under, out=result, where=(under > 0) & (under >= at_least))


def column(training: pl.DataFrame, name: str) -> Floats:
    return training[name].cast(pl.Float64).to_numpy()


# What a rule is worth --------------------------------------------------------------------------------------


def judged(rows: Rows, scored: Scored, rng: np.random.Generator, rounds: int) -> dict[str, object]:
    """Return the numbers of one rule on all rows where it is defined, with both sensitivities and the control."""
    kept = scored.is_defined
    of_rule, value, flag = rows.where(kept), scored.value[kept], scored.flag[kept]
    result: dict[str, object] = {
        "undefined_share": share(~kept),
        "gate": missing_by_class(rows, ~kept, rng, rounds),
        **measured(of_rule, value, flag, rng, rounds),
        **permuted(of_rule, value, flag, rng, rounds),
    }
    for name, some in (
        ("one_control_a_week", one_control_a_week(of_rule, rng)),
        ("not_after_an_injury", not_after_an_injury(of_rule)),
    ):
        result[name] = measured(of_rule.where(some), value[some], flag[some], rng, rounds)
    return result


def missing_by_class(
    rows: Rows, is_missing: Bools, rng: np.random.Generator, rounds: int
) -> dict[str, object]:
    """Return how often the rule is undefined before injuries and otherwise: where that differs, being defined tells."""
    injured, counts = rows.injury, by_athlete(rows)
    sums = [counts(is_missing & injured), counts(injured), counts(is_missing & ~injured), counts(~injured)]

    def difference(weights: Floats) -> Floats:
        missing, injuries, missing_else, controls = (weights @ one for one in sums)
        return quotient(missing, injuries) - quotient(missing_else, controls)

    low, high = interval(difference(resampled(rows, rng, rounds)))
    return {
        "undefined_before_injury": share(is_missing[injured]),
        "undefined_otherwise": share(is_missing[~injured]),
        "difference_95": [low, high],
        "passed": bool(low <= 0 <= high),
    }


def measured(
    rows: Rows, value: Floats, flag: Bools, rng: np.random.Generator, rounds: int
) -> dict[str, object]:
    """Return flag rate, sensitivity, specificity, PPV, rate ratio and areas, with intervals by resampling runners."""
    weights = resampled(rows, rng, rounds)
    one = everybody(rows)
    within = within_athletes(rows, value)
    return {
        "rows": len(flag),
        "injuries": int(rows.injury.sum()),
        "flag_rate": share(flag),
        "sensitivity": share(flag[rows.injury]),
        "specificity": share(~flag[~rows.injury]),
        "ppv": share(rows.injury[flag]),
        "rate_ratio": number(rate_ratios(rows, flag, one)[0]),
        "rate_ratio_95": interval(rate_ratios(rows, flag, weights)),
        "auc": number(areas(rows, value, one)[0]),
        "auc_95": interval(areas(rows, value, weights)),
        "auc_within_athletes": number(within(one)[0]),
        "auc_within_athletes_95": interval(within(weights)),
        "average_precision": number(average_precision(rows.injury, value)),
    }


def rate_ratios(rows: Rows, flag: Bools, weights: Floats) -> Floats:
    """Return the injuries a flagged row over those a row of the reference, for each weighting of the runners."""
    counts = by_athlete(rows)
    hits, flagged = weights @ counts(flag & rows.injury), weights @ counts(flag)
    misses, reference = weights @ counts(~flag & rows.injury), weights @ counts(~flag)
    return quotient(quotient(hits, flagged), quotient(misses, reference))


def areas(rows: Rows, value: Floats, weights: Floats) -> Floats:
    """Return the area under the ROC curve over all pairs of rows, ties counted half, for each weighting of the runners."""
    places, steps = codes(rows.athlete), codes(value)
    found = []
    for weight in weights:
        of_row = weight[places]
        injured = np.bincount(steps, of_row * rows.injury)
        others = np.bincount(steps, of_row * ~rows.injury)
        below = np.cumsum(others) - others / 2
        found.append(quotient(injured @ below, injured.sum() * others.sum()))
    return np.array(found)


def within_athletes(rows: Rows, value: Floats) -> Callable[[Floats], Floats]:
    """Return the area over pairs of rows of the same runner, as a function of the weights of the runners."""
    places = codes(rows.athlete)
    one = np.ones((1, 1))
    won, pairs = np.zeros(places.max() + 1), np.zeros(places.max() + 1)
    for place in np.unique(places[rows.injury]):
        of_one = places == place
        injuries = int(rows.injury[of_one].sum())
        pairs[place] = injuries * (of_one.sum() - injuries)
        if pairs[place]:
            won[place] = pairs[place] * areas(rows.where(of_one), value[of_one], one)[0]
    return lambda weights: quotient(weights @ won, weights @ pairs)


def average_precision(injury: Bools, value: Floats) -> float:
    """Return the mean precision at the injuries, rows of the same value taken together."""
    steps = codes(-value)
    injured, rows = np.cumsum(np.bincount(steps, injury)), np.cumsum(np.bincount(steps))
    gained = np.diff(injured, prepend=0)
    return float(quotient((gained * injured / rows).sum(), injured[-1]))


def permuted(
    rows: Rows, value: Floats, flag: Bools, rng: np.random.Generator, rounds: int
) -> dict[str, object]:
    """
    Deal the injuries of each runner out among that runner's own rows again and again, which keeps what runners differ in.

    Returns the mean area within runners, which must be 0.5, and how often chance does as much as the flag, on either side.
    """
    hits = int((flag & rows.injury).sum())
    by_chance, dealt_areas = np.empty(rounds), []
    for turn in range(rounds):
        dealt = rows.injury[np.lexsort((rng.random(len(flag)), rows.athlete))]
        by_chance[turn] = (flag & dealt).sum()
        if turn < rounds // 10:
            dealt_rows = Rows(rows.athlete, dealt, rows.day)
            dealt_areas.append(within_athletes(dealt_rows, value)(everybody(rows))[0])
    tails = (1 + (by_chance >= hits).sum()) / (rounds + 1), (1 + (by_chance <= hits).sum()) / (rounds + 1)
    return {
        "p": float(min(1.0, 2 * min(tails))),
        "auc_of_permuted_labels": number(np.mean(dealt_areas)),
    }


def leak_canary(rows: Rows) -> dict[str, object]:
    """
    Return how well the days since the runner's row before tell injuries: a leak of how the file was made, not of training.

    Whoever lets a model see which rows are next to each other lets it see this. No rule here can.
    """
    is_next = rows.athlete[1:] == rows.athlete[:-1]
    gap, kept = np.diff(rows.day)[is_next].astype(np.float64), np.append(False, is_next)
    of_gap = rows.where(kept)
    return {
        "auc": number(areas(of_gap, gap, everybody(of_gap))[0]),
        "injuries_after_22_days_or_more": share(gap[of_gap.injury] >= 22),
        "others_after_1_day": share(gap[~of_gap.injury] == 1),
    }


# Sensitivities ---------------------------------------------------------------------------------------------


def one_control_a_week(rows: Rows, rng: np.random.Generator) -> Bools:
    """Keep every injury, and of each runner's other rows one a week, by lot."""
    order = rng.permutation(len(rows.day))
    weeks = np.column_stack([rows.athlete, rows.day // 7, rows.injury])[order]
    kept = rows.injury.copy()
    kept[order[np.unique(weeks, axis=0, return_index=True)[1]]] = True
    return kept


def not_after_an_injury(rows: Rows) -> Bools:
    """Leave out a runner's rows of the six weeks after an injury, later injuries among them."""
    kept = np.ones(len(rows.day), dtype=np.bool_)
    for athlete, day in zip(rows.athlete[rows.injury], rows.day[rows.injury], strict=True):
        since = rows.day - day
        kept &= ~((rows.athlete == athlete) & (since > 0) & (since <= AFTER_INJURY_DAYS))
    return kept


# Helpers ---------------------------------------------------------------------------------------------------


def resampled(rows: Rows, rng: np.random.Generator, rounds: int) -> Floats:
    """Return how often each runner is drawn in each round: whole runners are, since a runner's rows resemble one another."""
    athletes = len(np.unique(rows.athlete))
    return rng.multinomial(athletes, np.full(athletes, 1 / athletes), size=rounds).astype(np.float64)


def everybody(rows: Rows) -> Floats:
    """Return the weighting that takes each runner once."""
    return np.ones((1, len(np.unique(rows.athlete))))


def by_athlete(rows: Rows) -> Callable[[Bools], Floats]:
    places = codes(rows.athlete)
    return lambda which: np.bincount(places, which, minlength=places.max() + 1)


def codes(values: NDArray[np.generic]) -> NDArray[np.int64]:
    return np.unique(values, return_inverse=True)[1]


def quotient(over: Floats, under: Floats) -> Floats:
    """Divide, nan where there is nothing to divide by."""
    return np.divide(over, under, out=np.full(np.shape(over), np.nan), where=np.asarray(under) > 0)


def interval(values: Floats) -> list[float | None]:
    """Return the middle 95 % of what resampling gave."""
    known = values[~np.isnan(values)]
    return [float(q) for q in np.quantile(known, (0.025, 0.975))] if len(known) else [None, None]


def share(which: Bools) -> float | None:
    return float(which.mean()) if len(which) else None


def number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p-values that allow for there being several rules (Holm's step-down)."""
    adjusted, highest = {}, 0.0
    for place, (rule, p) in enumerate(sorted(p_values.items(), key=lambda one: one[1])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p))
        adjusted[rule] = highest
    return adjusted


def verdict(rules: Mapping[str, Mapping[str, object]]) -> str:
    """Say which rules went with injuries beyond chance; none is an answer, and those that fail the gate have none."""
    barred = [rule for rule, one in rules.items() if not one["gate"]["passed"]]
    found = [
        f"{rule} (rate ratio {one['rate_ratio']:.2f})"
        for rule, one in rules.items()
        if one["p_holm"] < SIGNIFICANT and rule not in barred and one["rate_ratio"] is not None
    ]
    said = (
        f"Beyond chance: {', '.join(found)}."
        if found
        else "No rule went with injuries beyond chance: an honest null."
    )
    return said + (
        f" Not to be judged, because being defined tells already: {', '.join(barred)}." if barred else ""
    )


def print_result(result: Mapping[str, object]) -> None:
    for name, file in result["files"].items():
        print(
            f"{name}: {file['rows']:,} rows, {file['injuries']} injuries; leak canary: {file['leak_canary']}"
        )
    print(
        f"{'rule':<12}{'undef.':>8}{'flags':>8}{'sens':>7}{'spec':>7}{'PPV':>8}{'ratio':>7}{'95 %':>14}{'AUC':>7}{'within':>8}{'perm.':>7}{'p Holm':>8}  gate"
    )
    for rule, one in result["rules"].items():
        shares = (
            one["undefined_share"],
            one["flag_rate"],
            one["sensitivity"],
            one["specificity"],
            one["ppv"],
        )
        low, high = one["rate_ratio_95"]
        print(
            f"{rule:<12}" + "".join(f"{told(part):>8}" for part in shares) + f"{told(one['rate_ratio']):>8}"
            f"{told(low) + '–' + told(high):>15}{told(one['auc']):>7}{told(one['auc_within_athletes']):>8}"
            f"{told(one['auc_of_permuted_labels']):>8}{told(one['p_holm']):>8}  {'passed' if one['gate']['passed'] else 'FAILED'}"
        )
    print(result["verdict"], result["conclusion"], sep="\n")


def told(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
