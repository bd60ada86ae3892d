"""Decisions of a demonstration's traffic: its last subjects scored, of each kind as many."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from features.ingest.record_files import read_records
from features.records import SUBJECT_KINDS, SubjectKind
from features.replay_submissions import submissions_of
from features.submission import Submission
from serving.access.api_keys import new_key
from serving.app import create_app, utc_now
from serving.container import Clock, Services
from serving.settings import Settings
from tests.counts import count
from tests.serving.review.letters.remedies import lay_down_remedies

OF_EACH_KIND = count(100, 260)
TO_COME = timedelta(days=6)
MAX_ASKED = 5
DRAWN = 0.1

RULES = """
edition = "of the demonstration"

[[rules]]
name = "several payers"
feature = "payer_count"
above = 1.0
lane = "document_check"
reason = "more than one payer: kept in the office"
published = "The papers of movements that several paid for are checked."

[[rules]]
name = "cash"
feature = "cash_payment_ratio"
above = 0.5
lane = "inspect"
reason = "mostly cash: kept in the office"
"""
WATCHED = """
[[watched]]
kind = "{kind}"
value = "{value}"
list = "asked for by another office"
reason = "see their message"
"""


@dataclass(frozen=True)
class DemoService:
    """A service on the home of a demonstration, with a key that scores and explains."""

    client: TestClient
    services: Services


@contextmanager
def serving(home: Path, clock: Clock = utc_now) -> Iterator[DemoService]:
    """Serve a home, and draw so many that some of what is scored is sure to be drawn."""
    settings = Settings(home=home, control_probability=DRAWN)
    app = create_app(settings, clock)
    kept, key = new_key("reader", ("score", "explain"), (), clock())
    app.state.services.api_keys.add_key(kept)
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as client:
        yield DemoService(client, app.state.services)


def newest_submissions(home: Path, kind: SubjectKind, count: int) -> list[Submission]:
    """Subjects of the last days of the home's world, in order of declaration."""
    newest = read_records(home / "world", "shipments")["declared_at"].to_pandas().max()
    found = [*islice(submissions_of(home / "world", kind, newest - TO_COME), count)]
    assert len(found) == count
    return found


def lay_down_plan(home: Path) -> None:
    """Two rules, two entries of a watch-list that are met, and the office's addresses."""
    route, shipment = (newest_submissions(home, kind, 7)[-1] for kind in SUBJECT_KINDS)
    assert route.journey
    assert shipment.shipment
    entries = (
        ("conveyance", route.journey.conveyance_id),
        ("company", shipment.shipment.consignee_id),
    )
    watched = "".join(WATCHED.format(kind=kind, value=value) for kind, value in entries)
    (home / "lanes.toml").write_text(RULES + watched, encoding="utf-8")
    lay_down_remedies(home)


def explained_decisions(home: Path, service: DemoService) -> Iterator[dict[str, Any]]:
    """What `POST /v1/scores` answers about the newest subjects, as many of each kind."""
    for kind in SUBJECT_KINDS:
        chosen = newest_submissions(home, kind, OF_EACH_KIND)
        yield from _scored(service.client, (s.model_dump_json(exclude_none=True) for s in chosen))


def _scored(client: TestClient, bodies: Iterable[str]) -> Iterator[dict[str, Any]]:
    body = "\n".join(bodies)
    headers = {
        "Idempotency-Key": sha256(body.encode()).hexdigest(),
        "Content-Type": "application/x-ndjson",
    }
    for _ in range(MAX_ASKED):  # a busy machine may keep the log waiting: the same key asks again
        answered = client.post("/v1/scores/batch", content=body, headers=headers)
        parts = [json.loads(line) for line in answered.text.splitlines()]
        if all(part["status"] != HTTPStatus.SERVICE_UNAVAILABLE for part in parts):
            break
    for part in parts:
        assert part["status"] == HTTPStatus.OK, part
        yield part["answer"]
