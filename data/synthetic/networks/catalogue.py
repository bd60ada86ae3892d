"""The typologies of the world, in a fixed order."""

import importlib

from features.records import SubjectKind
from synthetic.networks.typology import Typology

NAMES = """
    small_craft_crossing fishing_vessel_transfer lorry_concealment refrigerated_unit
    coach_forged_transit hired_van_run rail_wagon_concealment air_ticket_broker broker_netting
    virtual_asset_escrow boat_equipment_supply container_rip_on misdeclared_goods undervaluation
    split_consignments shell_consignee permit_reuse transit_diversion fan_in_release
    cloned_container
""".split()

TYPOLOGIES: tuple[Typology, ...] = tuple(
    importlib.import_module(f"synthetic.networks.{name}").TYPOLOGY for name in NAMES
)
UNORGANISED = "unorganised"


def typologies_of(kind: SubjectKind) -> tuple[Typology, ...]:
    """The typologies of routes or of shipments."""
    return tuple(typology for typology in TYPOLOGIES if typology.subject == kind)
