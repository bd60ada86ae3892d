"""The principal goods item of a shipment, whose code stands for all where none was declared."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from features.engine.columns import Column, Columns, instant_us, is_missing, places, rows, taken
from features.engine.string_table import STRING_TABLE
from features.field_types import HS_DIGITS
from features.records import GoodsItem, Shipment
from features.reference.currencies import euro_cents

Item = TypeVar("Item", bound=GoodsItem)

FIELDS_READ = (
    "shipment_id",
    "number",
    "commodity_code",
    "gross_mass_kg",
    "value",
    "currency",
    "known_at",
)
"""The fields of goods items that decide which of them is the principal one."""


def hs_code_of(commodity_code: str) -> str:
    """The six digits that all nomenclatures share.

    >>> hs_code_of("8903100000")
    '890310'
    """
    return commodity_code[:HS_DIGITS]


def principal_rows(of: Column, items: Columns, declared_at: Column) -> Column:
    """The rows of items that are the principal ones, in the order of the groups `of`.

    That is the one of the most value in euro at the declaration, then of the most gross mass, then
    of the lowest number; what is not known is less than anything. `of` has a number for each group.
    """
    value = euro_cents(items["value"], items["currency"], declared_at)
    by_rank = (-items["number"], *(np.nan_to_num(each, nan=-1) for each in _ranks(items, value)))
    order = np.lexsort((*by_rank, of))
    is_last = np.append(np.diff(of[order]) != 0, np.ones(min(len(order), 1), bool))
    return order[is_last]


def hs_codes(shipments: Columns, items: Columns) -> Column:
    """The HS code of each shipment: the declared one, or else that of its principal item.

    Of items those count that are part of the declaration. Missing where there is neither.
    """
    items = rows(items, is_missing(items["known_at"]))
    of = places(items["shipment_id"], shipments["shipment_id"])
    is_asked = (of >= 0) & is_missing(taken(shipments["hs_code"], of))
    items, of = rows(items, is_asked), of[is_asked]
    principal = principal_rows(of, items, taken(shipments["declared_at"], of))
    found = shipments["hs_code"].copy()
    codes = items["commodity_code"][principal]
    found[of[principal]] = STRING_TABLE.map_texts(codes, hs_code_of)
    return found


def contradicts(shipments: Columns, items: Columns) -> Column:
    """Whether a declared HS code is none of the first six digits of the shipment's items."""
    items = rows(items, is_missing(items["known_at"]))
    of = places(items["shipment_id"], shipments["shipment_id"])
    items, of = rows(items, of >= 0), of[of >= 0]
    stated = STRING_TABLE.map_texts(items["commodity_code"], hs_code_of)
    has_items, agrees = np.zeros((2, len(shipments["shipment_id"])), bool)
    has_items[of] = True
    agrees[of[stated == shipments["hs_code"][of]]] = True
    return has_items & ~agrees & ~is_missing(shipments["hs_code"])


def principal_item(shipment: Shipment, items: Sequence[Item]) -> Item | None:
    """The principal one of the items that are part of a declaration; None where there is none."""
    declared = [item for item in items if item.known_at is None]
    if not declared:
        return None
    numbers = {
        name: np.array([getattr(item, name) for item in declared], np.float64)
        for name in ("number", "gross_mass_kg", "value")
    }
    currencies = STRING_TABLE.codes([item.currency for item in declared])
    declared_at = np.full(len(declared), instant_us(shipment.declared_at))
    one_group = np.zeros(len(declared), np.int32)
    columns = numbers | {"currency": currencies}
    return declared[int(principal_rows(one_group, columns, declared_at)[0])]


def _ranks(items: Columns, value: Column) -> tuple[Column, Column]:
    return items["gross_mass_kg"], value
