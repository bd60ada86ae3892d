"""Find the principal goods item of a shipment, whose code applies if none was declared."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from features.engine.columns import (
    Column,
    Columns,
    instant_us,
    is_missing,
    places,
    rows,
    take_or_missing,
)
from features.engine.string_table import NO_TEXT, STRING_TABLE
from features.field_types import HS_DIGITS
from features.records import GoodsItem, Shipment
from features.reference.currencies import euro_cents

Item = TypeVar("Item", bound=GoodsItem)

# Fields of goods items that determine the principal one.
FIELDS_READ = (
    "shipment_id",
    "number",
    "commodity_code",
    "gross_mass_kg",
    "value",
    "currency",
    "known_at",
)


def hs_code_of(commodity_code: str) -> str:
    """Return the six digits that all nomenclatures share.

    >>> hs_code_of("8903100000")
    '890310'
    """
    return commodity_code[:HS_DIGITS]


def principal_rows(of: Column, items: Columns, declared_at: Column) -> Column:
    """Return the rows of the principal items, in the order of the groups `of`.

    The principal item has the highest value in euro at the declaration, then the highest gross
    mass, then the lowest number; missing values rank lowest. `of` has the group number of each
    item.
    """
    value = euro_cents(items["value"], items["currency"], declared_at)
    by_rank = (
        -items["number"],
        *(np.nan_to_num(each, nan=-1) for each in (items["gross_mass_kg"], value)),
    )
    # The last key of lexsort is the primary one: rows are sorted by group, then by rank.
    order = np.lexsort((*by_rank, of))
    is_last = np.append(np.diff(of[order]) != 0, np.ones(min(len(order), 1), bool))
    return order[is_last]


def hs_codes(shipments: Columns, items: Columns) -> Column:
    """Return the HS code of each shipment: the declared one, else that of its principal item.

    Only items of the declaration count. Missing if there is neither.
    """
    found, is_asked = shipments["hs_code"].copy(), is_missing(shipments["hs_code"])
    if not is_asked.any():
        return found
    ids = shipments["shipment_id"]
    items = rows(items, is_missing(items["known_at"]))
    of = places(items["shipment_id"], ids)
    items, of = rows(items, of >= 0), of[of >= 0]
    principal = principal_rows(of, items, take_or_missing(shipments["declared_at"], of))
    codes = np.full(len(ids), NO_TEXT, np.int32)
    codes[of[principal]] = STRING_TABLE.map_texts(items["commodity_code"][principal], hs_code_of)
    # A shipment has a row for each version, but the code was found for one of them.
    found[is_asked] = take_or_missing(codes, places(ids[is_asked], ids))
    return found


def contradicts(shipments: Columns, items: Columns) -> Column:
    """Return whether a declared HS code matches none of the shipment's items.

    Only first versions are checked: a later one may have other goods than the declared items.
    """
    first = np.flatnonzero(shipments["version"] == 1)
    declared = shipments["hs_code"][first]
    items = rows(items, is_missing(items["known_at"]))
    of = places(items["shipment_id"], shipments["shipment_id"][first])
    items, of = rows(items, of >= 0), of[of >= 0]
    stated = STRING_TABLE.map_texts(items["commodity_code"], hs_code_of)
    has_items, agrees = np.zeros((2, len(first)), bool)
    has_items[of] = True
    agrees[of[stated == declared[of]]] = True
    is_wrong = np.zeros(len(shipments["version"]), bool)
    is_wrong[first] = has_items & ~agrees & ~is_missing(declared)
    return is_wrong


def principal_item(shipment: Shipment, items: Sequence[Item]) -> Item | None:
    """Return the principal item of those in a declaration; None if there are none."""
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
