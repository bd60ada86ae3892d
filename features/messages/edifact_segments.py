"""Parse UN/EDIFACT interchanges by the syntax of ISO 9735, versions 1 to 4.

Segments are numbered from 1 in their interchange, elements and components from 1 in their segment,
without the tag. Functional groups are unwrapped. The counts in trailers must match.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from features.errors import MessageRefused
from features.messages.decoding import text_of
from features.messages.element import Element
from features.messages.options import Bounds

# Character sets by syntax level; any other level is read as UTF-8, else ISO 8859-1.
_CHARSETS = {
    "UNOC": "iso-8859-1",
    "UNOD": "iso-8859-2",
    "UNOE": "iso-8859-5",
    "UNOF": "iso-8859-7",
    "UNOG": "iso-8859-3",
    "UNOH": "iso-8859-4",
    "UNOI": "iso-8859-6",
    "UNOJ": "iso-8859-8",
    "UNOK": "iso-8859-9",
}
_SYNTAX = re.compile(rb"UNB.(UNO[A-Z])")
_TAG = re.compile(r"[A-Z][A-Z0-9]{2}")
_QUALIFIER = re.compile(r"[A-Z0-9]{1,3}")
_MAX_TEXT = 4_096
_MAX_COMPONENTS = 1_000
_AROUND_MESSAGES = ("UNB", "UNZ", "UNG", "UNE")
# Narrower than str.strip(): syntax level B uses control characters as separators.
BLANK = " \t\r\n\0\x1a"
# Lines that are longer are not taken for the fixed-width lines of a wrapped interchange.
_MAX_LINE_LENGTH = 400


@dataclass(eq=False, slots=True)
class Segment:
    """A segment, with the components of each element."""

    tag: str
    number: int
    place: str
    elements: list[list[Element]] = field(default_factory=list)

    def at(self, element: int, component: int = 1) -> Element | None:
        """Return a component by its numbers from 1; None if it is missing or empty."""
        components = self.elements[element - 1] if element <= len(self.elements) else []
        found = components[component - 1] if component <= len(components) else None
        return found if found is not None and found.text else None

    def text_at(self, element: int, component: int = 1) -> str:
        """Return the text of a component; empty if it is missing."""
        found = self.at(element, component)
        return found.text if found is not None else ""

    def leaves(self) -> Iterator[Element]:
        """Return all components with a text."""
        return (each for components in self.elements for each in components if each.text)


@dataclass(eq=False)
class Message:
    """A message from UNH to UNT; `segments` excludes these two."""

    head: Segment
    segments: list[Segment]

    @cached_property
    def _by_tag(self) -> dict[str, list[Segment]]:
        found: dict[str, list[Segment]] = {}
        for each in self.segments:
            found.setdefault(each.tag, []).append(each)
        return found

    @property
    def name(self) -> str:
        """Return the message type, such as CUSCAR."""
        return self.head.text_at(2)

    @property
    def version(self) -> str:
        """Return the version and release, such as D.95B."""
        return f"{self.head.text_at(2, 2)}.{self.head.text_at(2, 3)}".strip(".")

    def first(self, tag: str, *qualifiers: str) -> Segment | None:
        """Return the first segment of a tag that has the earliest of the qualifiers.

        Uses an index by tag, since it is called for each of thousands of consignments.
        """
        return first_segment(self._by_tag.get(tag, []), tag, *qualifiers)


def first_segment(segments: list[Segment], tag: str, *qualifiers: str) -> Segment | None:
    """Return the first segment of a tag that has the earliest of the qualifiers."""
    for qualifier in qualifiers or ("",):
        for each in segments:
            if each.tag == tag and (not qualifier or each.text_at(1) == qualifier):
                return each
    return None


def segment_groups(segments: list[Segment], *tags: str) -> Iterator[list[Segment]]:
    """Yield each segment with one of the tags, with the segments up to the next."""
    starts = [at for at, each in enumerate(segments) if each.tag in tags]
    for start, end in pairwise([*starts, len(segments)]):
        yield segments[start:end]


def read_interchange(message: bytes, bounds: Bounds) -> tuple[list[Message], list[Segment]]:
    """Return the messages of an interchange, and all its segments.

    Raises MessageRefused, with the segment, on a syntax error or a wrong count in a trailer.
    """
    bounds.check_size(message)
    segments = list(_segments(decoded_interchange(message), bounds))
    messages = [each for part in _interchanges(segments) for each in _messages_of(part)]
    if not messages:
        raise MessageRefused("segment 1", "want UNB or UNH, and a message from UNH to UNT")
    return messages, segments


def decoded_interchange(message: bytes) -> str:
    """Return the text of an interchange in the character set that it declares."""
    declared = _SYNTAX.search(message[:200])
    charset = _CHARSETS.get(declared[1].decode("ascii")) if declared else None
    if charset:
        return _unwrapped(text_of(message, charset))
    try:
        return _unwrapped(text_of(message))
    except MessageRefused:
        return _unwrapped(text_of(message, "iso-8859-1"))


def _unwrapped(text: str) -> str:
    """Return a text without line breaks if they wrap it at a fixed width.

    Such breaks may fall inside a segment or a number.
    """
    lines = text.strip(BLANK).replace("\r\n", "\n").split("\n")
    widths = {len(line) for line in lines[:-1]}
    is_wrapped = len(lines) > 2 and len(widths) == 1 and len(lines[-1]) <= min(widths)
    return "".join(lines) if is_wrapped and min(widths) < _MAX_LINE_LENGTH else text


def _segments(text: str, bounds: Bounds) -> Iterator[Segment]:
    syntax, text = syntax_of(text.lstrip("\ufeff" + BLANK))
    number = count = 0
    for cut, each in enumerate(syntax.pieces(text, syntax.terminator)):
        # Count pieces as well as components: empty pieces would otherwise escape the limit.
        bounds.check_count(cut, f"segment {number}")
        if not (raw := each.strip(BLANK)):
            continue
        number += 1
        segment = _segment(raw, number, syntax)
        count += sum(map(len, segment.elements))
        bounds.check_count(count, segment.place)
        yield segment
    if number and not text.rstrip(BLANK).endswith(syntax.terminator):
        raise MessageRefused(f"segment {number}", f"want {syntax.terminator} at its end")


def syntax_of(text: str) -> tuple["Syntax", str]:
    """Return the separators of an interchange (from UNA if present) and the remaining text."""
    if text.startswith("UNB\x1d"):  # syntax level B, as for Telex
        return Syntax("\x1f", "\x1d", "", "", "\x1c"), text
    if not text.startswith("UNA"):
        is_version_4 = re.match(r"UNB\+UNO[A-Z]:4", text) is not None
        return Syntax(repetition="*" if is_version_4 else ""), text
    component, element, _, release, repetition, terminator = list(text[3:9].ljust(6))
    separators = {component, element, terminator}
    if len(separators) < 3 or any(each.isalnum() or each in BLANK for each in separators):
        raise MessageRefused("UNA", "want three different separators")
    repeats = repetition.strip() if repetition not in (release, *separators) else ""
    return Syntax(component, element, release.strip(), repeats, terminator), text[9:]


@dataclass(frozen=True)
class Syntax:
    """The separators of an interchange and its release (escape) character."""

    component: str = ":"
    element: str = "+"
    release: str = "?"
    repetition: str = ""
    terminator: str = "'"

    def cut(self, text: str, separator: str) -> list[str]:
        """Return the parts of a text between unescaped separators."""
        if not separator:
            return [text]
        if not self.release or self.release not in text:
            return text.split(separator)
        return list(self.pieces(text, separator))

    def pieces(self, text: str, separator: str) -> Iterator[str]:
        """Yield the parts one at a time, so that a reader can stop at a limit."""
        released = f"{re.escape(self.release)}.|" if self.release else ""
        start = 0
        for found in re.finditer(released + re.escape(separator), text, re.DOTALL):
            if found[0] == separator:
                yield text[start : found.start()]
                start = found.end()
        yield text[start:]

    def bare(self, text: str) -> str:
        """Return a text without release characters."""
        if not self.release or self.release not in text:
            return text
        return re.sub(f"{re.escape(self.release)}(.)", r"\1", text, flags=re.DOTALL)


def _segment(raw: str, number: int, syntax: Syntax) -> Segment:
    head, *rest = syntax.cut(raw, syntax.element)
    tag = syntax.cut(head, syntax.component)[0]
    if not _TAG.fullmatch(tag):
        raise MessageRefused(f"segment {number}", "want a tag of three letters or digits")
    segment = Segment(tag, number, f"segment {number} {tag}")
    # Checked before the components are created, so that a huge segment costs little memory.
    if raw.count(syntax.element) + raw.count(syntax.component) > _MAX_COMPONENTS:
        raise MessageRefused(segment.place, f"want at most {_MAX_COMPONENTS} components")
    qualifier = syntax.cut(rest[0], syntax.component)[0] if rest else ""
    stem = f"{tag}+{qualifier}" if _QUALIFIER.fullmatch(qualifier) else tag
    for position, each in enumerate(rest, start=1):
        repeats = syntax.cut(each, syntax.repetition)
        components = [one for repeat in repeats for one in syntax.cut(repeat, syntax.component)]
        segment.elements.append(
            [
                _component(syntax.bare(one), segment.place, stem, (position, at))
                for at, one in enumerate(components, start=1)
            ]
        )
    return segment


def _component(text: str, segment: str, stem: str, numbers: tuple[int, int]) -> Element:
    place = f"{segment}, element {numbers[0]}, component {numbers[1]}"
    if len(text) > _MAX_TEXT:
        raise MessageRefused(place, f"want at most {_MAX_TEXT} characters")
    path = f"{stem}/{numbers[0]}/{numbers[1]}"
    return Element(path, place, path, " ".join(text.split()))


def _interchanges(segments: list[Segment]) -> Iterator[list[Segment]]:
    """Yield each interchange of a text, which may hold several in a row."""
    starts = [at for at, each in enumerate(segments) if each.tag == "UNB"]
    for start, end in pairwise([0, *(at for at in starts if at), len(segments)]):
        yield segments[start:end]


def _messages_of(segments: list[Segment]) -> list[Message]:
    """Return the messages of one interchange.

    Raises MessageRefused if the count or reference of a trailer does not match.
    """
    found = _between(segments, "UNH", "UNT")
    for head, inside, trailer in found:
        _check_trailer(head, trailer, len(inside) + 2, "segments", 1)
    _check_strays(segments)
    _check_references(segments)
    groups = _between(segments, "UNG", "UNE")
    for head, inside, trailer in groups:
        _check_trailer(head, trailer, sum(each.tag == "UNH" for each in inside), "messages", 5)
    for head, _, trailer in _between(segments, "UNB", "UNZ"):
        _check_trailer(head, trailer, len(groups) or len(found), "messages or groups", 5)
    return [Message(head, inside) for head, inside, _ in found]


def _between(
    segments: list[Segment], first: str, last: str
) -> list[tuple[Segment, list[Segment], Segment]]:
    """Return the head, content and trailer of each pair of segments `first` and `last`."""
    found, start = [], None
    for at, each in enumerate(segments):
        if each.tag == first and start is not None:
            raise MessageRefused(each.place, f"want {last} before another {first}")
        if each.tag == last and start is None:
            raise MessageRefused(each.place, f"want both {first} and {last}")
        if each.tag == first:
            start = at
        elif each.tag == last and start is not None:
            found.append((segments[start], segments[start + 1 : at], each))
            start = None
    if start is not None:
        raise MessageRefused(segments[-1].place, f"want {last} at the end of what {first} begins")
    return found


def _check_trailer(head: Segment, trailer: Segment, count: int, what: str, reference: int) -> None:
    stated = trailer.text_at(1)
    if not stated.isdecimal() or int(stated) != count:
        raise MessageRefused(trailer.place, f"want the count of its {what}, {count}")
    if trailer.text_at(2) != head.text_at(reference):
        raise MessageRefused(trailer.place, f"want the reference of its {head.tag}")


def _check_strays(segments: list[Segment]) -> None:
    is_inside = False
    for each in segments:
        if each.tag in ("UNH", "UNT"):
            is_inside = each.tag == "UNH"
        elif not is_inside and each.tag not in _AROUND_MESSAGES:
            raise MessageRefused(each.place, "want segments from UNH to UNT")


def _check_references(segments: list[Segment]) -> None:
    """Raise MessageRefused if two messages of one group (or without groups) share a reference."""
    seen: set[str] = set()
    for each in segments:
        if each.tag == "UNG":
            seen.clear()
        elif each.tag == "UNH":
            if each.text_at(1) in seen:
                raise MessageRefused(each.place, "want a reference that no other message has")
            seen.add(each.text_at(1))
