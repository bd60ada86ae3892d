"""Partners: with how many others a party deals, and how fast its dealings grow.

Growth compares 30 days with a usual month of the 150 days before. It is of payments, shipments or
journeys, not of distinct partners: those of several months cannot be added up, so that a firm with
the same ten partners every month would seem to grow.
"""

from collections.abc import Callable
from typing import Any

from features.definition import BOTH, Feature, SuspiciousSide, Unit, feature, shipment_feature
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window_declaration import count, distinct
from features.publications import PRACTICE


@shipment_feature(
    distinct("shipments", "consignor_id", by="consignee_id", days=180),
    unit=Unit.COUNT,
    when_missing="never; a new consignee has 0",
    indicator=None,
    source=PRACTICE,
    sentence="its consignee received goods of {value} different consignors in 180 days",
    sentence_of_none="its consignee received goods of no consignor in 180 days",
    sentence_of_one="its consignee received goods of one consignor in 180 days",
)
def consignee_consignors_180d() -> None:
    """Different consignors whose goods came to the same consignee in 180 days.

    Neither many nor few are suspicious by themselves; they tell how wide its trade is.
    """


@shipment_feature(
    distinct("shipments", "consignee_id", by="consignor_id", days=180),
    unit=Unit.COUNT,
    when_missing="never; a new consignor has 0",
    indicator=None,
    source=PRACTICE,
    sentence="its consignor sent goods to {value} different consignees in 180 days",
    sentence_of_none="its consignor sent goods to no consignee in 180 days",
    sentence_of_one="its consignor sent goods to one consignee in 180 days",
)
def consignor_consignees_180d() -> None:
    """Different consignees to whom the same consignor sent goods in 180 days.

    Neither many nor few are suspicious by themselves; they tell how wide its trade is.
    """


def _growth(
    source: str, by: str, matching: str | None = None, **face: Any
) -> Callable[[Callable[[], None]], Feature]:
    """Return a decorator for the growth of the events of one key."""

    def growth(
        month: Column = count(source, by=by, matching=matching, days=30),
        half_year: Column = count(source, by=by, matching=matching, days=180),
    ) -> Column:
        return ratio(month * 5, half_year - month)

    return feature(
        growth,
        unit=Unit.RATIO,
        indicator="N04",
        warns=SuspiciousSide.HIGH,
        source=PRACTICE,
        shows_from=2,
        **face,
    )


@_growth(
    "payments",
    by="latest_payee_id",
    matching="payee_id",
    subjects=BOTH,
    when_missing="no payee is known, or it was not paid from 180 to 30 days before",
    sentence="payments to its latest payee in 30 days were {value} those of a usual month",
)
def payee_payments_growth_ratio_30d() -> None:
    """Payments of 30 days to the payee that is known last, over the monthly mean of the 150 days
    before.

    Far over 1 is mildly suspicious: a network that collects from ever more movements.
    """


@_growth(
    "payments",
    by="latest_payer_id",
    matching="payer_id",
    subjects=BOTH,
    when_missing="no payer is known, or it paid nothing from 180 to 30 days before",
    sentence="payments of its latest payer in 30 days were {value} those of a usual month",
)
def payer_payments_growth_ratio_30d() -> None:
    """Payments of 30 days by the payer that is known last, over the monthly mean of the 150 days
    before.

    Far over 1 is mildly suspicious: a network that pays for ever more movements.
    """


@_growth(
    "shipments",
    by="consignee_id",
    subjects=("shipment",),
    when_missing="its consignee received nothing from 180 to 30 days before",
    sentence="shipments to its consignee in 30 days were {value} those of a usual month",
)
def consignee_shipments_growth_ratio_30d() -> None:
    """Shipments of 30 days to the same consignee over the monthly mean of the 150 days before.

    Far over 1 is mildly suspicious: a firm that grows fast, or whose name others use.
    """


@_growth(
    "shipments",
    by="consignor_id",
    subjects=("shipment",),
    when_missing="its consignor sent nothing from 180 to 30 days before",
    sentence="shipments of its consignor in 30 days were {value} those of a usual month",
)
def consignor_shipments_growth_ratio_30d() -> None:
    """Shipments of 30 days from the same consignor over the monthly mean of the 150 days before.

    Far over 1 is mildly suspicious: a firm that grows fast, or whose name others use.
    """


@_growth(
    "journeys",
    by="carrier_id",
    subjects=("route",),
    when_missing="its carrier made no journey from 180 to 30 days before",
    sentence="journeys of its carrier in 30 days were {value} those of a usual month",
)
def carrier_journeys_growth_ratio_30d() -> None:
    """Journeys of 30 days of the same carrier over the monthly mean of the 150 days before.

    Far over 1 is mildly suspicious: a company that grows fast, or whose name others use.
    """
