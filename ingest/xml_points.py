"""
XML that is mostly points (GPX, TCX): bytes to a small tree of elements and one table of points.

Expat reads the file, without namespaces (local names say enough), document types or network. Exporters
write each point as the one before, though, with other numbers: the points of one shape (`point_shapes`) are
read by one regular expression, many times as fast. What does not fit a shape exactly goes to expat, so both
ways give the same table (`point_table`).
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from xml.parsers import expat

from ingest.errors import IngestError
from ingest.point_shapes import Shape, Skeleton, shape_of
from ingest.point_table import PointTable
from ingest.recording import Columns

MAX_DEPTH = 64
MAX_ATTRIBUTES = 100
MAX_ELEMENTS = 200_000
"""Tracks, segments, laps and what is said of them; points are not among them."""
MAX_TOKEN_BYTES = 2**20
"""No tag, comment or name is longer."""
MAX_TEXT_PIECES = 4  # of 8 KiB each; what is longer is cut
MAX_POINT_BYTES = 4096
MAX_SHAPES = 16
CHUNK_BYTES = 2**16
RUN_BYTES = 2**17
"""So much is matched at once: too few points to make Python's collector look for cycles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """
    What to read; all names are local ones in lower case.

    Attributes:
        point: Name of the points.
        children: For each element that is kept, its children that are; the root is a child of "".
        columns: For elements within a point and "@attribute" of the point itself, the column; an element may
            be named together with its parent ("heartratebpm/value"). Column `at` holds times, others numbers.
        shapes: Of points, as far as they have been met.
    """

    point: str
    children: Mapping[str, frozenset[str]]
    columns: Mapping[str, str]
    shapes: dict[Skeleton, Shape | None] = field(default_factory=dict, compare=False)


@dataclass(slots=True)
class Element:
    """An element that is kept, and which rows its points are."""

    name: str
    attributes: Mapping[str, str]
    rows: slice
    text: str | None = None
    children: list["Element"] = field(default_factory=list)

    def all(self, name: str) -> list["Element"]:
        return [child for child in self.children if child.name == name]

    def text_of(self, *path: str) -> str | None:
        """Return the text of the first such descendant that has one."""
        found = [self]
        for name in path:
            found = [child for element in found for child in element.all(name)]
        return next((element.text for element in found if element.text), None)


@dataclass(frozen=True, slots=True)
class Document:
    """
    A file that was read.

    Attributes:
        root: The first element, or None when the file has none that was asked for.
        points: Column `at` and those that any point has.
        broken: Where and why reading stopped before the end.
    """

    root: Element | None
    points: Columns
    broken: str | None

    def what_is_missing(self) -> str | None:
        """Return a sentence for the runner; None when nothing is missing."""
        if self.broken is None:
            return None
        return f"The file breaks off or is damaged after {len(self.points['at'])} points ({self.broken}); what comes before was taken in."


def read_xml(content: bytes, vocabulary: Vocabulary) -> Document:
    """
    Read a file as far as it is sound.

    Raises:
        IngestError: If it is made to harm: a document type, or more of something than any exporter writes.
    """
    content = _as_utf8(content)
    reader = _Reader(vocabulary)
    broken = None
    try:
        reader.read(content)
    except expat.ExpatError as error:
        reader.close_all()
        if not reader.is_over:  # what stands behind the last tag does not matter
            read_bytes = reader.parser.ErrorByteIndex + reader.skipped_bytes
            broken = "it ends too soon"
            if error.code not in _ENDINGS:
                broken = f"at {read_bytes / len(content):.0%} of it: {expat.ErrorString(error.code)}"
    return Document(reader.root, reader.points.columns(), broken)


_ENDINGS = {
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}

# Encodings -----------------------------------------------------------------------------------------------

_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_DECODABLE = re.compile(
    r"(iso-?8859-?\d+|latin-?\d+|(windows-|cp)125\d|koi8-[ru]|shift_?jis|euc-(jp|kr)|gbk|gb2312|gb18030|big5)",
    re.IGNORECASE,
)
_UTF16_STARTS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}


def _as_utf8(content: bytes) -> bytes:
    """Return the text as UTF-8: what is valid UTF-8 is taken for it, whatever the declaration says."""
    utf16 = _UTF16_STARTS.get(content[:2])
    if utf16 is None and (content.isascii() or _is_utf8(content)):
        return content
    declared = _DECLARED.match(content)
    codec = declared[1].decode("ascii") if declared else ""
    codec = utf16 or (codec if _DECODABLE.fullmatch(codec) else "cp1252")
    try:
        return content.decode(codec, "replace").encode("utf-8", "replace")
    except LookupError:
        return content.decode("cp1252", "replace").encode()


def _is_utf8(content: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(content)
    try:
        for start in range(0, len(content), CHUNK_BYTES):
            decoder.decode(view[start : start + CHUNK_BYTES])
    except UnicodeDecodeError:
        return False
    return True


# The file ------------------------------------------------------------------------------------------------

_LEADING_SPACE = re.compile(rb"(?:\xef\xbb\xbf)?\s*")
_SPECIALS = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"))
_PLAIN_TAG = re.compile(rb"<[^<>\"']*>\s*")


class _Reader:
    """Expat's handlers, and the way through the file that spares expat the points of a known shape."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.points = PointTable()
        self.shapes: list[Shape] = []
        self.learned = 0
        self.fed_bytes = 0
        self.skipped_bytes = 0
        self.root: Element | None = None
        self.is_over = False
        self.has_repeats = False
        """Whether a point had two values for one column."""
        self._open: list[Element | None] = []  # None: an element that is not kept
        self._names: list[str] = []
        self._elements = 0
        self._row: dict[str, str] | None = None  # the point being read
        self._row_depth = 0
        self._text: list[str] | None = None  # of the element just opened, if anybody wants it
        self._column = ""
        self._local_names: dict[str, str] = {}
        self.parser = self._new_parser()

    def _new_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate("utf-8")
        if hasattr(parser, "SetReparseDeferralEnabled"):
            parser.SetReparseDeferralEnabled(False)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = _refuse_document_type
        return parser

    def read(self, content: bytes) -> None:
        """Feed expat all but the runs of points that have a known shape."""
        opening = _opening(self.vocabulary.point)
        lead = _LEADING_SPACE.match(content)
        position = lead.end() if lead else 0
        search_from = max(position, _last_special_end(content))
        while match := opening.search(content, search_from):
            start = match.start()
            self._feed(content, position, start)
            is_regular = self._expects_point() and _ends_with_plain_tag(content, position, start)
            position = self._take_runs(content, start, match[1]) if is_regular else start
            search_from = position if position > start else match.end()
        self._feed(content, position, len(content))
        self.parser.Parse(b"", True)

    def _feed(self, content: bytes, start: int, end: int) -> None:
        for at in range(start, end, CHUNK_BYTES):
            chunk = content[at : min(at + CHUNK_BYTES, end)]
            self.parser.Parse(chunk, False)
            self.fed_bytes += len(chunk)
            if self.fed_bytes - self.parser.CurrentByteIndex > MAX_TOKEN_BYTES + CHUNK_BYTES:
                raise _too_much("a tag or comment of more than a million letters")

    def _take_runs(self, content: bytes, start: int, tag: bytes) -> int:
        """Read the points from `start` on as long as they have a known shape; return where they end."""
        position, stride = start, MAX_POINT_BYTES
        while True:
            taken = self._take_run(content[position : position + stride].decode("latin-1"))
            if not taken and not self._learn_shape(content, position, tag):
                break
            stride = min(2 * stride, RUN_BYTES) if taken > stride / 2 else MAX_POINT_BYTES
            position += taken
        self.skipped_bytes += position - start
        return position

    def _take_run(self, text: str) -> int:
        """Read the points that the text begins with if they have a known shape; return where they end."""
        for shape in self.shapes:
            if shape.point.match(text):
                rows = shape.points.findall(text)
                rest = rows.pop()[-1] if rows[-1][-1] else ""
                self.points.add(shape.columns, rows)
                return len(text) - len(rest)
        return 0

    def _learn_shape(self, content: bytes, start: int, tag: bytes) -> bool:
        """Tell whether another point comes whose shape could be learned."""
        if self.learned >= MAX_SHAPES or not content.startswith(b"<" + tag, start):
            return False
        self.learned += 1
        end = content.find(b"</" + tag + b">", start, start + MAX_POINT_BYTES)
        point = content[start : end + len(tag) + 3] if end > 0 else b""
        shape = shape_of(point, self._read_point, self.vocabulary.shapes)
        if shape is None or not shape.point.match(point.decode("ascii")):
            return False
        self.shapes.insert(0, shape)
        return True

    def _read_point(self, point: str) -> tuple[dict[str, str], bool]:
        """Let another expat read a point on its own."""
        children = {"": frozenset({"alone"}), "alone": frozenset({self.vocabulary.point})}
        reader = _Reader(replace(self.vocabulary, children=children))
        try:
            reader.parser.Parse(f"<alone>{point}</alone>".encode(), True)
        except expat.ExpatError:
            return {}, False
        return reader.points.only_row(), reader.has_repeats

    def _expects_point(self) -> bool:
        parent = self._open[-1] if self._open else None
        return parent is not None and self.vocabulary.point in self._kept_in(parent)

    def _kept_in(self, parent: Element) -> frozenset[str]:
        return self.vocabulary.children.get(parent.name, frozenset())

    # What expat calls ------------------------------------------------------------------------------------

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._text is not None:
            self._store_text()
        name = self._local_names.get(tag) or self._learn_name(tag)
        if len(self._names) >= MAX_DEPTH or len(attributes) > MAX_ATTRIBUTES:
            raise _too_much("elements too deep in each other, or with too many attributes")
        if self._row is not None:
            columns = self.vocabulary.columns
            self._column = columns.get(name) or columns.get(f"{self._names[-1]}/{name}", "")
            self._text = [] if self._column else None
        else:
            self._open.append(self._new_element(name, attributes))
        self._names.append(name)

    def _new_element(self, name: str, attributes: dict[str, str]) -> Element | None:
        """Keep the element if its parent wants it; of a point only a row is begun."""
        parent = self._open[-1] if self._open else None
        kept = self._kept_in(parent) if parent else self.vocabulary.children[""]
        if name not in kept or (parent is None and self._open):
            return None
        if name == self.vocabulary.point:
            wanted = ((self.vocabulary.columns.get(f"@{key}"), value) for key, value in attributes.items())
            self._row = {
                column: stripped for column, value in wanted if column and (stripped := value.strip())
            }
            self._row_depth = len(self._names)
            return None
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _too_much("tracks, segments or laps by the hundred thousand")
        element = Element(name, attributes, slice(self.points.count, self.points.count))
        if parent is None:
            self.root = element
        else:
            parent.children.append(element)
        self._text = []
        return element

    def _characters(self, text: str) -> None:
        if self._text is not None and len(self._text) < MAX_TEXT_PIECES:
            self._text.append(text)

    def _store_text(self) -> None:
        """Give the text before the first child or the end to whom it belongs; the first of a column wins."""
        text = "".join(self._text or ()).strip()
        self._text = None
        if not text:
            return
        if self._row is not None:
            self.has_repeats = self.has_repeats or self._column in self._row
            self._row.setdefault(self._column, text)
        elif self._open[-1] is not None:
            self._open[-1].text = text

    def _end(self, tag: str) -> None:
        if self._text is not None:
            self._store_text()
        self._names.pop()
        if self._row is not None:
            if len(self._names) > self._row_depth:
                return
            self.points.add(tuple(self._row), [tuple(self._row.values())])
            self._row = None
        element = self._open.pop()
        if element is not None:
            element.rows = slice(element.rows.start, self.points.count)
        self.is_over = not self._names

    def _learn_name(self, tag: str) -> str:
        name = tag.rpartition(":")[2].lower()[:100]
        if len(self._local_names) < 1000:
            self._local_names[tag] = name
        return name

    def close_all(self) -> None:
        """End what a file that breaks off left open."""
        for element in self._open:
            if element is not None:
                element.rows = slice(element.rows.start, self.points.count)


def _refuse_document_type(*_: object) -> None:
    raise IngestError(
        "This file declares a document type or entities, which no watch writes; it was not opened."
    )


def _too_much(what: str) -> IngestError:
    return IngestError(f"This file has {what}, which no exporter writes; it was not read.")


def _opening(point: str) -> re.Pattern[bytes]:
    return re.compile(rb"<((?:[\w.-]{1,40}:)?" + point.encode() + rb")[\s>]", re.IGNORECASE)


def _last_special_end(content: bytes) -> int:
    """Return from where on no comment, CDATA section or processing instruction can be open."""
    end = 0
    for opener, closer in _SPECIALS:
        rare = content.rfind(opener[1:2])  # a single letter is found far faster, and is hardly ever there
        opened = content.rfind(opener, 0, rare - 1 + len(opener)) if rare > 0 else -1
        if opened >= 0:
            closed = content.find(closer, opened + len(opener))
            end = max(end, closed + len(closer) if closed >= 0 else len(content))
    return end


def _ends_with_plain_tag(content: bytes, start: int, end: int) -> bool:
    """Tell whether the bytes leave nothing open: they end with a whole tag without attributes, or are blank."""
    last = content.rfind(b"<", start, end)
    if last < 0:
        return end - start < CHUNK_BYTES and not content[start:end].strip()
    return _PLAIN_TAG.fullmatch(content, last, end) is not None
