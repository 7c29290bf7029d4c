"""What a decision about an activity needs to know, for the command line and the web pages alike."""

import re

from kneewatch.asking import Rows, short_id
from store.errors import WrongUseError

METRES_PER = {"m": 1.0, "km": 1000.0, "mi": 1609.344}
LONGEST_M = 1_000_000

SAME_SESSION = """
    with
        this as (
            select coalesce(duplicate_of, activity_id) as canonical_id from activities where activity_id = $this
        ),
        names as (
            select export_id, athlete, min(file_name) as file_name from exports
            where outcome <> 'duplicate' group by all
        )
    select a.activity_id, n.file_name, a.device, a.distance_m, a.elapsed_s,
        coalesce(a.duplicate_reason, 'this is the record that counts') as why
    from activities a
    join this on this.canonical_id in (a.activity_id, a.duplicate_of)
    left join names n using (export_id, athlete)
    where exists (select 1 from activities d, this where d.duplicate_of = this.canonical_id)
    order by a.duplicate_of is null desc, a.activity_id
"""
"""Which records are the same session as $this and why, the one that counts first; no row when it has no double."""


def metres_of(distance: str) -> float:
    """
    Return a distance such as 10.2km in metres.

    Raises:
        WrongUseError: If it is none.
    """
    found = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*(m|km|mi)\s*", distance)
    metres = float(found[1].replace(",", ".")) * METRES_PER[found[2]] if found else 0.0
    if not 0 < metres <= LONGEST_M:
        raise WrongUseError(f"{distance!r} is no distance; write it as 10.2km, 6.3mi or 10200m.")
    return metres


def parts_to_join(found: Rows) -> list[str]:
    """Return the ids of what is to be joined, the first one first."""
    if len(found) < 2:
        raise WrongUseError("To join, name two activities or more.")
    if len({(row["athlete"], row["is_run"]) for row in found}) > 1:
        raise WrongUseError("Only runs of one athlete, or other activities of one athlete, can be joined.")
    for row in found:
        if row["duplicate_of"]:
            raise WrongUseError(
                f"{short_id(row['activity_id'])} is the same session as {short_id(row['duplicate_of'])}: join that one."
            )
    root = found[0]["part_of"] or found[0]["activity_id"]
    return [root, *(row["activity_id"] for row in found if row["activity_id"] != root)]
