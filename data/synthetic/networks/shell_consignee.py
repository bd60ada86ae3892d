"""A firm without a past that imports for a few weeks and is gone."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="shell_consignee",
    subject="shipment",
    meaning="A new consignee without history, large consignments and payers who are no party",
    source="FATF and Egmont Group, Trade-Based Money Laundering Risk Indicators (2021)",
    lanes=("sea", "road"),
    signs={
        "third_party_payer": 0.65,
        "unpaid": 0.45,
        "overvalued": 0.5,
        "broker_switch": 0.5,
        "missing_packing_list": 0.35,
        "party_mismatch": 0.45,
        "round_amounts": 0.3,
    },
    payments=("money_service", "virtual_asset", "cash"),
    offences=("counterfeit", "tobacco", "undervaluation"),
    sensitivity=0.73,
    fronts=0.9,
    weight=1.3,
)
