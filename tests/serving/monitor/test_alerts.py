"""Alerts reach a webhook, signed, once, and wait where nobody takes them."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import orjson
import pytest

from serving.access.signed_webhook import SignedWebhook
from serving.monitor.alerts import Alert, deliver
from serving.storage.engine import open_database
from serving.storage.repositories.alert_repository import AlertRepository

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = bytes(range(32))
Calls = list[tuple[dict[str, str], bytes]]


@contextmanager
def receiver(status: int) -> Iterator[tuple[str, Calls]]:
    """A server that keeps what it is called with, and answers so."""
    calls: Calls = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def book(tmp_path: Path) -> AlertRepository:
    """A book with two alerts."""
    book = AlertRepository(open_database(tmp_path / "log.db", is_service=False))
    found = [Alert("shipment", "2026-11-16", m, 0.2, 0.001, f"{m} moved") for m in ("a", "b")]
    book.raise_new(found, NOW.isoformat())
    return book


def test_each_alert_is_sent_once_with_a_proof_of_who_sends(book: AlertRepository) -> None:
    with receiver(204) as (address, calls):
        webhook = SignedWebhook(address, KEY)

        assert (deliver(book, webhook, NOW), deliver(book, webhook, NOW)) == (2, 0)

    (headers, body), _ = calls
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    proof = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{proof}"
    assert orjson.loads(body)["data"]["words"] == "a moved"


def test_an_alert_that_is_not_taken_waits_for_the_next_run(book: AlertRepository) -> None:
    with receiver(500) as (address, calls), pytest.raises(OSError, match="500"):
        deliver(book, SignedWebhook(address, KEY), NOW)

    assert len(calls) == 1
    assert [alert.measure for _, alert in book.undelivered()] == ["a", "b"]
