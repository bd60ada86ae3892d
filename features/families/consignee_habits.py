"""Consignee habits: the agreement of a shipment with its consignee's earlier ones."""

from collections.abc import Callable
from typing import Any

from features.definition import (
    Feature,
    MonotoneConstraint,
    SuspiciousSide,
    Unit,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window_declaration import count
from features.publications import DATE_2020, FATF_TRADE_2021, PRACTICE


def _share_of_consignee(with_the_same: str, **face: Any) -> Callable[[Callable[[], None]], Feature]:
    """Return a decorator for the share of a consignee's earlier shipments with the same value."""

    def share(
        same: Column = count("shipments", by=("consignee_id", with_the_same)),
        shipments: Column = count("shipments", by="consignee_id"),
    ) -> Column:
        return ratio(same, shipments)

    return shipment_feature(share, unit=Unit.SHARE, shows_from=0.1, **face)


@_share_of_consignee(
    "declarant_id",
    when_missing="no declarant is named, or the consignee was never seen before",
    indicator="D31",
    source=DATE_2020,
    sentence="earlier consignments of its consignee lodged by its declarant: {same} of {shipments}",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def declarant_of_consignee_ratio() -> None:
    """Share of the consignee's earlier shipments that the same declarant lodged.

    A low share is mildly suspicious: the consignee changed its declarant.
    """


@_share_of_consignee(
    "forwarder_id",
    when_missing="no forwarder is named, or the consignee was never seen before",
    indicator="D25",
    warns=SuspiciousSide.LOW,
    source=DATE_2020,
    sentence="earlier consignments of its consignee handled by its forwarder: {same} of "
    "{shipments}",
)
def forwarder_of_consignee_ratio() -> None:
    """Share of the consignee's earlier shipments that the same forwarder handled.

    A low share is mildly suspicious: the consignee changed its forwarder.
    """


@_share_of_consignee(
    "office_id",
    when_missing="no office is named, or the consignee was never seen before",
    indicator="J30",
    source=PRACTICE,
    sentence="earlier consignments of its consignee by this office: {same} of {shipments}",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def office_of_consignee_ratio() -> None:
    """Share of the consignee's earlier shipments that were declared at the same office.

    A low share is suspicious: firms declare where they are, and seldom look for another office.
    """


@_share_of_consignee(
    "hs_heading",
    when_missing="the consignee was never seen before",
    indicator="D30",
    source=FATF_TRADE_2021,
    sentence="earlier consignments of its consignee that were such goods: {same} of {shipments}",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def goods_of_consignee_ratio() -> None:
    """Share of the consignee's earlier shipments that were goods of the same heading.

    A low share is mildly suspicious: the goods are outside what this consignee trades in.
    """
