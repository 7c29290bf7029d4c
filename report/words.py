"""Sentences about load, knees, plan and strength work, by name; all of them stand in words.en.toml and none in the code."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

FILE = "words.en.toml"


@cache
def words() -> dict[str, dict[str, Any]]:
    """Return the file: sections, and in each its sentences by key."""
    return tomllib.loads((files("report") / FILE).read_text(encoding="utf-8"))


def said(name: str, **filled_in: object) -> str:
    """
    Return a sentence, or a part of one, with what belongs into its braces.

    Args:
        name: Section and key, such as "order.no_spike".
        filled_in: Values by the names in the braces; more than the sentence asks for may be given.

    Raises:
        KeyError: If there is no such sentence, or a value is missing.
    """
    section, key = name.split(".")
    sentence: str = words()[section][key]
    return sentence.format(**filled_in)
