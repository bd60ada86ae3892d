"""Read IATA Cargo-XML waybills (XFWB, XFZB) as air waybills, shipments and goods items.

The root element names the message: `Waybill` of `iata:waybill:1`, `HouseWaybill` of
`iata:housewaybill:1`. A house waybill is a shipment of its own, under its own number. Other
Cargo-XML messages, such as manifests and status messages, are accepted but create no records.
"""

import re
from collections.abc import Callable, Iterator

from features.errors import MessageRefused
from features.messages.conversion import Conversion
from features.messages.element import Element
from features.messages.field_tables import (
    Fields,
    Scope,
    Source,
    commodity,
    fixed,
    keep_items,
    prefixed,
    put_fields,
    put_heading,
    received,
    texts,
)
from features.messages.functions import OF_CARGO_XML
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
    required,
    with_attribute,
)
from features.messages.message_reading import MessageReading
from features.messages.options import Options
from features.messages.parties import PartyNumber, party_numbers
from features.messages.record_drafts import RecordDraft, Value
from features.messages.written_values import decimal_of
from features.messages.xml_tree import read_xml
from features.reference.country_and_currency_codes import CODES
from features.reference.geography.places import country as country_of_place

_NAMESPACE = re.compile(r"iata:([a-z]+):\d+")
_WAYBILLS = {"Waybill": ("740", "741"), "HouseWaybill": ("703",)}
_MEASURE = with_attribute("unitCode", r"[A-Z0-9]{2,3}", "a unit")
# Constraints by name; a name with * applies to all names with that ending.
_CONSTRAINTS = {
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
# Content codes in the customs notes of a waybill that identify a trader to customs.
_TRADER_CODES = {"T": "vat", "EO": "eori"}
_NATURE = "NatureIdentificationTransportCargo/Identification"
_AIR_WAYBILL = re.compile(r"\d{3}[- ]?\d{8}", re.ASCII)


def read_cargo_xml(message: bytes, options: Options) -> Conversion:
    """Return the records of one waybill. Raises MessageRefused if it breaks a constraint."""
    root, namespace = read_xml(message, options.bounds)
    named = _NAMESPACE.fullmatch(namespace)
    if named is None or named[1] != root.name.lower():
        wanted = "want a message of Cargo-XML, as Waybill in iata:waybill:1"
        raise MessageRefused(root.place, wanted, root.line)
    _check_namespaces(root)
    check_elements((each for each in root.walk() if not each.children), _CONSTRAINTS, _ENDINGS)
    header = required(root, "MessageHeaderDocument")
    reading = MessageReading("cargo_xml", options)
    version = header.text_at("VersionID")
    reading.kind = f"{root.name} {version}".strip()
    reading.message_id = required(header, "ID").text
    created = required(header, "IssueDateTime")
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


def _read_waybill(root: Element, header: Element, reading: MessageReading) -> None:
    for name in _HEADER:
        required(header, name)
    kind = required(header, "TypeCode")
    if kind.text not in _WAYBILLS[root.name]:
        codes = " or ".join(_WAYBILLS[root.name])
        raise MessageRefused(kind.place, f"want {codes}, as of {root.name}", kind.line)
    if not reading.take_function(required(header, "PurposeCode"), OF_CARGO_XML):
        return
    number = required(required(root, "BusinessHeaderDocument"), "ID")
    consignment = required(root, "MasterConsignment")
    for movement in consignment.every("SpecifiedLogisticsTransportMovement"):
        required(movement, "ModeCode")
        required(movement, "ID")
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
    scope = Scope(root, own)
    reading.keep(put_fields(RecordDraft("documents", own.place), _DOCUMENT, scope, reading))
    shipment = put_fields(RecordDraft("shipments", own.place), _SHIPMENT, scope, reading)
    put_heading(shipment, [code for item in items for code in _codes(item, reading)])
    is_declared = reading.keep(shipment)
    keep_items(root, items, _ITEM, reading, is_declared=is_declared)


def _check_consignments(master: Element, own: Element) -> None:
    """Raise MessageRefused if a consignment lacks a mandatory element or has an invalid airport."""
    for name in _OF_MASTER if own is not master else ():
        required(master, name)
    for name in _OF_CONSIGNMENT:
        required(own, name)
    for consignment in (master, own):
        for name in ("OriginLocation", "FinalDestinationLocation"):
            code = required(required(consignment, name), "ID")
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


def _party(role: str, find: Callable[[Element], Element | None]) -> Source:
    """Return the source of a party: its customs notes, else its accounts, else its name."""

    def source(scope: Scope, reading: MessageReading) -> Value | None:
        party = find(scope.own)
        numbers = [] if party is None else _numbers(party)
        return reading.party([*_numbers_at_customs(scope, role), *numbers])

    return source


def _numbers_at_customs(scope: Scope, role: str) -> Iterator[PartyNumber]:
    for note in scope.every("IncludedCustomsNote"):
        register = _TRADER_CODES.get(note.text_at("ContentCode"))
        if register and note.text_at("SubjectCode") == role:
            yield from party_numbers(register, note.first("Content"), note.first("CountryID"))


def _numbers(party: Element) -> Iterator[PartyNumber]:
    yield from party_numbers("code", party.first("CargoAgentID"), "IATA")
    for path in ("PrimaryID", "AdditionalID", "AccountID"):
        yield from party_numbers("own", party.first(path))
    country = party.first("PostalStructuredAddress/CountryID", "FreightForwarderAddress/CountryID")
    yield from party_numbers("name", party.first("Name"), country)


def _notified(own: Element) -> Element | None:
    parties = own.every("AssociatedParty")
    return next((each for each in parties if each.text_at("RoleCode") in ("NI", "NFY")), None)


def _airport_country(path: str) -> Source:
    """Return the source of the country of an airport, of the master's if the house has none."""

    def source(scope: Scope, reading: MessageReading) -> Value | None:
        place = reading.place(scope.first(path, f"/MasterConsignment/{path}"))
        code = country_of_place(place.content) if place else None
        return place._replace(content=code) if place and code else None

    return source


def _codes(item: Element, reading: MessageReading) -> list[Value]:
    """Return the commodity codes of an item in their order in the message."""
    return [code for each in item.every("TypeCode") if (code := commodity(reading, each))]


def _description(scope: Scope, reading: MessageReading) -> Value | None:
    of_items = [each for item in _items(scope.own) for each in item.every(_NATURE)]
    return reading.texts([*scope.every("SummaryDescription"), *of_items])


def _origin(scope: Scope, reading: MessageReading) -> Value | None:
    origins = [reading.country(item.first("OriginCountry/ID")) for item in _items(scope.own)]
    return next(filter(None, origins), None)


def _payment_type(scope: Scope, reading: MessageReading) -> Value | None:
    prepaid = scope.first("TotalChargePrepaidIndicator")
    is_prepaid = prepaid is not None and prepaid.text in ("true", "1")
    return reading.derived("prepaid" if is_prepaid else "collect", prepaid)


_NUMBER = "/BusinessHeaderDocument/ID"
_VALUE = "DeclaredValueForCustomsAmount DeclaredValueForCarriageAmount"
_BOTH: Fields = {
    "consignor_id": _party("SHP", lambda own: own.first("ConsignorParty")),
    "consignee_id": _party("CNE", lambda own: own.first("ConsigneeParty")),
    "gross_mass_kg": "IncludedTareGrossWeightMeasure",
    "packages": "TotalPieceQuantity",
    "currency": _VALUE,
}
_DOCUMENT: Fields = {
    "kind": fixed("air_waybill", "/MessageHeaderDocument/TypeCode"),
    "document_id": lambda scope, reading: prefixed("awb", reading.id(scope.first(_NUMBER))),
    "number": _NUMBER,
    "subject_kind": fixed("shipment", _NUMBER),
    "subject_id": _NUMBER,
    "issued_at": "/BusinessHeaderDocument/SignatoryCarrierAuthentication/ActualDateTime",
    "received_at": received,
    "value": _VALUE,
    **_BOTH,
}
_SHIPMENT: Fields = {
    "shipment_id": _NUMBER,
    "notify_party_id": _party("NFY", _notified),
    "forwarder_id": _party("AGT", lambda own: own.first("FreightForwarderParty")),
    "goods_description": _description,
    "origin_country": _origin,
    "dispatch_country": _airport_country("OriginLocation/ID"),
    "destination_country": _airport_country("FinalDestinationLocation/ID"),
    "volume_m3": "GrossVolumeMeasure",
    "declared_value": _VALUE,
    "payment_type": _payment_type,
    "declared_at": received,
    **_BOTH,
}
_ITEM: Fields = {
    "shipment_id": _NUMBER,
    "commodity_code": lambda item, reading: next(iter(_codes(item.own, reading)), None),
    "description": texts(_NATURE),
    "origin_country": "OriginCountry/ID",
    "gross_mass_kg": "GrossWeightMeasure",
    "packages": "PieceQuantity PackageQuantity",
}
