"""Read IATA Cargo-XML waybills (XFWB, XFZB) as air waybills, shipments and goods items.

The root element names the message: `Waybill` of `iata:waybill:1`, `HouseWaybill` of
`iata:housewaybill:1`. A house waybill is a shipment of its own, under its own number. Other
Cargo-XML messages, such as manifests and status messages, are accepted but create no records.
"""

import re
from collections.abc import Iterable, Iterator

from features.errors import MessageRefused
from features.messages.cargo_xml_parties import cargo_party
from features.messages.conversion import Conversion
from features.messages.element import Element
from features.messages.functions import OF_CARGO_XML
from features.messages.goods import commodity, keep_item, put_code, put_heading
from features.messages.grammar import (
    NUMBER,
    TRUTH,
    WHEN,
    ElementConstraint,
    amount_with,
    check_elements,
    matching,
    not_negative,
    one_of,
    with_attribute,
)
from features.messages.message_reading import MessageReading
from features.messages.options import Options
from features.messages.record_drafts import RecordDraft, Value
from features.messages.written_values import decimal_of
from features.messages.xml_tree import read_xml
from features.reference.code_lists import CODES
from features.reference.geography.places import country as country_of_place

_NAMESPACE = re.compile(r"iata:([a-z]+):\d+")
_WAYBILLS = {"Waybill": ("740", "741"), "HouseWaybill": ("703",)}
_MEASURE = with_attribute("unitCode", r"[A-Z0-9]{2,3}", "a unit")
# Constraints by name; a name with * applies to all names with that ending.
_PROMISES = {
    "*DateTime": WHEN,
    "*Indicator": TRUTH,
    "*Amount": amount_with("currencyID"),
    "*Measure": _MEASURE,
    **dict.fromkeys(("*WeightMeasure", "*VolumeMeasure"), not_negative(_MEASURE)),
    "*Quantity": matching(r"\d{1,12}(\.0*)?", "a count"),
    "*Numeric": NUMBER,
    "CountryID": ElementConstraint(
        "want a country code", lambda each: each.text in CODES["countries"]
    ),
    "ModeCode": one_of("1 2 3 4 5 6 7 8 9", "a code of a mode of transport"),
    "CompleteNumber": matching(r".{1,35}", "a number of at most 35 characters"),
}
_ENDINGS = "WeightMeasure|VolumeMeasure|DateTime|Indicator|Amount|Measure|Quantity|Numeric"
_ITEMS = ("IncludedMasterConsignmentItem", "IncludedHouseConsignmentItem")


# Mandatory elements of the header, of a consignment, and of the master of a house consignment.
_HEADER = ("ID", "TypeCode", "IssueDateTime", "PurposeCode", "VersionID")
_OF_CONSIGNMENT = (
    *("IncludedTareGrossWeightMeasure", "TotalPieceQuantity", "ConsignorParty", "ConsigneeParty"),
    *("OriginLocation", "FinalDestinationLocation"),
)
_OF_MASTER = ("TransportContractDocument", "OriginLocation", "FinalDestinationLocation")
_AIRPORT = re.compile(r"[A-Z]{3}([A-Z0-9]{2})?")
# Three digits of the airline's prefix and eight of the serial number.
_AIR_WAYBILL = re.compile(r"\d{3}[- ]?\d{8}", re.ASCII)


def read_cargo_xml(message: bytes, options: Options) -> Conversion:
    """Return the records of one waybill. Raises MessageRefused if it breaks a constraint."""
    root, namespace = read_xml(message, options.bounds)
    named = _NAMESPACE.fullmatch(namespace)
    if named is None or named[1] != root.name.lower():
        wanted = "want a message of Cargo-XML, as Waybill in iata:waybill:1"
        raise MessageRefused(root.place, wanted, root.line)
    _check_namespaces(root)
    check_elements((each for each in root.walk() if not each.children), _PROMISES, _ENDINGS)
    header = _wanted(root, "MessageHeaderDocument")
    reading = MessageReading("cargo_xml", options)
    version = header.says("VersionID")
    reading.kind = f"{root.name} {version}".strip()
    reading.message_id = _wanted(header, "ID").text
    created = _wanted(header, "IssueDateTime")
    reading.read(header.first("ID"), header.first("VersionID"), created)
    reading.sent_at(reading.instant(created))
    if root.name in _WAYBILLS:
        _read_waybill(root, header, reading)
    return reading.conversion(root.leaves())


def _check_namespaces(root: Element) -> None:
    for element in root.walk():
        if not element.namespace.startswith("iata:"):
            wanted = "want an element of iata:datamodel"
            raise MessageRefused(element.place, wanted, element.line)


def _wanted(element: Element, *paths: str) -> Element:
    found = element.first(*paths)
    if found is None:
        raise MessageRefused(element.place, f"want {paths[0]}", element.line)
    return found


def _read_waybill(root: Element, header: Element, reading: MessageReading) -> None:
    for name in _HEADER:
        _wanted(header, name)
    kind = _wanted(header, "TypeCode")
    if kind.text not in _WAYBILLS[root.name]:
        codes = " or ".join(_WAYBILLS[root.name])
        raise MessageRefused(kind.place, f"want {codes}, as of {root.name}", kind.line)
    if not reading.take_function(_wanted(header, "PurposeCode"), OF_CARGO_XML):
        return
    number = _wanted(_wanted(root, "BusinessHeaderDocument"), "ID")
    consignment = _wanted(root, "MasterConsignment")
    for movement in consignment.every("SpecifiedLogisticsTransportMovement"):
        _wanted(movement, "ModeCode")
        _wanted(movement, "ID")
    # A house waybill describes the house consignment inside its master consignment.
    house = consignment.first("IncludedHouseConsignment")
    own = house or consignment
    if root.name == "HouseWaybill" and house is None:
        wanted = "want IncludedHouseConsignment"
        raise MessageRefused(consignment.place, wanted, consignment.line)
    if root.name == "Waybill" and not _AIR_WAYBILL.fullmatch(number.text):
        wanted = "want the number of an air waybill, as 999-12345675"
        raise MessageRefused(number.place, wanted, number.line)
    _check_consignments(consignment, own)
    items = _items(own)
    for item in items:
        _check_pieces(item)
    signed = root.first("BusinessHeaderDocument/SignatoryCarrierAuthentication/ActualDateTime")
    _keep_document(own, number, kind, signed, reading)
    is_declared = _keep_shipment(own, consignment, number, items, reading)
    _keep_goods(items, number, reading, is_declared=is_declared)


def _check_consignments(master: Element, own: Element) -> None:
    """Raise MessageRefused if a consignment lacks a mandatory element or has an invalid airport."""
    for name in _OF_MASTER if own is not master else ():
        _wanted(master, name)
    for name in _OF_CONSIGNMENT:
        _wanted(own, name)
    for consignment in (master, own):
        for name in ("OriginLocation", "FinalDestinationLocation"):
            code = _wanted(_wanted(consignment, name), "ID")
            if not _AIRPORT.fullmatch(code.text):
                raise MessageRefused(code.place, "want the code of an airport", code.line)


def _check_pieces(item: Element) -> None:
    """Raise MessageRefused if the packages of an item do not add up to its pieces."""
    pieces = item.first("PieceQuantity")
    packages = item.every("TransportLogisticsPackage/ItemQuantity")
    if pieces is not None and packages:
        # Quantities were checked to be numbers before; an element without a text counts as zero.
        counted = sum(decimal_of(each.text) or 0.0 for each in packages)
        if counted != decimal_of(pieces.text):
            wanted = f"want the sum of ItemQuantity of its packages, {counted:g}"
            raise MessageRefused(pieces.place, wanted, pieces.line)


def _items(consignment: Element) -> list[Element]:
    ratings = [consignment, *consignment.every("ApplicableRating")]
    return [item for each in ratings for name in _ITEMS for item in each.every(name)]


def _keep_document(
    own: Element, number: Element, kind: Element, signed: Element | None, reading: MessageReading
) -> None:
    draft = RecordDraft("documents", own.place)
    draft.put("kind", Value("air_waybill", kind.place, (kind,)))
    draft.put("document_id", _waybill_id(number, "awb", reading))
    draft.put("number", reading.number_of_document(number))
    draft.put("subject_kind", Value("shipment", number.place))
    draft.put("subject_id", reading.id(number))
    draft.put("issued_at", reading.instant(signed)).put("received_at", reading.received_at)
    _put_parties(draft, own, reading)
    draft.put("gross_mass_kg", reading.mass_kg(own.first("IncludedTareGrossWeightMeasure")))
    draft.put("packages", reading.count(own.first("TotalPieceQuantity")))
    _put_amount(draft, "value", own, reading)
    reading.keep(draft)


def _waybill_id(number: Element, stem: str, reading: MessageReading) -> Value | None:
    value = reading.id(number)
    return value and Value(f"{stem}:{value.content}"[:64], value.place, value.elements)


def _keep_shipment(
    own: Element,
    consignment: Element,
    number: Element,
    items: Iterable[Element],
    reading: MessageReading,
) -> bool:
    draft = RecordDraft("shipments", own.place)
    draft.put("shipment_id", reading.id(number))
    _put_parties(draft, own, reading)
    codes = [code for item in items for code in _codes(item, reading)]
    put_heading(draft, codes)
    goods = [*own.every("SummaryDescription"), *_descriptions(items)]
    draft.put("goods_description", reading.texts(goods))
    origins = (item.first("OriginCountry/ID") for item in items)
    draft.put("origin_country", *(reading.country(each) for each in origins))
    for name, path in (
        ("dispatch_country", "OriginLocation/ID"),
        ("destination_country", "FinalDestinationLocation/ID"),
    ):
        draft.put(name, _country(own.first(path) or consignment.first(path), reading))
    draft.put("gross_mass_kg", reading.mass_kg(own.first("IncludedTareGrossWeightMeasure")))
    draft.put("volume_m3", reading.volume_m3(own.first("GrossVolumeMeasure")))
    draft.put("packages", reading.count(own.first("TotalPieceQuantity")))
    _put_amount(draft, "declared_value", own, reading)
    prepaid = own.first("TotalChargePrepaidIndicator")
    if prepaid is not None:
        word = "prepaid" if prepaid.text in ("true", "1") else "collect"
        draft.put("payment_type", Value(word, prepaid.place, (prepaid,)))
    draft.put("declared_at", reading.received_at)
    return reading.keep(draft)


def _put_parties(draft: RecordDraft, own: Element, reading: MessageReading) -> None:
    names = [("consignor_id", "ConsignorParty", "SHP"), ("consignee_id", "ConsigneeParty", "CNE")]
    if draft.record_type == "shipments":
        names.append(("forwarder_id", "FreightForwarderParty", "AGT"))
        notify = next(
            (
                each
                for each in own.every("AssociatedParty")
                if each.says("RoleCode") in ("NI", "NFY")
            ),
            None,
        )
        draft.put("notify_party_id", cargo_party(own, notify, "NFY", reading))
    for name, path, role in names:
        draft.put(name, cargo_party(own, own.first(path), role, reading))


def _codes(item: Element, reading: MessageReading) -> Iterator[Value]:
    """Yield the commodity codes of an item in their order in the message."""
    for element in item.every("TypeCode"):
        if code := commodity(element, reading):
            yield code


def _descriptions(items: Iterable[Element]) -> Iterator[Element]:
    for item in items:
        yield from item.every("NatureIdentificationTransportCargo/Identification")


def _country(element: Element | None, reading: MessageReading) -> Value | None:
    """Return the country of an airport, by its code."""
    place = reading.place(element)
    code = country_of_place(place.content) if place else None
    return (place and code and Value(code, place.place, place.elements)) or None


def _put_amount(draft: RecordDraft, name: str, own: Element, reading: MessageReading) -> None:
    amount = own.first("DeclaredValueForCustomsAmount", "DeclaredValueForCarriageAmount")
    if amount is not None:
        draft.put(name, reading.decimal(amount, "an amount"))
        draft.put("currency", reading.currency(amount.attributes.get("currencyID", ""), amount))


def _keep_goods(
    items: Iterable[Element], number: Element, reading: MessageReading, *, is_declared: bool
) -> None:
    for position, item in enumerate(items, start=1):
        code = next(_codes(item, reading), None)
        draft = RecordDraft("goods_items", item.place)
        draft.put("shipment_id", reading.id(number)).put("number", Value(position, item.place))
        put_code(draft, code)
        draft.put("description", reading.texts(_descriptions([item])))
        draft.put("origin_country", reading.country(item.first("OriginCountry/ID")))
        draft.put("gross_mass_kg", reading.mass_kg(item.first("GrossWeightMeasure")))
        draft.put("packages", reading.count(item.first("PieceQuantity", "PackageQuantity")))
        keep_item(draft, reading, is_declared=is_declared)
