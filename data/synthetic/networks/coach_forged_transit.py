"""A coach service that runs on transit papers which are forged or long expired."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="coach_forged_transit",
    subject="route",
    meaning="Coach with expired or altered transit papers and seats sold for cash at the last hour",
    source="Eurojust (December 2024); seizures at Kapitan Andreevo (2025)",
    lanes=("road",),
    conveyances=("coach",),
    signs={
        "expired_transit": 0.6,
        "expired_permit": 0.45,
        "amended_manifest": 0.5,
        "overcapacity": 0.3,
        "off_hours": 0.35,
        "fan_in": 0.5,
        "round_amounts": 0.5,
        "short_booking": 0.35,
    },
    events={"late_discharge": 0.3},
    offences=("migrant_smuggling",),
    sensitivity=0.88,
    fronts=0.5,
)
