"""A refrigerated unit that carries people instead of what would need the cold."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="refrigerated_unit",
    subject="route",
    meaning="Refrigerated lorry on short notice, light for its load, along a lengthened way",
    source="WCO, Operation TIN CAN; UK Border Force, Vehicle security guidance",
    lanes=("road",),
    conveyances=("truck",),
    signs={
        "mass_mismatch": 0.6,
        "empty_run": 0.5,
        "short_booking": 0.6,
        "detour": 0.35,
        "missing_checklist": 0.45,
        "late_manifest": 0.35,
        "foreign_payer": 0.45,
        "advance_burst": 0.35,
    },
    payments=("money_service", "cash", "netting"),
    offences=("migrant_smuggling",),
    sensitivity=0.88,
    fronts=0.4,
)
