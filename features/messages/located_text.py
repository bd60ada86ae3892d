"""Locate each element in the text of a message.

Elements are those that the readers see, in document order. A text also holds parts that belong to
no element, here called unsaid: comments, attributes, and text after a child. If text and elements
do not match letter by letter, the text is not located at all, so that no element can be mistaken
for another.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import NamedTuple
from xml.parsers import expat

from features.messages.decoding import text_of
from features.messages.edifact_segments import (
    BLANK,
    Syntax,
    decoded_interchange,
    read_interchange,
    syntax_of,
)
from features.messages.element import Element
from features.messages.json_tree import is_json_object, json_root
from features.messages.options import Bounds
from features.messages.xml_tree import DECLARATION, NO_MEMORY, read_xml

WITHHELD = "[withheld]"
# Attributes that tell how to read an element; all others may hold personal data and are blanked.
_OF_READING = re.compile(
    r"(xmlns|xsi)(:[\w.-]+)?|currencyID|Ccy|unitCode|format|languageID"
    r"|(scheme|list)(ID|Agency(ID|Name)|VersionID)"
)
_START_TAG = re.compile(rb"""<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>""")
_ATTRIBUTE = re.compile(rb"""\s([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')""")
_SCALAR = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|-?[0-9][0-9.eE+-]*|true|false|null', re.S)
_SENTENCE = re.compile(r"(?:\\[^\\]*\\)?[!$][A-Z-]{2,6},[^*\r\n]*\*[0-9A-Fa-f]{2}")


class TextSpan(NamedTuple):
    """A half-open range of characters."""

    start: int
    end: int


class LocatedElement(NamedTuple):
    """An element with the span of its text; `is_tag` if it has none and the span is its tag."""

    place: str
    path: str
    span: TextSpan
    is_tag: bool = False


@dataclass(frozen=True)
class LocatedText:
    """A text, its elements in order, and the spans that belong to no element.

    `mark` replaces blanked spans.
    """

    text: str
    elements: tuple[LocatedElement, ...]
    unsaid: tuple[TextSpan, ...]
    mark: str = WITHHELD

    def text_in(self, span: TextSpan) -> str:
        """Return the text in a span."""
        return self.text[span.start : span.end]


class NotLocated(Exception):
    """The text and its elements do not match."""


def located_xml(message: bytes, bounds: Bounds) -> LocatedText:
    """Locate the elements of an XML document."""
    root, _ = read_xml(message, bounds)
    text = text_of(message).lstrip("\ufeff")
    declared = DECLARATION.match(text)
    head = declared[0] if declared else ""
    return _XmlText(text, len(head)).located(root)


class _XmlText:
    """A single pass that records the offsets of tags, and the texts and gaps between them."""

    def __init__(self, text: str, begin: int):
        self._text = text
        self._begin = begin
        # Expat reports byte offsets; `_offsets` converts them to characters.
        self._bytes = text[begin:].encode("utf-8", "surrogatepass")
        self._own: list[tuple[int, int]] = []
        self._heads: list[tuple[int, int]] = []
        self._said: list[list[str]] = []
        self._unsaid: list[tuple[int, int]] = []
        self._last_end = 0
        self._opened: int | None = None
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True

    def located(self, root: Element) -> LocatedText:
        parser = self._parser
        parser.StartElementHandler = lambda *_: self._start()
        parser.EndElementHandler = lambda _: self._end()
        parser.CommentHandler = lambda _: self._beside(b"-->")
        parser.ProcessingInstructionHandler = lambda *_: self._beside(b"?>")
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(self._bytes, True)
        except expat.ExpatError as error:
            # A lack of memory must not be taken for a mismatch of the text.
            if error.code == NO_MEMORY:
                raise MemoryError from None
            raise NotLocated from None
        elements = list(root.walk())
        # Two parsers read the text: they must agree on its elements.
        if len(elements) != len(self._own):
            raise NotLocated
        at = self._offsets()
        found = []
        for each, own, head, texts in zip(
            elements, self._own, self._heads, self._said, strict=True
        ):
            if "".join(texts).strip() != each.text:
                raise NotLocated
            start, end = own if each.text else head
            span = TextSpan(at[start], at[end])
            found.append(LocatedElement(each.place, each.path, span, is_tag=not each.text))
            if not each.text and own[0] < own[1]:
                self._unsaid.append(own)
        unsaid = tuple(TextSpan(at[start], at[end]) for start, end in self._unsaid)
        return LocatedText(self._text, tuple(found), unsaid)

    def _start(self) -> None:
        self._between(start := self._parser.CurrentByteIndex)
        tag = _START_TAG.match(self._bytes, start)
        if tag is None:
            raise NotLocated
        for attribute in _ATTRIBUTE.finditer(tag[0]):
            name = attribute[1].decode("utf-8", "replace")
            if not _OF_READING.fullmatch(name):
                value = attribute.span(2)
                self._unsaid.append((start + value[0] + 1, start + value[1] - 1))
        self._opened = len(self._own)
        self._own.append((tag.end(), tag.end()))
        self._heads.append((start, tag.end()))
        self._said.append([])
        self._last_end = tag.end()

    def _end(self) -> None:
        start = self._parser.CurrentByteIndex
        if start < self._last_end:  # a self-closing element ends inside its own tag
            self._opened = None
            return
        self._between(start)
        self._opened = None
        self._last_end = self._bytes.index(b">", start) + 1

    def _between(self, start: int) -> None:
        """Assign the text since the last tag to the element just opened, or to none."""
        between = self._bytes[self._last_end : start]
        bare = between.strip()
        if not bare:
            return
        begin = self._last_end + between.index(bare)
        if self._opened is None:
            self._unsaid.append((begin, begin + len(bare)))
        else:
            self._own[self._opened] = begin, begin + len(bare)

    def _beside(self, ending: bytes) -> None:
        start = self._parser.CurrentByteIndex
        end = self._bytes.index(ending, start) + len(ending)
        self._unsaid.append((start, end))

    def _characters(self, characters: str) -> None:
        if self._opened is not None:
            self._said[self._opened].append(characters)

    def _offsets(self) -> dict[int, int]:
        """Return the number of characters before each byte offset that a span uses."""
        spans = (*self._own, *self._heads, *self._unsaid)
        wanted = sorted({at for span in spans for at in span})
        offsets, last, count = {}, 0, self._begin
        for at in wanted:
            count += len(self._bytes[last:at].decode("utf-8", "surrogatepass"))
            offsets[at], last = count, at
        return offsets


def located_json(message: bytes, bounds: Bounds) -> LocatedText:
    """Locate the values of a JSON document; member names are structure and stay."""
    root = json_root(message, bounds)
    text = text_of(message).lstrip("\ufeff")
    scalars = (each for each in root.walk() if each.kind not in ("object", "array"))
    # A string before a colon is the name of a member, not a value.
    tokens = (found for found in _SCALAR.finditer(text) if not found[1])
    elements = []
    # A surplus on either side is a mismatch too, hence zip_longest.
    for each, token in zip_longest(scalars, tokens):
        if each is None or token is None or _plain(token[0]) != each.text:
            raise NotLocated
        elements.append(LocatedElement(each.place, each.path, TextSpan(*token.span())))
    return LocatedText(text, tuple(elements), (), f'"{WITHHELD}"')


def _plain(scalar: str) -> str:
    if scalar.startswith('"'):
        return str(json.loads(scalar, strict=False)).strip()
    return "" if scalar == "null" else scalar


def located_edifact(message: bytes, bounds: Bounds) -> LocatedText:
    """Locate the components of an interchange; a segment is located by its tag."""
    _, segments = read_interchange(message, bounds)
    text = decoded_interchange(message)
    syntax, rest = syntax_of(text.lstrip("\ufeff" + BLANK))
    begin = len(text) - len(rest)
    unsaid: list[TextSpan] = []
    elements: list[LocatedElement] = []
    for segment, parts in zip_longest(segments, _segment_spans(text, begin, syntax)):
        if segment is None or parts is None:
            raise NotLocated
        tag, after_tag, components = parts
        unsaid += [after_tag] if after_tag.start < after_tag.end else []
        elements.append(LocatedElement(segment.place, segment.tag, tag, is_tag=True))
        own = [each for components in segment.elements for each in components]
        for each, span in zip_longest(own, components):
            if each is None or span is None:
                raise NotLocated
            if " ".join(syntax.bare(text[span.start : span.end]).split()) != each.text:
                raise NotLocated
            elements.append(LocatedElement(each.place, each.path, span))
    return LocatedText(text, tuple(elements), tuple(unsaid))


def _segment_spans(
    text: str, begin: int, syntax: Syntax
) -> Iterator[tuple[TextSpan, TextSpan, list[TextSpan]]]:
    """Yield, for each segment, the spans of its tag, the rest of its head and its components."""
    separators = (syntax.terminator, syntax.element, syntax.component, syntax.repetition)
    either = "|".join(re.escape(each) for each in separators if each)
    released = f"{re.escape(syntax.release)}.|" if syntax.release else ""
    start, marks = begin, list[int]()
    first_element: int | None = None
    for found in re.compile(released + either, re.DOTALL).finditer(text, begin):
        # An escaped character does not separate anything.
        if len(found[0]) > 1:
            continue
        at = found.start()
        if found[0] != syntax.terminator:
            marks.append(at)
            if first_element is None and found[0] == syntax.element:
                first_element = at
            continue
        if text[start:at].strip(BLANK):
            yield _segment_span(
                text, start, at, marks, at if first_element is None else first_element
            )
        start, marks, first_element = at + 1, [], None


def _segment_span(
    text: str, start: int, end: int, marks: list[int], first_element: int
) -> tuple[TextSpan, TextSpan, list[TextSpan]]:
    while text[start] in BLANK:
        start += 1
    tag_end = marks[0] if marks else end
    inside = [*(mark for mark in marks if mark >= first_element), end]
    components = [TextSpan(mark + 1, following) for mark, following in pairwise(inside)]
    return TextSpan(start, tag_end), TextSpan(tag_end, first_element), components


def located_ais(message: bytes, bounds: Bounds) -> LocatedText:
    """Locate AIS sentences, each in its line; the rest of a line belongs to no element."""
    bounds.check_size(message)
    text = text_of(message, "latin-1")
    elements, unsaid, start = [], [], 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        end = start + len(line)
        bare = start + len(line.rstrip())
        sentence = _SENTENCE.search(text, start, bare)
        if sentence is None:
            unsaid += [TextSpan(start, bare)]
        else:
            elements.append(LocatedElement(f"line {number}", "line", TextSpan(*sentence.span())))
            unsaid += [TextSpan(start, sentence.start()), TextSpan(sentence.end(), bare)]
        start = end
    return LocatedText(
        text, tuple(elements), tuple(each for each in unsaid if each.start < each.end)
    )


def located_xml_or_json(message: bytes, bounds: Bounds) -> LocatedText:
    """Locate the elements of an XML document or the values of its JSON rendering."""
    return (located_json if is_json_object(message) else located_xml)(message, bounds)
