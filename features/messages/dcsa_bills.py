"""Read transport documents and shipping instructions of DCSA's eBL as records of one shipment."""

from collections.abc import Iterable

from features.errors import MessageRefused
from features.messages.dcsa_parties import carrier_value, dcsa_party
from features.messages.element import Element
from features.messages.functions import OF_INSTRUCTIONS
from features.messages.goods import commodity, keep_item, put_code, put_heading
from features.messages.message_reading import MessageReading
from features.messages.record_drafts import RecordDraft, Value

# DCSA also requires contacts, which are persons: they are deliberately not demanded here.
_WANTED = (
    *("transportDocumentTypeCode", "isElectronic", "isToOrder", "isShippedOnBoardType"),
    *("freightPaymentTermCode", "documentParties", "consignmentItems"),
    "utilizedTransportEquipments",
)
_VOID = "VOIDED"
_NUMBER = ("transportDocumentReference", "shippingInstructionsReference")


def keep_bill(bill: Element, reading: MessageReading) -> None:
    """Store the document, shipment and goods items of a bill of lading or sea waybill."""
    items = bill.every("consignmentItems")
    _check(bill, items)
    number = bill.first(*_NUMBER)
    reading.message_id = number.text if number is not None else ""
    subject = shipment_of(bill, items, reading)
    issued = reading.instant(bill.first("issueDate"))
    reading.sent_at(issued or reading.instant(bill.first("shippedOnBoardDate")))
    reading.take_status(bill.first("shippingInstructionsStatus"), OF_INSTRUCTIONS)
    status = bill.first("transportDocumentStatus")
    if status is not None and status.text == _VOID:
        reading.mean("withdraws", status)
        _keep_document(bill, items, subject, issued, reading)
        return  # voiding a document withdraws it alone: the goods travel on under another one
    _keep_document(bill, items, subject, issued, reading)
    is_declared = _keep_shipment(bill, items, subject, reading)
    _keep_goods(items, subject, reading, is_declared=is_declared)


def _check(bill: Element, items: list[Element]) -> None:
    """Raise MessageRefused if a bill or one of its items lacks a mandatory field."""
    for wanted in _WANTED:
        if bill.first(wanted) is None:
            raise MessageRefused(bill.place, f"want {wanted}")
    for item in items:
        for wanted in ("cargoItems", "descriptionOfGoods"):
            if item.first(wanted) is None:
                raise MessageRefused(item.place, f"want {wanted}")
        for cargo in item.every("cargoItems"):
            if cargo.first("equipmentReference") is None:
                raise MessageRefused(cargo.place, "want equipmentReference")


def shipment_of(bill: Element, items: Iterable[Element], reading: MessageReading) -> Value | None:
    """Return the shipment id of a document: its own reference, else that of a booking."""
    bookings = [each.first("carrierBookingReference") for each in items]
    booked = next((each for each in bookings if each is not None), None)
    return reading.id(
        bill.first("transportDocumentReference")
        or booked
        or bill.first("carrierBookingReference", "shippingInstructionsReference")
    )


def _keep_document(
    bill: Element,
    items: list[Element],
    subject: Value | None,
    issued: Value | None,
    reading: MessageReading,
) -> None:
    draft = RecordDraft("documents", bill.place)
    kind = bill.first("transportDocumentTypeCode")
    draft.put("kind", reading.said("bill_of_lading", kind))
    number = reading.number_of_document(bill.first(*_NUMBER))
    draft.put("number", number)
    identity = reading.id(bill.first(*_NUMBER)) or subject
    draft.put(
        "document_id",
        identity and Value(f"bl:{identity.content}"[:64], identity.place, identity.elements),
    )
    draft.put("subject_kind", Value("shipment", bill.place))
    draft.put("subject_id", subject)
    draft.put("issued_at", issued).put("received_at", reading.received_at)
    issuer = bill.first("documentParties/issuingParty", "issuingParty")
    draft.put("issuer_id", dcsa_party(issuer, reading), carrier_value(bill, reading))
    _put_both(draft, bill, items, reading)
    draft.put("value", reading.decimal(bill.first("declaredValue")))
    currency = bill.first("declaredValueCurrency")
    draft.put("currency", reading.currency(currency.text, currency) if currency else None)
    reading.keep(draft)


def _keep_shipment(
    bill: Element, items: list[Element], subject: Value | None, reading: MessageReading
) -> bool:
    draft = RecordDraft("shipments", bill.place)
    draft.put("shipment_id", subject)
    notify = bill.first("documentParties/notifyParties")
    draft.put("notify_party_id", dcsa_party(notify, reading))
    codes = [code for item in items if (code := commodity(item.first("HSCodes"), reading))]
    put_heading(draft, codes)
    goods = [each for item in items for each in item.every("descriptionOfGoods")]
    draft.put("goods_description", reading.texts(goods))
    for name, path in (
        ("dispatch_country", ("transports/placeOfReceipt", "transports/portOfLoading")),
        ("destination_country", ("transports/placeOfDelivery", "transports/portOfDischarge")),
    ):
        draft.put(name, country_of_location(bill.first(*path), reading))
    _put_both(draft, bill, items, reading)
    terms = bill.first("freightPaymentTermCode")
    draft.put(
        "payment_type",
        reading.said("prepaid" if terms and terms.text == "PRE" else "collect", terms),
    )
    draft.put("declared_at", reading.received_at)
    return reading.keep(draft)


def country_of_location(location: Element | None, reading: MessageReading) -> Value | None:
    """Return the country of a location, from its address or else its UN/LOCODE."""
    if location is None:
        return None
    code = location.first("UNLocationCode")
    stated = reading.country(location.first("address/countryCode"))
    return stated or (Value(code.text[:2], code.place, (code,)) if code is not None else None)


def _put_both(
    draft: RecordDraft, bill: Element, items: list[Element], reading: MessageReading
) -> None:
    """Set the fields that the document and its shipment share."""
    # Some versions have the parties as fields of the bill itself.
    parties = bill.first("documentParties") or bill
    draft.put("consignor_id", dcsa_party(parties.first("shipper"), reading))
    consignee = parties.first("consignee", "endorsee")
    draft.put("consignee_id", dcsa_party(consignee, reading))
    cargo = [each for item in items for each in item.every("cargoItems")]
    weights = [each.first("cargoGrossWeight/value", "cargoGrossWeight") for each in cargo]
    units = [each.says("cargoGrossWeight/unit", "cargoGrossWeightUnit") for each in cargo]
    masses = [reading.mass_kg(weight, unit) for weight, unit in zip(weights, units, strict=True)]
    draft.put("gross_mass_kg", sum_of_values(masses))
    packages = [each.first("outerPackaging/numberOfPackages", "numberOfPackages") for each in cargo]
    draft.put("packages", sum_of_values([reading.count(each) for each in packages]))
    unit = bill.first("utilizedTransportEquipments")
    if unit is not None:
        number = unit.first("equipment/equipmentReference", "equipmentReference")
        draft.put("container_number", reading.container(number))
        draft.put("seal_number", reading.number_of_document(unit.first("seals/number")))


def sum_of_values(values: list[Value | None]) -> Value | None:
    """Return the sum of values, or None if any is missing."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    elements = tuple(element for value in known for element in value.elements)
    content = sum(value.content for value in known)
    # Twelve digits drop binary noise, such as 0.30000000000000004, from sums of decimal numbers.
    rounded = content if isinstance(content, int) else float(f"{content:.12g}")
    return Value(rounded, known[0].place, elements)


def _keep_goods(
    items: list[Element], subject: Value | None, reading: MessageReading, *, is_declared: bool
) -> None:
    for position, item in enumerate(items, start=1):
        code = commodity(item.first("HSCodes"), reading)
        cargo = item.every("cargoItems")
        draft = RecordDraft("goods_items", item.place)
        draft.put("shipment_id", subject).put("number", Value(position, item.place))
        put_code(draft, code)
        draft.put("description", reading.texts(item.every("descriptionOfGoods")))
        masses = [
            reading.mass_kg(
                each.first("cargoGrossWeight/value"), each.says("cargoGrossWeight/unit")
            )
            for each in cargo
        ]
        draft.put("gross_mass_kg", sum_of_values(masses))
        packages = [reading.count(each.first("outerPackaging/numberOfPackages")) for each in cargo]
        draft.put("packages", sum_of_values(packages))
        keep_item(draft, reading, is_declared=is_declared)
