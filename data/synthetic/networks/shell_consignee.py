"""A firm without a past that imports for a few weeks and is gone."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="shell_consignee",
    subject="shipment",
    meaning="A new consignee without history, large consignments and payers who are no party",
    source="FATF and Egmont Group, Trade-Based Money Laundering Risk Indicators (2021)",
    lanes=("sea", "road"),
    signs={
        "third_party_payer": 0.45,
        "unpaid": 0.3,
        "overvalued": 0.35,
        "broker_switch": 0.35,
        "missing_packing_list": 0.25,
        "party_mismatch": 0.3,
        "round_amounts": 0.2,
    },
    payments=("money_service", "virtual_asset", "cash"),
    sensitivity=0.65,
    fronts=0.9,
    weight=1.3,
)
