"""Passage paid into an escrow of virtual assets; the one typology that appears late."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="virtual_asset_escrow",
    subject="route",
    meaning="Journeys that look orderly but for a deposit and a release in virtual assets",
    source="FATF, Migrant Smuggling (2022); FATF, Virtual Assets Red Flag Indicators (2020)",
    lanes=("road", "air", "sea"),
    signs={
        "release_payment": 0.7,
        "advance_burst": 0.6,
        "foreign_payer": 0.5,
        "slow_passage": 0.35,
        "foreign_flag": 0.35,
        "late_manifest": 0.3,
    },
    payments=("virtual_asset", "virtual_asset", "netting"),
    offences=("migrant_smuggling",),
    sensitivity=0.68,
    fronts=0.4,
    weight=2.5,
    is_late=True,
)
