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
        "mass_mismatch": 0.4,
        "empty_run": 0.35,
        "short_booking": 0.4,
        "detour": 0.25,
        "missing_checklist": 0.3,
        "late_manifest": 0.25,
        "foreign_payer": 0.3,
        "advance_burst": 0.25,
    },
    payments=("money_service", "cash", "netting"),
    sensitivity=0.8,
    fronts=0.4,
)
