"""People hidden in the load space of a lorry on its way across borders."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="lorry_concealment",
    subject="route",
    meaning="Lorry with unexplained stops, no check of the load and a payment when it has arrived",
    source="UK Border Force, Vehicle security guidance; FATF, Migrant Smuggling (2022)",
    lanes=("road",),
    conveyances=("truck",),
    signs={
        "extra_stop": 0.4,
        "missing_checklist": 0.4,
        "long_dwell": 0.3,
        "detour": 0.2,
        "off_hours": 0.25,
        "mass_mismatch": 0.25,
        "release_payment": 0.35,
        "fan_in": 0.25,
        "third_party_payer": 0.3,
    },
    sensitivity=0.75,
    fronts=0.35,
    weight=1.6,
)
