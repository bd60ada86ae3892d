"""Features as somebody outside the tree would write them."""

from features.definition import Peers, SuspiciousSide, Unit, shipment_feature
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window_declaration import count


@shipment_feature(
    unit=Unit.KILOGRAMS,
    when_missing="net mass or packages are missing",
    indicator="D12",
    source="Rules of the harbour (2026)",
    sentence="the goods in a package weigh {value} kg on average",
    among=Peers.GOODS,
)
def net_mass_per_package_kg(net_mass_kg: Column, packages: Column) -> Column:
    """Mean net mass of a package.

    Unusual for the goods, it suggests that the declared packages are not the real ones.
    """
    return ratio(net_mass_kg, packages)


@shipment_feature(
    count("shipments", by="consignee_id", days=60),
    unit=Unit.COUNT,
    when_missing="never; a new consignee has 0",
    indicator="D25",
    warns=SuspiciousSide.LOW,
    source="Rules of the harbour (2026)",
    sentence="its consignee declared {value} shipments in 60 days",
    sentence_of_none="its consignee declared no shipment in 60 days",
    sentence_of_one="its consignee declared one shipment in 60 days",
)
def consignee_shipments_60d() -> None:
    """Shipments declared for the same consignee in the 60 days before. Few are suspicious."""
