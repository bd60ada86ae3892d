"""The published STIX extension of the exchange, and the markings of TLP 2.0."""

import json
from typing import Any

from serving.exchange.distribution import Marking
from serving.exchange.object_kinds import OBJECT_KINDS

EXTENSION_ID = "extension-definition--5a0c6d38-31a5-4bb4-9d0a-6a8b7a3f2c11"

# What the extension adds to each object, next to `details`.
EXTENSION_FIELDS = frozenset(
    {"extension_type", "kind", "originator", "handling", "distribution", "details"}
    | {"schema", "signature", "deliveries"}
)

_TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_PUBLISHED_AT = "2026-12-01T00:00:00.000Z"

# The ids that FIRST and OASIS gave the markings of TLP 2.0.
MARKING_IDS: dict[Marking, str] = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}

AUTHOR: dict[str, Any] = {
    "type": "identity",
    "spec_version": "2.1",
    "id": "identity--0e6f1f0c-5c1c-4a5e-8f0e-2f0a9c1d7b44",
    "created": _PUBLISHED_AT,
    "modified": _PUBLISHED_AT,
    "name": "Tidegate",
    "identity_class": "system",
}


def extension_definition() -> dict[str, Any]:
    """Return the extension definition, whose schema states every kind and its details."""
    kinds = {
        kind.name: {"stix_type": kind.stix_type, "schema": kind.schema, "details": kind.details}
        for kind in OBJECT_KINDS.values()
    }
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": EXTENSION_ID,
        "created_by_ref": AUTHOR["id"],
        "created": _PUBLISHED_AT,
        "modified": _PUBLISHED_AT,
        "name": "Exchange of Tidegate",
        "description": "Originator, handling, distribution and signatures of an object.",
        "schema": json.dumps({"fields": sorted(EXTENSION_FIELDS), "kinds": kinds}),
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }


def marking_definition(marking: Marking) -> dict[str, Any]:
    """Return the marking definition of TLP 2.0 that an object refers to."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": MARKING_IDS[marking],
        "created": "2022-10-01T00:00:00.000Z",
        "name": f"TLP:{marking.upper()}",
        "extensions": {
            _TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": marking}
        },
    }
