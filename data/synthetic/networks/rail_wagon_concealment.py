"""People hidden in freight wagons at a marshalling yard on the way."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="rail_wagon_concealment",
    subject="route",
    meaning="Freight train that dwells long at a yard, with seals and masses that don't agree",
    source="UNODC, Global Study on Smuggling of Migrants (2018)",
    lanes=("rail", "waterway"),
    signs={
        "long_dwell": 0.7,
        "extra_stop": 0.5,
        "mass_mismatch": 0.5,
        "slow_passage": 0.45,
        "amended_manifest": 0.35,
        "release_payment": 0.45,
    },
    payments=("money_service", "cash"),
    offences=("migrant_smuggling",),
    sensitivity=0.68,
    fronts=0.15,
    weight=0.5,
)
