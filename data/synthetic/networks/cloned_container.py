"""A second box under the number of one that moves legally; the shipment typology that is late."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="cloned_container",
    subject="shipment",
    meaning="A container number that is on another consignment, or fails its check digit",
    source="Europol, Criminal networks in EU ports (2023)",
    lanes=("sea",),
    goods=("847130", "392690", "401110", "854140", "870899"),
    signs={
        "shared_container": 0.7,
        "container_check_failed": 0.5,
        "critical_amendment": 0.45,
        "seal_mismatch": 0.3,
        "netting": 0.35,
        "broker_switch": 0.35,
    },
    events={"out_before_arrival": 0.35},
    payments=("virtual_asset", "netting"),
    offences=("drugs", "tobacco"),
    sensitivity=0.68,
    fronts=0.35,
    weight=2.5,
    is_late=True,
)
