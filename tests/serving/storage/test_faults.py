"""The first call of the store fails, then the second, and so on, until a request gets through.

Whatever fails, a caller is told to try again, nothing is half there, and trying again succeeds.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from serving.process.background_threads import PREFIX
from serving.storage.verification.log_verification import verify_decision_log
from tests.serving.bodies import shipment
from tests.serving.calls import heard
from tests.serving.conftest import Service

Act = Callable[[Service, dict[str, str]], Any]


@contextmanager
def failing_call(service: Service, number: int) -> Iterator[list[int]]:
    """Fail this one call, statements and commits counted together; gives the calls made.

    What looks at the database every second, whatever is asked, is left alone.
    """
    calls = [0]

    def fail_at_its_turn(*_: Any) -> None:
        if threading.current_thread().name.startswith(PREFIX):
            return
        calls[0] += 1
        if calls[0] == number:
            raise OperationalError("a call", None, sqlite3.OperationalError("disk I/O error"))

    with heard(fail_at_its_turn, service.services.decisions._engine):
        yield calls


def score_one(service: Service, caller: dict[str, str]) -> Any:
    return service.score(shipment(), caller, key="k")


def score_a_batch(service: Service, caller: dict[str, str]) -> Any:
    headers = {**caller, "Idempotency-Key": "b"}
    body = [shipment(), shipment(shipment_id="S-2")]
    return service.client.post("/v1/scores/batch", json=body, headers=headers)


def statuses(response: Any) -> set[int]:
    if response.headers["Content-Type"] != "application/x-ndjson":
        return {response.status_code}
    return {int(line.split('"status":')[1].split(",")[0]) for line in response.text.splitlines()}


@pytest.mark.parametrize(("act", "decisions"), [(score_one, 1), (score_a_batch, 2)])
def test_a_fault_of_any_call_loses_nothing(service: Service, act: Act, decisions: int) -> None:
    log = service.services.decisions
    for number in count(1):
        caller = service.key("score")
        before = log.size()
        with failing_call(service, number) as calls:
            faulty = act(service, caller)
        if calls[0] < number:
            break
        assert statuses(faulty) <= {200, 503}
        assert statuses(act(service, caller)) == {200}
        assert log.size() == before + decisions
        assert verify_decision_log(log._engine).is_whole

    assert number > 5
    assert statuses(faulty) == {200}


def test_a_fault_while_reading_is_said_to_pass(service: Service) -> None:
    caller = service.key("score", "explain")
    address = score_one(service, caller).headers["Location"]
    service.services.rescoring.stop()  # it reads, too, and would meet the fault in its place

    for number in count(1):
        with failing_call(service, number) as calls:
            response = service.client.get(f"{address}/explanation", headers=caller)
        if calls[0] < number:
            break
        assert response.status_code == 503
        assert response.headers["Retry-After"]

    assert number > 2
    assert response.status_code == 200
