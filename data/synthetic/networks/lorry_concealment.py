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
        "extra_stop": 0.6,
        "missing_checklist": 0.6,
        "long_dwell": 0.45,
        "detour": 0.3,
        "off_hours": 0.35,
        "mass_mismatch": 0.35,
        "release_payment": 0.5,
        "fan_in": 0.35,
        "third_party_payer": 0.45,
    },
    offences=("migrant_smuggling",),
    sensitivity=0.83,
    fronts=0.35,
    weight=1.6,
)
