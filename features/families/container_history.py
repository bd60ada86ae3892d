"""Container history: where a container was declared before, and for whom."""

from features.definition import SHIPMENT_ONLY, Unit, feature
from features.engine.columns import Column
from features.engine.windows.window import count, distinct
from features.publications import PRACTICE, US_MARITIME_2020


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.COUNT,
    when_missing="no container was declared",
    indicator="D16",
    source=US_MARITIME_2020,
    sentence="its container was declared in {value} shipments in 30 days",
    sentence_of_one="its container was declared in one shipment in 30 days",
)
def container_shipments_30d(
    shipments: Column = count("shipments", by="container_number", days=30),
) -> Column:
    """Shipments declared in the same container in 30 days.

    Several are suspicious: a container cannot be in two places at once.
    """
    return shipments


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.COUNT,
    when_missing="no container was declared",
    indicator="N01",
    source=PRACTICE,
    sentence="its container was used by {value} different consignees in 90 days",
    sentence_of_one="its container was used by one consignee in 90 days",
)
def container_consignees_90d(
    consignees: Column = distinct("shipments", "consignee_id", by="container_number", days=90),
) -> Column:
    """Different consignees of the same container in 90 days.

    Several are mildly suspicious.
    """
    return consignees
