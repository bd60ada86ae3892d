"""Read the transport of a message (TDT) as a journey, with the id that its events refer to."""

import re

from features.messages.codes import MODES
from features.messages.edifact_segments import Message, Segment, first_segment
from features.messages.edifact_values import (
    agency_number,
    first_date,
    first_party,
    location_place,
    when,
)
from features.messages.element import Element
from features.messages.message_reading import MessageReading, plain_id
from features.messages.record_drafts import RecordDraft, Value
from features.records import ConveyanceKind, Mode

_CALL_SIGN, _IMO = "103", "146"
_KINDS: dict[str, ConveyanceKind] = {
    # UNTDID 8179, and Recommendation 28 for kinds of means.
    **dict.fromkeys(("31", "32", "33", "34"), "truck"),
    **dict.fromkeys(("6", "40", "41", "42", "43"), "aircraft"),
    **dict.fromkeys(("25", "23", "24"), "train"),
    **dict.fromkeys(("151", "1511", "1512"), "container_ship"),
    **dict.fromkeys(("150", "1501", "152"), "general_cargo"),
    **dict.fromkeys(("153", "154", "1531"), "tanker"),
}
_MODES_OF_MEANS: dict[str, Mode] = {
    **dict.fromkeys(("31", "32", "33", "34"), "road"),
    **dict.fromkeys(("6", "40", "41", "42", "43"), "air"),
    **dict.fromkeys(("25", "23", "24"), "rail"),
    **dict.fromkeys(("11", "13", "150", "151", "152", "153", "154"), "sea"),
}
# The kind of a ship does not follow from its mode.
_OF_MODES: dict[str, ConveyanceKind] = {"road": "truck", "air": "aircraft", "rail": "train"}


def main_transport(segments: list[Segment]) -> Segment | None:
    """Return the transport of the main carriage (qualifier 20), else the first one."""
    return first_segment(segments, "TDT", "20") or first_segment(segments, "TDT")


def journey_id(transport: Segment | None) -> Value | None:
    """Return the journey id: the number of the ship, vehicle or flight and the voyage number."""
    if transport is None:
        return None
    conveyance, voyage = _conveyance(transport), transport.at(2)
    parts = [each for each in (conveyance, voyage) if each is not None]
    if not parts:
        return None
    content = plain_id("/".join(each.text for each in parts))
    return Value(content, transport.place, tuple(parts))


def keep_journey(message: Message, reading: MessageReading, kind: ConveyanceKind | None) -> None:
    """Store the journey of a message; `kind` is the conveyance that the message type implies."""
    transport = main_transport(message.segments)
    if transport is None:
        return
    own = _around(message, transport)
    mode = _mode(transport, kind)
    draft = RecordDraft("journeys", transport.place)
    draft.put("journey_id", journey_id(transport)).put("mode", mode)
    carrier = first_party(message.segments, reading, "CA")
    operator = reading.party(agency_number(transport.at(5), transport.text_at(5, 3)))
    draft.put("carrier_id", operator, carrier)
    conveyance = _conveyance(transport)
    draft.put("conveyance_id", reading.id(conveyance))
    draft.put("conveyance_kind", _kind(transport, mode, kind))
    _put_ids(draft, transport, reading)
    for name, qualifiers in (
        ("origin", ("5", "9", "125", "76")),
        ("destination", ("61", "8", "11", "60", "129")),
    ):
        draft.put(name, location_place(first_segment(own, "LOC", *qualifiers), reading))
    declared = when(message.first("DTM", "137"), reading)
    draft.put("declared_at", declared, reading.received_at)
    draft.put("departed_at", first_date(own, reading, "136", "186"))
    draft.put("due_at", first_date(own, reading, "132", "178", "252"))
    reading.keep(draft)


def _around(message: Message, transport: Segment) -> list[Segment]:
    """Return the header segments that may describe a transport."""
    ends = ("CNI", "GID", "EQD", "UNS")
    start = message.segments.index(transport)
    own = []
    for each in message.segments[start:]:
        # A bay plan lists stowage positions in LOC segments, which are no places of the journey.
        is_stowage = each.tag == "LOC" and each.text_at(1) == "147"
        if each.tag in ends or is_stowage:
            break
        own.append(each)
    return [*own, *message.segments[:start]]


def _conveyance(transport: Segment) -> Element | None:
    return transport.at(8) or transport.at(8, 4)


def _mode(transport: Segment, kind: ConveyanceKind | None) -> Value | None:
    code = transport.at(3)
    if code is not None and code.text in MODES:
        return Value(MODES[code.text], code.place, (code,))
    means = transport.at(4)
    if means is not None and means.text in _MODES_OF_MEANS:
        return Value(_MODES_OF_MEANS[means.text], means.place, (means,))
    return Value("sea", transport.place) if kind == "container_ship" else None


def _kind(transport: Segment, mode: Value | None, implied: ConveyanceKind | None) -> Value | None:
    means = transport.at(4)
    if means is not None and means.text in _KINDS:
        return Value(_KINDS[means.text], means.place, (means,))
    if mode is not None and mode.content in _OF_MODES:
        return Value(_OF_MODES[mode.content], mode.place)
    return Value(implied, transport.place) if implied else None


def _put_ids(draft: RecordDraft, transport: Segment, reading: MessageReading) -> None:
    number, scheme = transport.at(8), transport.text_at(8, 2)
    if number is None:
        return
    # Some senders write the prefix.
    digits = number.text.removeprefix("IMO").strip()
    if scheme == _IMO or re.fullmatch(r"[0-9]{7}", digits):
        draft.put("imo_number", Value(digits, number.place, (number,)))
    elif scheme == _CALL_SIGN:
        draft.put("call_sign", Value(number.text, number.place, (number,)))
    flag = reading.country(transport.at(8, 5)) if len(transport.text_at(8, 5)) == 2 else None
    draft.put("registration_country", flag)
