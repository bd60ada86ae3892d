"""Like consignments: earlier inspection results for nearly equal consignments."""

from features.definition import (
    MonotoneConstraint,
    Peers,
    Unit,
    shipment_feature,
)
from features.families.prior_outcomes import confirmed_rate
from features.publications import DATE_2020

# Bands make nearly equal prices and masses count as equal.
LIKE_CONSIGNMENT = (
    "hs_code",
    "origin_country",
    "dispatch_country",
    "tax_type",
    "tax_rate",
    "unit_value_band",
    "mass_band",
)


@shipment_feature(
    confirmed_rate("shipment", by=LIKE_CONSIGNMENT),
    unit=Unit.SHARE,
    when_missing="value, mass or duty is missing, or nothing was inspected yet",
    indicator="J35",
    source=DATE_2020,
    sentence="inspected consignments nearly equal to it that were confirmed: {confirmed} of "
    "{inspected} (estimated rate {value})",
    among=Peers.GOODS,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def like_consignment_confirmed_rate() -> None:
    """How often inspections confirmed something in the same goods, on the same way, under the same
    duty, at nearly the same price per kilogram and of nearly the same mass.

    A high rate is suspicious: what went through once is tried again. Few inspections pull it to the
    mean.
    """


@shipment_feature(
    confirmed_rate("shipment", by=("hs_code", "unit_value_band", "mass_band")),
    unit=Unit.SHARE,
    when_missing="value or mass is missing, or nothing was inspected yet",
    indicator="J35",
    source=DATE_2020,
    sentence="inspected consignments of these goods of such price and mass that were confirmed: "
    "{confirmed} of {inspected} (estimated rate {value})",
    among=Peers.GOODS,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def goods_size_confirmed_rate() -> None:
    """How often inspections confirmed something in the same goods at nearly the same price per
    kilogram and of nearly the same mass.

    A high rate is suspicious; few inspections pull it to the mean.
    """
