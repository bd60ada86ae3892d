"""Item outcomes: earlier inspection results for goods like each of its items.

An item has the history of its four-digit heading: the results of consignments declared under it.
Results that were not known when the shipment was declared do not count, which excludes its own.
"""

import math

import numpy as np

from features.definition import (
    MonotoneConstraint,
    Unit,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.windows.window_declaration import largest, total
from features.publications import DATE_2020, PRACTICE


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="no goods item is known, or nothing of such goods was inspected yet",
    indicator="J35",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    shows_from=math.inf,  # a smoothed rate: without its counts, no finding is certain
    sentence="of the inspected consignments of goods like one of its items, an estimated {value} "
    "were confirmed",
)
def riskiest_item_confirmed_rate(
    largest_ppm: Column = largest("goods_items", "heading_confirmed_ppm", by="subject_id"),
) -> Column:
    """The highest rate, over the goods items, at which inspections confirmed something in
    consignments of the item's four-digit heading.

    A high rate is suspicious, however harmless the main goods are; few inspections are drawn to the
    rate of all.
    """
    return largest_ppm / 1e6


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="no goods item is known",
    indicator=None,
    source=PRACTICE,
    sentence="for {value} of its goods items, no such goods were inspected yet",
    sentence_of_one="for one of its goods items, no such goods were inspected yet",
    sentence_of_none="for each of its goods items, such goods were inspected before",
)
def uninspected_item_count(
    uninspected: Column = total("goods_items", "is_of_uninspected_heading", by="subject_id"),
    has_item: Column = largest("goods_items", "is_of_uninspected_heading", by="subject_id"),
) -> Column:
    """Goods items of whose four-digit heading no consignment was inspected before.

    Not suspicious by itself: of so many items it is not known how risky they are.
    """
    # A total over no item is 0, the largest value is missing.
    return np.where(has_item >= 0, uninspected, np.nan)
