"""Goods in transit that never leave: cigarettes, fuel and spirits above all."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="transit_diversion",
    subject="shipment",
    meaning="High-duty goods in transit, with papers changed on the way and payments after arrival",
    source="OLAF and WCO on cigarette smuggling; FATF and Egmont Group (2021)",
    lanes=("road", "sea", "rail"),
    goods=("240220", "271019", "220421"),
    signs={
        "critical_amendment": 0.6,
        "party_mismatch": 0.5,
        "release_payment": 0.6,
        "late_manifest": 0.45,
        "seal_mismatch": 0.45,
        "cash": 0.35,
        "origin_mismatch": 0.35,
    },
    events={"late_discharge": 0.6},
    offences=("tobacco", "excise"),
    sensitivity=0.78,
    fronts=0.5,
)
