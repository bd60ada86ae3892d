"""Charter and group seats bought by a broker for others, with changes until the last hour."""

from synthetic.networks.typology import Typology

TYPOLOGY = Typology(
    name="air_ticket_broker",
    subject="route",
    meaning="Flight with a block of late, amended bookings that one payer from elsewhere settles",
    source="FinCEN, FIN-2023-Alert001; AUSTRAC, people-smuggling cases",
    lanes=("air",),
    signs={
        "short_booking": 0.6,
        "amended_manifest": 0.6,
        "late_manifest": 0.45,
        "foreign_payer": 0.6,
        "third_party_payer": 0.5,
        "fan_in": 0.45,
        "round_amounts": 0.35,
    },
    payments=("money_service", "virtual_asset", "netting"),
    offences=("migrant_smuggling",),
    sensitivity=0.68,
    fronts=0.25,
)
