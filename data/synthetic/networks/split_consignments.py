"""One consignment split into many small ones that each stay under a threshold."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="split_consignments",
    subject="shipment",
    meaning="Many small consignments of one pair of parties within days, paid in like amounts",
    source="FATF and Egmont Group, Trade-Based Money Laundering Risk Indicators (2021)",
    lanes=("air", "road"),
    goods=("851713", "330300", "240220", "300490"),
    signs={
        "split": 0.75,
        "structuring": 0.6,
        "round_mass": 0.45,
        "undervalued": 0.35,
        "missing_invoice": 0.35,
        "off_hours": 0.3,
    },
    offences=("undervaluation", "counterfeit"),
    sensitivity=0.78,
    fronts=0.6,
)
