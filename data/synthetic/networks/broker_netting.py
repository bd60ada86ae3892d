"""Movements settled between brokers by netting, so that almost no money is seen to move."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="broker_netting",
    subject="route",
    meaning="Journeys by road or sea whose costs brokers net against each other",
    source="FATF, Hawala and Other Similar Service Providers (2013); FATF (2022)",
    lanes=("road", "small_craft"),
    origins=("Western Asia", "Northern Africa", "Southern Asia"),
    signs={
        "release_payment": 0.6,
        "foreign_payer": 0.6,
        "invalid_iban": 0.3,
        "round_amounts": 0.5,
        "foreign_flag": 0.35,
        "extra_stop": 0.35,
        "detour": 0.3,
    },
    payments=("netting", "money_service", "virtual_asset"),
    offences=("migrant_smuggling", "cash"),
    sensitivity=0.73,
    fronts=0.4,
)
