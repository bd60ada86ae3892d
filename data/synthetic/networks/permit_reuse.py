"""One permit shown for many consignments, or shown after it has expired."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="permit_reuse",
    subject="shipment",
    meaning="Controlled goods under a permit that was used before, has expired or is missing",
    source="US State, Treasury and Coast Guard, Maritime advisory (May 2020); WCO",
    lanes=("sea", "road", "air"),
    goods=("240110", "720449", "440710", "293399", "030617", "930690"),
    signs={
        "reused_permit": 0.7,
        "expired_permit": 0.6,
        "missing_permit": 0.35,
        "amended_manifest": 0.45,
        "origin_mismatch": 0.45,
        "late_manifest": 0.35,
    },
    payments=("cash", "netting"),
    offences=("wildlife", "arms", "dual_use"),
    sensitivity=0.83,
    fronts=0.4,
)
