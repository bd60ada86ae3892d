"""Container history: where a container was declared before, and for whom."""

import numpy as np

from features.definition import (
    SuspiciousSide,
    Unit,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.windows.window_declaration import count, distinct
from features.publications import PRACTICE


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="no container was declared",
    indicator="D16",
    source=PRACTICE,
    warns=SuspiciousSide.HIGH,
    sentence="{value} other journeys were to bring its container in 30 days",
    sentence_of_none="no other journey was to bring its container in 30 days",
    sentence_of_one="one other journey was to bring its container in 30 days",
    known_by="container_journeys_30d",
)
def container_journeys_30d(
    journeys: Column = distinct("shipments", "journey_id", by="container_number", days=30),
    beside: Column = count("shipments", by=("container_number", "journey_id"), days=30),
) -> Column:
    """Other journeys that were declared to bring the same container in 30 days.

    Several are suspicious: a container cannot be in two places at once. Consignments that share a
    container on one journey are honest groupage and do not count.
    """
    # The count includes the shipment's own journey if the container was declared for it before.
    return journeys - np.where(beside > 0, 1, 0)


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="no container was declared",
    indicator="D44",
    source=PRACTICE,
    warns=SuspiciousSide.HIGH,
    shows_from=3,
    sentence="{value} consignees used its container on other journeys in 90 days",
    sentence_of_none="no consignee used its container on another journey in 90 days",
    sentence_of_one="one consignee used its container on another journey in 90 days",
    known_by="container_consignees_90d",
)
def container_consignees_90d(
    consignees: Column = distinct("shipments", "consignee_id", by="container_number", days=90),
    beside: Column = distinct(
        "shipments", "consignee_id", by=("container_number", "journey_id"), days=90
    ),
) -> Column:
    """Different consignees that had the same container in 90 days, and not on this journey.

    Several are mildly suspicious: it passes through many hands. Consignees that share a container
    on this journey do not count.
    """
    # Consignees of this journey are honest groupage, so they are subtracted.
    return consignees - np.where(np.isnan(beside), 0, beside)
