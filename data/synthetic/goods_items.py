"""Goods items of shipments that are declared item by item.

They come from separate random streams, so that the rest of a world is the same with and without
them. The first item matches the shipment's declaration; groupage has other goods too. For networks,
and by mistake, one of those has a description that contradicts its code.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.arrow_schema import record_table
from features.records import GoodsItem
from synthetic import instants
from synthetic.chance import Flags, Floats, Ints, chance, mixed, picked
from synthetic.goods import goods
from synthetic.honest_mistakes import ODD_ITEMS
from synthetic.mass_and_value import CURRENCIES
from synthetic.networks.catalogue import typologies_of
from synthetic.networks.life import signature_strength
from synthetic.plan import Plan
from synthetic.shipments import ShipmentDraft, shipment_ids
from synthetic.signs import Signs, drawn_oddities
from synthetic.spelling import Bytes, decimal, texts

# The share of groupage among shipments declared item by item.
GROUPAGE_SHARE = 0.5
MAX_ITEMS = 12
# The share of groupage items from other countries, and of those added after the declaration.
FROM_ELSEWHERE = 0.2
ADDED_LATER = 0.02
BOAT_EQUIPMENT = ("890310", "840721", "630720", "841480")


@dataclass(frozen=True)
class _Items:
    """One row per item: its shipment, its index from 0, and its true and declared goods.

    `shown` are the oddities of its shipment, `part` its share of the gross mass; the first item
    takes the rest.
    """

    of: Ints
    place: Ints
    goods: Ints
    declared_goods: Ints
    part: Floats
    shown: Signs

    @property
    def is_first(self) -> Flags:
        """Mask of the items that match the shipment's declaration."""
        return np.asarray(self.place == 0)


def goods_item_table(plan: Plan, chapter: int, draft: ShipmentDraft) -> pa.Table:
    """Return the goods items of a chapter's shipments."""
    rng = chance(plan.seed, "goods items", chapter)
    items = _items(rng, draft, plan.scenario.itemised)
    of, rows, measures = items.of, len(items.of), draft.measures
    known = rng.random((3, rows)) >= plan.scenario.missing / 2
    off = np.where(items.shown["items_off_whole"], rng.choice([0.8, 1.2, 1.4], rows), 1.0)
    first_off = np.where(items.is_first, off, 1.0)
    gross = _parts_of(items, measures.gross_kg[of], items.part, 1)
    worth = gross * goods().eur_per_kg[items.goods]
    packages = _parts_of(items, measures.packages[of].astype(float), items.part, 0)
    value = _parts_of(items, measures.value[of], worth / _sums(items, worth), 2)
    is_later = (items.place > 0) & (rng.random(rows) < ADDED_LATER)
    known_at = instants.after(draft.declared_at[of], rng.uniform(1.0, 60.0, rows))
    countries = pa.array(plan.ways.countries, pa.string())
    columns = {
        "shipment_id": shipment_ids(draft.number[of]),
        "number": pa.array(items.place + 1),
        "commodity_code": _codes(plan, items.declared_goods),
        "nomenclature": pa.array(["taric"]).take(pa.array(np.zeros(rows, np.int64))),
        "description": pa.array(goods().description, pa.string()).take(
            pa.array(items.goods, mask=~known[0])
        ),
        "origin_country": countries.take(pa.array(_origins(rng, plan, draft, items))),
        "gross_mass_kg": pa.array(np.round(gross * first_off, 1), mask=~known[1]),
        "net_mass_kg": pa.array(np.round(gross * goods().net_to_gross[items.goods], 1)),
        "value": pa.array(value),
        "currency": pa.array(CURRENCIES).take(pa.array(measures.currency[of])),
        "packages": pa.array(packages.astype(np.int64), mask=~known[2]),
        "known_at": instants.column(known_at, where=is_later),
    }
    return record_table(columns, GoodsItem)


def _items(rng: np.random.Generator, draft: ShipmentDraft, itemised: float) -> _Items:
    number = len(draft.number)
    odd = drawn_oddities(
        rng,
        ODD_ITEMS,
        draft.subjects.typology,
        [typology.items for typology in typologies_of("shipment")],
        signature_strength(draft.subjects.probability),
    )
    is_itemised = rng.random(number) < itemised
    is_groupage = (rng.random(number) < GROUPAGE_SHARE) | odd["hidden_item"]
    more = np.where(is_groupage, 1 + rng.geometric(0.35, number), 1)
    count = np.where(is_itemised, np.minimum(more, MAX_ITEMS), 0)
    of = np.repeat(np.arange(number), count)
    place = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    shown = {name: flags[of] for name, flags in odd.items()}
    other = picked(goods().weight, rng.random(len(of)))
    declared = np.where(place == 0, draft.declared_goods[of], other)
    # Never the first item, which must match the shipment's declaration.
    hidden = shown["hidden_item"] & (place == 1)
    true = np.where(place == 0, draft.goods[of], other)
    true = np.where(hidden, rng.choice(goods().rows(BOAT_EQUIPMENT), len(of)), true)
    part = 0.6 / count[of] * rng.uniform(0.1, 1.0, len(of)) * np.where(hidden, 0.3, 1.0)
    return _Items(of, place, true, declared, part, shown)


def _parts_of(items: _Items, whole: Floats, part: Floats, digits: int) -> Floats:
    """Return each item's part of a whole, rounded down; the first item takes the rest.

    Rounding the parts alone would make their sum differ from the declared whole.
    """
    step = 10.0**digits
    parts = np.where(items.is_first, 0.0, np.floor(whole * part * step) / step)
    rest = whole - _sums(items, parts)
    return np.asarray(np.round(np.where(items.is_first, rest, parts), digits))


def _sums(items: _Items, numbers: Floats) -> Floats:
    """Return for each item the sum over all items of its shipment."""
    return np.asarray(np.bincount(items.of, weights=numbers)[items.of], np.float64)


def _codes(plan: Plan, kinds: Ints) -> pa.Array:
    """Return ten-digit codes: six of the Harmonized System, and four fixed per kind of goods."""
    table: Bytes = np.array([code.encode() for code in goods().hs_code], dtype="S6")
    own = table.view(np.uint8).reshape(-1, 6)[kinds]
    further = (mixed(plan.seed, kinds, 41) % np.uint64(90)).astype(np.int64) * 10
    return texts(own, decimal(further, 4))


def _origins(rng: np.random.Generator, plan: Plan, draft: ShipmentDraft, items: _Items) -> Ints:
    """Return the origin of each item: the shipment's, except for some later items."""
    rows = len(items.of)
    is_elsewhere = ~items.is_first & (rng.random(rows) < FROM_ELSEWHERE)
    elsewhere = rng.integers(0, len(plan.ways.countries), rows)
    return np.where(is_elsewhere, elsewhere, draft.origin[items.of])
