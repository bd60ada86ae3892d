"""Tables of the fields of DCSA's bills of lading and bookings: documents, shipments, goods items.

A bill is a transport document, or the shipping instructions for one. A booking makes a shipment
once the carrier has assigned a reference.
"""

from collections.abc import Iterator

from features.messages.element import Element
from features.messages.field_tables import (
    Fields,
    Scope,
    Source,
    commodity,
    fixed,
    keep_items,
    of_shipment,
    prefixed,
    put_fields,
    put_heading,
    received,
    sum_of_values,
    texts,
)
from features.messages.functions import OF_BOOKINGS, OF_INSTRUCTIONS
from features.messages.grammar import required
from features.messages.message_reading import MessageReading
from features.messages.parties import PartyNumber, party_numbers, scheme_number
from features.messages.record_drafts import RecordDraft, Value

# DCSA also requires contacts, which are persons: they are deliberately not demanded here.
_WANTED_OF_BILL = """
    transportDocumentTypeCode isElectronic isToOrder isShippedOnBoardType freightPaymentTermCode
    documentParties consignmentItems utilizedTransportEquipments
    """
_WANTED_OF_BOOKING = """
    receiptTypeAtOrigin deliveryTypeAtDestination cargoMovementTypeAtOrigin
    cargoMovementTypeAtDestination isEquipmentSubstitutionAllowed documentParties shipmentLocations
    requestedEquipments
    """
_OF_WHOLE_BOOKING = ("requestedEquipments", "confirmedEquipments", "shipmentLocations")
_VOID = "VOIDED"


def numbers_of_dcsa_party(party: Element) -> Iterator[PartyNumber]:
    """Yield the numbers of a party, and its name."""
    country = party.first("address/countryCode")
    for code in party.every("identifyingCodes"):
        provider, name = code.text_at("codeListProvider"), code.text_at("codeListName")
        # ZZZ marks a list that the parties agreed between themselves, so it names no scheme.
        scheme = "LEI" if provider == "GLEIF" else f"{provider} {name}".replace("ZZZ", "")
        yield from scheme_number(scheme, code.first("partyCode"), country)
    for tax in party.every("taxLegalReferences"):
        yield from party_numbers("vat", tax.first("value"), tax.first("countryCode") or country)
    yield from party_numbers("name", party.first("partyName"), country)


def _issuer(scope: Scope, reading: MessageReading) -> Value | None:
    """Return the issuer, else the carrier by its code if the message names the code list."""
    issuer = reading.party_at(scope.first("documentParties/issuingParty", "issuingParty"))
    provider = scope.own.text_at("carrierCodeListProvider")
    carrier = party_numbers("code", scope.first("carrierCode"), provider) if provider else ()
    return issuer or reading.party(carrier)


def _country(location: Element | None, reading: MessageReading) -> Value | None:
    """Return the country of a location, from its address or else its UN/LOCODE."""
    if location is None:
        return None
    code = location.first("UNLocationCode")
    stated = reading.country(location.first("address/countryCode"))
    return stated or (Value(code.text[:2], code.place, (code,)) if code is not None else None)


def _country_at(*paths: str) -> Source:
    return lambda bill, reading: _country(bill.first(*paths), reading)


def _country_of_type(*types: str) -> Source:
    """Return the source of the country of the first of the types of locations."""

    def source(booking: Scope, reading: MessageReading) -> Value | None:
        locations = booking.every("shipmentLocations")
        ordered = [
            each for kind in types for each in locations if each.text_at("locationTypeCode") == kind
        ]
        return _country(ordered[0].first("location"), reading) if ordered else None

    return source


def _mass(goods: Element, reading: MessageReading) -> Value | None:
    """Return the gross mass in kg; drafts of version 2 have the unit in a sibling field."""
    weight = goods.first("cargoGrossWeight/value", "cargoGrossWeight")
    return reading.mass_kg(weight, goods.text_at("cargoGrossWeight/unit", "cargoGrossWeightUnit"))


def _mass_of(*paths: str) -> Source:
    """Return the source of the mass of all goods at the paths; the mass of each is required."""

    def source(scope: Scope, reading: MessageReading) -> Value | None:
        masses = [_mass(goods, reading) for path in paths for goods in scope.every(path)]
        total = sum_of_values(masses)
        # Twelve digits drop binary noise, such as 0.30000000000000004, from sums of decimals.
        return total and total._replace(content=float(f"{total.content:.12g}"))

    return source


def _packages_of(path: str) -> Source:
    """Return the source of the packages of all cargo at a path; the count of each is required."""
    names = ("outerPackaging/numberOfPackages", "numberOfPackages")
    return lambda scope, reading: sum_of_values(
        [reading.count(cargo.first(*names)) for cargo in scope.every(path)]
    )


def _currency(bill: Scope, reading: MessageReading) -> Value | None:
    currency = bill.first("declaredValueCurrency")
    return reading.currency(currency.text, currency) if currency is not None else None


def _payment_type(bill: Scope, reading: MessageReading) -> Value | None:
    terms = bill.first("freightPaymentTermCode")
    return reading.derived("prepaid" if terms and terms.text == "PRE" else "collect", terms)


_NUMBER = "/transportDocumentReference /shippingInstructionsReference"
# The shipment of a bill: its own reference, else that of a booking.
_BILLED = """
    /transportDocumentReference /consignmentItems/carrierBookingReference /carrierBookingReference
    /shippingInstructionsReference
    """
_BOOKED = "/carrierBookingReference /carrierBookingRequestReference"
_UNIT = "utilizedTransportEquipments[1]"
_BILL: Fields = {
    "consignor_id": "documentParties/shipper shipper",
    "consignee_id": "documentParties/consignee documentParties/endorsee consignee endorsee",
    "gross_mass_kg": _mass_of("consignmentItems/cargoItems"),
    "packages": _packages_of("consignmentItems/cargoItems"),
    "container_number": f"{_UNIT}/equipment/equipmentReference {_UNIT}/equipmentReference",
    "seal_number": f"{_UNIT}/seals/number",
}
_DOCUMENT: Fields = {
    "kind": fixed("bill_of_lading", "transportDocumentTypeCode"),
    "number": _NUMBER,
    "document_id": lambda bill, reading: prefixed(
        "bl", reading.id(bill.first(*_NUMBER.split(), *_BILLED.split()))
    ),
    "subject_kind": of_shipment,
    "subject_id": _BILLED,
    "received_at": received,
    "issuer_id": _issuer,
    "value": lambda bill, reading: reading.decimal(bill.first("declaredValue")),
    "currency": _currency,
    **_BILL,
}
_BILLED_SHIPMENT: Fields = {
    "shipment_id": _BILLED,
    "notify_party_id": "documentParties/notifyParties",
    "goods_description": texts("consignmentItems/descriptionOfGoods"),
    "dispatch_country": _country_at("transports/placeOfReceipt", "transports/portOfLoading"),
    "destination_country": _country_at("transports/placeOfDelivery", "transports/portOfDischarge"),
    "payment_type": _payment_type,
    "declared_at": received,
    **_BILL,
}
_BILLED_ITEM: Fields = {
    "shipment_id": _BILLED,
    "commodity_code": "HSCodes",
    "description": texts("descriptionOfGoods"),
    "gross_mass_kg": _mass_of("cargoItems"),
    "packages": _packages_of("cargoItems"),
}
_GOODS = ("requestedEquipments/commodities", "confirmedEquipments/commodities")
_BOOKED_SHIPMENT: Fields = {
    "shipment_id": _BOOKED,
    "consignor_id": "documentParties/shipper shipper",
    "consignee_id": "documentParties/consignee consignee",
    "notify_party_id": "documentParties/notifyParties notifyParties",
    "goods_description": texts(*(f"{path}/commodityType" for path in _GOODS)),
    # The place of receipt or delivery before the port.
    "dispatch_country": _country_of_type("PRE", "POL"),
    "destination_country": _country_of_type("PDE", "POD"),
    "gross_mass_kg": _mass_of(*_GOODS),
    "declared_at": received,
}
_BOOKED_ITEM: Fields = {
    "shipment_id": _BOOKED,
    "commodity_code": "HSCodes",
    "description": "commodityType",
    "gross_mass_kg": lambda item, reading: _mass(item.own, reading),
    "packages": "outerPackaging/numberOfPackages",
}


def keep_bill(bill: Element, reading: MessageReading) -> None:
    """Store the document, shipment and goods items of a bill of lading or sea waybill."""
    scope, items = Scope(bill, bill), bill.every("consignmentItems")
    for name in _WANTED_OF_BILL.split():
        required(bill, name)
    for item in items:
        required(item, "cargoItems")
        required(item, "descriptionOfGoods")
        for cargo in item.every("cargoItems"):
            required(cargo, "equipmentReference")
    number = scope.first(*_NUMBER.split())
    reading.message_id = number.text if number is not None else ""
    issued = reading.instant(bill.first("issueDate"))
    reading.sent_at(issued or reading.instant(bill.first("shippedOnBoardDate")))
    reading.take_status(bill.first("shippingInstructionsStatus"), OF_INSTRUCTIONS)
    status = bill.first("transportDocumentStatus")
    is_void = status is not None and status.text == _VOID
    if is_void:
        reading.mean("withdraws", status)
    document = put_fields(RecordDraft("documents", bill.place), _DOCUMENT, scope, reading)
    reading.keep(document.put("issued_at", issued))
    if is_void:
        return  # voiding a document withdraws it alone: the goods travel on under another one
    _keep_shipment(scope, items, _BILLED_SHIPMENT, _BILLED_ITEM, reading)


def keep_booking(booking: Element, reading: MessageReading) -> None:
    """Store the shipment and goods items of a booking."""
    scope = Scope(booking, booking)
    reference = scope.first(*_BOOKED.split())
    reading.message_id = reference.text if reference is not None else ""
    # A message with only a status refers to a booking that was sent earlier.
    is_whole = any(child.name in _OF_WHOLE_BOOKING for child in booking.children)
    for name in _WANTED_OF_BOOKING.split() if is_whole else ():
        required(booking, name)
    for location in booking.every("shipmentLocations"):
        required(location, "location")
        required(location, "locationTypeCode")
    reading.take_status(booking.first("amendedBookingStatus"), OF_BOOKINGS)
    reading.take_status(booking.first("bookingStatus"), OF_BOOKINGS)
    goods = [each for path in _GOODS for each in booking.every(path)]
    _keep_shipment(scope, goods, _BOOKED_SHIPMENT, _BOOKED_ITEM, reading)


def _keep_shipment(
    scope: Scope, items: list[Element], fields: Fields, of_item: Fields, reading: MessageReading
) -> None:
    draft = put_fields(RecordDraft("shipments", scope.own.place), fields, scope, reading)
    put_heading(draft, [commodity(reading, item.first("HSCodes")) for item in items])
    is_declared = reading.keep(draft)
    keep_items(scope.root, items, of_item, reading, is_declared=is_declared)
