"""Goods items: what a shipment declares item by item, compared among each other and with the whole.

Items of the declaration count whenever the shipment is scored, later ones from when they became
known.
"""

import numpy as np

from features.definition import (
    MonotoneConstraint,
    SuspiciousSide,
    Unit,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window_declaration import count, distinct, largest, smallest, total
from features.publications import FATF_TRADE_2021, NCA_2025, PRACTICE


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="no goods item is known",
    indicator="D35",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    sentence="its goods items are of {value} chapters of the nomenclature",
    sentence_of_one="its goods items are all of one chapter of the nomenclature",
    sentence_of_none="no goods item has a chapter of the nomenclature",
)
def item_chapter_count(
    chapters: Column = distinct("goods_items", "chapter", by="subject_id"),
    items: Column = count("goods_items", by="subject_id"),
) -> Column:
    """Chapters of the nomenclature, by two digits, among the goods items.

    Many are mildly suspicious: one odd item hides among ordinary goods. Groupage has many too.
    """
    # The ratio is 1 if there is any item, else missing.
    return chapters * ratio(items, items)


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="no goods item is known",
    indicator="D35",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    sentence="its goods items were made in {value} countries",
    sentence_of_one="its goods items were all made in one country",
    sentence_of_none="no goods item says where it was made",
)
def item_origin_count(
    origins: Column = distinct("goods_items", "origin_country", by="subject_id"),
    items: Column = count("goods_items", by="subject_id"),
) -> Column:
    """Countries of origin among the goods items.

    Many are mildly suspicious: goods of one sender mostly come from few places. Groupage has many
    too.
    """
    # The ratio is 1 if there is any item, else missing.
    return origins * ratio(items, items)


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="a goods item states no gross mass, none is known, or no mass was declared",
    indicator="D08",
    source=FATF_TRADE_2021,
    shows_from=0.01,
    sentence="the gross masses of its goods items differ from the declared one by {value}",
    sentence_of_none="the gross masses of its goods items make the declared one",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def item_mass_difference_ratio(
    gross_mass_kg: Column,
    items_g: Column = total("goods_items", "gross_mass_g", by="subject_id"),
    lacks_one: Column = largest("goods_items", "has_no_gross_mass", by="subject_id"),
) -> Column:
    """Share by which the gross masses of all goods items together differ from the declared one.

    A large share is suspicious: goods travel that no item declares, or that are not there.
    """
    return _difference(items_g / 1000, gross_mass_kg, lacks_one)


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="a goods item states no value, none is known, or no value was declared",
    indicator="T26",
    source=FATF_TRADE_2021,
    shows_from=0.01,
    sentence="the values of its goods items differ from the declared one by {value}",
    sentence_of_none="the values of its goods items make the declared one",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def item_value_difference_ratio(
    declared_value_eur_cents: Column,
    items_cents: Column = total("goods_items", "value_eur_cents", by="subject_id"),
    lacks_one: Column = largest("goods_items", "has_no_value", by="subject_id"),
) -> Column:
    """Share by which the values of all goods items together differ from the declared one.

    A large share is suspicious: one of the two was not made from what is sent.
    """
    return _difference(items_cents, declared_value_eur_cents, lacks_one)


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="a goods item states no packages, none is known, or none were declared",
    indicator="D12",
    source=FATF_TRADE_2021,
    shows_from=0.01,
    sentence="the packages of its goods items differ from the declared ones by {value}",
    sentence_of_none="the packages of its goods items make the declared ones",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def item_packages_difference_ratio(
    packages: Column,
    items_packages: Column = total("goods_items", "packages", by="subject_id"),
    lacks_one: Column = largest("goods_items", "has_no_packages", by="subject_id"),
) -> Column:
    """Share by which the packages of all goods items together differ from the declared ones.

    A large share is suspicious: packages travel that no item declares, or that are not there.
    """
    return _difference(items_packages, packages, lacks_one)


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="no goods item with a description is known",
    indicator="D05",
    source=FATF_TRADE_2021,
    sentence="{value} goods items are described as other goods than their code says",
    sentence_of_one="one goods item is described as other goods than its code says",
    sentence_of_none="no goods item is described as other goods than its code says",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def misdescribed_item_count(
    misdescribed: Column = total("goods_items", "is_of_other_goods", by="subject_id"),
    any_described: Column = largest("goods_items", "is_of_other_goods", by="subject_id"),
) -> Column:
    """Goods items whose description names goods of another chapter than their code's.

    Any is suspicious: the code was chosen for its duty or its lack of control, not for the goods.
    """
    # A total over no description is 0, the largest value is missing.
    return np.where(any_described >= 0, misdescribed, np.nan)


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="no goods item with a value is known",
    indicator="D34",
    warns=SuspiciousSide.HIGH,
    source=NCA_2025,
    shows_from=0.01,
    sentence="{value} of the value of its goods items is boat equipment",
    sentence_of_none="none of its goods items is boat equipment",
)
def item_boat_equipment_ratio(
    boat_equipment_cents: Column = total(
        "goods_items", "boat_equipment_eur_cents", by="subject_id"
    ),
    items_cents: Column = total("goods_items", "value_eur_cents", by="subject_id"),
) -> Column:
    """Share of the goods items' value that is small craft, engines, life jackets or pumps.

    A low share above none is suspicious, as equipment for a crossing hides among other goods; so
    is a high one, to whoever is no shop.
    """
    return ratio(boat_equipment_cents, items_cents)


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="no goods item with a value and a mass is known",
    indicator="D10",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    sentence="a kilogram of its dearest goods item is worth {value} that of its cheapest",
)
def item_price_spread_ratio(
    dearest: Column = largest("goods_items", "unit_value_micro_eur_per_kg", by="subject_id"),
    cheapest: Column = smallest("goods_items", "unit_value_micro_eur_per_kg", by="subject_id"),
) -> Column:
    """Value per kilogram of the dearest goods item over that of the cheapest one; 1 of one item.

    Very far over 1 is mildly suspicious: dear goods hide among cheap ones, or one of the values is
    not true.
    """
    return ratio(dearest, cheapest)


def _difference(items: Column, declared: Column, lacks_one: Column) -> Column:
    """Return the relative difference of items from the declaration; missing if an item has none."""
    more = ratio(items, np.where(lacks_one == 0, declared, np.nan)) - 1
    return np.maximum(more, 0 - more)
