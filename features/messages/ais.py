"""NMEA 0183 sentences of AIS -> positions, decoded by pyais.

AIS names a ship, not its journey: a position's journey is `mmsi-` and the ship's number, until
somebody knows which one was declared (`ship_of`). A sentence holds no date; it comes from a tag
block (`\\c:`), a `$PGHP` sentence before, or the options. Every sentence is a message of its own:
one that cannot be read makes no position and is refused alone, and a text without any sentence of
AIS is refused whole. Base stations, aids to navigation and what ships say of themselves are left
over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Any

from features.errors import MessageRefused
from features.messages.bounds import Bounds
from features.messages.conversion import GIVEN, Conversion, MadeRecord
from features.messages.decoding import text_of
from features.messages.element import Element
from features.messages.message_reading import MessageReading
from features.messages.options import Options
from features.messages.record_drafts import RecordDraft, Value

if TYPE_CHECKING:
    from pyais.exceptions import AISBaseException

_SENTENCE = re.compile(r"![A-Z-]{2}VD[MO],(\d),(\d),(\d?),([^,]{0,2}),([^,*]*),\d\*[0-9A-Fa-f]{2}")
_TAGS = re.compile(r"\\([^\\]{1,200})\\")
_TIME_TAG = re.compile(r"(?:^|,)c:(\d{10}|\d{13})(?:[,*]|$)")
_PGHP = re.compile(r"\$PGHP,1,(\d{4}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,2}),")
_OF_SHIPS = (1, 2, 3, 9, 18, 19, 27)
# The shortest of each; some senders leave out spare bits at the end.
_BITS = {**dict.fromkeys((1, 2, 3, 9, 18), 144), 19: 288, 27: 90}
_BITS_OF_SIGN = 6
_ARMOURED = re.compile(r"[0-W`-w]+")
_WHOLE_PAYLOAD = "want a payload that is whole"
_SEARCH_AND_RESCUE = ("970", "972", "974")
_NAV_STATUS_SART = 14
_NO_JOURNEY = "mmsi-"
_ACCURATE_M = 10.0
_NOT_AVAILABLE = {"lat": 91.0, "lon": 181.0}
_MAX_WAITING = 100


@dataclass
class _Parts:
    """The sentences of one message that came so far."""

    total: int
    elements: dict[int, Element] = field(default_factory=dict)
    heard_at: Value | None = None


def read_ais(message: bytes, options: Options) -> Conversion:
    """The positions of all ships that the sentences tell of."""
    options.bounds.check_size(message)
    reading = MessageReading("ais", options)
    reading.kind = "NMEA 0183"
    lines = list(_lines(message, options.bounds))
    sentences = [line for line in lines if _SENTENCE.search(line.text)]
    if not sentences:
        raise MessageRefused("line 1", "want sentences of AIS, as !AIVDM,1,1,,A,…*hh")
    options.bounds.check_sentences(len(sentences), sentences[-1].place)
    whole = [_keep_position(parts, reading) for parts in _messages(lines, reading)]
    conversion = reading.conversion(lines)
    if not any(whole):
        # Not one sentence could be read: it is the text that is damaged, not the reception.
        first = conversion.refused[0]
        raise MessageRefused(first.place, first.reasons[0])
    return conversion


def _lines(message: bytes, bounds: Bounds) -> Iterator[Element]:
    count = 0
    for number, line in enumerate(text_of(message, "latin-1").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            count += 1
            bounds.check_count(count, f"line {number}")
            yield Element("line", f"line {number}", "line", line.strip(), line=number)


def _messages(lines: list[Element], reading: MessageReading) -> Iterator[_Parts]:
    """The sentences that belong together, with when they were heard."""
    waiting: dict[tuple[str, str], _Parts] = {}
    before: Value | None = None
    for line in lines:
        stamp = _stamp(line)
        found = _SENTENCE.search(line.text)
        if found is None:
            before = stamp or before
            if stamp is None:
                reading.leave(line, "no sentence of AIS")
            continue
        heard_at = stamp or before or _given(reading)
        before = None
        total, part = int(found[1]), int(found[2])
        if total == 1:
            yield _Parts(1, {1: line}, heard_at)
            continue
        parts = _of_the_same(found, waiting, heard_at, reading)
        parts.elements[part] = line
        if len(parts.elements) == total:
            yield waiting.pop((found[3], found[4]))
        elif len(waiting) > _MAX_WAITING:
            _refuse_incomplete(waiting.pop(next(iter(waiting))), reading)
    for parts in waiting.values():
        _refuse_incomplete(parts, reading)


def _of_the_same(
    found: re.Match[str],
    waiting: dict[tuple[str, str], _Parts],
    heard_at: Value | None,
    reading: MessageReading,
) -> _Parts:
    """Return what a sentence belongs to: nothing that waits, where it is a first one or of another
    total.

    There are ten ids, and one that returns finds what lost a sentence.
    """
    told_by, total = (found[3], found[4]), int(found[1])
    if told_by in waiting and (int(found[2]) == 1 or waiting[told_by].total != total):
        _refuse_incomplete(waiting.pop(told_by), reading)
    return waiting.setdefault(told_by, _Parts(total, heard_at=heard_at))


def _refuse_incomplete(parts: _Parts, reading: MessageReading) -> None:
    first = min(parts.elements.values(), key=lambda element: element.line or 0)
    reading.refuse("positions", first.place, f"want {parts.total} sentences of this message")


def _stamp(line: Element) -> Value | None:
    """When a line says that a sentence was heard."""
    if "\\" in line.text and (tags := _TAGS.search(line.text)):
        if not _has_own_checksum(tags[1]):
            return None
        if tagged := _TIME_TAG.search(tags[1]):
            seconds = int(tagged[1]) / (1000 if len(tagged[1]) == 13 else 1)
            return Value(datetime.fromtimestamp(seconds, UTC), line.place, (line,))
    elif line.text.startswith("$") and (found := _PGHP.match(line.text)):
        try:
            year, month, day, hour, minute, second = map(int, found.groups())
            when = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None
        return Value(when, line.place, (line,))
    return None


def _has_own_checksum(tags: str) -> bool:
    """Return whether the checksum of a tag block is that of its tags; some write none."""
    block, _, checksum = tags.rpartition("*")
    return not block or f"{reduce(xor, block.encode(), 0):02X}" == checksum.upper()


def _given(reading: MessageReading) -> Value | None:
    given = reading.options.heard_at
    return None if given is None else Value(given, GIVEN)


def _keep_position(parts: _Parts, reading: MessageReading) -> bool:
    """Make the position that a message tells, if it does; whether the message could be read."""
    from pyais import decode
    from pyais.exceptions import AISBaseException

    ordered = [parts.elements[part] for part in sorted(parts.elements)]
    first = ordered[0]
    sentences = [_SENTENCE.search(each.text) for each in ordered]
    try:
        told = decode(*(each[0] for each in sentences if each), error_if_checksum_invalid=True)
        said: dict[str, Any] = told.asdict(enum_as_int=True)
    except AISBaseException as error:
        reading.refuse("positions", first.place, _why(error))
        return False
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, AssertionError):
        # What pyais lets through of a payload that is cut off or is no armoured text.
        reading.refuse("positions", first.place, _WHOLE_PAYLOAD)
        return False
    payload = "".join(each[5] for each in sentences if each)
    shortest = _BITS.get(said["msg_type"], 0)
    if not _ARMOURED.fullmatch(payload) or len(payload) * _BITS_OF_SIGN < shortest:
        reading.refuse("positions", first.place, _WHOLE_PAYLOAD)
        return False
    if said.get("msg_type") not in _OF_SHIPS:
        for element in ordered:
            reading.leave(element, f"message {said.get('msg_type')} tells no position of a ship")
        return True
    reading.keep(_draft(said, tuple(ordered), parts.heard_at))
    return True


def _why(error: "AISBaseException") -> str:
    words = {"InvalidNMEAChecksum": "want the checksum of its sentence"}
    return words.get(type(error).__name__, "want a sentence that can be read")


def journey_of_ship(mmsi: str) -> str:
    """Return what the journey of a ship is called until somebody knows which one was declared."""
    return f"{_NO_JOURNEY}{mmsi}"


def number_in(journey_id: str) -> str | None:
    """The number that stands in place of a journey, of a ship or a beacon; None of any other id."""
    mmsi = journey_id.removeprefix(_NO_JOURNEY)
    return mmsi if mmsi != journey_id else None


def ship_of(made: MadeRecord) -> str | None:
    """The number of the ship that a position names in place of a journey; None of a beacon."""
    if made.record_type != "positions":
        return None
    mmsi = number_in(str(made.fields.get("journey_id")))
    return None if mmsi is None or mmsi.startswith(_SEARCH_AND_RESCUE) else mmsi


def _draft(
    said: dict[str, Any], elements: tuple[Element, ...], heard_at: Value | None
) -> RecordDraft:
    place = elements[0].place
    draft = RecordDraft("positions", place)
    mmsi = f"{said['mmsi']:09d}"
    draft.put("journey_id", Value(journey_of_ship(mmsi), place, elements))
    draft.put("observed_at", heard_at)
    for name, field_name in (("latitude", "lat"), ("longitude", "lon")):
        degrees = said.get(field_name)
        if degrees is not None and abs(degrees) < _NOT_AVAILABLE[field_name]:
            draft.put(name, Value(float(degrees), place))
    for name, content in (
        ("speed_kn", _speed(said)),
        ("course_degrees", _course(said)),
        ("error_radius_m", _ACCURATE_M if said.get("accuracy") else None),
        ("is_distress", True if _is_distress(said, mmsi) else None),
    ):
        if content is not None:
            draft.put(name, Value(content, place))
    return draft.put("source", Value("ais", place))


def _speed(said: dict[str, Any]) -> float | None:
    """Speed over ground; the greatest that a message can hold means that none is known."""
    speed = said.get("speed")
    none = {27: 63, 9: 1023}.get(said["msg_type"], 102.3)
    return None if speed is None or speed >= none else float(speed)


def _course(said: dict[str, Any]) -> float | None:
    course = said.get("course")
    return float(course) if course is not None and 0 <= course < 360 else None


def _is_distress(said: dict[str, Any], mmsi: str) -> bool:
    return mmsi.startswith(_SEARCH_AND_RESCUE) or said.get("status") == _NAV_STATUS_SART
