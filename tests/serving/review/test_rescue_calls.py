"""Calls of one outbox: each until it is taken, whatever the other side answers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from serving.audit.decision_log import StoredAnswer
from serving.db.repositories.decision_repository import DecisionRepository
from serving.db.repositories.rescue_call_repository import RescueCallRepository
from serving.review.rescue_calls import (
    FIRST_RETRY_DELAY,
    LONGEST_RETRY_DELAY,
    DueRescueCall,
    RescueCalls,
    RescueWebhook,
    retry_delay,
)
from tests.serving.bodies import route
from tests.serving.databases import database
from tests.serving.review.decisions import AT, decision

TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


@contextmanager
def station(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers every call with the next of these bytes; its address and calls."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                with server.accept()[0] as caller:
                    heard.append(caller.recv(65_536))
                    while not heard[-1].endswith(b"}}"):
                        heard[-1] += caller.recv(65_536)
                    caller.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        thread.join(5)


class Rescued:
    """An outbox in a real database, decisions in it, and a clock that is told the time."""

    def __init__(self, folder: Path) -> None:
        self.engine = database(folder / "log.db")
        self.log, self.outbox = DecisionRepository(self.engine), RescueCallRepository(self.engine)
        self.outbox.begin()
        self.now = AT

    def clock(self) -> datetime:
        return self.now

    def decide(self, decision_id: str) -> None:
        made = decision(route(), decision_id=decision_id, lane="rescue")
        answer = StoredAnswer("c", decision_id, "digest", decision_id, AT.isoformat(), b"")
        self.log.append([(made.logged(), answer)])

    def calls(self, address: str) -> RescueCalls:
        return RescueCalls(self.outbox, RescueWebhook(address, bytes(24)), self.clock)


@pytest.fixture
def rescued(tmp_path: Path) -> Iterator[Rescued]:
    made = Rescued(tmp_path)
    yield made
    made.log.close()


def test_waits_double_from_ten_seconds_to_five_minutes() -> None:
    assert timedelta(seconds=10) == FIRST_RETRY_DELAY
    assert timedelta(minutes=5) == LONGEST_RETRY_DELAY
    waits = [retry_delay(attempts).total_seconds() for attempts in (1, 2, 3, 4, 5, 6, 7, 10_000)]
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300]


def test_every_call_that_is_due_is_made_once_and_then_no_more(rescued: Rescued) -> None:
    for number in (1, 2):
        rescued.decide(f"d-{number}")
    with station(TAKEN, TAKEN) as (address, heard):
        calls = rescued.calls(address)
        calls.make_due()
        rescued.now += timedelta(days=1)
        calls.make_due()

    assert len(heard) == 2
    assert [f'"d-{n}"'.encode() in heard[n - 1] for n in (1, 2)] == [True, True]
    assert not calls.is_refused


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 500 Internal Server Error\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
)
def test_whatever_is_answered_but_a_yes_the_call_is_made_again(
    rescued: Rescued, answer: bytes
) -> None:
    rescued.decide("d-1")
    with station(answer, TAKEN) as (address, heard):
        calls = rescued.calls(address)
        with capture_logs() as written:
            calls.make_due()
        assert calls.is_refused
        assert [(w["event"], w["attempts"]) for w in written] == [("rescue_not_called", 1)]
        rescued.now += FIRST_RETRY_DELAY - timedelta(seconds=1)
        calls.make_due()
        assert (len(heard), calls.is_refused) == (1, True)
        rescued.now += timedelta(seconds=1)
        calls.make_due()

    assert len(heard) == 2
    assert not calls.is_refused


def test_a_decision_that_was_erased_before_its_call_is_told_and_called_no_one(
    rescued: Rescued,
) -> None:
    calls = rescued.calls("http://127.0.0.1:9")

    with capture_logs() as written:
        calls._make(DueRescueCall("d-1", None, 3))

    assert [(w["event"], w["attempts"]) for w in written] == [("rescue_erased_uncalled", 3)]


def test_after_its_end_no_further_call_is_made(rescued: Rescued) -> None:
    rescued.decide("d-1")
    with station() as (address, heard):
        calls = rescued.calls(address)
        calls.stop()
        calls.make_due()

    assert heard == []
