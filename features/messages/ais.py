"""Decode AIS positions from NMEA 0183 sentences with pyais.

AIS identifies a ship, not a journey. A position therefore gets the journey `mmsi-` followed by the
ship's number until a user links it to a declared journey (`ship_of`). A sentence holds no date: the
date comes from a tag block (`\\c:`), from a preceding `$PGHP` sentence or from the options.

Each sentence is refused on its own if it cannot be decoded; a text without any AIS sentence is
refused as a whole. Messages of base stations and aids to navigation and the static data of ships
are reported as left over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from operator import xor
from typing import Any

from features.errors import MessageRefused
from features.messages.conversion import GIVEN, Conversion, MadeRecord
from features.messages.decoding import text_of
from features.messages.element import Element
from features.messages.message_reading import MessageReading
from features.messages.options import Bounds, Options
from features.messages.record_drafts import RecordDraft, Value

_SENTENCE = re.compile(r"![A-Z-]{2}VD[MO],(\d),(\d),(\d?),([^,]{0,2}),([^,*]*),\d\*[0-9A-Fa-f]{2}")
_TAGS = re.compile(r"\\([^\\]{1,200})\\")
_TIME_TAG = re.compile(r"(?:^|,)c:(\d{10}|\d{13})(?:[,*]|$)")
_PGHP = re.compile(r"\$PGHP,1,(\d{4}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,2}),")
_OF_SHIPS = (1, 2, 3, 9, 18, 19, 27)
# Minimum number of bits of each message type; some senders omit spare bits at the end.
_BITS = {**dict.fromkeys((1, 2, 3, 9, 18), 144), 19: 288, 27: 90}
_BITS_OF_SIGN = 6
_ARMOURED = re.compile(r"[0-W`-w]+")
_WHOLE_PAYLOAD = "want a payload that is whole"
# MMSI prefixes of search and rescue transmitters, AIS-SART, man overboard and EPIRB.
_SEARCH_AND_RESCUE = ("970", "972", "974")
_NAV_STATUS_SART = 14
_NO_JOURNEY = "mmsi-"
_ACCURATE_M = 10.0
# ITU-R M.1371 reserves these values, outside the valid range, for "not available".
_NOT_AVAILABLE = {"lat": 91.0, "lon": 181.0}
# Incomplete multi-part messages held at a time, so that lost parts cannot fill memory.
_MAX_WAITING = 100


@dataclass
class _Parts:
    """The sentences of one multi-part message received so far."""

    total: int
    elements: dict[int, Element] = field(default_factory=dict)
    heard_at: Value | None = None


def read_ais(message: bytes, options: Options) -> Conversion:
    """Return the ship positions of a text of AIS sentences, with what was refused or left over.

    Raises MessageRefused if the text has no AIS sentence or none can be decoded.
    """
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
        # If no sentence can be read, the text itself is damaged, not the radio reception.
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
    """Yield complete messages with the time of reception; refuse those with missing parts."""
    heard_at = reading.options.heard_at
    given = Value(heard_at, GIVEN) if heard_at is not None else None
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
        heard = stamp or before or given
        # A date sentence applies only to the sentence that follows it.
        before = None
        total, part = int(found[1]), int(found[2])
        if total == 1:
            yield _Parts(1, {1: line}, heard)
            continue
        parts = _of_the_same(found, waiting, heard, reading)
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
    """Return the message that a part belongs to; refuse an incomplete one with the same id.

    There are only ten ids: a first part, or another total, means that the id is used again.
    """
    key, total = (found[3], found[4]), int(found[1])
    if key in waiting and (int(found[2]) == 1 or waiting[key].total != total):
        _refuse_incomplete(waiting.pop(key), reading)
    return waiting.setdefault(key, _Parts(total, heard_at=heard_at))


def _refuse_incomplete(parts: _Parts, reading: MessageReading) -> None:
    first = min(parts.elements.values(), key=lambda element: element.line or 0)
    reading.refuse("positions", first.place, f"want {parts.total} sentences of this message")


def _stamp(line: Element) -> Value | None:
    """Return the time of reception that a line states, or None if it states none or is damaged."""
    if "\\" in line.text and (tags := _TAGS.search(line.text)):
        if not _has_own_checksum(tags[1]):
            return None
        if tagged := _TIME_TAG.search(tags[1]):
            # Thirteen digits are milliseconds, ten are seconds.
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
    """Return whether the checksum of a tag block matches; True if it has none."""
    block, _, checksum = tags.rpartition("*")
    return not block or f"{reduce(xor, block.encode(), 0):02X}" == checksum.upper()


def _keep_position(parts: _Parts, reading: MessageReading) -> bool:
    """Store the position of a message, if it has one; return False if it cannot be decoded."""
    # Imported here because pyais is needed only when a message of AIS is read.
    from pyais import decode
    from pyais.exceptions import AISBaseException, InvalidNMEAChecksum

    ordered = [parts.elements[part] for part in sorted(parts.elements)]
    first = ordered[0]
    sentences = [_SENTENCE.search(each.text) for each in ordered]
    try:
        decoded = decode(*(each[0] for each in sentences if each), error_if_checksum_invalid=True)
        fields: dict[str, Any] = decoded.asdict(enum_as_int=True)
    except AISBaseException as error:
        is_damaged = type(error) is InvalidNMEAChecksum
        wanted = "the checksum of its sentence" if is_damaged else "a sentence that can be read"
        reading.refuse("positions", first.place, f"want {wanted}")
        return False
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, AssertionError):
        # pyais raises these for a payload that is truncated or not in the AIS character encoding.
        reading.refuse("positions", first.place, _WHOLE_PAYLOAD)
        return False
    payload = "".join(each[5] for each in sentences if each)
    # pyais also decodes payloads that are too short.
    shortest = _BITS.get(fields["msg_type"], 0)
    if not _ARMOURED.fullmatch(payload) or len(payload) * _BITS_OF_SIGN < shortest:
        reading.refuse("positions", first.place, _WHOLE_PAYLOAD)
        return False
    if fields.get("msg_type") not in _OF_SHIPS:
        for element in ordered:
            reading.leave(element, f"message {fields.get('msg_type')} tells no position of a ship")
        return True
    reading.keep(_draft(fields, tuple(ordered), parts.heard_at))
    return True


def journey_of_ship(mmsi: str) -> str:
    """Return the placeholder journey id of a ship whose declared journey is not known."""
    return f"{_NO_JOURNEY}{mmsi}"


def number_in(journey_id: str) -> str | None:
    """Return the MMSI in a placeholder journey id; None for any other id."""
    mmsi = journey_id.removeprefix(_NO_JOURNEY)
    return mmsi if mmsi != journey_id else None


def ship_of(made: MadeRecord) -> str | None:
    """Return the MMSI of the ship that a position is of.

    None for a distress beacon, and for a position that is already linked to a journey.
    """
    if made.record_type != "positions":
        return None
    mmsi = number_in(str(made.fields.get("journey_id")))
    return None if mmsi is None or mmsi.startswith(_SEARCH_AND_RESCUE) else mmsi


def _draft(
    fields: dict[str, Any], elements: tuple[Element, ...], heard_at: Value | None
) -> RecordDraft:
    place = elements[0].place
    draft = RecordDraft("positions", place)
    mmsi = f"{fields['mmsi']:09d}"
    draft.put("journey_id", Value(journey_of_ship(mmsi), place, elements))
    draft.put("observed_at", heard_at)
    for name, field_name in (("latitude", "lat"), ("longitude", "lon")):
        degrees = fields.get(field_name)
        if degrees is not None and abs(degrees) < _NOT_AVAILABLE[field_name]:
            draft.put(name, Value(float(degrees), place))
    is_distress = mmsi.startswith(_SEARCH_AND_RESCUE) or fields.get("status") == _NAV_STATUS_SART
    for name, content in (
        ("speed_kn", _speed(fields)),
        ("course_degrees", _course(fields)),
        ("error_radius_m", _ACCURATE_M if fields.get("accuracy") else None),
        ("is_distress", True if is_distress else None),
    ):
        if content is not None:
            draft.put(name, Value(content, place))
    return draft.put("source", Value("ais", place))


def _speed(fields: dict[str, Any]) -> float | None:
    """Return the speed over ground in knots; None if it is the reserved value "not available"."""
    speed = fields.get("speed")
    none = {27: 63, 9: 1023}.get(fields["msg_type"], 102.3)
    return None if speed is None or speed >= none else float(speed)


def _course(fields: dict[str, Any]) -> float | None:
    course = fields.get("course")
    return float(course) if course is not None and 0 <= course < 360 else None
