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
from features.messages.goods import put_heading
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
    with_attribute,
)
from features.messages.message_reading import MessageReading, plain_id
from features.messages.options import Options
from features.messages.record_drafts import RecordDraft, Value
from features.messages.structure import read_structure
from features.messages.ubl_goods import codes_of, keep_goods
from features.messages.ubl_parties import ubl_party
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
_PROMISES = {
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

# Paths in order of preference: parties of the transport before those of the trade.
_CONSIGNOR = (
    *("ConsignorParty", "Shipment/Consignment/ConsignorParty", "DespatchSupplierParty/Party"),
    *("CustomsDeclaration/ConsignorParty", "ExporterParty", "TransitExporterParty"),
    *("SellerSupplierParty/Party", "AccountingSupplierParty/Party"),
)
_CONSIGNEE = (
    *("ConsigneeParty", "Shipment/Consignment/ConsigneeParty", "DeliveryCustomerParty/Party"),
    *("CustomsDeclaration/ConsigneeParty", "ImporterParty", "BuyerCustomerParty/Party"),
    *("AccountingCustomerParty/Party",),
)
_ISSUER = ("IssuerParty", "CarrierParty", "FreightForwarderParty", "SendingLogisticsOperatorParty")
# References that the template of the options is tried on, in this order.
_REFERENCES = (
    *("OrderReference", "DespatchDocumentReference", "ReceiptDocumentReference"),
    *("BillingReference/InvoiceDocumentReference", "ContractDocumentReference"),
    *("AdditionalDocumentReference", "DocumentReference", "ShippingOrderID", "Note"),
)


def read_ubl(message: bytes, options: Options) -> Conversion:
    """Return the records of one UBL document. Raises MessageRefused if it violates a constraint."""
    root, namespace = read_xml(message, options.bounds)
    if namespace != _NAMESPACE.format(name=root.name):
        wanted = f"want a document of UBL 2 in {_NAMESPACE.format(name='NAME')}"
        raise MessageRefused(root.place, wanted, root.line)
    _check(root)
    reading = MessageReading("ubl", options)
    reading.kind = f"{root.name}-{root.says('UBLVersionID') or '2'}"
    reading.message_id = root.says("ID")
    reading.read(root.first("ID"), root.first("IssueDate"), root.first("UBLVersionID"))
    issued = reading.day_and_time(root.first("IssueDate"), root.first("IssueTime"))
    reading.sent_at(issued)
    shipments = list(_shipments(root))
    declared = [
        root.name in _OF_SHIPMENTS and _keep_shipment(root, shipment, issued, reading)
        for shipment in shipments
    ]
    if root.name in _DOCUMENTS:
        _keep_documents(root, shipments, issued, reading)
    for shipment, is_declared in zip(shipments, declared, strict=True):
        subject = _shipment_id(shipment, reading)
        keep_goods(shipment, subject, reading, is_declared=is_declared)
    return reading.conversion(root.leaves())


def _check(root: Element) -> None:
    own = list(_own(root))
    for element in own[1:]:
        if not _COMMON.fullmatch(element.namespace):
            wanted = "want an element of the common components of UBL 2"
            raise MessageRefused(element.place, wanted, element.line)
    check_elements((each for each in own if not each.children), _PROMISES, _ENDINGS)
    _check_once(own)
    _STRUCTURE.check_wanted(own)
    if root.name in (*_DOCUMENTS, *_OF_SHIPMENTS) and root.first("ID") is None:
        raise MessageRefused(root.place, "want ID", root.line)
    if root.name.endswith("Invoice") and root.first("IssueDate") is None:
        raise MessageRefused(root.place, "want IssueDate", root.line)


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
        said = set()
        for child in element.children:
            if child.name in said and _ONCE.fullmatch(child.name):
                raise MessageRefused(child.place, f"want one {child.name}", child.line)
            said.add(child.name)


def _shipments(root: Element) -> Iterator[Element]:
    for scope in (root, *root.every("CustomsDeclaration"), *root.every("Delivery")):
        yield from (each for each in scope.every("Shipment") if each.children)


def _shipment_id(shipment: Element, reading: MessageReading) -> Value | None:
    return reading.id(shipment.first("ID", "Consignment/ID"))


def _first_party(root: Element, shipment: Element | None, paths: tuple[str, ...]) -> Element | None:
    # A party of the shipment takes precedence over one of the whole document.
    near = shipment.first(*(each.removeprefix("Shipment/") for each in paths)) if shipment else None
    return near or root.first(*paths)


def _keep_documents(
    root: Element, shipments: list[Element], issued: Value | None, reading: MessageReading
) -> None:
    """Store the document, once for each shipment that it names."""
    kind: DocumentKind = _DOCUMENTS[root.name]
    # UBL has one Waybill for all modes; records distinguish air waybills.
    if root.name == "Waybill" and _mode(root) in ("4", "air"):
        kind = "air_waybill"
    identity = _document_id(root, reading)
    for shipment in shipments if len(shipments) > 1 else ():
        draft = _document(root, shipment, issued, reading)
        subject = draft.values.get("subject_id")
        if identity is not None and subject is not None:
            # Each copy needs an id of its own, since records are unique by document id.
            own = plain_id(f"{identity.content[:40]}:{subject.content}")
            draft.put("document_id", Value(own, identity.place, identity.elements))
        reading.keep(draft.put("kind", Value(kind, root.place)))
    if len(shipments) < 2:
        draft = _document(root, shipments[0] if shipments else None, issued, reading)
        reading.keep(draft.put("kind", Value(kind, root.place)).put("document_id", identity))


def _document(
    root: Element, shipment: Element | None, issued: Value | None, reading: MessageReading
) -> RecordDraft:
    draft = RecordDraft("documents", root.place)
    subject = _shipment_id(shipment, reading) if shipment else _referenced(root, reading)
    draft.put("number", reading.number_of_document(root.first("ID")))
    draft.put("subject_kind", Value("shipment", root.place))
    draft.put("subject_id", subject)
    draft.put("issued_at", issued).put("received_at", reading.received_at)
    draft.put("expires_at", reading.instant(root.first("ValidityPeriod/EndDate")))
    _put_parties(draft, root, shipment, reading)
    draft.put("issuer_id", ubl_party(_first_party(root, shipment, _ISSUER), reading))
    if shipment is not None:
        _put_measures(draft, shipment, reading)
        _put_equipment(draft, shipment, reading)
    _put_amount(draft, "value", _value_of_document(root, shipment), reading)
    return draft


def _document_id(root: Element, reading: MessageReading) -> Value | None:
    """Return an id made of the document type and its UUID or else number.

    Two issuers may use one number, so a UUID takes precedence.
    """
    number = root.first("UUID", "ID")
    if number is None:
        return None
    value = reading.id(number)
    return value and Value(f"{root.name}:{value.content}"[:64], value.place, value.elements)


def _mode(root: Element) -> str:
    name = root.says("Name").lower()
    if "air" in name.split():
        return "air"
    stages = root.everywhere("ShipmentStage", "MainCarriageShipmentStage")
    return next((code for each in stages if (code := each.says("TransportModeCode"))), "")


def _referenced(root: Element, reading: MessageReading) -> Value | None:
    """Return the shipment id that the template of the options finds in the references."""
    template = reading.options.shipment_pattern
    for path in _REFERENCES if template else ():
        for element in root.every(path):
            leaf = element if element.text else element.first("ID")
            if template and leaf and (named := template.find(leaf.text)):
                return Value(plain_id(named), leaf.place, (leaf,))
    return None


def _keep_shipment(
    root: Element, shipment: Element, issued: Value | None, reading: MessageReading
) -> bool:
    draft = RecordDraft("shipments", shipment.place)
    draft.put("shipment_id", _shipment_id(shipment, reading))
    _put_parties(draft, root, shipment, reading)
    notify = shipment.first("Consignment/NotifyParty") or root.first("NotifyParty")
    draft.put("notify_party_id", ubl_party(notify, reading))
    forwarder = _first_party(
        root, shipment, ("FreightForwarderParty", "SendingLogisticsOperatorParty")
    )
    draft.put("forwarder_id", ubl_party(forwarder, reading))
    declarant = root.first("DeclarantParty", "ExporterParty/AgentParty", "ImporterParty/AgentParty")
    draft.put("declarant_id", ubl_party(declarant, reading))
    of_goods = next(iter(shipment.everywhere("OriginCountry")), None)
    code = "IdentificationCode"
    draft.put("origin_country", reading.country(of_goods.first(code) if of_goods else None))
    from_paths = (
        "Consignment/OriginalDepartureCountry",
        "ExportCountry",
        "Delivery/Despatch/DespatchAddress/Country",
    )
    to_paths = (
        *("Consignment/FinalDestinationCountry", "Delivery/DeliveryAddress/Country"),
        "Consignment/RequestedDeliveryTransportEvent/Location/Address/Country",
    )
    for name, paths in (("dispatch_country", from_paths), ("destination_country", to_paths)):
        draft.put(name, reading.country(shipment.first(*(f"{path}/{code}" for path in paths))))
    put_heading(draft, codes_of(shipment, reading))
    draft.put("goods_description", _description(shipment, reading))
    _put_measures(draft, shipment, reading)
    _put_equipment(draft, shipment, reading)
    _put_amount(draft, "declared_value", _value_of_shipment(shipment), reading)
    draft.put("office_id", reading.id(_office(root)))
    draft.put("declared_at", issued, reading.received_at)
    return reading.keep(draft)


def _put_parties(
    draft: RecordDraft, root: Element, shipment: Element | None, reading: MessageReading
) -> None:
    for name, paths in (("consignor_id", _CONSIGNOR), ("consignee_id", _CONSIGNEE)):
        draft.put(name, ubl_party(_first_party(root, shipment, paths), reading))


def _description(shipment: Element, reading: MessageReading) -> Value | None:
    items = list(shipment.everywhere("GoodsItem"))
    said = [found for each in items if (found := each.first("Description", "Item/Description"))]
    return reading.texts(said) or reading.text(
        shipment.first("Consignment/TariffDescription", "Consignment/SummaryDescription")
    )


def _put_measures(draft: RecordDraft, shipment: Element, reading: MessageReading) -> None:
    consignment = shipment.first("Consignment") or shipment
    for name in ("gross_mass_kg", "net_mass_kg", "volume_m3"):
        stem = {"gross_mass_kg": "GrossWeight", "net_mass_kg": "NetWeight"}.get(name, "GrossVolume")
        # Records of documents have no field for net mass or volume.
        if name != "gross_mass_kg" and draft.record_type == "documents":
            continue
        measure = reading.volume_m3 if name == "volume_m3" else reading.mass_kg
        found = shipment.first(f"{stem}Measure") or consignment.first(f"{stem}Measure")
        draft.put(name, measure(found))
    packages = ("TotalPackagesQuantity", "TotalTransportHandlingUnitQuantity")
    found = consignment.first(*packages) or shipment.first(*packages)
    draft.put("packages", reading.count(found))


def _put_equipment(draft: RecordDraft, shipment: Element, reading: MessageReading) -> None:
    units = [
        *shipment.every("TransportHandlingUnit"),
        *shipment.every("Consignment/TransportHandlingUnit"),
    ]
    for unit in units:
        equipment = unit.first("TransportEquipment/ID")
        # The id of a handling unit may be a container number or just a count.
        loaded = reading.container_as_such(unit.first("ID"))
        draft.put("container_number", reading.container(equipment), loaded)
        seal = unit.first("TransportEquipment/TransportEquipmentSeal/ID")
        draft.put("seal_number", reading.number_of_document(seal))
    loose = shipment.first("Consignment/TransportEquipment/ID")
    draft.put("container_number", reading.container(loose))


def _value_of_shipment(shipment: Element) -> Element | None:
    return shipment.first(
        *("DeclaredCustomsValueAmount", "Consignment/DeclaredCustomsValueAmount"),
        *("Consignment/TotalInvoiceAmount", "FreeOnBoardValueAmount"),
    )


def _value_of_document(root: Element, shipment: Element | None) -> Element | None:
    if root.name.endswith("Invoice"):
        return root.first(
            "LegalMonetaryTotal/PayableAmount", "LegalMonetaryTotal/TaxInclusiveAmount"
        )
    return root.first("DeclaredCarriageValueAmount") or (
        _value_of_shipment(shipment) if shipment is not None else None
    )


def _put_amount(
    draft: RecordDraft, name: str, amount: Element | None, reading: MessageReading
) -> None:
    if amount is None:
        return
    draft.put(name, reading.decimal(amount, "an amount"))
    draft.put("currency", reading.currency(amount.attributes.get("currencyID", ""), amount))


def _office(root: Element) -> Element | None:
    return root.first(
        *("CustomsDeclaration/CustomsExitOfficeLocation/ID", "TransitCustomsExitOfficeLocation/ID"),
        *("ImportCustomsExitOfficeLocation/ID", "CustomsExitOfficeLocation/ID"),
        *("CustomsDeclaration/CustomsParty/PartyIdentification/ID",),
    )
