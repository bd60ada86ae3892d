"""Goods invoiced far below their price; the rest is paid another way."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="undervaluation",
    subject="shipment",
    meaning="A declared price well under what such goods cost, with more paid than was invoiced",
    source="WCO, Compliance and enforcement; Kim et al., DATE (KDD 2020)",
    lanes=("sea", "road", "air"),
    goods=("610910", "620342", "640399", "950300", "852872", "420222"),
    signs={
        "undervalued": 0.75,
        "overpaid": 0.65,
        "round_amounts": 0.45,
        "misclassified": 0.35,
        "foreign_payer": 0.45,
        "missing_invoice": 0.3,
    },
    payments=("cash", "netting", "virtual_asset"),
    items={"items_off_whole": 0.35},
    offences=("undervaluation",),
    sensitivity=0.78,
    fronts=0.45,
    weight=1.5,
)
