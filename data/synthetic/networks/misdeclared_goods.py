"""Goods declared as others of the same look, to avoid a ban, a licence or a duty."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="misdeclared_goods",
    subject="shipment",
    meaning="Declared goods that don't fit their density, tare or description",
    source="FATF and Egmont Group, Trade-Based Money Laundering Risk Indicators (2021)",
    lanes=("sea", "road", "air"),
    goods=("392690", "940360", "870899", "481910", "690721"),
    signs={
        "odd_density": 0.65,
        "odd_tare": 0.6,
        "vague_description": 0.6,
        "misclassified": 0.5,
        "mass_mismatch": 0.35,
        "missing_permit": 0.35,
        "missing_packing_list": 0.35,
    },
    items={"hidden_item": 0.4, "items_off_whole": 0.35},
    payments=("cash", "money_service", "netting"),
    offences=("misdescription", "waste", "counterfeit"),
    sensitivity=0.83,
    fronts=0.45,
)
