"""Read DCSA bookings as shipments, once the carrier has assigned a reference."""

from features.errors import MessageRefused
from features.messages.dcsa_bills import country_of_location, sum_of_values
from features.messages.dcsa_parties import dcsa_party
from features.messages.element import Element
from features.messages.functions import OF_BOOKINGS
from features.messages.goods import commodity, keep_item, put_code, put_heading
from features.messages.message_reading import MessageReading
from features.messages.record_drafts import RecordDraft, Value

_WANTED = (
    *("receiptTypeAtOrigin", "deliveryTypeAtDestination"),
    *("cargoMovementTypeAtOrigin", "cargoMovementTypeAtDestination"),
    *("isEquipmentSubstitutionAllowed", "documentParties"),
    *("shipmentLocations", "requestedEquipments"),
)
_OF_WHOLE = ("requestedEquipments", "confirmedEquipments", "shipmentLocations")
_REFERENCES = ("carrierBookingReference", "carrierBookingRequestReference")
# Types of locations, the place of receipt or delivery before the port.
_FROM, _TO = ("PRE", "POL"), ("PDE", "POD")


def keep_booking(booking: Element, reading: MessageReading) -> None:
    """Store the shipment and goods items of a booking."""
    reference = booking.first(*_REFERENCES)
    reading.message_id = reference.text if reference is not None else ""
    # A message with only a status refers to a booking that was sent earlier.
    is_whole = any(child.name in _OF_WHOLE for child in booking.children)
    for wanted in _WANTED if is_whole else ():
        if booking.first(wanted) is None:
            raise MessageRefused(booking.place, f"want {wanted}")
    locations = booking.every("shipmentLocations")
    for location in locations:
        for wanted in ("location", "locationTypeCode"):
            if location.first(wanted) is None:
                raise MessageRefused(location.place, f"want {wanted}")
    goods = [
        each
        for name in ("requestedEquipments", "confirmedEquipments")
        for unit in booking.every(name)
        for each in unit.every("commodities")
    ]
    reading.take_status(booking.first("amendedBookingStatus"), OF_BOOKINGS)
    reading.take_status(booking.first("bookingStatus"), OF_BOOKINGS)
    draft = RecordDraft("shipments", booking.place)
    draft.put("shipment_id", reading.id(reference))
    parties = booking.first("documentParties") or booking
    draft.put("consignor_id", dcsa_party(parties.first("shipper"), reading))
    draft.put("consignee_id", dcsa_party(parties.first("consignee"), reading))
    draft.put("notify_party_id", dcsa_party(parties.first("notifyParties"), reading))
    codes = [code for each in goods if (code := commodity(each.first("HSCodes"), reading))]
    put_heading(draft, codes)
    described = [each.first("commodityType") for each in goods]
    draft.put("goods_description", reading.texts(filter(None, described)))
    for name, types in (("dispatch_country", _FROM), ("destination_country", _TO)):
        draft.put(name, _country(locations, types, reading))
    masses = [_mass(each, reading) for each in goods]
    draft.put("gross_mass_kg", sum_of_values(masses)).put("declared_at", reading.received_at)
    is_declared = reading.keep(draft)
    for position, each in enumerate(goods, start=1):
        item = _item(each, position, reference, reading)
        keep_item(item, reading, is_declared=is_declared)


def _country(
    locations: list[Element], types: tuple[str, ...], reading: MessageReading
) -> Value | None:
    for wanted in types:
        for location in locations:
            if location.says("locationTypeCode") == wanted:
                return country_of_location(location.first("location"), reading)
    return None


def _item(
    goods: Element, position: int, reference: Element | None, reading: MessageReading
) -> RecordDraft:
    code = commodity(goods.first("HSCodes"), reading)
    draft = RecordDraft("goods_items", goods.place)
    draft.put("shipment_id", reading.id(reference)).put("number", Value(position, goods.place))
    put_code(draft, code)
    draft.put("description", reading.text(goods.first("commodityType")))
    draft.put("gross_mass_kg", _mass(goods, reading))
    packages = goods.first("outerPackaging/numberOfPackages")
    return draft.put("packages", reading.count(packages))


def _mass(goods: Element, reading: MessageReading) -> Value | None:
    """Return the gross mass in kg; drafts of version 2 have the unit in a sibling field."""
    weight = goods.first("cargoGrossWeight/value", "cargoGrossWeight")
    return reading.mass_kg(weight, goods.says("cargoGrossWeight/unit", "cargoGrossWeightUnit"))
