"""Tables of the fields of UBL: documents, shipments and goods items, at any depth of a shipment."""

from collections.abc import Iterator

from features.messages.element import Element
from features.messages.field_tables import (
    Fields,
    Scope,
    Source,
    commodity,
    keep_items,
    of_shipment,
    prefixed,
    put_fields,
    put_heading,
    received,
)
from features.messages.message_reading import MessageReading, id_in_references, plain_id
from features.messages.parties import PartyNumber, party_numbers, scheme_number
from features.messages.record_drafts import RecordDraft, Value
from features.messages.written_values import decimal_of
from features.records import DocumentKind


def numbers_of_ubl_party(party: Element) -> Iterator[PartyNumber]:
    """Yield the numbers of a party, or its name."""
    country = party.first("PostalAddress/Country/IdentificationCode")
    yield from party_numbers("vat", party.first("PartyTaxScheme/CompanyID"), country)
    yield from party_numbers("register", party.first("PartyLegalEntity/CompanyID"), country)
    endpoint = party.first("EndpointID")
    for number in (*party.every("PartyIdentification/ID"), *([endpoint] if endpoint else [])):
        yield from scheme_number(number.attributes.get("schemeID", ""), number, country)
    # A party with a person and no entity may be that person, who must not be identified by name.
    if party.first("Person") is None:
        name = party.first("PartyName/Name", "PartyLegalEntity/RegistrationName")
        yield from party_numbers("name", name, country)


def _near(*paths: str) -> str:
    """Return paths that prefer what the shipment states to what the whole document states."""
    return " ".join(
        [*(each.removeprefix("Shipment/") for each in paths), *(f"/{p}" for p in paths)]
    )


_CODES = (
    *("Item/CommodityClassification/CommodityCode", "Item/CommodityClassification/CargoTypeCode"),
    *("Item/CommodityClassification/ItemClassificationCode", "CustomsTariffCode"),
)
_TARIFF = ("Consignment/TariffCode", "TariffCode")
_VALUES_OF_ITEM = ("DeclaredCustomsValueAmount", "ValueAmount", "DeclaredStatisticsValueAmount")
_VALUE = """
    DeclaredCustomsValueAmount Consignment/DeclaredCustomsValueAmount
    Consignment/TotalInvoiceAmount FreeOnBoardValueAmount
    """
_INVOICED = "/LegalMonetaryTotal/PayableAmount /LegalMonetaryTotal/TaxInclusiveAmount"
_SEAL = "TransportHandlingUnit/TransportEquipment/TransportEquipmentSeal/ID"
# References that the template of the options is tried on, in this order.
_REFERENCES = (
    *("OrderReference", "DespatchDocumentReference", "ReceiptDocumentReference"),
    *("BillingReference/InvoiceDocumentReference", "ContractDocumentReference"),
    *("AdditionalDocumentReference", "DocumentReference", "ShippingOrderID", "Note"),
)


def _referenced(scope: Scope, reading: MessageReading) -> Value | None:
    """Return the shipment id that the template of the options finds in the references."""
    found = (each for path in _REFERENCES for each in scope.root.every(path))
    references = (each if each.text else each.first("ID") for each in found)
    return id_in_references(reading.options.shipment_pattern, references)


def _container(scope: Scope, reading: MessageReading) -> Value | None:
    for path in ("TransportHandlingUnit", "Consignment/TransportHandlingUnit"):
        for unit in scope.every(path):
            equipment = reading.container(unit.first("TransportEquipment/ID"))
            # The id of a handling unit may be a container number or just a count.
            if found := equipment or reading.container_as_such(unit.first("ID")):
                return found
    return reading.container(scope.first("Consignment/TransportEquipment/ID"))


def _description(scope: Scope, reading: MessageReading) -> Value | None:
    found = (
        item.first("Description", "Item/Description") for item in scope.own.everywhere("GoodsItem")
    )
    whole = scope.first("Consignment/TariffDescription", "Consignment/SummaryDescription")
    return reading.texts(filter(None, found)) or reading.text(whole)


def _origin(scope: Scope, reading: MessageReading) -> Value | None:
    of_goods = next(scope.own.everywhere("OriginCountry"), None)
    return reading.country(of_goods.first("IdentificationCode")) if of_goods is not None else None


def _value_of_item(item: Scope) -> Element | None:
    amounts = (item.first(name) for name in _VALUES_OF_ITEM)
    # A declared value of zero often means that no value is declared.
    return next((each for each in amounts if each and (decimal_of(each.text) or 0) > 0), None)


_BOTH: Fields = {
    # Parties of the transport before those of the trade.
    "consignor_id": _near(
        *("ConsignorParty", "Shipment/Consignment/ConsignorParty", "DespatchSupplierParty/Party"),
        *("CustomsDeclaration/ConsignorParty", "ExporterParty", "TransitExporterParty"),
        *("SellerSupplierParty/Party", "AccountingSupplierParty/Party"),
    ),
    "consignee_id": _near(
        *("ConsigneeParty", "Shipment/Consignment/ConsigneeParty", "DeliveryCustomerParty/Party"),
        *("CustomsDeclaration/ConsigneeParty", "ImporterParty", "BuyerCustomerParty/Party"),
        "AccountingCustomerParty/Party",
    ),
    "gross_mass_kg": "GrossWeightMeasure Consignment[1]/GrossWeightMeasure",
    "packages": """
        Consignment[1]/TotalPackagesQuantity Consignment[1]/TotalTransportHandlingUnitQuantity
        TotalPackagesQuantity TotalTransportHandlingUnitQuantity
        """,
    "container_number": _container,
    "seal_number": f"{_SEAL} Consignment/{_SEAL}",
}
_DOCUMENT: Fields = {
    "number": "/ID",
    "subject_kind": of_shipment,
    "subject_id": "ID Consignment/ID",
    "issued_at": lambda _, reading: reading.sent,
    "received_at": received,
    "expires_at": "/ValidityPeriod/EndDate",
    **_BOTH,
    "issuer_id": _near(
        *("IssuerParty", "CarrierParty", "FreightForwarderParty", "SendingLogisticsOperatorParty")
    ),
}
_SHIPMENT: Fields = {
    "shipment_id": "ID Consignment/ID",
    **_BOTH,
    "notify_party_id": "Consignment/NotifyParty /NotifyParty",
    "forwarder_id": _near("FreightForwarderParty", "SendingLogisticsOperatorParty"),
    "declarant_id": "/DeclarantParty /ExporterParty/AgentParty /ImporterParty/AgentParty",
    "origin_country": _origin,
    "dispatch_country": """
        Consignment/OriginalDepartureCountry/IdentificationCode ExportCountry/IdentificationCode
        Delivery/Despatch/DespatchAddress/Country/IdentificationCode
        """,
    "destination_country": """
        Consignment/FinalDestinationCountry/IdentificationCode
        Delivery/DeliveryAddress/Country/IdentificationCode
        Consignment/RequestedDeliveryTransportEvent/Location/Address/Country/IdentificationCode
        """,
    "goods_description": _description,
    "net_mass_kg": "NetWeightMeasure Consignment[1]/NetWeightMeasure",
    "volume_m3": "GrossVolumeMeasure Consignment[1]/GrossVolumeMeasure",
    "declared_value": _VALUE,
    "currency": _VALUE,
    "office_id": """
        /CustomsDeclaration/CustomsExitOfficeLocation/ID /TransitCustomsExitOfficeLocation/ID
        /ImportCustomsExitOfficeLocation/ID /CustomsExitOfficeLocation/ID
        /CustomsDeclaration/CustomsParty/PartyIdentification/ID
        """,
    "declared_at": lambda _, reading: reading.sent or reading.received_at,
}
_ITEM: Fields = {
    "description": "Description Item/Description",
    "origin_country": "Item/OriginCountry/IdentificationCode",
    "gross_mass_kg": "GrossWeightMeasure",
    "net_mass_kg": "NetWeightMeasure",
    "packages": "ContainingPackage/Quantity",
    "value": lambda item, reading: reading.amount(_value_of_item(item)),
    "currency": lambda item, reading: reading.currency_of_amount(_value_of_item(item)),
}


def keep_documents(
    root: Element, kind: DocumentKind, shipments: list[Element], reading: MessageReading
) -> None:
    """Store the document, once for each shipment that it names."""
    value = _INVOICED if root.name.endswith("Invoice") else f"/DeclaredCarriageValueAmount {_VALUE}"
    fields: dict[str, str | Source] = {**_DOCUMENT, "value": value, "currency": value}
    if not shipments:
        fields["subject_id"] = _referenced
    # Two issuers may use one number, so a UUID takes precedence.
    identity = prefixed(root.name, reading.id(root.first("UUID", "ID")))
    for shipment in shipments or [Element("", root.place, "")]:
        draft = RecordDraft("documents", root.place)
        put_fields(draft, fields, Scope(root, shipment), reading)
        subject, own = draft.values.get("subject_id"), identity
        if identity is not None and len(shipments) > 1:
            # Each copy needs an id of its own, since records are unique by document id.
            own = subject and identity._replace(
                content=plain_id(f"{identity.content[:40]}:{subject.content}")
            )
        reading.keep(draft.put("kind", Value(kind, root.place)).put("document_id", own))


def keep_shipment(root: Element, shipment: Element, reading: MessageReading) -> bool:
    """Store a shipment; return False if it is refused."""
    scope = Scope(root, shipment)
    draft = put_fields(RecordDraft("shipments", shipment.place), _SHIPMENT, scope, reading)
    items = shipment.everywhere("GoodsItem")
    codes = [commodity(reading, item.first(*_CODES)) for item in items]
    return reading.keep(
        put_heading(draft, codes if any(codes) else [commodity(reading, shipment.first(*_TARIFF))])
    )


def keep_goods(
    root: Element, shipment: Element, reading: MessageReading, *, is_declared: bool
) -> None:
    """Store the goods items of a shipment."""
    items = list(shipment.everywhere("GoodsItem"))
    # The tariff of the consignment applies if there is only one item.
    tariff = shipment.first(*_TARIFF) if len(items) == 1 else None

    def code(scope: Scope, reading: MessageReading) -> Value | None:
        return commodity(reading, scope.first(*_CODES)) or commodity(reading, tariff)

    own = reading.id(shipment.first("ID", "Consignment/ID"))
    fields: Fields = {"shipment_id": lambda *_: own, "commodity_code": code, **_ITEM}
    keep_items(root, items, fields, reading, is_declared=is_declared)
