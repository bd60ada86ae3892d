"""Bodies of requests, as a border system would send them."""

import copy
import json
from typing import Any

from features.submission import Submission
from serving.request_parsing import read_submission

SHIPMENT: dict[str, Any] = {
    "subject_kind": "shipment",
    "shipment": {
        "shipment_id": "S-1",
        "journey_id": "J-1",
        "consignor_id": "c-0007",
        "consignee_id": "c-0012",
        "hs_code": "890310",
        "goods_description": "inflatable boats",
        "origin_country": "CN",
        "dispatch_country": "TR",
        "destination_country": "DE",
        "office_id": "DE004600",
        "gross_mass_kg": 1250.5,
        "packages": 12,
        "declared_value": 9800.0,
        "currency": "EUR",
        "declared_at": "2026-11-24T10:00:00Z",
    },
    "journey": {
        "journey_id": "J-1",
        "mode": "sea",
        "carrier_id": "k-3",
        "conveyance_id": "v-9",
        "conveyance_kind": "container_ship",
        "origin": "TRIST",
        "destination": "DEHAM",
        "declared_at": "2026-11-20T10:00:00Z",
        "due_at": "2026-11-28T10:00:00Z",
    },
    "legs": [
        {
            "journey_id": "J-1",
            "sequence": 1,
            "origin": "TRIST",
            "destination": "DEHAM",
            "known_at": "2026-11-20T10:00:00Z",
        }
    ],
    "documents": [
        {
            "document_id": "D-1",
            "kind": "invoice",
            "received_at": "2026-11-23T10:00:00Z",
            "value": 9800.0,
            "currency": "EUR",
        }
    ],
    "transactions": [
        {
            "transaction_id": "T-1",
            "payer_id": "c-0012",
            "payee_id": "c-0007",
            "amount": 4900.0,
            "currency": "EUR",
            "method": "cash",
            "paid_at": "2026-11-22T10:00:00Z",
            "known_at": "2026-11-23T10:00:00Z",
        }
    ],
}

ROUTE: dict[str, Any] = {
    "subject_kind": "route",
    "journey": {
        "journey_id": "J-2",
        "mode": "sea",
        "carrier_id": "k-3",
        "conveyance_id": "v-10",
        "conveyance_kind": "fishing_vessel",
        "origin": "TRIZM",
        "destination": "GRPIR",
        "declared_at": "2026-11-24T10:00:00Z",
        "due_at": "2026-11-25T10:00:00Z",
        "certified_capacity": 12,
        "persons_on_board": 8,
    },
    "legs": [
        {
            "journey_id": "J-2",
            "sequence": 1,
            "origin": "TRIZM",
            "destination": "GRPIR",
            "known_at": "2026-11-24T09:00:00Z",
        }
    ],
}


def shipment(**fields: Any) -> dict[str, Any]:
    """A shipment's body, with fields of the shipment itself replaced."""
    body = copy.deepcopy(SHIPMENT)
    body["shipment"].update(fields)
    return body


def route(**fields: Any) -> dict[str, Any]:
    """A route's body, with fields of the journey replaced; its legs follow a new id."""
    body = copy.deepcopy(ROUTE)
    body["journey"].update(fields)
    for leg in body["legs"]:
        leg["journey_id"] = body["journey"]["journey_id"]
    return body


def submission(body: dict[str, Any]) -> Submission:
    """The body as the service understands it."""
    return read_submission(json.dumps(body).encode())
