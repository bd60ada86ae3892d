"""The page of records, made of the records themselves: `docs/reference/records.md`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from features.arrow_schema import limits
from features.field_kinds import Money, Quantity, kinds_of_fields
from features.records import RECORD_FILES, Record

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "records.md"

HEAD = """\
# Records

What comes in, by record file (`features/records.py`): Parquet, CSV or NDJSON, called as its record
type is. A field has the same name and meaning in files, requests and answers. An instant carries an
offset. A whole number may be written as a double (`3.0`). A record counts where it was known before
the scoring instant. *Required* fields may not be left out. In a request, goods items stand in their
shipment (`items`), other records of a subject in its submission.
`python -m tests.docs.records_page` makes this page; a test holds it to the code.

## Versions

A record that has a `version` is amended by sending it whole again with the next number and the
`known_at` (of a document `received_at`) from which that is known; one more version with `withdrawn`
ends it. Of two outcomes of one inspection the one that became known later is the correction.

Each version counts until the next one is known, so that a score or a training row of then saw what
was known then, and one of now sees what is known now. A place in time does not change: all versions
of a declaration stand at the `declared_at` of the first, which alone needs no `known_at`, and have
its rates of exchange. None is known before the `declared_at` that it tells itself. Of
documents all versions count until the paper is withdrawn, since that a paper was amended tells
something. A shipment is seen beside the version of its journey that was known.

A later version of a journey or shipment that was scored, sent by `POST /v1/records`, scores it
[again](../scoring_again.md); by call `POST /v1/scores` takes it with an `as_of` after its
`known_at`. A withdrawn one is sent by `POST /v1/records` alone.

*EUCDM* is the data element of the EU Customs Data Model (Annex B of Delegated Regulation (EU)
2015/2446, as amended by 2021/234), *WCO* the element of a declaration in the WCO Data Model by its
name; of its numbers (as 145) no source that may be cited was found. Each that stands here was read
in public customs software or guides. Where there is none the cell says why: *own*, since the field
says how this service keeps, tells apart or knows of a record; *observed*, since no trader declares
it; *paper*, since it is what a document states, of which a declaration names only number and kind.
*Not verified* means that no source was found that numbers it, not that there is no such element.
"""

ELEMENTS = {
    ("journeys", "mode"): "19 03 001 000",
    ("journeys", "carrier_id"): "13 12 000 000",
    ("journeys", "imo_number"): "19 08 017 000",
    ("journeys", "plate_number"): "19 08 017 000",
    ("journeys", "registration_country"): "19 08 062 000",
    ("shipments", "consignor_id"): "13 01 000 000",
    ("shipments", "consignee_id"): "13 03 000 000",
    ("shipments", "forwarder_id"): "13 14 000 000",
    ("shipments", "declarant_id"): "13 05 017 000",
    ("shipments", "hs_code"): "18 09 056 000",
    ("shipments", "goods_description"): "18 05 001 000",
    ("shipments", "origin_country"): "16 08 001 000",
    ("shipments", "dispatch_country"): "16 06 001 000",
    ("shipments", "destination_country"): "16 03 001 000",
    ("shipments", "gross_mass_kg"): "18 04 001 000",
    ("shipments", "net_mass_kg"): "18 01 001 000",
    ("shipments", "packages"): "18 06 004 000",
    ("shipments", "declared_value"): "14 06 001 000",
    ("shipments", "currency"): "14 05 001 000",
    ("shipments", "import_type"): "11 09 001 000, 11 09 002 000, 11 10 001 000",
    ("shipments", "container_number"): "19 07 000 000",
    ("shipments", "seal_number"): "19 10 000 000",
    ("goods_items", "number"): "11 03 001 000",
    ("goods_items", "commodity_code"): "18 09 056 000, CN 18 09 057 000, TARIC 18 09 058 000",
    ("goods_items", "description"): "18 05 001 000",
    ("goods_items", "origin_country"): "16 08 001 000",
    ("goods_items", "gross_mass_kg"): "18 04 001 000",
    ("goods_items", "net_mass_kg"): "18 01 001 000",
    ("goods_items", "value"): "14 08 001 000",
    ("goods_items", "currency"): "14 05 001 000",
    ("goods_items", "packages"): "18 06 004 000",
    ("documents", "kind"): "12 03 002 000, transport documents 12 05 000 000",
    ("documents", "number"): "12 03 001 000",
}
"""EUCDM data elements, as public customs software and guides number them."""

WCO = {
    ("shipments", "packages"): "TotalPackageQuantity",
    ("goods_items", "number"): "SequenceNumeric",
    ("goods_items", "value"): "Commodity/InvoiceLine/ItemChargeAmount",
    ("goods_items", "gross_mass_kg"): "GoodsMeasure/GrossMassMeasure",
    ("goods_items", "net_mass_kg"): "GoodsMeasure/NetNetWeightMeasure",
    ("goods_items", "packages"): "Packaging/QuantityQuantity",
}
"""Elements of a declaration, as public customs software has them; those of items below one."""

_OWN = frozenset(
    {
        *("journey_id", "shipment_id", "document_id", "subject_kind", "subject_id", "sequence"),
        *("known_at", "received_at", "version", "withdrawn"),
    }
)
_OBSERVED = frozenset({"positions", "transactions", "events", "outcomes"})


def why_none(name: str, field: str) -> str:
    """Why no element of a customs model stands beside a field."""
    if field in _OWN:
        return "*own*"
    if name in _OBSERVED:
        return "*observed*"
    return "*paper*" if name == "documents" else "*not verified*"


def page() -> str:
    """The page as it is to stand in the repository."""
    return "\n".join([HEAD, *(_section(name, record) for name, record in RECORD_FILES.items())])


def _section(name: str, record: type[Record]) -> str:
    meaning = " ".join((record.__doc__ or "").split())
    lines = [f"## `{name}`\n", f"{meaning}\n", f"{_known(record)} {_unique(record)}\n"]
    lines += [
        "| field | meaning | holds | required | example | EUCDM | WCO |",
        "|---|---|---|---|---|---|---|",
        *_rows(name, record),
    ]
    return "\n".join(lines) + "\n"


def _known(record: type[Record]) -> str:
    without = ""
    if record.is_part_of_declaration:
        without = "; without it, it is part of the declaration and always counts"
    elif not record.model_fields[record.known_from].is_required():
        without = "; without it, it never counts"
    return f"Known from `{record.known_from}`{without}."


def _unique(record: type[Record]) -> str:
    if not record.unique_fields:
        return "Rows may repeat."
    fields = ", ".join(f"`{name}`" for name in record.unique_fields)
    return f"One row for each {fields}."


def _rows(name: str, record: type[Record]) -> Iterator[str]:
    described = record.model_json_schema()["properties"]
    for field, about in record.model_fields.items():
        value = _value(described[field])
        cells = (
            f"`{field}`",
            about.description or "",
            _holds(record, field, value),
            "yes" if about.is_required() else "",
            _example(described[field], value),
            ELEMENTS.get((name, field), why_none(name, field)),
            WCO.get((name, field), why_none(name, field)),
        )
        yield "| " + " | ".join(cells) + " |"


def _holds(record: type[Record], field: str, value: dict[str, Any]) -> str:
    """The unit of a number, the list of a code or the words of a closed list, else its kind."""
    kind = kinds_of_fields(record)[field]
    limit = limits(record)[field]
    if isinstance(kind, Quantity):
        return kind.unit
    if isinstance(kind, Money):
        return f"money, in `{kind.currency_field}`"
    if limit.choices:
        return ", ".join(f"`{each}`" for each in limit.choices)
    if limit.codes:
        return f"code of {limit.codes[0]}"
    return str(value["x-kind"])


def _value(described: dict[str, Any]) -> dict[str, Any]:
    """What a field holds where it is not left out."""
    options = [option for option in described.get("anyOf", []) if option.get("type") != "null"]
    return options[0] if options else described


def _example(described: dict[str, Any], value: dict[str, Any]) -> str:
    examples = described.get("examples") or value.get("examples") or value.get("enum") or []
    return f"`{examples[0]}`" if examples else ""


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
