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
        "overcapacity": 0.5,
        "off_hours": 0.65,
        "position_gap": 0.45,
        "short_booking": 0.5,
        "one_way_hire": 0.45,
        "fan_in": 0.6,
        "advance_burst": 0.5,
        "release_payment": 0.5,
        "round_amounts": 0.45,
    },
    offences=("migrant_smuggling",),
    sensitivity=0.95,
    fronts=0.5,
)
