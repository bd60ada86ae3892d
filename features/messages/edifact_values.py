"""Read dates, places, measures, references and parties from segments."""

from collections.abc import Iterable, Iterator

from features.messages.edifact_segments import Segment, first_segment
from features.messages.element import Element
from features.messages.message_reading import MessageReading
from features.messages.parties import PartyNumber, party_numbers, scheme_number
from features.messages.record_drafts import Value
from features.messages.written_values import FORMATS_OF_TIME
from features.reference.geography.places import country as country_of_place

# The standard allows the format code to be omitted; the length then tells the format.
_FORMAT_OF_LENGTH = {6: "101", 8: "102", 12: "203", 14: "204"}
# UNTDID 3055 agency codes, by the names that other standards use for the same agencies.
_AGENCIES = {"3": "IATA", "166": "NMFTA", "306": "SMDG"}
_TAX = {"VA": "vat", "AHP": "vat", "FC": "vat", "EOR": "eori", "XA": "register"}


def when(segment: Segment | None, reading: MessageReading) -> Value | None:
    """Return the instant of a DTM segment, by its format code; None if the format is unknown."""
    if segment is None:
        return None
    stamp = segment.at(1, 2)
    if stamp is None:
        return None
    written_as = segment.text_at(1, 3) or _FORMAT_OF_LENGTH.get(len(stamp.text), "")
    if written_as not in FORMATS_OF_TIME:
        reading.leave(stamp, "the format of the date is not known")
        return None
    return with_qualifier(reading.digits_of_time(stamp, written_as), segment)


def first_date(segments: list[Segment], reading: MessageReading, *qualifiers: str) -> Value | None:
    """Return the instant of the first DTM that has the earliest of the qualifiers."""
    return when(first_segment(segments, "DTM", *qualifiers), reading)


def location_place(segment: Segment | None, reading: MessageReading) -> Value | None:
    """Return the place of a LOC segment, by its code."""
    value = reading.place(segment.at(2)) if segment is not None else None
    return with_qualifier(value, segment) if segment is not None else None


def location_country(segment: Segment | None, reading: MessageReading) -> Value | None:
    """Return the country of a LOC segment: a two-letter code, or the country of its place."""
    if segment is None or segment.at(2) is None:
        return None
    if len(segment.text_at(2)) == 2:
        return with_qualifier(reading.country(segment.at(2)), segment)
    value = reading.place(segment.at(2))
    if value is None:
        return None
    code = str(value.content)
    known = country_of_place(code) or (code[:2] if len(code) == 5 else None)
    if known is None:
        return None
    # Check the derived code as if the message had stated it.
    return with_qualifier(reading.country(segment.at(2), known), segment)


def measure(segments: list[Segment], reading: MessageReading, kind: str) -> Value | None:
    """Return the first measure of a kind (gross, net, volume), in kilograms or cubic metres."""
    for each in segments:
        if each.tag == "MEA" and _kind_of_measure(each) == kind:
            read = reading.volume_m3 if kind == "volume" else reading.mass_kg
            return with_qualifier(read(decimal_point(each.at(3, 2)), each.text_at(3) or "-"), each)
    return None


def control_total(
    segments: list[Segment], reading: MessageReading, qualifier: str, kind: str
) -> Value | None:
    """Return a control total: a mass in kg, a volume in cubic metres or a count."""
    total = first_segment(segments, "CNT", qualifier)
    if total is None:
        return None
    figure = decimal_point(total.at(1, 2))
    if kind == "count":
        return with_qualifier(reading.count(figure), total)
    # A CNT without a unit is in kilograms or cubic metres.
    unit = total.text_at(1, 3) or ("MTQ" if kind == "volume" else "KGM")
    read = reading.volume_m3 if kind == "volume" else reading.mass_kg
    return with_qualifier(read(figure, unit), total)


def _kind_of_measure(segment: Segment) -> str:
    purpose, dimension = segment.text_at(1), segment.text_at(2)
    if dimension in ("G", "AAB", "AAD", "WT") or (purpose in ("WT", "VGM", "G") and not dimension):
        return "gross"
    if dimension in ("N", "AAA", "AAC") or (purpose == "N" and not dimension):
        return "net"
    if dimension in ("AAW", "AAX", "ABJ") or purpose in ("VOL", "AAW"):
        return "volume"
    return ""


def decimal_point(element: Element | None) -> Element | None:
    """Change a decimal comma, which ISO 9735 also allows, to a point; the element is modified."""
    if element is not None and element.text.count(",") == 1 and "." not in element.text:
        element.text = element.text.replace(",", ".")
    return element


def reference(segments: Iterable[Segment], *qualifiers: str) -> Segment | None:
    """Return the first RFF that has the earliest of the qualifiers and a number."""
    return first_segment([each for each in segments if each.at(1, 2)], "RFF", *qualifiers)


def with_qualifier(value: Value | None, segment: Segment) -> Value | None:
    """Return a value that also lists the qualifiers of its segment among its source elements."""
    if value is None:
        return None
    elements = (*value.elements, *_qualifiers(segment))
    return Value(value.content, value.place, elements, value.is_pseudonym)


def _qualifiers(segment: Segment) -> tuple[Element, ...]:
    """Return the qualifier, unit and code list of a segment's value."""
    qualifiers = {
        "DTM": ((1, 1), (1, 3)),
        "LOC": ((1, 1), (2, 2), (2, 3)),
        "MEA": ((1, 1), (2, 1), (3, 1)),
        "CNT": ((1, 1), (1, 3)),
        "RFF": ((1, 1),),
        "EQD": ((1, 1), (2, 2), (2, 3)),
        "FTX": ((1, 1),),
        "MOA": ((1, 1), (1, 3)),
        "TDT": ((1, 1),),
    }
    found = (segment.at(*where) for where in qualifiers.get(segment.tag, ()))
    return tuple(each for each in found if each is not None)


def first_party(segments: list[Segment], reading: MessageReading, *roles: str) -> Value | None:
    """Return the pseudonym of the party in the first of the roles that is present."""
    named = first_segment(segments, "NAD", *roles)
    if named is None:
        return None
    following = segments[segments.index(named) + 1 :]
    return reading.party(_numbers(named, following))


def agency_number(number: Element | None, agency: str) -> tuple[PartyNumber, ...]:
    """Return a party number from an agency's code list; ZZZ means the sender's own list."""
    if agency in ("", "ZZZ"):
        return party_numbers("own", number)
    return party_numbers("code", number, _AGENCIES.get(agency, f"agency {agency}"))


def _numbers(named: Segment, following: Iterable[Segment]) -> Iterator[PartyNumber]:
    for each in following:
        if each.tag not in ("CTA", "COM", "RFF", "DTM", "LOC", "DOC"):
            break
        if each.tag == "RFF" and each.text_at(1) in _TAX:
            yield from party_numbers(_TAX[each.text_at(1)], each.at(1, 2), named.at(9))
    if named.text_at(2, 2).isalpha():
        yield from scheme_number(named.text_at(2, 2), named.at(2), named.at(9))
    else:
        yield from agency_number(named.at(2), named.text_at(2, 3))
    name = named.at(4) or named.at(3)
    yield from party_numbers("name", name, named.at(9))
