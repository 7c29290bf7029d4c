"""Which weeks have to be computed again: the key of a week follows from all that it and the weeks before rest on."""

from collections.abc import Iterable
from datetime import date
from hashlib import sha256

import polars as pl

WEEKS_VERSION = "1"  # a change computes every week again

WEEK_KEYS = pl.Schema({"week_start": pl.Date, "inputs_key": pl.String})


def week_keys(facts: Iterable[pl.DataFrame], *, seed: str) -> pl.DataFrame:
    """
    Give each week a key that is another as soon as a fact of it or of an earlier week is.

    Args:
        facts: Frames with week_start; in which order their rows are does not matter.
        seed: What every week rests on.

    Returns:
        One row a week that has facts, in order: the columns of WEEK_KEYS.
    """
    # stable for one version of Polars: after another, weeks are computed once more
    rows = [one.select("week_start", digest=one.hash_rows()) for one in facts]
    weeks = pl.concat(rows).group_by("week_start").agg(pl.col("digest").sort()).sort("week_start")
    keys, last = [], sha256(f"{WEEKS_VERSION}|{seed}".encode()).hexdigest()
    for week_start, digests in weeks.iter_rows():
        last = sha256(f"{last}|{week_start}|{digests}".encode()).hexdigest()
        keys.append((week_start, last))
    return pl.DataFrame(keys, schema=WEEK_KEYS, orient="row")


def first_change(before: pl.DataFrame, now: pl.DataFrame) -> date:
    """Return the first week whose key is new, another or gone; `date.max` where there is none."""
    both = before.join(now, on="week_start", how="full", coalesce=True, suffix="_now")
    changed = both.filter(pl.col("inputs_key").ne_missing(pl.col("inputs_key_now")))
    first = changed.get_column("week_start").min()
    return first if isinstance(first, date) else date.max
