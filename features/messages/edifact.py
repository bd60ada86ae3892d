"""Read UN/EDIFACT interchanges: cargo reports, instructions, bay plans and container moves.

Passenger lists are refused unread because they describe persons. Other message types are accepted
but create no records.
"""

from collections.abc import Callable

from features.errors import MessageRefused
from features.messages.conversion import Conversion
from features.messages.edifact_cargo import keep_cargo
from features.messages.edifact_containers import keep_bay_plan, keep_moves
from features.messages.edifact_grammar import check_segment_texts
from features.messages.edifact_segments import Message, Segment, first_segment, read_interchange
from features.messages.edifact_values import when
from features.messages.functions import OF_EDIFACT
from features.messages.message_reading import MessageReading
from features.messages.options import Options

_READERS: dict[str, Callable[[Message, MessageReading], None]] = {
    **dict.fromkeys(("CUSCAR", "IFTMIN", "IFTMCS", "IFTMAN", "IFTMBC"), keep_cargo),
    **dict.fromkeys(("COARRI", "CODECO"), keep_moves),
    "BAPLIE": keep_bay_plan,
}
# Message types about passengers and patients.
_OF_PERSONS = ("PAXLST", "PNRGOV", "MEDPID", "MEDREF")


def read_edifact(message: bytes, options: Options) -> Conversion:
    """Return the records of all messages of an interchange; one invalid message refuses all."""
    messages, segments = read_interchange(message, options.bounds)
    check_segment_texts(segments)
    reading = MessageReading("edifact", options)
    reading.kind = " ".join(dict.fromkeys(f"{each.name} {each.version}" for each in messages))
    _read_header(first_segment(segments, "UNB"), messages, reading)
    for each in messages:
        # Refuse the whole interchange, so that nothing about a person is stored with it.
        if each.name in _OF_PERSONS:
            raise MessageRefused(each.head.place, "want no message about persons")
        begin = each.first("BGM")
        if begin is None:
            raise MessageRefused(each.head.place, "want BGM")
        reading.read(*each.head.leaves(), *(x for x in begin.leaves() if x is not begin.at(3)))
        sent = each.first("DTM", "137")
        reading.sent_at(when(sent, reading) if sent is not None else None)
        reader = _READERS.get(each.name)
        if reader and reading.take_function(begin.at(3), OF_EDIFACT):
            reader(each, reading)
    for trailer in segments:
        if trailer.tag in ("UNG", "UNE", "UNT", "UNZ"):
            reading.read(*trailer.leaves())
    return reading.conversion(leaf for segment in segments for leaf in segment.leaves())


def _read_header(header: Segment | None, messages: list[Message], reading: MessageReading) -> None:
    if header is None:
        reading.message_id = messages[0].head.text_at(1)
        return
    reading.message_id = header.text_at(5)
    day, clock = header.at(4), header.at(4, 2)
    reading.read(*header.leaves())
    if day is not None and clock is not None:
        written_as = "203" if len(day.text) == 8 else "201"
        stamp = type(day)(day.name, day.place, day.path, day.text + clock.text)
        # The header's date is only used if no message has a date of its own.
        if messages and all(each.first("DTM", "137") is None for each in messages):
            reading.sent_at(reading.digits_of_time(stamp, written_as))
