"""Goods or people taken over at sea by a fishing vessel that goes dark to do it."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="fishing_vessel_transfer",
    subject="route",
    meaning="Fishing vessel that stops reporting off the coast, loiters and lands elsewhere",
    source="US State, Treasury and Coast Guard, Maritime advisory (May 2020); UNODC (2011)",
    lanes=("small_craft",),
    conveyances=("fishing_vessel",),
    signs={
        "position_gap": 0.5,
        "slow_passage": 0.4,
        "detour": 0.3,
        "foreign_flag": 0.25,
        "off_hours": 0.25,
        "empty_run": 0.35,
        "third_party_payer": 0.25,
        "structuring": 0.2,
    },
    sensitivity=0.7,
    fronts=0.45,
)
