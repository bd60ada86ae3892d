"""Boats, engines and life jackets supplied for crossings under ordinary commercial papers."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="boat_equipment_supply",
    subject="shipment",
    meaning="Inflatable craft, outboard engines and life jackets to small firms far from any shop",
    source="NCA and Belgian Federal Police (April 2025); Eurojust (December 2024)",
    lanes=("road", "sea"),
    goods=("890310", "840721", "630720", "841480"),
    signs={
        "vague_description": 0.5,
        "misclassified": 0.45,
        "third_party_payer": 0.6,
        "origin_mismatch": 0.45,
        "advance_burst": 0.45,
        "missing_packing_list": 0.35,
        "round_amounts": 0.35,
    },
    items={"hidden_item": 0.55},
    offences=("dual_use", "misdescription"),
    sensitivity=0.88,
    fronts=0.7,
)
