"""Goods norms: the agreement of a consignment with others of the same goods code."""

import math

from features.definition import (
    MonotoneConstraint,
    SuspiciousSide,
    Unit,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio, ratio_of_logs
from features.engine.windows.window_declaration import count, mean
from features.publications import FATF_TRADE_2021, SEA_CONTAINERS_2002


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="no description was given, or none like it was seen before",
    indicator="D05",
    source=FATF_TRADE_2021,
    shows_from=0.25,
    sentence="earlier consignments with this description that had this goods code: {same_code} of "
    "{described}",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def description_of_code_ratio(
    same_code: Column = count("shipments", by=("description_key", "hs_code")),
    described: Column = count("shipments", by="description_key"),
) -> Column:
    """Share of the consignments of the same description that were declared under the same code;
    letters and digits are compared, not their case nor what stands between them.

    A low share is suspicious: the description fits other goods better than this code.
    """
    return ratio(same_code, described)


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="mass or volume is missing, or the goods code was not seen in a year",
    indicator="D09",
    warns=SuspiciousSide.EITHER,
    source=SEA_CONTAINERS_2002,
    sentence="its density is {value} the usual density of such goods",
)
def density_to_goods_ratio_365d(
    density_g_per_m3: Column,
    usual: Column = mean("shipments", "density_g_per_m3", by="hs_code", days=365),
) -> Column:
    """Gross mass per volume over the year's mean of the same goods code.

    Far over or far under 1 is suspicious: hidden space or hidden load.
    """
    return ratio(density_g_per_m3, usual)


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="a mass is missing, or the goods code was not seen in a year",
    indicator="D07",
    warns=SuspiciousSide.EITHER,
    source=SEA_CONTAINERS_2002,
    sentence="the net share of its gross mass is {value} the usual net share of such goods",
)
def net_share_to_goods_ratio_365d(
    net_share_ppm: Column,
    usual: Column = mean("shipments", "net_share_ppm", by="hs_code", days=365),
) -> Column:
    """Net over gross mass, over the year's mean of the same goods code.

    Far over or under 1 is suspicious: the packing is not what these goods are packed in.
    """
    return ratio(net_share_ppm, usual)


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="mass or packages are missing, or the goods code was not seen in a year",
    indicator="D07",
    warns=SuspiciousSide.EITHER,
    source=SEA_CONTAINERS_2002,
    sentence="a package weighs {value} a usual package of such goods",
)
def package_mass_to_goods_ratio_365d(
    package_mass_g: Column,
    usual: Column = mean("shipments", "package_mass_g", by="hs_code", days=365),
) -> Column:
    """Mean gross mass of a package over the year's mean of the same goods code.

    Far over or under 1 is suspicious: the packages are not those that these goods come in.
    """
    return ratio(package_mass_g, usual)


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="no mass was declared, or the goods code was not seen in a year",
    indicator="D43",
    warns=SuspiciousSide.LOW,
    source=FATF_TRADE_2021,
    # A small order alone is no split: its sisters of the same days would show that.
    shows_from=-math.inf,
    sentence="it weighs {value} a typical consignment of such goods",
)
def mass_to_goods_ratio_365d(
    mass_log_micro: Column,
    typical: Column = mean("shipments", "mass_log_micro", by="hs_code", days=365),
) -> Column:
    """Mass over the year's geometric mean of consignments of the same goods code.

    Far under 1 is mildly suspicious: one consignment may have been split.
    """
    return ratio_of_logs(mass_log_micro, typical)
