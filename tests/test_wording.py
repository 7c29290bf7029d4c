"""The one file of sentences: complete, used, and without what must not be said; docs/wording.md shows it as it is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.alerts import RULES
from analytics.notices import RULES as NOTICE_RULES
from report import wording
from report.format import Units
from report.messages import alert_words
from report.words import said, words

ROOT = Path(__file__).parent.parent
CODE = "\n".join(
    path.read_text() for folder in ("report", "flows", "kneewatch") for path in (ROOT / folder).rglob("*.py")
)
FORBIDDEN = re.compile(
    r"you(?:r knee)? (?:have|has)\b|you've|you are (?:injured|hurt)|injury risk|\brisks?\b|risky|unsafe|\bsafe(?!ty)|safely|"
    r"diagnos(?!is\.)|probab|likely to|\d+ ?% (?:chance|risk)|prevents? (?:an? )?injur|no danger|all clear|nothing to worry",
    re.IGNORECASE,
)


def sentences() -> Iterator[tuple[str, str]]:
    """Section and key, and the sentence; of lists and tables every text in them."""
    for section, of_section in words().items():
        for key, sentence in of_section.items():
            parts = sentence if isinstance(sentence, list) else [sentence]
            for part in parts:
                for text in part.values() if isinstance(part, dict) else [part]:
                    yield f"{section}.{key}", text


@pytest.fixture(scope="module")
def heard() -> dict[str, str]:
    """Every sentence as the program said it in the stories of the document."""
    return wording.examples()


def test_the_document_is_up_to_date() -> None:
    """`make wording` writes it."""
    assert wording.document() == wording.DOCUMENT.read_text(encoding="utf-8")


def test_no_sentence_says_what_must_not_be_said() -> None:
    """Words as they stand in the file, so that nothing depends on a story's coming by."""
    assert [(name, text) for name, text in sentences() if FORBIDDEN.search(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "You have runner's knee.",
        "Injury risk 64 %.",
        "That is safe.",
        "An unsafe run.",
        "A 64 % chance of pain.",
    ],
)
def test_what_must_not_be_said_would_be_found(text: str) -> None:
    """Else the test above would mean little."""
    assert FORBIDDEN.search(text)


def test_every_sentence_is_used(heard: dict[str, str]) -> None:
    """The program said it, or the code names it: alone, by the rest of its name, or with all of its section."""
    named = set(re.findall(r'said\(\s*"([a-z_.0-9]+)"', CODE)) | set(
        re.findall(r'_STRENGTH\["([a-z_]+)"\]', CODE)
    )
    families = tuple(re.findall(r'said\(\s*f"([a-z_]+\.[a-z_]*)\{', CODE))
    whole = set(re.findall(r'words\(\)\["([a-z_]+)"\](?!\[)', CODE)) - {"strength"}
    lists = {
        f"{section}.{key}" for section, key in re.findall(r'words\(\)\["([a-z_]+)"\]\["([a-z_]+)"\]', CODE)
    }

    def is_used(name: str) -> bool:
        section, key = name.split(".")
        is_named = name in named | lists or (section == "strength" and key in named)
        return name in heard or is_named or section in whole or name.startswith(families)

    assert sorted({name for name, _ in sentences() if not is_used(name)}) == []


def test_every_sentence_with_braces_was_filled_in(heard: dict[str, str]) -> None:
    """By the code itself, in a story; and nothing of the program was left in it."""
    with_braces = {name for name, text in sentences() if "{" in text}

    assert sorted(with_braces - heard.keys()) == []
    for name, text in heard.items():
        assert not re.search(r"[{}]|None|\bnan\b|  |−\d+ days|-\d+ days", text), name


def test_the_code_names_no_sentence_that_is_not_there() -> None:
    """A typing error in a name would only be seen by who comes by."""
    for name in re.findall(r'said\(\s*"([a-z_.0-9]+)"', CODE):
        section, key = name.split(".")
        assert key in words()[section]


@pytest.mark.parametrize("rule", [*RULES, *NOTICE_RULES])
def test_every_rule_has_a_title_and_a_message_in_the_document(rule: str) -> None:
    """With the line on medical advice in both parts."""
    whole = wording.DOCUMENT.read_text(encoding="utf-8").split("## Whole messages")[1]

    assert words()["rule"][rule]
    assert f"**`{rule}`**" in whole


WANTED = {
    "planned_spike_ahead": (r"km \(\w+\) is planned for \w+day", r"30 days before", r"[+]\d+\.\d %", "Schuster Brandt Frandsen 2025"),
    "strength_gap": (r"\d+ days ago|\d+ days, and none", r"from 14 days on", "Ferber 2015", "strength work that nobody noted"),
    "not_reported": (r"Your longest in the 30 days before", r"In the 3 days since", r"The last report before", "Schuster Brandt Frandsen 2025", "a report on how the knees felt"),
}  # fmt: skip


def test_what_looks_ahead_or_asks_has_its_numbers_dates_window_source_and_what_is_missing() -> None:
    """In every story, in both units; those of spikes and pain are held to it in test_messages.py."""
    seen = set()
    for story in wording.STORIES:
        for alert in (one for one in wording.alerts_of(story) if one.rule in WANTED):
            for units in (Units("km"), Units("miles")):
                message, action = alert_words(alert, units)
                wanted = [part.replace("km", units.symbol) for part in WANTED[alert.rule]]
                assert [part for part in wanted if not re.search(part, message)] == []
                assert [one for one in _missing(alert.evidence["missing"]) if one not in message] == []
                assert re.search(r"\d{1,2} (?:Jun|Jul|Aug|Sep|Oct)\b", message)
                assert message.endswith(f"{said('always.no_diagnosis')} {said('always.medical')}")
                assert action.endswith(said("always.medical"))
                assert not FORBIDDEN.search(message + action)
            seen.add(alert.rule)

    assert seen == set(WANTED)


def _missing(names: object) -> list[str]:
    assert isinstance(names, list)
    return [said(f"missing.{name}") for name in names]
