"""Pain in the words of an export: what is clear becomes a report, what is doubtful a question, and nothing is guessed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from ingest.logs import FLAGS, MAX_SCORE, SIDES, Flag, Side, Site

MOST_LETTERS = 10_000
"""Of a text; what follows is not read."""
MOST_QUOTED = 200
NOTE_SCORES = ("during", "after_60min", "next_morning")
"""What the three numbers of 4/2/1 are."""

_WHENS = (
    ("before", r"before"),
    ("after_60min", r"(?:an hour|1 hour|1h|60 ?min(?:utes)?) (?:after|later)|after 60 ?min(?:utes)?|afterwards|after"),
    ("next_morning", r"(?:the )?next morning|(?:the )?morning after"),
    ("during", r"during"),
)  # fmt: skip
_SITES: Mapping[str, Site] = {
    "below the kneecap": "below_kneecap",
    "below kneecap": "below_kneecap",
    "outer side": "outer",
    "outer": "outer",
    "inner side": "inner",
    "inner": "inner",
    "back of": "back",
    "behind": "back",
    "whole": "whole",
}
_FLAG_WORDS: Mapping[str, Flag] = {
    **{flag.replace("_", " "): flag for flag in FLAGS},
    "swollen": "swelling",
    "locked": "locking",
    "gave way": "giving_way",
    "can't bear weight": "cannot_bear_weight",
    "numb": "numbness",
    "hyperextended": "hyperextension",
}
_NO_KNEES = re.compile(
    r"\bhigh[ -]knees?\b|\bknee[ -](?:raises?|lifts?|drives?|bends?|sleeves?|braces?|high|socks?)\b"
)
"""Exercises and clothes that are named after knees."""

_NUMBER = r"(?:\d{1,2}(?:\.\d)?)"
_MEASURE = (
    r"(?:\d[\d.:]*|half|one|two|three|four|five|a|an) ?"
    r"(?:k|km|kms|m|mi|miles?|kilomet(?:er|re)s?|met(?:er|re)s?|s|sec|min|mins|minutes?|h|hours?|x|bpm|spm|reps?|sets?|%|laps?|days?|weeks?)"
    r"(?:/(?:km|mi|h))?|\d[\d.:]*/(?:km|mi|h)|\d+:\d[\d:]*(?:/(?:km|mi))?"
)
# In order: what stands first is what a word is taken for. Each ends where a word ends, and what is none of them is `word`.
_KINDS: Sequence[tuple[str, str]] = (
    *((f"when_{name}", words) for name, words in _WHENS),
    ("triple", rf"(?:{_NUMBER}|-)/(?:{_NUMBER}|-)/(?:{_NUMBER}|-)"),
    ("score", rf"{_NUMBER} ?(?:/|out of|of) ?10"),
    ("measure", _MEASURE),
    ("number", _NUMBER),
    ("both", r"left (?:and|&) right|right (?:and|&) left|l ?(?:\+|&) ?r|both"),
    ("left", r"left|lt|l"),
    ("right", r"right|rt|r"),
    ("kneecap", r"kneecaps?"),
    ("site", "|".join(_SITES)),
    ("knee", r"knees?"),
    ("no_flag", rf"(?:no|not) (?:{'|'.join(_FLAG_WORDS)})"),
    ("no_pain", r"no pain|pain[ -]?free|without pain"),
    ("flag", "|".join(_FLAG_WORDS)),
    ("gait", r"limping|limped|changed gait"),
    ("filler", r"pain|pains|painful|ache|aches|aching|hurt|hurts|hurting|sore|discomfort|is|was|had|of|my|the|level|score"),
    ("filler_in", r"in(?= (?:the|my|left|right|both|l|r|knees?) )"),
    ("and", r"and|but|[&|-]"),
    ("comma", r","),
    ("word", r"\S+?"),
)  # fmt: skip
_TOKEN = re.compile("|".join(rf"(?P<{kind}>{words})(?=,?(?:\s|$))" for kind, words in _KINDS))
_SENTENCE = re.compile(r"(?P<words>(?:[^\n\r;!?.]|\.(?=\S))+)(?P<end>[;!?.\n\r]?)")
_ASIDE = re.compile(r"[()\"=]|:(?=\s|$)")

_GRADED = frozenset({("flag", "score"), ("flag", "number")})
"""As in "swelling 0": whose score it is stays open."""

Token = tuple[str, str]
"""(kind, text)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedPain:
    """What a note says of one knee; scores are 0 to 10, None and no flags mean not said."""

    side: Side
    site: Site | None = None
    before: float | None = None
    during: float | None = None
    after_60min: float | None = None
    next_morning: float | None = None
    flags: tuple[Flag, ...] = ()
    changed_gait: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PainQuestion:
    """Words about a knee that can be read in more than one way; `side` is the only one they name, if so."""

    words: str
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """What a text says of knees, and what has to be asked."""

    reports: tuple[NotedPain, ...] = ()
    questions: tuple[PainQuestion, ...] = ()


class _DoubtError(Exception):
    """The words cannot be read in one way alone."""


_Said = dict[str, object]
"""What is said of one knee so far, by the names of `NotedPain`."""
_Knees = dict[Side, _Said]


def read_note(text: str) -> Noted:
    """
    Return what a title or note says of knees: sentence by sentence, each either clear as a whole or a question.

    The grammar stands in docs/pain.md. Any text is taken; one without a knee says nothing.
    """
    knees: _Knees = {}
    questions: list[PainQuestion] = []
    for words, is_asked in _sentences(text[:MOST_LETTERS]):
        tokens = list(_tokens(words))
        if not _names_a_knee(tokens):
            continue
        try:
            knees = _together(knees, _read_sentence(tokens, is_asked))
        except _DoubtError:
            questions.append(PainQuestion(words=words[:MOST_QUOTED], side=_only_side(tokens)))
    reports = tuple(NotedPain(side=side, **said) for side, said in knees.items())  # type: ignore[arg-type]
    return Noted(reports, tuple(questions))


def _sentences(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each sentence, and whether it ends with a question mark."""
    for found in _SENTENCE.finditer(text):
        if words := " ".join(found["words"].split()):
            yield words, found["end"] == "?"


def _tokens(words: str) -> Iterator[Token]:
    plain = _NO_KNEES.sub("exercise", words.lower().replace("’", "'").replace("–", "-").replace("—", "-"))
    plain = " ".join(_ASIDE.sub(" ", plain).split())
    for found in _TOKEN.finditer(plain):
        yield str(found.lastgroup), found[0]


def _names_a_knee(tokens: Sequence[Token]) -> bool:
    return any(kind in ("knee", "kneecap") for kind, _ in tokens)


def _read_sentence(tokens: Sequence[Token], is_asked: bool) -> _Knees:
    """Return the knees of a sentence: part by part, a part without a knee belonging to the one before."""
    if is_asked:
        raise _DoubtError
    knees: _Knees = {}
    said: _Said | None = None
    for part in _parts(tokens):
        kinds = {kind for kind, _ in part}
        if kinds & {"word", "measure"} and not _names_a_knee(part):
            if _is_about_pain(kinds):
                raise _DoubtError
            continue
        if _names_a_knee(part) or kinds & set(SIDES):
            said = _new_knee(knees, part)
        if said is None:
            raise _DoubtError
        _read_part(part, said)
    if not all(said.keys() - {"site"} for said in knees.values()):
        raise _DoubtError
    return _without_contradiction(knees)


def _parts(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield what stands between commas, dashes and the like."""
    for is_join, part in groupby(tokens, key=lambda token: token[0] in ("and", "comma")):
        if not is_join:
            yield list(part)


def _is_about_pain(kinds: set[str]) -> bool:
    """Tell whether a part with other words in it may say something of pain nevertheless."""
    has_when = any(kind.startswith("when_") for kind in kinds)
    return bool(kinds & {"score", "triple", "flag", "no_pain", "gait"}) or (has_when and "number" in kinds)


def _new_knee(knees: _Knees, part: Sequence[Token]) -> _Said:
    """Return where to put what is said of the knee that a part names; none or a second side makes it doubtful."""
    sides = _sides(part)
    if len(sides) != 1 or sides[0] in knees:
        raise _DoubtError
    return knees.setdefault(sides[0], {})


def _only_side(tokens: Sequence[Token]) -> Side | None:
    sides = set(_sides(tokens))
    return sides.pop() if len(sides) == 1 else None


def _sides(tokens: Sequence[Token]) -> list[Side]:
    return [side for kind, _ in tokens for side in SIDES if kind == side]


def _read_part(part: Sequence[Token], said: _Said) -> None:
    """Add what a part says; a word that is none of the grammar's makes it doubtful, and so does a graded sign."""
    kinds = [kind for kind, _ in part]
    is_graded = any(pair in _GRADED for pair in pairwise(kinds))
    if {"word", "measure"} & set(kinds) or is_graded:
        raise _DoubtError
    for kind, text in part:
        if kind == "site":
            _add(said, "site", _SITES[text])
        elif kind == "kneecap":
            _add(said, "site", "kneecap")
        elif kind == "gait":
            _add(said, "changed_gait", True)
        elif kind == "flag":
            told = {_FLAG_WORDS[text], *said.get("flags", ())}  # type: ignore[misc]
            said["flags"] = tuple(flag for flag in FLAGS if flag in told)
    for name, score in _scores(part):
        _add(said, name, score)


def _add(said: _Said, name: str, value: object) -> None:
    """Take a value over; said twice and differently it is doubtful."""
    if said.setdefault(name, value) != value:
        raise _DoubtError


def _scores(part: Sequence[Token]) -> Iterator[tuple[str, float]]:
    """Yield (which score, value): three at once, or each with its time on the same side of it, or one alone."""
    told = [token for token in part if token[0].startswith(("when_", "score", "number", "triple", "no_pain"))]
    triples = [text for kind, text in told if kind == "triple"]
    if triples:
        if len(told) > 1:
            raise _DoubtError
        values = zip(NOTE_SCORES, triples[0].split("/"), strict=True)
        yield from ((name, _score(value)) for name, value in values if value != "-")
        return
    if len(told) == 1 and not told[0][0].startswith("when_"):
        told = [("when_during", ""), *told]
    for first, second in zip(told[::2], [*told[1::2], ("", "")], strict=False):
        when, what = (first, second) if told[0][0].startswith("when_") else (second, first)
        if not when[0].startswith("when_") or what[0].startswith("when_") or not what[0]:
            raise _DoubtError
        yield when[0].removeprefix("when_"), 0.0 if what[0] == "no_pain" else _score(what[1])


def _score(text: str) -> float:
    found = re.match(_NUMBER, text)
    if found is None or float(found[0]) > MAX_SCORE:
        raise _DoubtError
    return float(found[0])


def _together(earlier: _Knees, later: _Knees) -> _Knees:
    """Return what both sentences say; the later one must not say anything else of the same thing."""
    knees = {side: dict(said) for side, said in earlier.items()}
    for side, said in later.items():
        known = knees.setdefault(side, {})
        flags = {*known.pop("flags", ()), *said.get("flags", ())}  # type: ignore[misc]
        for name, value in said.items():
            if name != "flags":
                _add(known, name, value)
        known["flags"] = tuple(flag for flag in FLAGS if flag in flags)
    return _without_contradiction(knees)


def _without_contradiction(knees: _Knees) -> _Knees:
    """Both knees, and one of them apart: which of the two counts is not for us to say."""
    if "both" in knees and len(knees) > 1:
        raise _DoubtError
    return knees
