"""Real files: every value of every message is the one that fitparse reads; where it is not, this file says why."""

import io
import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from fitparse import FitFile
from fitparse.records import DEV_TYPES
from fitparse.utils import FitParseError

from ingest.fit_messages import Messages, Table, read_messages

SMALL_BYTES = 150_000
WEEKS_IN_SMALL = 15

STOPS_OF_FITPARSE = {
    "traps/empty.fit": "it is empty",
    "fit/activity-unexpected-eof.fit": "it breaks off",
    "fit/activity-settings-nodata.fit": "its second part breaks off",
    "fit/activity-settings-corruptheader.fit": "its second part is none; we take what follows the first for leavings",
    "fit/strava-android-app-201.10-b1218918.fit": "a local number that was not defined: we stop at the same byte",
    "fit/coros-pace-2-cycling-misaligned-fields.fit": "fields whose size is no multiple of their type: we read on",
    "fit/nick.fit": "its last message is cut",
    "gpx/10157491227.fit": "it breaks off",
    "gpx/10825317578.fit": "it breaks off",
}
"""Where fitparse gives up; what it has read before must be the same."""

EXCEPTIONS = {
    ("fit/activity_poolswim_with_hr.fit", "hr", "event_timestamp"): (
        "fitparse sets the counter of a component back to 0 whenever the message is defined again; nothing in the "
        "format says so, and the times would jump back by 2,116 seconds"
    ),
}
"""(file, message, field): why our value is another one."""

GENERAL_EXCEPTIONS = """
- Developer fields are compared as stored: fitparse applies no scale to them.
- Where a message holds a field and a component of the same name, fitparse gives both; the field counts, unless it
  is unknown.
"""

Name = str | tuple[int, int]
Row = dict[Name, object]


class _ValuesAsStored:
    """A data processor that leaves values alone: fitparse's own costs more time than its decoding."""

    def run_type_processor(self, field_data: object) -> None: ...
    def run_field_processor(self, field_data: object) -> None: ...
    def run_unit_processor(self, field_data: object) -> None: ...
    def run_message_processor(self, data_message: object) -> None: ...


def fitparse_rows(content: bytes) -> tuple[dict[int, list[Row]], dict[int, str], bool]:
    """Return the known values of each message by its number, the names of messages, and whether fitparse gave up."""
    DEV_TYPES.clear()
    rows: dict[int, list[Row]] = defaultdict(list)
    names: dict[int, str] = {}
    try:
        for message in FitFile(
            io.BytesIO(content), check_crc=False, data_processor=_ValuesAsStored()
        ).get_messages():
            rows[message.mesg_num].append(_known(message.fields))
            names[message.mesg_num] = message.name
    except FitParseError:
        return rows, names, True
    return rows, names, False


def _known(fields: Iterable[FitFile]) -> Row:
    row: Row = {}
    for one in fields:
        if one.value is None:
            continue
        if one.field_type == "devfield":
            row[one.field.dev_data_index, one.def_num] = one.value
        elif one.field_def is None:
            row.setdefault(one.name, one.value)
        else:
            row[one.name] = one.value
    return row


def our_rows(messages: Messages, table: Table) -> list[Row]:
    columns: dict[Name, list[object]] = {name: list(table.values(name)) for name in table.names()}
    for field in messages.developer_fields():
        columns[field.index, field.number] = list(table.developer_values(field, scaled=False))
    rows: list[Row] = [{} for _ in range(len(table))]
    for name, column in columns.items():
        for row, value in zip(rows, column, strict=True):
            if value is not None:
                row[name] = value
    return rows


def differences(path: Path, file: str) -> tuple[list[str], int]:
    """Return what differs and is no exception, and how many values were compared."""
    content = path.read_bytes()
    theirs, names, gave_up = fitparse_rows(content)
    messages = read_messages(content)
    found = [] if gave_up == (file in STOPS_OF_FITPARSE) else [f"{file}: fitparse gives up: {gave_up}"]
    compared = 0
    for number in sorted({*theirs, *messages.numbers()}):
        ours = our_rows(messages, messages.table(number))
        if len(ours) != len(theirs[number]) and not (gave_up and len(ours) > len(theirs[number])):
            found.append(f"{file}: {len(ours)} messages {number}, fitparse has {len(theirs[number])}")
        for place, (our, their) in enumerate(zip(ours, theirs[number], strict=False)):
            compared += len(their)
            if our != their:
                found += _unexplained(f"{file}: {names[number]} {place}", file, names[number], our, their)
    return found, compared


def _unexplained(where: str, file: str, message: str, our: Row, their: Row) -> list[str]:
    return [
        f"{where}: {name} is {our.get(name)}, fitparse says {their.get(name)}"
        for name in {**our, **their}
        if not _is_same(our.get(name), their.get(name)) and (file, message, str(name)) not in EXCEPTIONS
    ]


def _is_same(ours: object, theirs: object) -> bool:
    both_nan = (
        isinstance(ours, float) and isinstance(theirs, float) and math.isnan(ours) and math.isnan(theirs)
    )
    return ours == theirs or both_nan


def fit_files(corpus: Path) -> list[Path]:
    return sorted(path for path in corpus.rglob("*") if path.suffix.lower() == ".fit")


def is_small(path: Path, corpus: Path) -> bool:
    weeks = sorted((corpus / "sixteen_weeks").glob("*.fit"))[:WEEKS_IN_SMALL]
    return (path.parent.name != "sixteen_weeks" and path.stat().st_size < SMALL_BYTES) or path in weeks


def assert_same(paths: list[Path], corpus: Path) -> None:
    found: list[str] = []
    compared = 0
    for path in paths:
        different, count = differences(path, path.relative_to(corpus).as_posix())
        found += different[:5]
        compared += count

    print(f"{len(paths)} files, {compared:,} values")
    assert found == []
    assert compared > 0


def test_small_files_are_read_as_fitparse_reads_them(corpus: Path) -> None:
    """All kinds of files, those with traps too, and some weeks of one runner."""
    assert_same([path for path in fit_files(corpus) if is_small(path, corpus)], corpus)


@pytest.mark.oracle
def test_all_other_files_are_read_as_fitparse_reads_them(corpus: Path) -> None:
    """The rest, which takes minutes."""
    assert_same([path for path in fit_files(corpus) if not is_small(path, corpus)], corpus)


def test_each_exception_is_about_a_file_that_is_there(corpus: Path) -> None:
    """An exception without its file explains nothing any more."""
    files = {path.relative_to(corpus).as_posix() for path in fit_files(corpus)}

    assert {file for file, _, _ in EXCEPTIONS} | STOPS_OF_FITPARSE.keys() <= files
