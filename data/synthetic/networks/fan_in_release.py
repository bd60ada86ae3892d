"""Consignments paid by many small payers, the last part when the goods have arrived."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="fan_in_release",
    subject="shipment",
    meaning="Many payers below reporting limits before, and a release payment after arrival",
    source="FinCEN, FIN-2014-A008 and FIN-2023-Alert001; AUSTRAC, people-smuggling cases",
    lanes=("sea", "road", "air"),
    signs={
        "fan_in": 0.55,
        "structuring": 0.4,
        "release_payment": 0.4,
        "foreign_payer": 0.3,
        "invalid_iban": 0.2,
        "advance_burst": 0.3,
    },
    sensitivity=0.65,
    fronts=0.5,
)
