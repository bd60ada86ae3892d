"""Two agencies, and one object of each kind that they may exchange."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from serving.exchange.deliveries import Agency, delivered, signed_object
from serving.exchange.distribution import Distribution
from serving.exchange.exchanged_objects import ExchangedObject, new_object

NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)
AGENCIES = {
    name: Agency(name, Ed25519PrivateKey.from_private_bytes(bytes([at]) * 32))
    for at, name in enumerate(("north", "south", "west"))
}
KEYS = {name: agency.key.public_key() for name, agency in AGENCIES.items()}
DISTRIBUTION = Distribution("green", frozenset({"risk_assessment"}), NOW + timedelta(days=30))

DETAILS: dict[str, dict[str, Any]] = {
    "company": {"name": ["Harbour Freight"], "country": ["PT"]},
    "vessel": {"name": ["Aurora"], "imoNumber": ["9074729"]},
    "vehicle": {"registrationNumber": ["AB 1234"]},
    "container": {"number": ["MSKU9070323"]},
    "watch_list_entry": {
        "watched": "container",
        "value": "MSKU9070323",
        "list": "reefers",
        "reason": "opened on the way",
    },
    "typology": {"indicators": ["D12", "P03"]},
    "alert": {"typology": "concealed cargo", "percentile": 99.1, "location": "PTSIE"},
    "sighting": {"result": "confirmed"},
}
REFERENCE = "infrastructure--6f1c2f0e-2d61-4d7c-9a63-0f0a5a1f9a11"
FIELDS: dict[str, dict[str, Any]] = {
    "typology": {
        "name": "Concealed in reefers",
        "description": "Goods behind the evaporator",
        "external_references": [{"source_name": "WCO", "url": "https://www.wcoomd.org/"}],
    },
    "alert": {"object_refs": [REFERENCE]},
    "sighting": {"sighting_of_ref": "indicator--6f1c2f0e-2d61-4d7c-9a63-0f0a5a1f9a12", "count": 1},
}


def made(
    kind: str = "container",
    distribution: Distribution = DISTRIBUTION,
    by: str = "north",
    **details: Any,
) -> ExchangedObject:
    """A signed object."""
    content = {**DETAILS[kind], **details}
    fresh = new_object(kind, content, by, "B2", distribution, NOW, FIELDS.get(kind))
    return signed_object(fresh, AGENCIES[by])


def sent(kind: str = "container", to: str = "south") -> ExchangedObject:
    """A signed object on its way from the first agency to the second."""
    return delivered(made(kind), to, DISTRIBUTION, AGENCIES["north"], "D-1")
