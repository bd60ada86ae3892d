"""Read CUSCAR and IFTM messages as shipments, goods items, documents and a journey.

A CUSCAR lists consignments (CNI), each with its transport documents; an instruction (IFTMIN) or
contract status (IFTMCS) covers a single consignment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from features.errors import MessageRefused
from features.messages.codes import DOCUMENTS
from features.messages.edifact_segments import Message, Segment, first_segment, segment_groups
from features.messages.edifact_transport import journey_id, keep_journey, main_transport
from features.messages.edifact_values import (
    control_total,
    decimal_point,
    first_party,
    location_country,
    measure,
    reference,
    when,
    with_qualifier,
)
from features.messages.field_tables import (
    commodity,
    keep_item,
    prefixed,
    put_heading,
    sum_of_values,
)
from features.messages.functions import DELETION_OF_PARTS
from features.messages.message_reading import MessageReading
from features.messages.record_drafts import RecordDraft, Value
from features.records import DocumentKind

_BILLS: dict[str, DocumentKind] = {
    "BM": "bill_of_lading",
    "BH": "bill_of_lading",
    "MB": "bill_of_lading",
    "AWB": "air_waybill",
    "HWB": "air_waybill",
    "MWB": "air_waybill",
}
_NOTIFY, _FORWARDER, _DECLARANT = ("NI", "N1", "N2"), ("FW", "FF"), ("DT", "AE", "AM")
# LOC qualifiers in order of preference.
_FROM, _TO = ("35", "10", "88", "5", "9"), ("28", "36", "20", "7", "8", "11")
_PARTS = ("GID", "EQD")
_MAX_CONSIGNMENTS = 9_999  # limit of the CUSCAR segment table
# Bounds the search for header segments, which runs once per consignment.
_MAX_OF_HEADER = 200


@dataclass
class Consignment:
    """One consignment: its general segments, its goods groups and its equipment groups."""

    head: Segment
    own: list[Segment]
    goods: list[list[Segment]]
    equipment: list[list[Segment]]

    @property
    def segments(self) -> list[Segment]:
        """Return all general and goods segments."""
        return [*self.own, *(each for group in self.goods for each in group)]


def keep_cargo(message: Message, reading: MessageReading) -> None:
    """Store the records of a cargo report, an instruction or a contract status."""
    keep_journey(message, reading, None)
    # One more than allowed shows the excess without building all of them.
    consignments = list(islice(_consignments(message), _MAX_CONSIGNMENTS + 1))
    if len(consignments) > _MAX_CONSIGNMENTS:
        wanted = f"want at most {_MAX_CONSIGNMENTS:,} consignments"
        raise MessageRefused(consignments[-1].head.place, wanted)
    if message.name == "CUSCAR":
        _keep_manifest(message, reading)
    if not consignments and reading.function == "withdraws":
        reading.refuse("shipments", message.head.place, "it names no consignment to withdraw")
    for consignment in consignments:
        identity = _identity(message, consignment, reading)
        is_declared = _keep_shipment(message, consignment, identity, reading)
        _keep_document(message, consignment, identity, reading)
        _keep_goods(consignment, identity, reading, is_declared=is_declared)


def _consignments(message: Message) -> Iterator[Consignment]:
    if message.name != "CUSCAR":
        begin = message.first("BGM") or message.head
        yield _consignment(begin, message.segments)
        return
    reported = list(segment_groups(message.segments, "CNI"))
    for inside in reported:
        is_bill = (each.tag == "RFF" and each.text_at(1) == "BM" for each in inside)
        starts = [at for at, it_is in enumerate(is_bill) if it_is]
        # One CNI may cover several documents; each RFF+BM then begins a consignment of its own.
        if len(starts) < 2:
            # With a single consignment, the segments of the header describe it too.
            header = _header(message) if len(reported) == 1 else []
            yield _consignment(inside[0], [*inside[:1], *header, *inside[1:]])
            continue
        for start, end in pairwise([*starts, len(inside)]):
            yield _consignment(inside[start], inside[start:end])


def _consignment(head: Segment, segments: list[Segment]) -> Consignment:
    first = next((at for at, each in enumerate(segments) if each.tag in _PARTS), len(segments))
    parts = list(segment_groups(segments[first:], *_PARTS))
    return Consignment(
        head,
        segments[:first],
        [group for group in parts if group[0].tag == "GID"],
        [group for group in parts if group[0].tag == "EQD"],
    )


def _identity(message: Message, consignment: Consignment, reading: MessageReading) -> Value | None:
    """Return the id of a consignment: of its transport document, else its booking or message."""
    found = reference(consignment.own, *_BILLS)
    if found is not None:
        return with_qualifier(reading.id(found.at(1, 2)), found)
    if consignment.head.tag == "CNI" and consignment.head.at(2):
        return reading.id(consignment.head.at(2))
    booked = reference(consignment.own, "BN", "SI", "FF", "CU")
    if booked is not None:
        return with_qualifier(reading.id(booked.at(1, 2)), booked)
    begin = message.first("BGM")
    return reading.id(begin.at(2)) if begin is not None and message.name != "CUSCAR" else None


def _keep_manifest(message: Message, reading: MessageReading) -> None:
    begin = message.first("BGM")
    voyage = journey_id(main_transport(message.segments))
    # A deletion of parts withdraws consignments, not the manifest itself.
    if begin is None or begin.at(2) is None or begin.text_at(3) == DELETION_OF_PARTS:
        return
    draft = RecordDraft("documents", begin.place)
    draft.put("kind", Value("manifest", begin.place))
    number = begin.at(2)
    draft.put("document_id", prefixed("manifest", reading.id(number)))
    draft.put("number", reading.number_of_document(number))
    draft.put("subject_kind", Value("route", begin.place)).put("subject_id", voyage)
    draft.put("issuer_id", first_party(message.segments, reading, "CA", "MS"))
    draft.put("issued_at", when(message.first("DTM", "137"), reading))
    draft.put("received_at", reading.received_at)
    reading.keep(draft)


def _keep_shipment(
    message: Message, consignment: Consignment, identity: Value | None, reading: MessageReading
) -> bool:
    everywhere = [*consignment.own, *_header(message)]
    draft = RecordDraft("shipments", consignment.head.place)
    draft.put("shipment_id", identity)
    draft.put("journey_id", journey_id(main_transport(everywhere)))
    _put_parties(draft, everywhere, reading)
    draft.put("notify_party_id", first_party(consignment.own, reading, *_NOTIFY))
    draft.put("forwarder_id", first_party(everywhere, reading, *_FORWARDER))
    draft.put("declarant_id", first_party(everywhere, reading, *_DECLARANT))
    codes = [_code(each, reading) for each in consignment.goods]
    own = _code(consignment.own, reading)
    put_heading(draft, codes if any(codes) else [own])
    draft.put("goods_description", _description(consignment.segments, reading))
    origin = first_segment(consignment.segments, "LOC", "27")
    draft.put("origin_country", location_country(origin, reading))
    stated = [*everywhere, *consignment.segments]
    draft.put("dispatch_country", _first_country(stated, _FROM, reading))
    draft.put("destination_country", _first_country(stated, _TO, reading))
    office = first_segment(everywhere, "LOC", "22", "41", "42")
    draft.put("office_id", reading.id(office.at(2)) if office else None)
    _put_measures(draft, consignment, reading)
    _put_amount(draft, "declared_value", consignment.segments, reading)
    draft.put("declared_at", when(message.first("DTM", "137"), reading), reading.received_at)
    return reading.keep(draft)


def _keep_document(
    message: Message, consignment: Consignment, identity: Value | None, reading: MessageReading
) -> None:
    bill = reference(consignment.own, *_BILLS)
    begin = message.first("BGM")
    draft = RecordDraft("documents", consignment.head.place)
    if bill is not None:
        draft.put("kind", Value(_BILLS[bill.text_at(1)], bill.place))
        draft.put("number", reading.number_of_document(bill.at(1, 2)))
    elif begin is not None and message.name != "CUSCAR" and begin.text_at(1) in DOCUMENTS:
        draft.put("kind", Value(DOCUMENTS[begin.text_at(1)], begin.place))
        draft.put("number", reading.number_of_document(begin.at(2)))
    else:
        return  # an instruction, or a consignment without a document
    draft.put("document_id", prefixed("bl", identity))
    draft.put("subject_kind", Value("shipment", draft.place))
    draft.put("subject_id", identity)
    draft.put("issuer_id", first_party([*consignment.own, *_header(message)], reading, "CA"))
    draft.put("received_at", reading.received_at)
    _put_parties(draft, consignment.own, reading)
    _put_measures(draft, consignment, reading)
    _put_amount(draft, "value", consignment.segments, reading)
    reading.keep(draft)


def _header(message: Message) -> list[Segment]:
    """Return the segments before the first consignment."""
    start = message.segments[:_MAX_OF_HEADER]
    at = next((i for i, each in enumerate(start) if each.tag in ("CNI", *_PARTS)), None)
    return start[:at]


def _put_parties(draft: RecordDraft, segments: list[Segment], reading: MessageReading) -> None:
    draft.put("consignor_id", first_party(segments, reading, "CZ", "SH", "EX", "SU"))
    draft.put("consignee_id", first_party(segments, reading, "CN", "IM", "BY"))


def _first_country(
    segments: list[Segment], qualifiers: tuple[str, ...], reading: MessageReading
) -> Value | None:
    places = {each.text_at(1): each for each in reversed(segments) if each.tag == "LOC"}
    for qualifier in qualifiers:
        if found := location_country(places.get(qualifier), reading):
            return found
    return None


def _put_measures(draft: RecordDraft, consignment: Consignment, reading: MessageReading) -> None:
    goods, own = consignment.goods, consignment.own
    is_document = draft.record_type == "documents"
    # A total of the consignment takes precedence over the sum of its items.
    gross = measure(own, reading, "gross") or control_total(own, reading, "7", "mass")
    draft.put(
        "gross_mass_kg", gross, sum_of_values([measure(each, reading, "gross") for each in goods])
    )
    if not is_document:
        net = sum_of_values([measure(each, reading, "net") for each in goods])
        draft.put("net_mass_kg", measure(own, reading, "net"), net)
        volume = measure(own, reading, "volume") or control_total(own, reading, "15", "volume")
        cubes = sum_of_values([measure(each, reading, "volume") for each in goods])
        draft.put("volume_m3", volume, cubes)
    counted = control_total(own, reading, "11", "count") or control_total(
        own, reading, "8", "count"
    )
    draft.put("packages", counted, sum_of_values([_packages(each, reading) for each in goods]))
    containers = [each.at(1) for group in goods for each in group if each.tag == "SGP"]
    containers += [group[0].at(2) for group in consignment.equipment if group[0].text_at(1) == "CN"]
    draft.put("container_number", *(reading.container(each) for each in containers))
    seals = [each.at(1) for group in consignment.equipment for each in group if each.tag == "SEL"]
    draft.put("seal_number", *(reading.number_of_document(each) for each in seals))


def _packages(group: list[Segment], reading: MessageReading) -> Value | None:
    return reading.count(group[0].at(2) or next((e.at(1) for e in group if e.tag == "PAC"), None))


def _put_amount(
    draft: RecordDraft, name: str, segments: list[Segment], reading: MessageReading
) -> None:
    amount = first_segment(segments, "MOA", "40", "44", "43", "39", "77")
    if amount is None or amount.at(1, 3) is None:
        return
    value = reading.decimal(decimal_point(amount.at(1, 2)), "an amount")
    draft.put(name, with_qualifier(value, amount))
    draft.put("currency", reading.currency(amount.text_at(1, 3), amount.at(1, 3)))


def _description(segments: list[Segment], reading: MessageReading) -> Value | None:
    words = [each for each in segments if each.tag == "FTX" and each.text_at(1) == "AAA"]
    lines = [line for each in words for part in range(1, 6) if (line := each.at(4, part))]
    value = reading.texts(lines)
    return with_qualifier(value, words[0]) if words else value


def _code(group: list[Segment], reading: MessageReading) -> Value | None:
    """Return the commodity code of goods from a PIA or CST segment, or from a reference."""
    for each in group:
        found = None
        if (each.tag == "PIA" and (each.text_at(2, 2) in ("HS", ""))) or each.tag == "CST":
            found = each.at(2)
        elif each.tag in ("RFF", "DOC") and each.text_at(1) in ("HS", "ABD"):
            found = each.at(1, 2)
        # These segments may also hold other numbers than commodity codes.
        if found is not None and re.fullmatch(r"[0-9. ]{6,13}", found.text):
            return commodity(reading, found)
    return None


def _keep_goods(
    consignment: Consignment, identity: Value | None, reading: MessageReading, *, is_declared: bool
) -> None:
    for position, group in enumerate(consignment.goods, start=1):
        draft = RecordDraft("goods_items", group[0].place)
        draft.put("shipment_id", identity).put("commodity_code", _code(group, reading))
        draft.put("description", _description(group, reading))
        draft.put("origin_country", location_country(first_segment(group, "LOC", "27"), reading))
        draft.put("gross_mass_kg", measure(group, reading, "gross"))
        draft.put("net_mass_kg", measure(group, reading, "net"))
        draft.put("packages", _packages(group, reading))
        keep_item(draft, position, reading, is_declared=is_declared)
