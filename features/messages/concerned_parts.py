"""The part of a stored message that concerns each subject, so that readers see their own.

An element concerns the subjects of the records that were made of it. One that no record was made of
concerns those of the nearest element around it that has any; where that has all of several, it is
the header, and is for everyone. What was refused as a record of its own, or stands beside
consignments as another one, concerns nobody that is known.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from features.messages.conversion import RefusedRecord
from features.messages.redaction import RedactedText
from features.records import RECORD_FILES

# The kind and the id of a subject.
Subject = tuple[str, str]
# The steps that lead to an element from the root.
Trail = tuple[str, ...]

_NOBODY = ("", "")
_INDEX = re.compile(r"\[\d+\]$|#\d+$|^\d+$|(?<=^line) \d+$")
_SEGMENT = re.compile(r"segment \d+ ([A-Z0-9]{3})")
_TRAILERS = frozenset({"CNT", "UNT", "UNE", "UNZ"})
_GROUPED_BY = {"CUSCAR": ("CNI", "EQD"), "COARRI": ("EQD",), "CODECO": ("EQD",)}


@dataclass(frozen=True)
class ConcernedPart:
    """A stretch of a text from a character to before another, and the subjects that it concerns.

    Readers of one of them may see it; None is for everyone, and empty where none is known.
    """

    start: int
    end: int
    subjects: tuple[Subject, ...] | None


def concerned_parts(
    text: RedactedText,
    concerned: Mapping[str, Iterable[Subject]],
    refused: Iterable[RefusedRecord] = (),
) -> list[ConcernedPart]:
    """The parts of a text in order, all of it; `concerned` are the subjects of each place."""
    trail_of = _Trails(text)
    around = _Surroundings()
    for place, own in concerned.items():
        around.note(trail_of(place), own)
    for each in refused:
        if not RECORD_FILES[each.record_type].is_part_of_declaration:
            around.note_unknown(_group(trail_of(each.place)))
    parts: list[ConcernedPart] = []
    for start, end, place in _stretches(text):
        subjects = around.subjects_of(trail_of(place))
        if parts and parts[-1].subjects == subjects:
            parts[-1] = ConcernedPart(parts[-1].start, end, subjects)
        else:
            parts.append(ConcernedPart(start, end, subjects))
    return parts


def _stretches(text: RedactedText) -> Iterator[tuple[int, int, str]]:
    """For each element from where to where it reaches: what is between two is parted by lines."""
    begin = 0
    for number, (place, span) in enumerate(text.elements):
        following = text.elements[number + 1][1].start if number + 1 < len(text.elements) else None
        line_end = text.text.find("\n", span.end, following) + 1
        end = len(text.text) if following is None else line_end or span.end
        yield begin, end, place
        begin = end


class _Surroundings:
    """The subjects of elements and of all that is around them."""

    def __init__(self) -> None:
        self._inside: dict[Trail, dict[Subject, None]] = {}
        self._names: dict[Trail, set[str]] = {}
        self._found: dict[tuple[Trail, str | None], tuple[Subject, ...] | None] = {}

    def note(self, trail: Trail, subjects: Iterable[Subject]) -> None:
        """Note that what a trail leads to concerns subjects."""
        for length in range(len(trail) + 1):
            self._inside.setdefault(trail[:length], {}).update(dict.fromkeys(subjects))
            if length:
                self._names.setdefault(trail[: length - 1], set()).add(_name(trail[length - 1]))

    def note_unknown(self, trail: Trail) -> None:
        """Note that it concerns nobody who is known, unless something in it does."""
        if trail not in self._inside:
            self.note(trail, [_NOBODY])

    def subjects_of(self, trail: Trail) -> tuple[Subject, ...] | None:
        """The subjects that what a trail leads to concerns."""
        for length in range(len(trail), -1, -1):
            if trail[:length] in self._inside:
                break
        else:
            return ()
        # All else of one name that lies there concerns the same, which may be thousands.
        of_name = trail[:length], _name(trail[length]) if length < len(trail) else None
        if of_name not in self._found:
            self._found[of_name] = self._subjects_at(trail, length)
        return self._found[of_name]

    def _subjects_at(self, trail: Trail, length: int) -> tuple[Subject, ...] | None:
        """The subjects of the nearest element around that has any, so many steps from the root."""
        inside = self._inside[trail[:length]]
        if length < len(trail):
            is_beside = _name(trail[length]) in self._names.get(trail[:length], ())
            if is_beside and (len(inside) > 1 or (_name(trail[0]) == "line")):
                return ()
            shipments = {each: None for each in inside if each[0] == "shipment"}
            if len(inside) == len(self._inside[()]) and len(shipments or inside) > 1:
                return None
            inside = shipments or inside  # readers of a shipment see its journey
        return tuple(each for each in inside if each != _NOBODY)


@lru_cache(maxsize=4096)
def _name(step: str) -> str:
    """A step without its number; every item of a list has the same."""
    return _INDEX.sub("", step)


def _group(trail: Trail) -> Trail:
    """The group of segments that a segment begins; any other element itself."""
    return trail[:-1] if trail and _SEGMENT.match(trail[-1]) else trail


class _Trails:
    """The trail of each place of a text: by its own path, or by the groups of an interchange."""

    def __init__(self, text: RedactedText):
        self._groups = dict(_grouped_segments(text))

    def __call__(self, place: str) -> Trail:
        segment = place.partition(",")[0]
        if segment in self._groups:
            return (*self._groups[segment], segment)
        return tuple(step for step in place.split("/") if step)


def _grouped_segments(text: RedactedText) -> Iterator[tuple[str, Trail]]:
    """Each segment of an interchange with the message and the groups in it that it is part of."""
    said = {place: text.text[span.start : span.end].strip() for place, span in text.elements}
    message = group = Trail()
    name = ""
    for segment, tag in _segments(text):
        step = f"#{segment.split()[1]}"
        if tag == "UNH":
            name = said.get(f"{segment}, element 2, component 1", "")
            message, group = (f"UNH{step}",), ()
        elif tag in _TRAILERS:
            group = ()
        else:
            qualifier = said.get(f"{segment}, element 1, component 1", "")
            group = _group_from(name, group, tag, qualifier, step)
        yield segment, () if tag in ("UNB", "UNG", "UNE", "UNZ") else (*message, *group)


def _group_from(name: str, group: Trail, tag: str, qualifier: str, step: str) -> Trail:
    """The group that a segment is part of, in a message of a name and after another group.

    A container before the consignments of a manifest is of one of them, as another would be.
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
