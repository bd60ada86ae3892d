"""Derive the columns of a goods item, by itself and compared with its shipment."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from features.derived.beside_subject import flag
from features.derived.shipment import boat_equipment_kind
from features.engine.columns import Column, Columns, is_missing
from features.engine.expressions.arithmetic import ratio, smoothed_rate
from features.engine.string_table import STRING_TABLE
from features.engine.windows.record_history import RecordHistory
from features.engine.windows.window_declaration import count, total
from features.ingest.principal_item import hs_code_of
from features.records import SubjectKind
from features.reference.currencies import euro_cents
from features.reference.goods_names import is_of_other_goods

CHAPTER_DIGITS, HEADING_DIGITS = 2, 4


def derive_goods_item(kind: SubjectKind, item: Columns, shipment: Columns) -> Columns:
    """Return the columns of a goods item relative to its shipment.

    Values are converted at the rates of the month of the declaration, like the declared value. For
    each quantity that an item may omit there is a flag, because a sum without it would be too
    small.
    """
    net, gross = item["net_mass_kg"], item["gross_mass_kg"]
    value_eur_cents = euro_cents(item["value"], item["currency"], shipment["declared_at"])
    unit_value_eur_per_kg = ratio(value_eur_cents / 100, np.where(net > 0, net, gross))
    is_boat_equipment = STRING_TABLE.map_numbers(item["commodity_code"], _is_boat_equipment)
    return {
        "subject_id": item["shipment_id"],
        "known_at": item["known_at"],
        "record_id": item["number"],
        "chapter": STRING_TABLE.map_texts(item["commodity_code"], _chapter),
        "origin_country": item["origin_country"],
        "gross_mass_g": np.rint(gross * 1000),
        "has_no_gross_mass": flag(is_missing(gross)),
        "value_eur_cents": value_eur_cents,
        "has_no_value": flag(is_missing(value_eur_cents)),
        "packages": item["packages"],
        "has_no_packages": flag(is_missing(item["packages"])),
        "boat_equipment_eur_cents": np.where(is_boat_equipment == 1, value_eur_cents, 0),
        "unit_value_micro_eur_per_kg": np.rint(np.minimum(unit_value_eur_per_kg, 1e9) * 1e6),
        "is_of_other_goods": item["is_of_other_goods"],
        "heading_confirmed_ppm": item["heading_confirmed_ppm"],
        "is_of_uninspected_heading": flag(is_missing(item["heading_confirmed_ppm"])),
    }


def heading_confirmed_ppm(
    confirmed: Column, inspected: Column, all_confirmed: Column, all_inspected: Column
) -> Column:
    """Return the smoothed rate of confirmed inspections of a heading, per million.

    The rate is shrunk towards that of all inspections. A finding does not tell in which of many
    items it was made, so it counts for the heading under which the consignment was declared.
    """
    return np.rint(smoothed_rate(confirmed, inspected, all_confirmed, all_inspected) * 1e6)


def _heading(commodity_code: str) -> str:
    return commodity_code[:HEADING_DIGITS]


# History of inspections by four-digit heading: with six digits there are too few inspections, and
# four digits change less between editions of the nomenclature.
HEADING_CONFIRMED = RecordHistory(
    field="commodity_code",
    key="hs_heading",
    key_of=_heading,
    windows={
        "confirmed": total("shipment_outcomes", "is_confirmed", by="hs_heading"),
        "inspected": count("shipment_outcomes", by="hs_heading"),
        "all_confirmed": total("shipment_outcomes", "is_confirmed", by=()),
        "all_inspected": count("shipment_outcomes", by=()),
    },
    function=heading_confirmed_ppm,
)


def are_of_other_goods(
    descriptions: Column | Sequence[str | None], commodity_codes: Column | Sequence[str]
) -> Column:
    """Return whether each description names other goods than its code.

    NaN without a description.
    """
    pairs = zip(_texts(descriptions), _texts(commodity_codes), strict=True)
    return np.array(
        [np.nan if said is None else _is_of_other_goods(said, code or "") for said, code in pairs],
        np.float64,
    )


def _texts(column: Column | Sequence[str | None]) -> Sequence[str | None]:
    """Return texts from a request unchanged, or the texts of a column of codes."""
    if not isinstance(column, np.ndarray):
        return column
    texts: list[str | None] = STRING_TABLE.texts(column).to_pylist()
    return texts


# Cached because many shipments have the same items, and each is checked on every scoring.
_is_of_other_goods = lru_cache(maxsize=1 << 16)(is_of_other_goods)


def _is_boat_equipment(commodity_code: str) -> float:
    return float(boat_equipment_kind(hs_code_of(commodity_code)) is not None)


def _chapter(commodity_code: str) -> str:
    return commodity_code[:CHAPTER_DIGITS]
