"""Alerts reach a webhook, signed, once, and wait where nobody takes them."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import orjson
import pytest

from serving.access.signed_webhook import SignedWebhook
from serving.monitor.alerts import Alert
from serving.outbox.alert_channel import AlertChannel
from serving.storage.engine import open_database
from serving.storage.repositories.alert_repository import AlertRepository
from serving.storage.repositories.receiver_repository import ReceiverRepository
from tests.serving.clock import Clock

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
    book.raise_new(found, NOW)
    return book


def channel(book: AlertRepository, address: str, clock: Callable[[], datetime]) -> AlertChannel:
    progress = ReceiverRepository(book._engine)
    return AlertChannel(SignedWebhook(address, KEY), book, progress, clock)


def test_each_alert_is_sent_once_with_a_proof_of_who_sends(book: AlertRepository) -> None:
    with receiver(204) as (address, calls):
        for _ in range(2):
            assert channel(book, address, lambda: NOW).deliver_all() is None

    (headers, body), _ = calls
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    proof = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{proof}"
    assert orjson.loads(body)["data"]["words"] == "a moved"


def test_an_alert_that_is_not_taken_is_sent_again_by_the_service_and_by_the_next_run(
    book: AlertRepository,
) -> None:
    clock = Clock(NOW)
    with receiver(500) as (address, calls):
        failing = channel(book, address, clock)
        assert failing.deliver_all() == "HTTPError"
        failing.deliver_due()

    assert len(calls) == 1, "a retry waits"
    assert [alert.measure for _, alert in book.undelivered()] == ["a", "b"]
    with receiver(204) as (address, calls):
        clock.now += timedelta(minutes=2)
        channel(book, address, clock).deliver_due()

    assert len(calls) == 2
    assert book.undelivered() == []
