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
        "position_gap": 0.7,
        "slow_passage": 0.6,
        "detour": 0.45,
        "foreign_flag": 0.35,
        "off_hours": 0.35,
        "empty_run": 0.5,
        "third_party_payer": 0.35,
        "structuring": 0.3,
    },
    offences=("drugs", "migrant_smuggling", "tobacco"),
    sensitivity=0.78,
    fronts=0.45,
)
