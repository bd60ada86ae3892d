"""The record types that Tidegate accepts, with one schema for files, requests and tests.

Every record is frozen and strict: unknown fields, fields about a person, instants without an offset
and non-finite numbers are refused with the field's name. Instants are stored in UTC. Party ids are
keyed pseudonyms; no record has a field for a person's name.
"""

from typing import Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, PydanticUseDefault, core_schema

from features.field_types import (
    AgentId,
    Amount,
    CallSign,
    Code,
    CommodityCode,
    ContainerNumber,
    ConveyanceId,
    Country,
    Course,
    CubicMetres,
    Currency,
    DocumentId,
    DocumentNumber,
    EventId,
    Flag,
    HsCode,
    ImoNumber,
    Instant,
    ItemNumber,
    Items,
    JourneyId,
    Kilograms,
    Knots,
    Latitude,
    LocationCode,
    Longitude,
    Metres,
    Mmsi,
    OfficeId,
    Ordinal,
    Packages,
    PartyId,
    PayeeId,
    Percent,
    Persons,
    PlateNumber,
    SealNumber,
    Share,
    ShipmentId,
    SubjectId,
    Text,
    TransactionId,
)
from features.offences import OffenceCodes
from features.outcome_contradictions import contradiction
from features.persons import describes_a_person

SubjectKind = Literal["route", "shipment"]
SUBJECT_KINDS: tuple[SubjectKind, ...] = get_args(SubjectKind)
Mode = Literal["sea", "air", "road", "rail", "inland_waterway"]
ConveyanceKind = Literal[
    "container_ship",
    "general_cargo",
    "tanker",
    "fishing_vessel",
    "small_craft",
    "rigid_craft",
    "inflatable_craft",
    "truck",
    "van",
    "coach",
    "train",
    "aircraft",
]
CargoUnit = Literal["reefer", "tank", "box", "open"]
# The lists that define the digits after the six of the Harmonized System: of the European Union (8
# and 10 digits), the United Kingdom, the United States (import and export), Mercosur, ASEAN, India
# and the Eurasian Economic Union.
Nomenclature = Literal[
    "hs",
    "cn",
    "taric",
    "uk_tariff",
    "htsus",
    "schedule_b",
    "ncm",
    "ahtn",
    "itc_hs",
    "tn_ved",
]
DocumentKind = Literal[
    "manifest",
    "bill_of_lading",
    "air_waybill",
    "invoice",
    "packing_list",
    "certificate_of_origin",
    "permit",
    "transit",
    "security_checklist",
]
PaymentMethod = Literal[
    "bank_transfer", "card", "cash", "money_service", "virtual_asset", "trade_credit", "netting"
]
# DCSA Track & Trace 2.2 calls the first eight DEPA, ARRI, LOAD, DISC, GTIN, GTOT, STUF and STRP.
# COARRI reports those of ships and CODECO those of gates; NCTS reports the opening (CC029) and
# discharge (CC045) of a transit.
EventKind = Literal[
    "departed",
    "arrived",
    "loaded",
    "discharged",
    "gate_in",
    "gate_out",
    "stuffed",
    "stripped",
    "transit_opened",
    "transit_discharged",
]
Purpose = Literal["goods", "freight", "deposit", "release", "other"]
SelectedBy = Literal["model", "rule", "random", "intelligence", "discretion"]
Result = Literal[
    "confirmed",
    "not_confirmed",
    "other_offence",
    "inconclusive",
    "documents_in_order",
    "documents_irregular",
]
# Results that establish whether something was smuggled.
CONCLUSIVE: tuple[Result, ...] = ("confirmed", "not_confirmed")
OF_DOCUMENTS: tuple[Result, ...] = ("documents_in_order", "documents_irregular")
Examination = Literal["physical", "scan", "documents", "canine", "post_clearance"]
Depth = Literal["full", "partial"]

# Fields that identify a version of a record; they do not describe its subject.
VERSION_FIELDS = frozenset({"known_at", "version", "withdrawn"})

# The error for a later version that does not state when it became known.
AMENDED_WHEN = "is required of a version after the first and of one that withdraws"


class NullIsAbsent(BaseModel):
    """A model in which null stands for the default of every field that has one.

    Clients that write out every field they know send null for what they do not state.
    """

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Make fields accept null, both in validation and in the published schema."""
        schema = handler(source)
        fields: Any = schema
        while fields["type"] != "model-fields":
            fields = fields["schema"]
        for field in fields["fields"].values():
            stated = field["schema"]
            if stated["type"] == "default" and stated.get("default", ()) is not None:
                nullable = core_schema.nullable_schema(stated["schema"])
                stated["schema"] = core_schema.no_info_after_validator_function(
                    _default_for_null, nullable
                )
        return schema


def _default_for_null(value: Any) -> Any:
    if value is None:
        raise PydanticUseDefault
    return value


class Record(NullIsAbsent):
    """A row of one record type; refuses any field it does not know, which `persons` explains.

    Where a record type has versions, a later one of the same record takes the place of those before
    it from when it is known, and one that is `withdrawn` ends it: from then on there is no such
    record.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)

    # The field with the instant from which a record may be used, unless it has `known_at`.
    known_from: ClassVar[str]

    # Whether a record without an instant is part of its subject's declaration.
    is_part_of_declaration: ClassVar[bool] = False

    # The unique key: a second row with the same values in a file is refused.
    unique_fields: ClassVar[tuple[str, ...]] = ()

    # The fields that all versions of a record share; without any, records cannot be amended.
    versions_of: ClassVar[tuple[str, ...]] = ()
    # Whether a version replaces earlier ones; if not, each counts until the record is withdrawn.
    versions_replace: ClassVar[bool] = True


def refuse_unknown_amendment(record: Any) -> Any:
    """Refuse a later version or a withdrawal that does not state when it became known."""
    if record.known_at is None and (record.version > 1 or record.withdrawn):
        raise PydanticCustomError("amendment_without_instant", f"`known_at` {AMENDED_WHEN}")
    return record


class Journey(Record):
    """One movement of one conveyance, scored as a route with its legs."""

    known_from: ClassVar[str] = "declared_at"
    unique_fields: ClassVar[tuple[str, ...]] = ("journey_id", "version")
    versions_of: ClassVar[tuple[str, ...]] = ("journey_id",)

    journey_id: JourneyId = Field(description="The journey, by the id that the sender gave it.")
    mode: Mode = Field(description="How the conveyance travels.")
    carrier_id: PartyId = Field(
        description="The party that carries the goods.", examples=["carrier-3f9a"]
    )
    conveyance_id: ConveyanceId = Field(description="The vessel, vehicle, train or aircraft.")
    conveyance_kind: ConveyanceKind = Field(description="What kind of conveyance it is.")
    registration_country: Country | None = Field(
        None, description="The country whose flag or plate the conveyance has.", examples=["PT"]
    )
    origin: LocationCode = Field(
        description="The place where the journey begins.", examples=["TRIST"]
    )
    destination: LocationCode = Field(description="The place where the journey ends.")
    booked_at: Instant | None = Field(
        None, description="When the journey was booked.", examples=["2026-11-10T08:00:00Z"]
    )
    declared_at: Instant = Field(
        description="When the journey was declared; a route is scored as of this instant.",
        examples=["2026-11-20T09:30:00Z"],
    )
    departed_at: Instant | None = Field(
        None, description="When the conveyance left.", examples=["2026-11-20T18:00:00Z"]
    )
    due_at: Instant = Field(
        description="When the conveyance is expected at the destination.",
        examples=["2026-11-28T06:00:00Z"],
    )
    certified_capacity: Persons | None = Field(
        None, description="How many persons the conveyance is certified to carry."
    )
    persons_on_board: Persons | None = Field(None, description="How many persons are on board.")
    declared_cargo_mass_kg: Kilograms | None = Field(
        None, description="The mass of the whole cargo as declared.", examples=[18_200_000.0]
    )
    hire_started_at: Instant | None = Field(
        None,
        description="When the hire of the conveyance began.",
        examples=["2026-11-19T09:00:00Z"],
    )
    hire_return_location: LocationCode | None = Field(
        None, description="The place where the conveyance is to be returned after its hire."
    )
    imo_number: ImoNumber | None = Field(
        None, description="The number of the ship's hull, which no sale or flag changes."
    )
    mmsi: Mmsi | None = Field(None, description="The number that the ship's radio and AIS send.")
    call_sign: CallSign | None = Field(
        None, description="The call sign of the ship's or aircraft's radio."
    )
    plate_number: PlateNumber | None = Field(
        None, description="The registration plate of the vehicle or its trailer."
    )
    cargo_unit: CargoUnit | None = Field(
        None, description="What holds the cargo: refrigerated, a tank, closed or open."
    )
    known_at: Instant | None = Field(
        None,
        description="When this version became known; the first one was when it was declared.",
        examples=["2026-11-21T07:15:00Z"],
    )
    version: Ordinal = Field(1, description="The version of the journey, from 1.")
    withdrawn: Flag = Field(
        False, description="Whether the journey was withdrawn, by this version.", examples=[False]
    )

    _is_known = model_validator(mode="after")(refuse_unknown_amendment)


class Leg(Record):
    """One stretch of a journey between two places; planned where `arrived_at` is empty."""

    known_from: ClassVar[str] = "known_at"
    unique_fields: ClassVar[tuple[str, ...]] = ("journey_id", "sequence", "version")
    versions_of: ClassVar[tuple[str, ...]] = ("journey_id", "sequence")

    journey_id: JourneyId = Field(description="The journey that the leg is part of.")
    sequence: Ordinal = Field(description="The place of the leg in its journey, from 1.")
    origin: LocationCode = Field(description="The place where the leg begins.", examples=["TRIST"])
    destination: LocationCode = Field(
        description="The place where the leg ends.", examples=["GRPIR"]
    )
    mode: Mode | None = Field(None, description="How the conveyance travels on the leg.")
    departed_at: Instant | None = Field(
        None, description="When the conveyance left.", examples=["2026-11-20T18:00:00Z"]
    )
    arrived_at: Instant | None = Field(
        None,
        description="When the conveyance arrived; empty while the leg is planned.",
        examples=["2026-11-22T04:00:00Z"],
    )
    known_at: Instant | None = Field(
        None, description="When the authority learnt of the leg.", examples=["2026-11-22T04:00:00Z"]
    )
    version: Ordinal = Field(1, description="The version of the leg, from 1.")
    withdrawn: Flag = Field(
        False, description="Whether the leg was withdrawn, by this version.", examples=[False]
    )

    _is_known = model_validator(mode="after")(refuse_unknown_amendment)


class Position(Record):
    """Where the conveyance of a journey was heard."""

    known_from: ClassVar[str] = "observed_at"

    journey_id: JourneyId = Field(description="The journey whose conveyance was heard.")
    observed_at: Instant = Field(
        description="When the conveyance was heard.", examples=["2026-11-21T02:13:00Z"]
    )
    latitude: Latitude = Field(description="Degrees north of the equator; south is negative.")
    longitude: Longitude = Field(description="Degrees east of Greenwich; west is negative.")
    speed_kn: Knots | None = Field(None, description="The speed over ground.")
    course_degrees: Course | None = Field(
        None, description="The course over ground, clockwise from true north."
    )
    error_radius_m: Metres | None = Field(
        None, description="How far from the position the conveyance may have been."
    )
    is_distress: Flag | None = Field(
        None, description="Whether it is a call for help, as of an AIS-SART or EPIRB."
    )
    source: Code | None = Field(
        None, description="The system that heard the conveyance.", examples=["ais"]
    )


class Shipment(Record):
    """One consignment as declared."""

    known_from: ClassVar[str] = "declared_at"
    unique_fields: ClassVar[tuple[str, ...]] = ("shipment_id", "version")
    versions_of: ClassVar[tuple[str, ...]] = ("shipment_id",)

    shipment_id: ShipmentId = Field(description="The shipment, by the id that the sender gave it.")
    journey_id: JourneyId | None = Field(None, description="The journey that brings the shipment.")
    consignor_id: PartyId = Field(description="The party that sends the goods.")
    consignee_id: PartyId = Field(
        description="The party that receives the goods.", examples=["party-12de"]
    )
    notify_party_id: PartyId | None = Field(
        None, description="The party to be told of the arrival.", examples=["party-90ab"]
    )
    forwarder_id: AgentId | None = Field(None, description="The party that arranges the transport.")
    declarant_id: AgentId | None = Field(None, description="The party that lodges the declaration.")
    hs_code: HsCode | None = Field(
        None,
        description="The six digits of the Harmonized System; else those of the principal item.",
    )
    goods_description: Text | None = Field(
        None,
        description="The goods in the words of the declaration.",
        examples=["inflatable boats with accessories"],
    )
    origin_country: Country = Field(
        description="The country where the goods were made.", examples=["CN"]
    )
    dispatch_country: Country = Field(description="The country from which the goods were sent.")
    destination_country: Country = Field(
        description="The country to which the goods go.", examples=["DE"]
    )
    office_id: OfficeId | None = Field(
        None, description="The customs or border office that decides."
    )
    gross_mass_kg: Kilograms | None = Field(
        None, description="The mass of the goods with their packing."
    )
    net_mass_kg: Kilograms | None = Field(
        None, description="The mass of the goods without their packing.", examples=[3_875.5]
    )
    volume_m3: CubicMetres | None = Field(
        None, description="The volume of the goods with their packing."
    )
    packages: Packages | None = Field(None, description="How many packages there are.")
    declared_value: Amount | None = Field(None, description="The value of the goods as declared.")
    currency: Currency | None = Field(None, description="The currency of the declared value.")
    tax_rate: Percent | None = Field(None, description="The rate of duty on the goods.")
    tax_type: Code | None = Field(
        None, description="The legal basis of the rate of duty.", examples=["preferential"]
    )
    payment_type: Code | None = Field(
        None, description="The terms of payment between the parties.", examples=["prepaid"]
    )
    import_type: Code | None = Field(
        None, description="The customs procedure and use of the goods.", examples=["consumption"]
    )
    container_number: ContainerNumber | None = Field(
        None, description="The container, as painted on it."
    )
    seal_number: SealNumber | None = Field(None, description="The seal of the container.")
    declared_at: Instant = Field(
        description="When the shipment was declared; it is scored as of this instant."
    )
    known_at: Instant | None = Field(
        None,
        description="When this version became known; the first one was when it was declared.",
        examples=["2026-11-21T07:15:00Z"],
    )
    version: Ordinal = Field(1, description="The version of the shipment, from 1.")
    withdrawn: Flag = Field(
        False, description="Whether the shipment was withdrawn, by this version.", examples=[False]
    )

    _is_known = model_validator(mode="after")(refuse_unknown_amendment)


class GoodsItem(Record):
    """One item of the goods of a shipment, under its own commodity code.

    Without `known_at` it is part of the declaration and counts whenever the shipment is scored.
    """

    known_from: ClassVar[str] = "known_at"
    is_part_of_declaration: ClassVar[bool] = True
    unique_fields: ClassVar[tuple[str, ...]] = ("shipment_id", "number", "version")
    versions_of: ClassVar[tuple[str, ...]] = ("shipment_id", "number")

    shipment_id: ShipmentId = Field(description="The shipment that the item is part of.")
    number: ItemNumber = Field(description="The number of the item in its shipment, from 1.")
    commodity_code: CommodityCode = Field(
        description="The goods of the item, by the 6 to 10 digits of a nomenclature."
    )
    nomenclature: Nomenclature | None = Field(
        None, description="The nomenclature of the commodity code; its first six digits are HS."
    )
    description: Text | None = Field(
        None,
        description="The goods of the item in the words of the declaration.",
        examples=["inflatable boat, 5.5 m, with pump"],
    )
    origin_country: Country | None = Field(
        None, description="The country where the goods of the item were made.", examples=["CN"]
    )
    gross_mass_kg: Kilograms | None = Field(
        None, description="The mass of the item with its packing.", examples=[310.0]
    )
    net_mass_kg: Kilograms | None = Field(
        None, description="The mass of the item without its packing.", examples=[280.0]
    )
    value: Amount | None = Field(
        None, description="The value of the item as declared.", examples=[7_900.0]
    )
    currency: Currency | None = Field(None, description="The currency of the value.")
    packages: Packages | None = Field(
        None, description="How many packages hold the item.", examples=[4]
    )
    known_at: Instant | None = Field(
        None,
        description="When the authority learnt of an item that is no part of the declaration.",
    )
    version: Ordinal = Field(1, description="The version of the item, from 1.")
    withdrawn: Flag = Field(
        False, description="Whether the item was withdrawn, by this version.", examples=[False]
    )

    _is_known = model_validator(mode="after")(refuse_unknown_amendment)


class Document(Record):
    """One version of a document filed for a subject."""

    known_from: ClassVar[str] = "received_at"
    unique_fields: ClassVar[tuple[str, ...]] = ("document_id", "version")
    versions_of: ClassVar[tuple[str, ...]] = ("document_id",)
    versions_replace: ClassVar[bool] = False  # an amendment is informative in itself

    document_id: DocumentId = Field(description="The document, the same in all its versions.")
    subject_kind: SubjectKind = Field(description="Whether it was filed for a route or a shipment.")
    subject_id: SubjectId = Field(description="The journey or shipment that it was filed for.")
    kind: DocumentKind = Field(description="What kind of document it is.")
    number: DocumentNumber | None = Field(None, description="The number printed on the document.")
    version: Ordinal = Field(1, description="The version, from 1.")
    issuer_id: PartyId | None = Field(None, description="The party that issued the document.")
    issued_at: Instant | None = Field(
        None, description="When the document was issued.", examples=["2026-11-18T00:00:00Z"]
    )
    expires_at: Instant | None = Field(
        None, description="When the document ceases to be valid.", examples=["2027-11-18T00:00:00Z"]
    )
    received_at: Instant = Field(
        description="When the authority received this version.", examples=["2026-11-23T15:10:00Z"]
    )
    consignor_id: PartyId | None = Field(
        None, description="The party that sends the goods, as the document states it."
    )
    consignee_id: PartyId | None = Field(
        None,
        description="The party that receives the goods, as the document states it.",
        examples=["party-12de"],
    )
    gross_mass_kg: Kilograms | None = Field(
        None, description="The mass with packing, as the document states it."
    )
    packages: Packages | None = Field(None, description="How many packages the document states.")
    value: Amount | None = Field(
        None, description="The value of the goods, as the document states it."
    )
    currency: Currency | None = Field(None, description="The currency of the value.")
    container_number: ContainerNumber | None = Field(
        None, description="The container, as the document states it."
    )
    seal_number: SealNumber | None = Field(None, description="The seal, as the document states it.")
    withdrawn: Flag = Field(
        False, description="Whether the document was withdrawn, by this version.", examples=[False]
    )


class Transaction(Record):
    """One payment linked to a subject."""

    known_from: ClassVar[str] = "known_at"
    unique_fields: ClassVar[tuple[str, ...]] = ("transaction_id", "version")
    versions_of: ClassVar[tuple[str, ...]] = ("transaction_id",)

    transaction_id: TransactionId = Field(
        description="The payment, by the id that the sender gave it."
    )
    subject_kind: SubjectKind = Field(description="Whether it was paid for a route or a shipment.")
    subject_id: SubjectId = Field(description="The journey or shipment that was paid for.")
    payer_id: PartyId = Field(description="The party that paid.", examples=["party-12de"])
    payee_id: PayeeId = Field(description="The party that was paid.")
    payer_country: Country | None = Field(
        None, description="The country of the account that paid.", examples=["DE"]
    )
    payee_country: Country | None = Field(
        None, description="The country of the account that was paid."
    )
    amount: Amount = Field(description="The amount paid.", examples=[15_700.0])
    currency: Currency = Field(description="The currency of the amount.")
    method: PaymentMethod = Field(description="How it was paid.")
    purpose: Purpose | None = Field(None, description="What it was paid for.")
    payer_iban_valid: Flag | None = Field(
        None, description="Whether the check digits of the IBAN that paid are right."
    )
    paid_at: Instant = Field(description="When it was paid.", examples=["2026-11-18T11:00:00Z"])
    known_at: Instant = Field(
        description="When the authority learnt of the payment.", examples=["2026-11-19T06:00:00Z"]
    )
    version: Ordinal = Field(1, description="The version of the payment, from 1.")
    withdrawn: Flag = Field(
        False, description="Whether the payment was withdrawn, by this version.", examples=[False]
    )


class Event(Record):
    """Something that happened to a subject on its way, as a terminal, carrier or office reports it.

    One that is known before it happened was announced, and has not happened yet.
    """

    known_from: ClassVar[str] = "known_at"
    unique_fields: ClassVar[tuple[str, ...]] = ("event_id", "version")
    versions_of: ClassVar[tuple[str, ...]] = ("event_id",)

    event_id: EventId = Field(description="The event, by the id that the sender gave it.")
    subject_kind: SubjectKind = Field(description="Whether it happened to a route or a shipment.")
    subject_id: SubjectId = Field(description="The journey or shipment that it happened to.")
    kind: EventKind = Field(description="What happened.")
    occurred_at: Instant = Field(description="When it happened.", examples=["2026-11-29T07:40:00Z"])
    known_at: Instant = Field(
        description="When the authority learnt of the event.", examples=["2026-11-29T08:00:00Z"]
    )
    place: LocationCode | None = Field(None, description="The place where it happened.")
    container_number: ContainerNumber | None = Field(
        None, description="The container that it happened to."
    )
    time_limit_at: Instant | None = Field(
        None,
        description="Until when goods under a transit that opened must be presented.",
        examples=["2026-12-02T00:00:00Z"],
    )
    version: Ordinal = Field(1, description="The version of the event, from 1.")
    withdrawn: Flag = Field(
        False, description="Whether the event was withdrawn, by this version.", examples=[False]
    )


class Outcome(Record):
    """What an inspection found. A subject without one has no label; it is never a negative.

    Where it contradicts itself (`features/outcome_contradictions.py`) it is refused; by call also
    where it was known before its inspection began, which files of histories hold now and then: as a
    label it counts from `known_at`, whatever it says of the visit.
    """

    known_from: ClassVar[str] = "known_at"
    # A result known later for the same inspection corrects an earlier one.
    unique_fields: ClassVar[tuple[str, ...]] = (
        "subject_kind",
        "subject_id",
        "inspected_at",
        "known_at",
    )
    versions_of: ClassVar[tuple[str, ...]] = ("subject_kind", "subject_id", "inspected_at")

    subject_kind: SubjectKind = Field(description="Whether a route or a shipment was inspected.")
    subject_id: SubjectId = Field(description="The journey or shipment that was inspected.")
    selected_by: SelectedBy = Field(description="What the subject was selected by.")
    # Tips precede every draw and discretion follows it, so neither has a probability.
    selection_probability: Share | None = Field(
        None, description="How probable it was to be examined so, by all ways that draw."
    )
    inspected_at: Instant = Field(
        description="When the inspection began.", examples=["2026-11-29T09:00:00Z"]
    )
    is_inspected_at_stated: Flag | None = Field(
        None, description="Whether somebody stated when; if not, that is when its case ended."
    )
    known_at: Instant = Field(
        description="When the result became known.", examples=["2026-11-29T15:00:00Z"]
    )
    result: Result = Field(
        description="What was found; a check of documents tells of documents alone."
    )
    typology: Code | None = Field(
        None, description="The way of smuggling that was found.", examples=["concealment"]
    )
    offences: OffenceCodes | None = Field(
        None, description="The classes of offence that were found, separated by a blank or `|`."
    )
    found_mass_kg: Kilograms | None = Field(
        None, description="The mass of what was found and should not have been there."
    )
    found_items: Items | None = Field(
        None, description="How many items were found that should not have been there."
    )
    found_persons: Persons | None = Field(
        None, description="How many persons were found that were being smuggled or trafficked."
    )
    examination: Examination | None = Field(
        None, description="How it was examined, by what went furthest."
    )
    depth: Depth | None = Field(None, description="Whether all of it was examined, or a part.")
    withdrawn: Flag = Field(
        False,
        description="Whether the outcome was withdrawn, as one of another subject.",
        examples=[False],
    )

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        found = (self.found_mass_kg, self.found_items, self.found_persons)
        wrong = contradiction(self.result, self.offences, self.examination, found)
        if wrong:
            raise PydanticCustomError("contradiction", f"{wrong[0]} {wrong[1]}")
        return self


# Record types by the name of their file, without its suffix, in a folder of records.
RECORD_FILES: dict[str, type[Record]] = {
    "journeys": Journey,
    "legs": Leg,
    "positions": Position,
    "shipments": Shipment,
    "goods_items": GoodsItem,
    "documents": Document,
    "transactions": Transaction,
    "events": Event,
    "outcomes": Outcome,
}

# Fails at import, so that no release can contain a field about a person.
for _record in RECORD_FILES.values():
    _about_persons = [f for f in _record.model_fields if describes_a_person(f)]
    if _about_persons:
        raise TypeError(f"{_record.__name__} has fields about a person: {_about_persons}")
