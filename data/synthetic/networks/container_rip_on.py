"""Contraband put into an honest firm's container, which is then sealed with a copied seal."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="container_rip_on",
    subject="shipment",
    meaning="Honest cargo whose seal, mass or container number changes along the way",
    source="Europol, Criminal networks in EU ports (2023); WCO, Operation TIN CAN",
    lanes=("sea",),
    origins=("Latin America and the Caribbean", "Sub-Saharan Africa"),
    goods=("080390", "080440", "090111", "180100", "440710", "760200"),
    signs={
        "seal_mismatch": 0.7,
        "mass_mismatch": 0.5,
        "container_mismatch": 0.45,
        "odd_tare": 0.45,
        "amended_manifest": 0.45,
        "broker_switch": 0.35,
        "off_hours": 0.3,
    },
    events={"long_terminal_stay": 0.35},
    payments=("cash", "virtual_asset"),
    offences=("drugs",),
    sensitivity=0.78,
    fronts=0.1,
    weight=1.5,
)
