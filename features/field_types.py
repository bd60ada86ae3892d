"""The types of record fields: their valid values, kind and an example.

An instant has an offset and is stored in UTC. Country and currency codes must be in their lists.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from features import field_kinds as kinds
from features.reference.country_and_currency_codes import CODES, CodeList

# Years outside this range are typing errors, not events to score.
EARLIEST_YEAR, LATEST_YEAR = 1900, 2199
# Earlier than every instant in a record.
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)

# RFC 3339, section 5.6: readers of ISO 8601 also accept a bare number of seconds or a date.
RFC_3339 = r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$"
_RFC_3339 = re.compile(RFC_3339, re.ASCII)
HS_DIGITS = 6
# Beyond this, neighbouring whole numbers share one double.
MAX_EXACT = 2**53
_COMMODITY_CODE = re.compile(r"[0-9]{6,10}")


def _read(instant: Any) -> Any:
    if not isinstance(instant, str):
        return instant
    try:
        if _RFC_3339.fullmatch(instant):
            return datetime.fromisoformat(instant.upper())
    except ValueError:
        pass  # a pattern match that is no instant, such as 30 February
    raise PydanticCustomError("instant", "want an instant as in RFC 3339, with its offset")


def _in_utc(instant: datetime) -> datetime:
    if not EARLIEST_YEAR <= instant.year <= LATEST_YEAR:
        raise ValueError(f"want a year from {EARLIEST_YEAR} to {LATEST_YEAR}")
    return instant.astimezone(UTC)


def _whole(number: Any) -> Any:
    """Accept whole numbers written as doubles, as pandas does in columns with missing values."""
    if not isinstance(number, float):
        return number
    if number.is_integer() and abs(number) <= MAX_EXACT:
        return int(number)
    raise PydanticCustomError("whole_number", "want a whole number")


def _listed(name: CodeList) -> Callable[[str], str]:
    def known(code: str) -> str:
        if code not in CODES[name]:
            raise PydanticCustomError("unknown_code", f"want one of the known {name}")
        return code

    return known


def _of_six_digits(code: Any) -> Any:
    if isinstance(code, str) and _COMMODITY_CODE.fullmatch(code) and len(code) > HS_DIGITS:
        raise PydanticCustomError(
            "commodity_code", "want six digits; the whole code goes into `items[].commodity_code`"
        )
    return code


_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:/-]{1,64}$")]
_Number = Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._:/-]{1,64}$")]
_Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._:/-]{1,32}$")]
_Measure = Annotated[float, Field(ge=0, le=1e10)]
_IsWhole = BeforeValidator(_whole)  # after the limits, which the schema also applies to files
_Count = Annotated[int, Field(ge=0, le=10_000_000), _IsWhole]

Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_read),
    AfterValidator(_in_utc),
    kinds.Instant(),
    Field(examples=["2026-11-24T10:00:00Z"]),
]

PartyId = Annotated[_Id, kinds.Party(), Field(examples=["party-77b0"])]
AgentId = Annotated[_Id, kinds.Party(links_cases=False), Field(examples=["party-5c3e"])]
PayeeId = Annotated[_Id, kinds.Party(links_cases=False), Field(examples=["party-77b0"])]

JourneyId = Annotated[_Id, kinds.Identifier("journey"), Field(examples=["J-2026-000117"])]
ShipmentId = Annotated[_Id, kinds.Identifier("shipment"), Field(examples=["S-2026-004711"])]
SubjectId = Annotated[_Id, kinds.Identifier("subject"), Field(examples=["S-2026-004711"])]
# Any text is accepted here: a submission then refuses ids other than its own.
AttachedSubjectId = Annotated[str, kinds.Identifier("subject"), Field(examples=["S-2026-004711"])]
DocumentId = Annotated[_Id, kinds.Identifier("document"), Field(examples=["D-2026-009001"])]
EventId = Annotated[_Id, kinds.Identifier("event"), Field(examples=["E-2026-120045"])]
TransactionId = Annotated[_Id, kinds.Identifier("transaction"), Field(examples=["pay-9034"])]
ConveyanceId = Annotated[_Id, kinds.Identifier("conveyance"), Field(examples=["vessel-81c2"])]
# Numbers by which rescuers identify a conveyance; each identifies one, as its id does.
ImoNumber = Annotated[
    str, Field(pattern=r"^[0-9]{7}$", examples=["9074729"]), kinds.Identifier("imo_number")
]
Mmsi = Annotated[
    str, Field(pattern=r"^[0-9]{9}$", examples=["255805587"]), kinds.Identifier("mmsi")
]
CallSign = Annotated[
    str, Field(pattern=r"^[A-Z0-9-]{3,10}$", examples=["CQKR7"]), kinds.Identifier("call_sign")
]
PlateNumber = Annotated[
    str, Field(pattern=r"^[A-Z0-9 -]{2,16}$", examples=["34 ABC 123"]), kinds.Identifier("plate")
]
DocumentNumber = Annotated[
    _Number, kinds.Identifier("document_number"), Field(examples=["INV 2026/1187"])
]
ContainerNumber = Annotated[_Number, kinds.Identifier("container"), Field(examples=["MSKU9070323"])]
SealNumber = Annotated[_Number, kinds.Identifier("seal"), Field(examples=["HL-4471902"])]

LocationCode = Annotated[_Code, kinds.Place(), Field(examples=["DEHAM"])]
OfficeId = Annotated[_Id, kinds.Place(), Field(examples=["DE004600"])]
Country = Annotated[
    str,
    Field(
        pattern=r"^[A-Z]{2}$",
        examples=["TR"],
        json_schema_extra={"x-code-list": "countries"},
    ),
    AfterValidator(_listed("countries")),
    kinds.Country(),
]

Currency = Annotated[
    str,
    Field(
        pattern=r"^[A-Z]{3}$",
        examples=["EUR"],
        json_schema_extra={"x-code-list": "currencies"},
    ),
    AfterValidator(_listed("currencies")),
    kinds.Code(),
]
HsCode = Annotated[
    str,
    Field(pattern=r"^[0-9]{6}$", examples=["890310"]),
    BeforeValidator(_of_six_digits),  # after the pattern, which the schema also applies to files
    kinds.Code(),
]
CommodityCode = Annotated[
    str, Field(pattern=r"^[0-9]{6,10}$", examples=["8903100000"]), kinds.Code()
]
Code = Annotated[_Code, kinds.Code()]
# No control characters and none that reorder text on a screen (bidi). Written in a form that both
# pydantic and JavaScript clients understand.
PRINTED = r"^[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$"
Text = Annotated[str, Field(max_length=512, pattern=PRINTED), kinds.Text()]

Amount = Annotated[
    float, Field(ge=0, le=1e12, examples=[31_400.0]), kinds.Money(currency_field="currency")
]
Kilograms = Annotated[_Measure, kinds.Quantity("kg"), Field(examples=[4_210.0])]
CubicMetres = Annotated[_Measure, kinds.Quantity("m3"), Field(examples=[33.2])]
Packages = Annotated[_Count, kinds.Quantity("packages"), Field(examples=[64])]
Items = Annotated[_Count, kinds.Quantity("items"), Field(examples=[1_200])]
Persons = Annotated[_Count, kinds.Quantity("persons"), Field(examples=[22])]
Percent = Annotated[float, Field(ge=0, le=10_000, examples=[4.7]), kinds.Quantity("%")]
Share = Annotated[float, Field(ge=0, le=1, examples=[0.05]), kinds.Quantity("share of 1")]
Knots = Annotated[float, Field(ge=0, le=2_000, examples=[14.2]), kinds.Quantity("kn")]
Latitude = Annotated[float, Field(ge=-90, le=90, examples=[53.54]), kinds.Quantity("degrees")]
Longitude = Annotated[float, Field(ge=-180, le=180, examples=[9.99]), kinds.Quantity("degrees")]
Course = Annotated[float, Field(ge=0, lt=360, examples=[214.0]), kinds.Quantity("degrees")]
Metres = Annotated[float, Field(ge=0, le=1e7, examples=[50.0]), kinds.Quantity("m")]
Ordinal = Annotated[int, Field(ge=1, le=10_000, examples=[1]), _IsWhole, kinds.Ordinal()]
ItemNumber = Annotated[int, Field(ge=1, le=999, examples=[3]), _IsWhole, kinds.Ordinal()]
Flag = Annotated[bool, kinds.Flag(), Field(examples=[True])]
