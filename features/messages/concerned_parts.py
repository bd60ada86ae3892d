"""Split a stored message by the subjects it concerns, so that readers see only their own part.

An element concerns the subjects of the records made from it. One without records concerns the
subjects of its nearest ancestor that has any. If that ancestor covers all of several subjects, the
element belongs to the header and is visible to everyone. Elements that were refused as a record, or
that are siblings of consignments without being one, concern no known subject.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from features.messages.conversion import RefusedRecord
from features.messages.redaction import RedactedText
from features.records import RECORD_FILES

# Kind and id of a subject.
Subject = tuple[str, str]
# Path of an element: the steps from the root.
Trail = tuple[str, ...]

# Stands for a subject that is not known, so that the element counts as occupied but matches no
# reader.
_NOBODY = ("", "")
_INDEX = re.compile(r"\[\d+\]$|#\d+$|^\d+$|(?<=^line) \d+$")
_SEGMENT = re.compile(r"segment \d+ ([A-Z0-9]{3})")
_TRAILERS = frozenset({"CNT", "UNT", "UNE", "UNZ"})
# Segments that begin a new group, by message type.
_GROUPED_BY = {"CUSCAR": ("CNI", "EQD"), "COARRI": ("EQD",), "CODECO": ("EQD",)}


@dataclass(frozen=True)
class ConcernedPart:
    """A half-open range of characters and the subjects that it concerns.

    Readers of any of the subjects may see the range. None means visible to everyone; an empty tuple
    means that no subject is known, so that nobody may.
    """

    start: int
    end: int
    subjects: tuple[Subject, ...] | None


def concerned_parts(
    text: RedactedText,
    concerned: Mapping[str, Iterable[Subject]],
    refused: Iterable[RefusedRecord] = (),
) -> list[ConcernedPart]:
    """Return consecutive parts that cover the whole text.

    `concerned` maps the location of an element to its subjects.
    """
    trail_of = _Trails(text)
    around = _Surroundings()
    for place, own in concerned.items():
        around.note(trail_of(place), own)
    for each in refused:
        if not RECORD_FILES[each.record_type].is_part_of_declaration:
            trail = trail_of(each.place)
            # The last step of a segment is itself, within the group that it begins.
            around.note_unknown(trail[:-1] if trail and _SEGMENT.match(trail[-1]) else trail)
    parts: list[ConcernedPart] = []
    for start, end, place in _stretches(text):
        subjects = around.subjects_of(trail_of(place))
        if parts and parts[-1].subjects == subjects:
            parts[-1] = ConcernedPart(parts[-1].start, end, subjects)
        else:
            parts.append(ConcernedPart(start, end, subjects))
    return parts


def _stretches(text: RedactedText) -> Iterator[tuple[int, int, str]]:
    """Yield the start, end and location of each element.

    Text between two elements belongs to the first up to the end of its line, then to the second.
    """
    begin = 0
    for number, (place, span) in enumerate(text.elements):
        following = text.elements[number + 1][1].start if number + 1 < len(text.elements) else None
        line_end = text.text.find("\n", span.end, following) + 1
        end = len(text.text) if following is None else line_end or span.end
        yield begin, end, place
        begin = end


class _Surroundings:
    """The subjects of each element and of its ancestors."""

    def __init__(self) -> None:
        self._inside: dict[Trail, dict[Subject, None]] = {}
        self._names: dict[Trail, set[str]] = {}
        self._found: dict[tuple[Trail, str | None], tuple[Subject, ...] | None] = {}

    def note(self, trail: Trail, subjects: Iterable[Subject]) -> None:
        """Record the subjects of the element at a path, and of all its ancestors."""
        for length in range(len(trail) + 1):
            self._inside.setdefault(trail[:length], {}).update(dict.fromkeys(subjects))
            if length:
                self._names.setdefault(trail[: length - 1], set()).add(_name(trail[length - 1]))

    def note_unknown(self, trail: Trail) -> None:
        """Record that an element concerns an unknown subject, unless an element inside is known."""
        if trail not in self._inside:
            self.note(trail, [_NOBODY])

    def subjects_of(self, trail: Trail) -> tuple[Subject, ...] | None:
        """Return the subjects that the element at a path concerns; None for everyone."""
        for length in range(len(trail), -1, -1):
            if trail[:length] in self._inside:
                break
        else:
            return ()
        # Siblings of one name concern the same subjects. Cache the result: there may be thousands.
        of_name = trail[:length], _name(trail[length]) if length < len(trail) else None
        if of_name not in self._found:
            self._found[of_name] = self._subjects_at(trail, length)
        return self._found[of_name]

    def _subjects_at(self, trail: Trail, length: int) -> tuple[Subject, ...] | None:
        """Return the subjects of the ancestor at depth `length`; None for everyone."""
        inside = self._inside[trail[:length]]
        if length < len(trail):
            is_beside = _name(trail[length]) in self._names.get(trail[:length], ())
            # An element named like a known one next to it is another consignment, whose subject is
            # unknown.
            if is_beside and (len(inside) > 1 or (_name(trail[0]) == "line")):
                return ()
            shipments = {each: None for each in inside if each[0] == "shipment"}
            if len(inside) == len(self._inside[()]) and len(shipments or inside) > 1:
                return None
            inside = shipments or inside  # readers of a shipment may see its journey
        return tuple(each for each in inside if each != _NOBODY)


@lru_cache(maxsize=4096)
def _name(step: str) -> str:
    """Return a step without its index, which is the same for all items of a list."""
    return _INDEX.sub("", step)


class _Trails:
    """A map of locations to paths, or for EDIFACT to the groups that a segment belongs to."""

    def __init__(self, text: RedactedText):
        self._groups = dict(_grouped_segments(text))

    def __call__(self, place: str) -> Trail:
        segment = place.partition(",")[0]
        if segment in self._groups:
            return (*self._groups[segment], segment)
        return tuple(step for step in place.split("/") if step)


def _grouped_segments(text: RedactedText) -> Iterator[tuple[str, Trail]]:
    """Yield each segment of an interchange with the message and group that it belongs to."""
    texts = {place: text.text[span.start : span.end].strip() for place, span in text.elements}
    message = group = Trail()
    name = ""
    for segment, tag in _segments(text):
        step = f"#{segment.split()[1]}"
        if tag == "UNH":
            name = texts.get(f"{segment}, element 2, component 1", "")
            message, group = (f"UNH{step}",), ()
        elif tag in _TRAILERS:
            group = ()
        else:
            qualifier = texts.get(f"{segment}, element 1, component 1", "")
            group = _group_from(name, group, tag, qualifier, step)
        yield segment, () if tag in ("UNB", "UNG", "UNE", "UNZ") else (*message, *group)


def _group_from(name: str, group: Trail, tag: str, qualifier: str, step: str) -> Trail:
    """Return the group that a segment belongs to, given the group of the previous segment.

    In a manifest, an EQD segment inside a consignment belongs to it and begins no group.
    """
    is_manifest = name == "CUSCAR"
    if tag in _GROUPED_BY.get(name, ()) and not (is_manifest and group and tag == "EQD"):
        return (f"group{step}",)
    if is_manifest and group and (tag, qualifier) == ("RFF", "BM"):
        return (group[0], f"document{step}")
    return group


def _segments(text: RedactedText) -> Iterator[tuple[str, str]]:
    for place, _ in text.elements:
        if found := _SEGMENT.fullmatch(place):
            yield place, found[1]
