"""Valuation: the credibility of the declared value for the goods."""

import numpy as np

from features.definition import (
    MonotoneConstraint,
    Peers,
    SuspiciousSide,
    Unit,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio, ratio_of_logs, smoothed_rate
from features.engine.windows.window_declaration import count, mean, total
from features.publications import DATE_2020, FATF_TRADE_2021, PRACTICE

# The same price per kilogram to a precision of a millionth.
SAME_PRICE = ("hs_code", "currency", "rounded_unit_value")


@shipment_feature(
    unit=Unit.EURO,
    when_missing="no value was declared, or its currency is not known here",
    indicator=None,
    source=DATE_2020,
    sentence="its declared value is {value} EUR",
    among=Peers.GOODS,
)
def declared_value_eur(declared_value_eur: Column) -> Column:
    """The declared value.

    Neither high nor low is suspicious by itself; it sets the scale for everything else.
    """
    return declared_value_eur


@shipment_feature(
    unit=Unit.EURO_PER_KG,
    when_missing="value or mass is missing",
    indicator="D10",
    warns=SuspiciousSide.EITHER,
    source=FATF_TRADE_2021,
    sentence="its declared price is {value} EUR per kg",
    among=Peers.GOODS,
)
def unit_value_eur_per_kg(unit_value_eur_per_kg: Column) -> Column:
    """Declared value per kilogram of net mass, or of gross mass where net is not given.

    Unusual prices are suspicious in both directions; see the ratio to what is usual.
    """
    return unit_value_eur_per_kg


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="value or mass is missing, or the goods code was not seen in a year",
    indicator="D10",
    warns=SuspiciousSide.EITHER,
    source=DATE_2020,
    sentence="its price per kg is {value} the mean of the past year for these goods",
    among=Peers.GOODS,
)
def unit_value_to_goods_ratio_365d(
    unit_value_micro_eur_per_kg: Column,
    usual: Column = mean("shipments", "unit_value_micro_eur_per_kg", by="hs_code", days=365),
) -> Column:
    """Declared price per kilogram over the year's mean of the same goods code.

    Far under 1 suggests undervaluation, far over 1 a wrong code or value moved abroad.
    """
    return ratio(unit_value_micro_eur_per_kg, usual)


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="value or mass is missing, or goods from this origin were not seen in a year",
    indicator="D10",
    warns=SuspiciousSide.LOW,
    source=DATE_2020,
    shows_from=0.75,
    sentence="its price per kg is {value} the mean of the past year for these goods of this origin",
    among=Peers.GOODS,
)
def unit_value_to_origin_ratio_365d(
    unit_value_micro_eur_per_kg: Column,
    usual: Column = mean(
        "shipments",
        "unit_value_micro_eur_per_kg",
        by=("hs_code", "origin_country"),
        days=365,
    ),
) -> Column:
    """Declared price per kilogram over the year's mean of the same goods code and origin.

    Far under 1 suggests undervaluation.
    """
    return ratio(unit_value_micro_eur_per_kg, usual)


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="value or mass is missing, or the consignee brought in no such goods in a year",
    indicator="D10",
    warns=SuspiciousSide.LOW,
    source=DATE_2020,
    shows_from=0.75,
    sentence="its price per kg is {value} what its consignee usually declares for these goods",
    among=Peers.GOODS,
)
def unit_value_to_consignee_ratio_365d(
    unit_value_micro_eur_per_kg: Column,
    usual: Column = mean(
        "shipments", "unit_value_micro_eur_per_kg", by=("consignee_id", "hs_code"), days=365
    ),
) -> Column:
    """Declared price per kilogram over what the same consignee declared for the same goods.

    A sudden fall is suspicious.
    """
    return ratio(unit_value_micro_eur_per_kg, usual)


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="no value was declared, or no payment for the goods is known",
    indicator="T26",
    warns=SuspiciousSide.EITHER,
    source=FATF_TRADE_2021,
    sentence="what was paid for the goods is {value} the declared value",
)
def paid_to_declared_ratio(
    declared_value_eur_cents: Column,
    goods_cents: Column = total("transactions", "goods_eur_cents", by="subject_id"),
    deposit_cents: Column = total("transactions", "deposit_eur_cents", by="subject_id"),
    release_cents: Column = total("transactions", "release_eur_cents", by="subject_id"),
    payments: Column = count("transactions", by="subject_id", where="is_of_the_price"),
) -> Column:
    """What was paid for the goods so far over the declared value.

    Far over 1 suggests undervaluation, far under 1 that the rest is paid unseen. A deposit and its
    release count once; freight and duties do not count.
    """
    # A deposit and its release are the same money, so only the larger counts.
    paid_cents = goods_cents + np.maximum(deposit_cents, release_cents)
    # The second ratio is 1 if there is any payment, else missing.
    return ratio(paid_cents, declared_value_eur_cents) * ratio(payments, payments)


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="value or mass is missing",
    indicator="D37",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    shows_from=2,
    sentence="others declared the very same price per kg for these goods {value} times in a year",
    sentence_of_none="nobody else declared the very same price per kg for these goods in a year",
    sentence_of_one="another declared the very same price per kg for these goods once in a year",
    among=Peers.GOODS,
    known_by="unit_value_to_goods_ratio_365d",
)
def same_price_shipments_365d(
    shipments: Column = count("shipments", by=SAME_PRICE, days=365),
    of_consignee: Column = count("shipments", by=(*SAME_PRICE, "consignee_id"), days=365),
) -> Column:
    """Consignments to other consignees of the same goods code at exactly the same price per
    kilogram.

    Many are suspicious where such consignments turned out badly: a price list, honest or agreed.
    """
    return shipments - of_consignee


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="value or mass is missing, or nothing was inspected yet",
    indicator="J35",
    source=DATE_2020,
    sentence="inspected consignments of these goods at this very price that were confirmed: "
    "{confirmed} of {inspected} (estimated rate {value})",
    among=Peers.GOODS,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def same_price_confirmed_rate(
    confirmed: Column = total("shipment_outcomes", "is_confirmed", by=SAME_PRICE),
    inspected: Column = count("shipment_outcomes", by=SAME_PRICE),
    all_confirmed: Column = total("shipment_outcomes", "is_confirmed", by=()),
    all_inspected: Column = count("shipment_outcomes", by=()),
) -> Column:
    """How often inspections confirmed something in these goods at exactly this price per kilogram.

    A high rate is suspicious: agreed prices are used again. Few inspections pull it to the mean.
    """
    return smoothed_rate(confirmed, inspected, all_confirmed, all_inspected)


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="value or mass is missing, or the goods code was not seen in a year",
    indicator="D10",
    warns=SuspiciousSide.EITHER,
    source=FATF_TRADE_2021,
    sentence="its price per kg is {value} the typical price of these goods",
)
def unit_value_to_typical_ratio_365d(
    unit_value_log_micro: Column,
    typical: Column = mean("shipments", "unit_value_log_micro", by="hs_code", days=365),
) -> Column:
    """Declared price per kilogram over the year's geometric mean of the same goods code, which a
    few dear consignments do not move.

    Far under 1 suggests undervaluation, far over 1 a wrong code.
    """
    return ratio_of_logs(unit_value_log_micro, typical)


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="value or mass is missing, or the consignee brought in no such goods from there",
    indicator="D10",
    warns=SuspiciousSide.EITHER,
    source=FATF_TRADE_2021,
    sentence="its price per kg is {value} what its consignee usually pays for these goods from "
    "this country",
)
def unit_value_to_source_ratio_365d(
    unit_value_log_micro: Column,
    typical: Column = mean(
        "shipments",
        "unit_value_log_micro",
        by=("consignee_id", "hs_code", "dispatch_country"),
        days=365,
    ),
) -> Column:
    """Declared price per kilogram over the year's geometric mean of the same goods to the same
    consignee from the same country of dispatch.

    Far under 1 suggests undervaluation, far over 1 a value moved abroad.
    """
    return ratio_of_logs(unit_value_log_micro, typical)


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="no value was declared, or no payment for freight is known",
    indicator="D11",
    warns=SuspiciousSide.HIGH,
    source=FATF_TRADE_2021,
    sentence="its freight cost {value} the declared value",
    among=Peers.GOODS,
)
def freight_to_declared_ratio(
    declared_value_eur_cents: Column,
    freight_cents: Column = total("transactions", "freight_eur_cents", by="subject_id"),
    payments: Column = count("transactions", by="subject_id", where="is_of_freight"),
) -> Column:
    """What was paid for freight so far over the declared value.

    Over 1 is suspicious: nobody carries goods at more than they are worth. The goods may be
    undervalued, or others.
    """
    # The second ratio is 1 if there is any payment, else missing.
    return ratio(freight_cents, declared_value_eur_cents) * ratio(payments, payments)
