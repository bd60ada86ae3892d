"""UN/EDIFACT interchanges -> messages of segments, by the syntax of ISO 9735, versions 1 to 4.

Segments are numbered from 1 in their interchange; elements and components from 1 in their segment,
its tag not counted. Functional groups are unwrapped. What the trailers count must be there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from features.errors import MessageRefused
from features.messages.bounds import Bounds
from features.messages.decoding import text_of
from features.messages.element import Element

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
_SERVICE = ":+.? '"
_TAG = re.compile(r"[A-Z][A-Z0-9]{2}")
_QUALIFIER = re.compile(r"[A-Z0-9]{1,3}")
_MAX_TEXT = 4_096
_AROUND_MESSAGES = ("UNB", "UNZ", "UNG", "UNE")


@dataclass(eq=False, slots=True)
class Segment:
    """A segment: components by element, each an `Element` that knows its place."""

    tag: str
    number: int
    place: str
    elements: list[list[Element]] = field(default_factory=list)

    def at(self, element: int, component: int = 1) -> Element | None:
        """A component by its numbers from 1; None where it is not there or empty."""
        components = self.elements[element - 1] if element <= len(self.elements) else []
        found = components[component - 1] if component <= len(components) else None
        return found if found is not None and found.text else None

    def says(self, element: int, component: int = 1) -> str:
        """The text of a component; empty where there is none."""
        found = self.at(element, component)
        return found.text if found is not None else ""

    def leaves(self) -> Iterator[Element]:
        """All components that hold a text."""
        return (each for components in self.elements for each in components if each.text)


@dataclass(eq=False)
class Message:
    """A message from UNH to UNT, without those two."""

    head: Segment
    segments: list[Segment]

    @property
    def name(self) -> str:
        """Its type, as CUSCAR."""
        return self.head.says(2)

    @property
    def version(self) -> str:
        """Its version and release, as D.95B."""
        return f"{self.head.says(2, 2)}.{self.head.says(2, 3)}".strip(".")

    def first(self, tag: str, qualifier: str = "") -> Segment | None:
        """The first segment of a tag, with a qualifier in its first component."""
        return first_of(self.segments, tag, qualifier)


def first_of(segments: list[Segment], tag: str, *qualifiers: str) -> Segment | None:
    """The first segment of a tag with one of the qualifiers, the first qualifier first."""
    for qualifier in qualifiers or ("",):
        for each in segments:
            if each.tag == tag and (not qualifier or each.says(1) == qualifier):
                return each
    return None


def read_interchange(message: bytes, bounds: Bounds) -> tuple[list[Message], list[Segment]]:
    """The messages of an interchange, and all its segments.

    Raises MessageRefused with the segment for what breaks the syntax or the counts of a trailer.
    """
    bounds.check_size(message)
    segments = list(_segments(_decoded(message), bounds))
    messages = list(_messages(segments))
    if not messages:
        raise MessageRefused("segment 1", "want UNB or UNH, and a message from UNH to UNT")
    _check_interchange(segments, messages)
    return messages, segments


def _decoded(message: bytes) -> str:
    declared = _SYNTAX.search(message[:200])
    charset = _CHARSETS.get(declared[1].decode("ascii")) if declared else None
    if charset:
        return text_of(message, charset)
    try:
        return text_of(message)
    except MessageRefused:
        return text_of(message, "iso-8859-1")


def _segments(text: str, bounds: Bounds) -> Iterator[Segment]:
    text = text.lstrip("\ufeff \t\r\n")
    service = _SERVICE
    if text.startswith("UNA"):
        service, text = text[3:9], text[9:]
    component, element, _, release, repetition, terminator = list(service.ljust(6))
    separators = [component, element, terminator]
    if len(set(separators)) < 3 or any(each.isalnum() or each.isspace() for each in separators):
        raise MessageRefused("UNA", "want three different separators")
    released = re.escape(release) + "." if release.strip() else r"(?!)"
    repeats = repetition if repetition.strip() and repetition != release else ""
    number = count = 0
    for raw in filter(None, (each.strip() for each in _cut(text, terminator, released))):
        number += 1
        segment = _segment(raw, number, (component, element, repeats, released))
        count += sum(map(len, segment.elements))
        bounds.check_count(count, segment.place)
        yield segment
    if number and not text.rstrip().endswith(terminator):
        raise MessageRefused(f"segment {number}", f"want {terminator} at its end")


def _cut(text: str, separator: str, released: str) -> list[str]:
    """The parts between separators that are not released."""
    parts, start = [], 0
    for found in re.finditer(f"{released}|{re.escape(separator)}", text, re.DOTALL):
        if found[0] == separator:
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


def _segment(raw: str, number: int, syntax: tuple[str, str, str, str]) -> Segment:
    component, element, repeats, released = syntax
    head, *rest = _cut(raw, element, released)
    tag = _cut(head, component, released)[0]
    place = f"segment {number} {tag}"
    if not _TAG.fullmatch(tag):
        raise MessageRefused(f"segment {number}", "want a tag of three letters or digits")
    segment = Segment(tag, number, place)
    qualifier = _cut(rest[0], component, released)[0] if rest else ""
    stem = f"{tag}+{qualifier}" if _QUALIFIER.fullmatch(qualifier) else tag
    for position, each in enumerate(rest, start=1):
        components = []
        for repeat in _cut(each, repeats, released) if repeats else [each]:
            components += _cut(repeat, component, released)
        segment.elements.append(
            [
                _component(
                    text,
                    f"{place}, element {position}, component {at}",
                    f"{stem}/{position}/{at}",
                    released,
                )
                for at, text in enumerate(components, start=1)
            ]
        )
    return segment


def _component(text: str, place: str, path: str, released: str) -> Element:
    bare = re.sub(released, lambda found: found[0][1], text, flags=re.DOTALL)
    if len(bare) > _MAX_TEXT:
        raise MessageRefused(place, f"want at most {_MAX_TEXT} characters")
    return Element(path, place, path, " ".join(bare.split()))


def _messages(segments: list[Segment]) -> Iterator[Message]:
    head: Segment | None = None
    inside: list[Segment] = []
    for each in segments:
        if each.tag == "UNH":
            if head is not None:
                raise MessageRefused(each.place, "want UNT before another UNH")
            head, inside = each, []
        elif head is not None and each.tag == "UNT":
            _check_trailer(head, each, len(inside))
            yield Message(head, inside)
            head = None
        elif head is not None:
            inside.append(each)
        elif each.tag not in _AROUND_MESSAGES:
            raise MessageRefused(each.place, "want segments from UNH to UNT")
    if head is not None:
        raise MessageRefused(segments[-1].place, "want UNT at the end of the message")


def _check_trailer(head: Segment, trailer: Segment, inside: int) -> None:
    if trailer.says(1) != str(inside + 2):
        raise MessageRefused(trailer.place, f"want the count of its segments, {inside + 2}")
    if trailer.says(2) != head.says(1):
        raise MessageRefused(trailer.place, "want the reference of its UNH")


def _check_interchange(segments: list[Segment], messages: list[Message]) -> None:
    """Raise MessageRefused where the interchange has a header and no trailer, or a wrong one."""
    header, trailer = first_of(segments, "UNB"), first_of(segments, "UNZ")
    if header is None and trailer is None:
        return
    if header is None or trailer is None:
        raise MessageRefused(segments[-1].place, "want both UNB and UNZ")
    groups = sum(each.tag == "UNG" for each in segments)
    wanted = groups or len(messages)
    if trailer.says(1) != str(wanted):
        raise MessageRefused(trailer.place, f"want the count of its messages or groups, {wanted}")
    if trailer.says(2) != header.says(5):
        raise MessageRefused(trailer.place, "want the reference of its UNB")
