"""Read BAPLIE as the voyage of a container ship; COARRI and CODECO as container moves.

A move belongs to the shipment of its transport document or booking, else to the voyage. A bay plan
also has the stowage positions of containers, for which records have no field.
"""

from features.errors import MessageRefused
from features.messages.edifact_segments import Message, first_segment, segment_groups
from features.messages.edifact_transport import journey_id, keep_journey, main_transport
from features.messages.edifact_values import first_date, location_place, reference, with_qualifier
from features.messages.message_reading import MessageReading, plain_id
from features.messages.record_drafts import RecordDraft, Value
from features.records import EventKind

# UNTDID 1001 codes as used in SMDG's guides, and those of later directories.
_MOVES: dict[str, dict[str, EventKind]] = {
    "COARRI": {
        **dict.fromkeys(("44", "98", "119"), "discharged"),
        **dict.fromkeys(("46", "122", "270"), "loaded"),
    },
    "CODECO": {"34": "gate_in", "35": "gate_out", "36": "gate_out"},
}
_MAX_OF_HEADER = 50
# Date qualifiers, from the most to the least specific to the move itself.
_HAPPENED = ("203", "7", "334", "186", "178", "137")


def keep_bay_plan(message: Message, reading: MessageReading) -> None:
    """Store the voyage of a bay plan. Raises MessageRefused if it has no transport."""
    if main_transport(message.segments) is None:
        raise MessageRefused(message.head.place, "want TDT")
    keep_journey(message, reading, "container_ship")


def keep_moves(message: Message, reading: MessageReading) -> None:
    """Store an event for each container of a report."""
    begin = message.first("BGM") or message.head
    moves = _MOVES[message.name]
    if first_segment(message.segments, "EQD") is None:
        raise MessageRefused(message.head.place, "want EQD")
    if begin.text_at(1) not in moves:
        reading.refuse("events", begin.place, "no kind of event that records have")
        return
    kind = Value(moves[begin.text_at(1)], begin.place)
    transport = main_transport(message.segments)
    voyage = journey_id(transport)
    reported = first_date(message.segments[:_MAX_OF_HEADER], reading, *_HAPPENED)
    for group in segment_groups(message.segments, "EQD"):
        head = group[0]
        draft = RecordDraft("events", head.place).put("kind", kind)
        named = reference(group, "BM", "BH", "MB", "BN")
        if named is not None:
            draft.put("subject_kind", Value("shipment", named.place))
            draft.put("subject_id", with_qualifier(reading.id(named.at(1, 2)), named))
        elif voyage is not None:
            draft.put("subject_kind", Value("route", voyage.place)).put("subject_id", voyage)
        draft.put("container_number", with_qualifier(reading.container(head.at(2)), head))
        draft.put("known_at", reading.received_at)
        where = first_segment(group, "LOC", "165", "9" if kind.content == "loaded" else "11")
        draft.put("place", location_place(where, reading))
        draft.put("occurred_at", first_date(group, reading, *_HAPPENED), reported)
        if (number := head.at(2)) is not None:
            # A report has no id for each move: build one of the report, the kind and the container.
            identity = plain_id(f"{begin.text_at(2)}:{kind.content}:{number.text}")
            draft.put("event_id", Value(identity, number.place, (number,)))
        reading.keep(draft)
