"""Consignments paid by many small payers, the last part when the goods have arrived."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="fan_in_release",
    subject="shipment",
    meaning="Many payers below reporting limits before, and a release payment after arrival",
    source="FinCEN, FIN-2014-A008 and FIN-2023-Alert001; AUSTRAC, people-smuggling cases",
    lanes=("sea", "road", "air"),
    signs={
        "fan_in": 0.75,
        "structuring": 0.6,
        "release_payment": 0.6,
        "foreign_payer": 0.45,
        "invalid_iban": 0.3,
        "advance_burst": 0.45,
    },
    offences=("drugs", "counterfeit"),
    sensitivity=0.73,
    fronts=0.5,
)
