"""A case in which every place that can tell of a party tells of one that is found by its bytes."""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from features.field_kinds import Party, Text, fields_of_kind
from features.records import Journey, Shipment, Transaction
from serving.review.acts.attachments import AttachedFile
from tests.serving.bodies import shipment
from tests.serving.conftest import Service
from tests.serving.people import reviewer
from tests.serving.review.cases.stated import NOTHING, body_of

PLAN = """
[[watched]]
kind = "company"
value = "canary-consignee_id"
list = "asked for by another office"
reason = "see their message"
"""
FIELDS = {
    **{name: f"canary-{name}" for name in fields_of_kind(Shipment, Party)},
    "shipment_id": "canary-shipment",
    **dict.fromkeys(fields_of_kind(Shipment, Text), "canary goods in words"),
    "container_number": "ZQCU3054383",
    "seal_number": "canary-seal",
}
FOUND_BY = {
    "imo_number": "9074729",
    "mmsi": "255805587",
    "call_sign": "ZQCU-CALL",
    "plate_number": "ZQCU 30 543",
}
"""What rescuers find a conveyance by."""
NOTE, FILE, NAME = "canary note of a reviewer", b"canary content of a file", "canary-name.txt"
DOCUMENT = {
    "document_id": "canary-document",
    "subject_kind": "shipment",
    "subject_id": "canary-shipment",
    "kind": "invoice",
    "number": "canary-number",
    "issuer_id": "canary-issuer",
    "received_at": "2026-11-24T11:00:00Z",
}
MARKS = (b"canary-", b"canary ", b"ZQCU3054383", *(each.encode() for each in FOUND_BY.values()))
"""What no byte may say where nothing of a party may be."""


def decided(service: Service, **fields: str) -> str:
    """Score, add to, note, attach to and end a case; its id."""
    ingesting = service.key("ingest")
    document = DOCUMENT | {"subject_id": fields.get("shipment_id", "canary-shipment")}
    document["document_id"] = f"canary-document-{service.posted}"
    sent = service.client.post("/v1/records", json={"documents": [document]}, headers=ingesting)
    assert sent.json()["accepted"] == 1, sent.text
    body = shipment(**FIELDS | fields)
    for record, kind in ((body["journey"], Journey), (body["transactions"][0], Transaction)):
        record |= {name: f"canary-{name}" for name in fields_of_kind(kind, Party)}
    body["journey"] |= FOUND_BY
    if "declared_at" in fields:
        body["journey"]["declared_at"] = fields["declared_at"]
    answer = service.score(body, service.key("score", "explain"), f"canary-key-{service.posted}")
    assert answer.json()["lane"] == "inspect", answer.text
    return str(answer.json()["decision_id"])


def ended(service: Service, case_id: str) -> None:
    """Work on a case until it is closed."""
    one = service.key("review")
    for act, body in (
        ("claim", {}),
        ("notes", {"text": NOTE}),
        ("actions", {"kind": "inspect", "text": NOTE}),
        ("results", body_of(replace(NOTHING, text=f"{NOTE}, opened and in order"))),
    ):
        answer = service.client.post(f"/v1/cases/{case_id}/{act}", headers=one, json=body or None)
        assert answer.status_code == 200, answer.text
    who = reviewer("one")
    file = AttachedFile.from_upload(NAME, FILE, 1_000)
    service.services.cases.attach(who, case_id, service.services.clock(), file, FILE)


def told_in_tables(engine: Engine, without: tuple[str, ...] = ("state",)) -> set[str]:
    """The columns of a database in which a mark is found."""
    found = set()
    for table in set(inspect(engine).get_table_names()) - set(without):
        with engine.connect() as connection:
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                for name, value in row._mapping.items():
                    content = value if isinstance(value, bytes) else str(value).encode()
                    if any(mark in _readable(content) for mark in MARKS):
                        found.add(f"{table}.{name}")
    return found


def _readable(content: bytes) -> bytes:
    """With what is compressed in it and not encrypted, in which no mark would be seen."""
    with suppress(zlib.error):
        return content + zlib.decompress(content)
    return content


def told_in_files(folder: Path) -> set[str]:
    """The files under a folder in which a mark is found, in names or in bytes."""
    return {str(file.relative_to(folder)) for file in _files(folder) if _tells(file)}


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


def _tells(file: Path) -> bool:
    content = file.name.encode() + file.read_bytes()
    return any(mark in content for mark in MARKS)
