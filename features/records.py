"""What comes in: seven kinds of record, one schema for files, requests and tests.

Every record is frozen and strict: an unknown field, a field about a person, a naive instant or a
number that is not finite is refused with the field's name. Instants carry an offset and are kept in
UTC. Party ids are keyed pseudonyms; no record has room for a name.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)
from pydantic_core import PydanticCustomError

from features.persons import describes_a_person
from features.reference.code_lists import CODES, CodeList

SubjectKind = Literal["route", "shipment"]
Mode = Literal["sea", "air", "road", "rail", "inland_waterway"]
ConveyanceKind = Literal[
    "container_ship",
    "general_cargo",
    "tanker",
    "fishing_vessel",
    "small_craft",
    "truck",
    "van",
    "coach",
    "train",
    "aircraft",
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
Purpose = Literal["goods", "freight", "deposit", "release", "other"]
SelectedBy = Literal["model", "rule", "random", "intelligence", "discretion"]
Result = Literal["confirmed", "not_confirmed", "inconclusive"]


# Nothing that is scored happens outside these years; a slip of the pen does.
EARLIEST_YEAR, LATEST_YEAR = 1900, 2199

# RFC 3339, section 5.6: readers of ISO 8601 also take a bare number for seconds, or a date alone.
RFC_3339 = r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$"
_RFC_3339 = re.compile(RFC_3339, re.ASCII)


def _read(instant: Any) -> Any:
    if not isinstance(instant, str):
        return instant
    try:
        if _RFC_3339.fullmatch(instant):
            return datetime.fromisoformat(instant.upper())
    except ValueError:
        pass  # it looks like an instant and is none, as the 30th of February
    raise PydanticCustomError("instant", "want an instant as in RFC 3339, with its offset")


def _in_utc(instant: datetime) -> datetime:
    if not EARLIEST_YEAR <= instant.year <= LATEST_YEAR:
        raise ValueError(f"want a year from {EARLIEST_YEAR} to {LATEST_YEAR}")
    return instant.astimezone(UTC)


def _listed(name: CodeList) -> Callable[[str], str]:
    def known(code: str) -> str:
        if code not in CODES[name]:
            raise PydanticCustomError("unknown_code", f"want one of the known {name}")
        return code

    return known


Instant = Annotated[AwareDatetime, BeforeValidator(_read), AfterValidator(_in_utc)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:/-]{1,64}$")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._:/-]{1,32}$")]
Number = Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._:/-]{1,64}$")]
# No control characters, and none that reorder the text around them on a screen.
Text = Annotated[
    str,
    Field(max_length=512, pattern=r"^[^\x00-\x1f\x7f-\x9f\x{202a}-\x{202e}\x{2066}-\x{2069}]*$"),
]
Country = Annotated[
    str,
    Field(pattern=r"^[A-Z]{2}$", json_schema_extra={"x-code-list": "countries"}),
    AfterValidator(_listed("countries")),
]
Currency = Annotated[
    str,
    Field(pattern=r"^[A-Z]{3}$", json_schema_extra={"x-code-list": "currencies"}),
    AfterValidator(_listed("currencies")),
]
HsCode = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
Amount = Annotated[float, Field(ge=0, le=1e12)]
Quantity = Annotated[float, Field(ge=0, le=1e10)]
Count = Annotated[int, Field(ge=0, le=10_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class Record(BaseModel):
    """A row of one record type; refuses any field it does not know, which `persons` explains."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)

    # The instant from which the record may be used, where the row does not say `known_at`.
    known_from: ClassVar[str]


class Journey(Record):
    """One movement of one conveyance, scored as a route with its legs."""

    known_from: ClassVar[str] = "declared_at"

    journey_id: Id
    mode: Mode
    carrier_id: Id
    conveyance_id: Id
    conveyance_kind: ConveyanceKind
    registration_country: Country | None = None
    origin: Code
    destination: Code
    booked_at: Instant | None = None
    declared_at: Instant
    departed_at: Instant | None = None
    due_at: Instant
    certified_capacity: Count | None = None
    persons_on_board: Count | None = None
    declared_cargo_mass_kg: Quantity | None = None
    hire_started_at: Instant | None = None
    hire_return_location: Code | None = None


class Leg(Record):
    """One stretch of a journey between two places; planned where `arrived_at` is empty."""

    known_from: ClassVar[str] = "known_at"

    journey_id: Id
    sequence: Annotated[int, Field(ge=1, le=10_000)]
    origin: Code
    destination: Code
    mode: Mode | None = None
    departed_at: Instant | None = None
    arrived_at: Instant | None = None
    known_at: Instant | None = None


class Position(Record):
    """Where the conveyance of a journey was heard."""

    known_from: ClassVar[str] = "observed_at"

    journey_id: Id
    observed_at: Instant
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    speed_kn: Annotated[float, Field(ge=0, le=2_000)] | None = None
    source: Code | None = None


class Shipment(Record):
    """One consignment as declared."""

    known_from: ClassVar[str] = "declared_at"

    shipment_id: Id
    journey_id: Id | None = None
    consignor_id: Id
    consignee_id: Id
    notify_party_id: Id | None = None
    forwarder_id: Id | None = None
    declarant_id: Id | None = None
    hs_code: HsCode
    goods_description: Text | None = None
    origin_country: Country
    dispatch_country: Country
    destination_country: Country
    office_id: Id | None = None
    gross_mass_kg: Quantity | None = None
    net_mass_kg: Quantity | None = None
    volume_m3: Quantity | None = None
    packages: Count | None = None
    declared_value: Amount | None = None
    currency: Currency | None = None
    tax_rate: Annotated[float, Field(ge=0, le=10_000)] | None = None
    tax_type: Code | None = None
    payment_type: Code | None = None
    import_type: Code | None = None
    container_number: Number | None = None
    seal_number: Number | None = None
    declared_at: Instant


class Document(Record):
    """One version of a document filed for a subject."""

    known_from: ClassVar[str] = "received_at"

    document_id: Id
    subject_kind: SubjectKind
    subject_id: Id
    kind: DocumentKind
    number: Number | None = None
    version: Annotated[int, Field(ge=1, le=10_000)] = 1
    issuer_id: Id | None = None
    issued_at: Instant | None = None
    expires_at: Instant | None = None
    received_at: Instant
    consignor_id: Id | None = None
    consignee_id: Id | None = None
    gross_mass_kg: Quantity | None = None
    packages: Count | None = None
    value: Amount | None = None
    currency: Currency | None = None
    container_number: Number | None = None
    seal_number: Number | None = None


class Transaction(Record):
    """One payment linked to a subject."""

    known_from: ClassVar[str] = "known_at"

    transaction_id: Id
    subject_kind: SubjectKind
    subject_id: Id
    payer_id: Id
    payee_id: Id
    payer_country: Country | None = None
    payee_country: Country | None = None
    amount: Amount
    currency: Currency
    method: PaymentMethod
    purpose: Purpose | None = None
    payer_iban_valid: bool | None = None
    paid_at: Instant
    known_at: Instant


class Outcome(Record):
    """What an inspection found. A subject without one has no label; it is never a negative."""

    known_from: ClassVar[str] = "known_at"

    subject_kind: SubjectKind
    subject_id: Id
    selected_by: SelectedBy
    selection_probability: Share | None = None
    inspected_at: Instant
    known_at: Instant
    result: Result
    typology: Code | None = None


RECORD_FILES: dict[str, type[Record]] = {
    "journeys": Journey,
    "legs": Leg,
    "positions": Position,
    "shipments": Shipment,
    "documents": Document,
    "transactions": Transaction,
    "outcomes": Outcome,
}
"""The file (without its ending) that holds each record type in a folder of records."""

for _record in RECORD_FILES.values():
    _about_persons = [f for f in _record.model_fields if describes_a_person(f)]
    if _about_persons:
        raise TypeError(f"{_record.__name__} has fields about a person: {_about_persons}")
