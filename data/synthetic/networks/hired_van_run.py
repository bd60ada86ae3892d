"""Hired vans that drive one way, fast and far, and are left at the other end."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="hired_van_run",
    subject="route",
    meaning="Van hired one-way at short notice for a long way, paid in cash by someone else",
    source="FINTRAC, Indicators of human trafficking (2016); FATF, Migrant Smuggling (2022)",
    lanes=("road",),
    conveyances=("van",),
    signs={
        "one_way_hire": 0.7,
        "short_hire_notice": 0.7,
        "overcapacity": 0.2,
        "off_hours": 0.45,
        "empty_run": 0.35,
        "third_party_payer": 0.5,
        "structuring": 0.35,
        "extra_stop": 0.3,
    },
    offences=("migrant_smuggling", "drugs"),
    sensitivity=0.93,
    fronts=0.3,
)
