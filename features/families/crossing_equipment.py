"""Crossing equipment: goods that crossings by small boat use, and who receives them."""

from features.definition import (
    Peers,
    SuspiciousSide,
    Unit,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.windows.window_declaration import count, distinct
from features.publications import NCA_2025


@shipment_feature(
    unit=Unit.YES_NO,
    when_missing="never",
    indicator="D34",
    warns=SuspiciousSide.HIGH,
    source=NCA_2025,
    sentence="it is boat equipment, and its consignee received none here before",
    sentence_of_none="it is no boat equipment, or its consignee received some here before",
    among=Peers.CORRIDOR,
)
def is_first_boat_equipment(
    is_boat_equipment: Column,
    of_consignee: Column = count("shipments", by="consignee_id", where="is_boat_equipment"),
) -> Column:
    """Whether it is small craft, boat or outboard engines, life jackets or pumps, to a consignee
    that was never seen to receive anything of the kind here.

    If so, it is mildly suspicious: shops and yards receive such goods again and again.
    """
    return ((is_boat_equipment == 1) & (of_consignee == 0)).astype(float)


@shipment_feature(
    distinct("shipments", "boat_equipment_kind", by="consignee_id", days=30),
    unit=Unit.COUNT,
    when_missing="never; a consignee without such goods has 0",
    indicator="D34",
    warns=SuspiciousSide.HIGH,
    source=NCA_2025,
    sentence="{value} kinds of boat equipment were declared for its consignee in 30 days",
    sentence_of_none="no boat equipment was declared for its consignee in 30 days",
    sentence_of_one="one kind of boat equipment was declared for its consignee in 30 days",
    known_by="consignee_days_since_first",
)
def boat_equipment_kind_count_30d() -> None:
    """Kinds of boat equipment (craft, engines, life jackets, pumps) that were declared for the
    consignee in the 30 days before.

    More than one is suspicious for a firm that is no shop: together they make a crossing. Who paid
    for them is not looked at.
    """
