"""Read UBL 2 documents as documents, shipments and goods items.

The root element names the document, in its own namespace. A document belongs to the shipment that
it states (`Shipment/ID`); if it states none, as most invoices do, to the id that the template of
the options finds in its references. Customs declarations declare shipments and make no document.
Other documents, such as orders, are accepted but create no records.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from features.errors import MessageRefused
from features.messages.codes import CURRENCIES
from features.messages.conversion import Conversion
from features.messages.element import Element
from features.messages.grammar import (
    CLOCK,
    DATE,
    NUMBER,
    TRUTH,
    WHEN,
    ElementConstraint,
    amount_with,
    check_elements,
    matching,
    required,
    with_attribute,
)
from features.messages.message_reading import MessageReading
from features.messages.options import Options
from features.messages.structure import read_structure
from features.messages.ubl_records import (
    keep_documents,
    keep_goods,
    keep_shipment,
    numbers_of_ubl_party,
)
from features.messages.xml_tree import read_xml
from features.records import DocumentKind

_NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:{name}-2"
_DOCUMENTS: dict[str, DocumentKind] = {
    "BillOfLading": "bill_of_lading",
    "CertificateOfOrigin": "certificate_of_origin",
    "FreightInvoice": "invoice",
    "GoodsCertificate": "permit",
    "Invoice": "invoice",
    "Manifest": "manifest",
    "PackingList": "packing_list",
    "SelfBilledInvoice": "invoice",
    "TransitCustomsDeclaration": "transit",
    "Waybill": "bill_of_lading",
}
# Documents that declare a shipment; all others only refer to one.
_OF_SHIPMENTS = frozenset(
    """
    BillOfLading CommonTransportationReport ExportCustomsDeclaration ForwardingInstructions
    GoodsItemItinerary ImportCustomsDeclaration Manifest TransitCustomsDeclaration Waybill
    """.split()
)
# Constraints by name; a name with * applies to all names with that ending.
_CONSTRAINTS = {
    "*DateTime": WHEN,
    "*Date": DATE,
    "*Time": CLOCK,
    "*Indicator": TRUTH,
    "*Amount": amount_with("currencyID"),
    "*Measure": with_attribute("unitCode", r"[A-Za-z0-9]{1,8}", "a unit"),
    "*Quantity": NUMBER,
    "*Numeric": NUMBER,
    "*Percent": NUMBER,
    "DocumentCurrencyCode": ElementConstraint(
        "want a currency", lambda each: each.text in CURRENCIES
    ),
    # Some senders write `UBL 2.1` or add the draft.
    "UBLVersionID": matching(r"(UBL[ -])?2(\.\d.*)?", "version 2.x"),
}
_ENDINGS = "DateTime|Date|Time|Indicator|Amount|Measure|Quantity|Numeric|Percent"
_SINGLE = """
    AccountingCustomerParty AccountingSupplierParty CityName CompanyID ConsigneeParty ConsignorParty
    Country CustomizationID DocumentCurrencyCode IdentificationCode InvoiceTypeCode JourneyID
    LegalMonetaryTotal OriginCountry Party PostalAddress PostalZone Price ProfileID RegistrationName
    StreetName TransportModeCode UBLVersionID VesselID VesselName
    """
# Names that occur at most once in any parent.
_ONCE = re.compile(rf"ID|UUID|\w*({_ENDINGS})|{'|'.join(_SINGLE.split())}")
_COMMON = re.compile(
    r"urn:oasis:names:specification:ubl:schema:xsd:Common(Basic|Aggregate|Extension)Components-2"
)
_STRUCTURE = read_structure(Path(__file__).with_name("ubl_elements.txt"))


def read_ubl(message: bytes, options: Options) -> Conversion:
    """Return the records of one UBL document. Raises MessageRefused if it violates a constraint."""
    root, namespace = read_xml(message, options.bounds)
    if namespace != _NAMESPACE.format(name=root.name):
        wanted = f"want a document of UBL 2 in {_NAMESPACE.format(name='NAME')}"
        raise MessageRefused(root.place, wanted, root.line)
    _check(root)
    reading = MessageReading("ubl", options, numbers_of_ubl_party)
    reading.kind = f"{root.name}-{root.text_at('UBLVersionID') or '2'}"
    reading.message_id = root.text_at("ID")
    reading.read(root.first("ID"), root.first("IssueDate"), root.first("UBLVersionID"))
    reading.sent_at(reading.day_and_time(root.first("IssueDate"), root.first("IssueTime")))
    shipments = list(_shipments(root))
    is_of_shipment = root.name in _OF_SHIPMENTS
    declared = [is_of_shipment and keep_shipment(root, each, reading) for each in shipments]
    if root.name in _DOCUMENTS:
        # UBL has one Waybill for all modes; records distinguish air waybills.
        is_by_air = root.name == "Waybill" and _mode(root) in ("4", "air")
        kind = "air_waybill" if is_by_air else _DOCUMENTS[root.name]
        keep_documents(root, kind, shipments, reading)
    for shipment, is_declared in zip(shipments, declared, strict=True):
        keep_goods(root, shipment, reading, is_declared=is_declared)
    return reading.conversion(root.leaves())


def _check(root: Element) -> None:
    own = list(_own(root))
    for element in own[1:]:
        if not _COMMON.fullmatch(element.namespace):
            wanted = "want an element of the common components of UBL 2"
            raise MessageRefused(element.place, wanted, element.line)
    check_elements((each for each in own if not each.children), _CONSTRAINTS, _ENDINGS)
    _check_once(own)
    _STRUCTURE.check_wanted(own)
    if root.name in (*_DOCUMENTS, *_OF_SHIPMENTS):
        required(root, "ID")
    if root.name.endswith("Invoice"):
        required(root, "IssueDate")


def _own(root: Element) -> Iterator[Element]:
    """Yield the elements of a document without its extensions, which follow no standard."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        yield element
        waiting.extend(each for each in reversed(element.children) if each.name != "UBLExtensions")


def _check_once(elements: list[Element]) -> None:
    """Raise MessageRefused if an element that may occur once is repeated; only texts may repeat."""
    for element in elements:
        seen = set()
        for child in element.children:
            if child.name in seen and _ONCE.fullmatch(child.name):
                raise MessageRefused(child.place, f"want one {child.name}", child.line)
            seen.add(child.name)


def _shipments(root: Element) -> Iterator[Element]:
    for scope in (root, *root.every("CustomsDeclaration"), *root.every("Delivery")):
        yield from (each for each in scope.every("Shipment") if each.children)


def _mode(root: Element) -> str:
    if "air" in root.text_at("Name").lower().split():
        return "air"
    stages = root.everywhere("ShipmentStage", "MainCarriageShipmentStage")
    return next((code for each in stages if (code := each.text_at("TransportModeCode"))), "")
