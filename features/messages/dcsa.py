"""Read DCSA's JSON messages as bills of lading, shipments, goods items and events.

DCSA messages do not state their type, so it is inferred from their fields. A booking has no
reference until the carrier assigns one; a booking request therefore creates no records.
"""

from features.errors import MessageRefused
from features.messages.codes import CURRENCIES
from features.messages.conversion import Conversion
from features.messages.dcsa_events import keep_events
from features.messages.dcsa_shipments import keep_bill, keep_booking, numbers_of_dcsa_party
from features.messages.element import Element
from features.messages.grammar import (
    DATE,
    INSTANT,
    NUMBER,
    ElementConstraint,
    check_elements,
    matching,
    of_kind,
    one_of,
)
from features.messages.json_tree import json_root
from features.messages.message_reading import MessageReading
from features.messages.options import Options
from features.reference.country_and_currency_codes import CODES

_TEXT, _TRUTH = of_kind("text"), of_kind("boolean")
# User-assigned codes are no countries, except QA and XK; UN/LOCODE uses XZ for international
# waters.
_COUNTRIES = {
    *(code for code in CODES["countries"] if code[0] not in "QX" and code not in ("AA", "ZZ")),
    *("QA", "XK", "XZ"),
}
_LOCODE = ElementConstraint(
    "want a UN/LOCODE",
    lambda element: (
        element.kind == "text"
        and element.text[:2] in _COUNTRIES
        and len(element.text) == 5
        and element.text.isalnum()
        and element.text.isupper()
    ),
)
_COUNTRY = ElementConstraint(
    "want a country code",
    lambda element: element.text in CODES["countries"],
)
_CURRENCY = ElementConstraint("want a currency", lambda element: element.text in CURRENCIES)
# Constraints by name; a name with * applies to all names with that ending.
_CONSTRAINTS: dict[str, ElementConstraint] = {
    "UNLocationCode": _LOCODE,
    "countryCode": _COUNTRY,
    "vesselFlag": _COUNTRY,
    "*DateTime": INSTANT,
    "*Date": DATE,
    "HSCodes": matching(r"\d{6,10}", "an HS code of 6 to 10 digits"),
    "equipmentReference": matching(r"[A-Z]{3}[UJZRA-Z]?\d{6,7}|\S{1,15}", "an equipment reference"),
    "ISOEquipmentCode": matching(r"[0-9A-Z]{4}", "a code of ISO 6346"),
    "vesselIMONumber": matching(r"\d{7,8}", "an IMO number"),
    "vesselMMSINumber": matching(r"\d{9}", "an MMSI"),
    "transportDocumentTypeCode": one_of("BOL SWB"),
    "freightPaymentTermCode": one_of("PRE COL"),
    "cargoMovementTypeAtOrigin": one_of("FCL LCL BB"),
    "cargoMovementTypeAtDestination": one_of("FCL LCL BB"),
    "receiptTypeAtOrigin": one_of("CY SD CFS"),
    "deliveryTypeAtDestination": one_of("CY SD CFS"),
    "locationTypeCode": one_of("PRE POL POD PDE PCF OIR ORI IEL PTP RTP FCD ROU"),
    "units": ElementConstraint(
        "want a number of units",
        lambda element: element.kind == "number" and not element.text.startswith("-"),
    ),
    "currencyCode": _CURRENCY,
    "declaredValueCurrency": _CURRENCY,
    "numberOfPackages": ElementConstraint(
        "want a count", lambda element: element.kind == "number" and element.text.isdecimal()
    ),
    "value": ElementConstraint(
        "want a number", lambda element: element.kind in ("number", "text", "null")
    ),
    "unit": matching(r"[A-Z0-9]{2,3}", "a unit"),
    "temperatureSetpoint": NUMBER,
    "declaredValue": of_kind("number"),
    "isElectronic": _TRUTH,
    "isToOrder": _TRUTH,
    "isShippedOnBoardType": _TRUTH,
    "isShipperOwned": _TRUTH,
    "isEquipmentSubstitutionAllowed": _TRUTH,
    **dict.fromkeys(
        (
            *("carrierBookingReference", "transportDocumentReference", "partyName", "vesselName"),
            *("shippingInstructionsReference", "carrierCode", "carrierExportVoyageNumber"),
            *("commodityType", "descriptionOfGoods", "partyCode", "eventType", "eventTypeCode"),
        ),
        _TEXT,
    ),
}
_OF_BILLS = ("transportDocumentTypeCode", "transportDocumentReference", "consignmentItems")
_OF_BOOKINGS = ("requestedEquipments", "confirmedEquipments", "shipmentLocations", "bookingStatus")
# Fields of DCSA messages that are accepted but create no records.
_OF_OTHERS = frozenset(
    """
    transportDocumentStatus shippingInstructionsStatus specversion issuanceResponseCode
    surrenderRequestReference action surrenderRequestCode envelopeManifestSignedContent
    envelopeTransferChain transferChainEntryHash responseCode receivedAdditionalDocumentChecksums
    arrivalNotices arrivalNoticeMessages portCallServices timestamps vessels services
    verifiedGrossMass VGMs declarations amendedBookingStatus bookingCancellationStatus
    receiverValidationRequest transportDocumentChecksum subscriptionID statusCode errors
    identifyingCodes codeListProvider
    """.split()
)


def read_dcsa(message: bytes, options: Options) -> Conversion:
    """Return the records of one DCSA message. Raises MessageRefused if it breaks a constraint."""
    root = json_root(message, options.bounds)
    check_elements(root.leaves(), _CONSTRAINTS, "DateTime|Date")
    _check_measures(root)
    reading = MessageReading("dcsa", options, numbers_of_dcsa_party)
    names = {child.name for child in root.children}
    inner = root.first("document") or root.first("transportDocument")
    is_list = root.kind == "array" or "events" in names
    if is_list or root.first("eventType", "eventClassification") is not None:
        keep_events(root, reading)
    elif inner is not None and inner.first(*_OF_BILLS) is not None:
        reading.kind = "eBL issuance" if "document" in names else "eBL transfer"
        keep_bill(inner, reading)
    elif names & set(_OF_BILLS):
        reading.kind = "eBL"
        keep_bill(root, reading)
    elif names & set(_OF_BOOKINGS):
        reading.kind = "booking"
        keep_booking(root, reading)
    elif names & _OF_OTHERS:
        reading.kind = "other"
    else:
        wanted = "want a message of DCSA: events, a booking or a transport document"
        raise MessageRefused("/", wanted)
    return reading.conversion(root.leaves())


def _check_measures(root: Element) -> None:
    """Raise MessageRefused if a weight or volume is negative, not a number or without a unit."""
    for measure in root.walk():
        if not measure.children or not measure.name.endswith(("Weight", "Volume")):
            continue
        value = measure.first("value")
        if value is None or value.kind != "number" or value.text.startswith("-"):
            raise MessageRefused((value or measure).place, "want a number that is not negative")
        if measure.first("unit") is None:
            raise MessageRefused(measure.place, "want unit")
