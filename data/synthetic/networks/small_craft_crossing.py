"""Passengers taken over a short passage of sea in a craft that is not fit for them."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="small_craft_crossing",
    subject="route",
    meaning="Overloaded small craft on a short passage by night, paid by many through brokers",
    source="IMO, MSC.1/Circ.896/Rev.1; UNODC, Smuggling of Migrants by Sea (2011)",
    lanes=("small_craft",),
    conveyances=("small_craft",),
    signs={
        "overcapacity": 0.35,
        "off_hours": 0.45,
        "position_gap": 0.3,
        "short_booking": 0.35,
        "one_way_hire": 0.3,
        "fan_in": 0.4,
        "advance_burst": 0.35,
        "release_payment": 0.35,
        "round_amounts": 0.3,
    },
    sensitivity=0.9,
    fronts=0.5,
)
