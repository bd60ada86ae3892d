"""Examples of bodies for the OpenAPI document; a test scores every one."""

from typing import Any

JOURNEY: dict[str, Any] = {
    "journey_id": "J-2026-000117",
    "mode": "sea",
    "carrier_id": "carrier-3f9a",
    "conveyance_id": "vessel-81c2",
    "conveyance_kind": "container_ship",
    "registration_country": "PT",
    "origin": "TRIST",
    "destination": "DEHAM",
    "booked_at": "2026-11-10T08:00:00Z",
    "declared_at": "2026-11-20T09:30:00Z",
    "departed_at": "2026-11-20T18:00:00Z",
    "due_at": "2026-11-28T06:00:00Z",
    "declared_cargo_mass_kg": 18200000.0,
}

LEGS: list[dict[str, Any]] = [
    {
        "journey_id": "J-2026-000117",
        "sequence": 1,
        "origin": "TRIST",
        "destination": "GRPIR",
        "departed_at": "2026-11-20T18:00:00Z",
        "arrived_at": "2026-11-22T04:00:00Z",
        "known_at": "2026-11-22T04:00:00Z",
    },
    {
        "journey_id": "J-2026-000117",
        "sequence": 2,
        "origin": "GRPIR",
        "destination": "DEHAM",
        "departed_at": "2026-11-22T16:00:00Z",
        "known_at": "2026-11-22T16:00:00Z",
    },
]

POSITIONS: list[dict[str, Any]] = [
    {
        "journey_id": "J-2026-000117",
        "observed_at": "2026-11-20T08:40:00Z",
        "latitude": 40.99,
        "longitude": 28.94,
        "speed_kn": 0.1,
        "source": "ais",
    },
]

ROUTE: dict[str, Any] = {
    "subject_kind": "route",
    "journey": JOURNEY,
    "legs": LEGS,
    "positions": POSITIONS,
}

ITEMS: list[dict[str, Any]] = [
    {
        "number": 1,
        "commodity_code": "8903100000",
        "nomenclature": "taric",
        "description": "inflatable boats, 5.5 m",
        "origin_country": "CN",
        "gross_mass_kg": 3900.0,
        "net_mass_kg": 3600.0,
        "value": 27900.0,
        "currency": "EUR",
        "packages": 52,
    },
    {
        "number": 2,
        "commodity_code": "8414209000",
        "nomenclature": "taric",
        "description": "hand-operated air pumps",
        "origin_country": "TR",
        "gross_mass_kg": 310.0,
        "net_mass_kg": 275.5,
        "value": 3500.0,
        "currency": "EUR",
        "packages": 12,
    },
]

SHIPMENT: dict[str, Any] = {
    "subject_kind": "shipment",
    "shipment": {
        "shipment_id": "S-2026-004711",
        "journey_id": "J-2026-000117",
        "consignor_id": "party-77b0",
        "consignee_id": "party-12de",
        "hs_code": "890310",
        "goods_description": "inflatable boats with accessories",
        "origin_country": "CN",
        "dispatch_country": "TR",
        "destination_country": "DE",
        "gross_mass_kg": 4210.0,
        "net_mass_kg": 3875.5,
        "packages": 64,
        "declared_value": 31400.0,
        "currency": "EUR",
        "container_number": "MSKU9070323",
        "declared_at": "2026-11-24T10:00:00Z",
        "items": ITEMS,
    },
    "journey": JOURNEY,
    "legs": LEGS,
    "documents": [
        {
            "document_id": "doc-5521",
            "kind": "invoice",
            "received_at": "2026-11-23T15:10:00Z",
            "value": 31400.0,
            "currency": "EUR",
        }
    ],
    "transactions": [
        {
            "transaction_id": "pay-9034",
            "payer_id": "party-12de",
            "payee_id": "party-77b0",
            "payer_country": "DE",
            "payee_country": "TR",
            "amount": 15700.0,
            "currency": "EUR",
            "method": "bank_transfer",
            "purpose": "deposit",
            "paid_at": "2026-11-18T11:00:00Z",
            "known_at": "2026-11-19T06:00:00Z",
        }
    ],
}

RECORDS: dict[str, Any] = {
    "journeys": [
        {
            "journey_id": "J-2025-000846",
            "mode": "sea",
            "carrier_id": "carrier-3f9a",
            "conveyance_id": "vessel-81c2",
            "conveyance_kind": "container_ship",
            "origin": "TRIST",
            "destination": "DEHAM",
            "declared_at": "2025-11-20T09:30:00Z",
            "due_at": "2025-11-28T06:00:00Z",
        }
    ],
    "shipments": [
        {
            "shipment_id": "S-2025-003102",
            "journey_id": "J-2025-000846",
            "consignor_id": "party-77b0",
            "consignee_id": "party-12de",
            "origin_country": "CN",
            "dispatch_country": "TR",
            "destination_country": "DE",
            "declared_at": "2025-11-24T10:00:00Z",
            "items": [{"number": 1, "commodity_code": "8903100000", "packages": 52}],
        }
    ],
    "legs": [
        {
            "journey_id": "J-2026-000117",
            "sequence": 2,
            "origin": "GRPIR",
            "destination": "DEHAM",
            "departed_at": "2026-11-22T16:00:00Z",
            "arrived_at": "2026-11-28T05:00:00Z",
            "known_at": "2026-11-28T05:10:00Z",
        }
    ],
    "goods_items": [
        {
            "shipment_id": "S-2026-004711",
            "number": 3,
            "commodity_code": "6307200000",
            "description": "life-jackets",
            "gross_mass_kg": 48.0,
            "packages": 2,
            "known_at": "2026-11-24T15:20:00Z",
        }
    ],
    "documents": [
        {
            "document_id": "D-2026-009001",
            "subject_kind": "shipment",
            "subject_id": "S-2026-004711",
            "kind": "packing_list",
            "received_at": "2026-11-23T07:00:00Z",
        }
    ],
    "events": [
        {
            "event_id": "E-2026-120045",
            "subject_kind": "shipment",
            "subject_id": "S-2026-004711",
            "kind": "gate_out",
            "occurred_at": "2026-11-29T07:40:00Z",
            "known_at": "2026-11-29T08:00:00Z",
            "place": "DEHAM",
            "container_number": "MSKU9070323",
        }
    ],
    "outcomes": [
        {
            "subject_kind": "shipment",
            "subject_id": "S-2026-004711",
            "selected_by": "model",
            "inspected_at": "2026-11-29T09:00:00Z",
            "known_at": "2026-11-29T15:00:00Z",
            "result": "confirmed",
            "offences": "tobacco misdescription",
            "found_items": 48000,
            "examination": "physical",
            "depth": "partial",
        }
    ],
}
