"""`POST /v1/messages/{format}` as callers see it, and what is kept of a message."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import Service

SAMPLES = Path(__file__).parents[2] / "conformance" / "samples"
"""One of each format; with what each makes."""
SENT = {
    "ais": ("ships.txt", {"positions": 4}),
    "cargo_xml": ("xfwb.xml", {"documents": 1, "goods_items": 1, "shipments": 1}),
    "dcsa": ("ebl.json", {"documents": 1, "goods_items": 1}),
    "edifact": ("iftmin.edi", {"goods_items": 1, "shipments": 1}),
    "iso20022": ("pacs.008.xml", {"transactions": 1}),
    "ubl": ("waybill.xml", {"documents": 1, "goods_items": 2, "shipments": 1}),
}


def sample(format: str, name: str = "") -> bytes:
    return (SAMPLES / format / (name or SENT[format][0])).read_bytes()


def send(
    service: Service,
    caller: dict[str, str],
    format: str,
    body: bytes,
    key: str = "m-1",
    **query: str,
) -> Any:
    return service.client.post(
        f"/v1/messages/{format}",
        content=body,
        params=query,
        headers={**caller, "Idempotency-Key": key},
    )


@pytest.fixture
def sender(service: Service) -> dict[str, str]:
    return service.key("ingest", "score")


@pytest.mark.parametrize("format", SENT)
def test_a_message_of_each_format_is_kept_with_its_records(
    service: Service, sender: dict[str, str], format: str
) -> None:
    pattern = {"shipment_pattern": ".+"} if format == "iso20022" else {}
    answer = send(service, sender, format, sample(format), **pattern)

    assert answer.status_code == 200, answer.text
    assert answer.json()["records"] == SENT[format][1]
    print(json.dumps(answer.json(), indent=1))
