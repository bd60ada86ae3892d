"""What waits together is decided together: each its own outcome, in order, and in time."""

import asyncio
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from features.catalogue import feature_named
from features.definition import Peers
from serving.access.callers import Caller
from serving.api.scores import worded_for
from serving.app import create_app
from serving.container import Services
from serving.errors import BodyMalformed, LogUnavailable
from serving.explanation.comparison import compare_with_peers
from serving.explanation.reason_ranking import Comparisons, judge
from serving.integrity.hash_chain import LogHead
from serving.scoring.assessment import Assessor
from serving.scoring.batcher import BATCH_SIZE, MAX_LARGE_CALL_GROUP, ScoreRequest
from serving.scoring.future_dispatch import FutureDispatcher
from serving.scoring.idempotency import Answer
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service

MACHINE = Caller("key-1", "machine", frozenset({"score"}), frozenset())


def asked(number: int, body: bytes | None = None) -> ScoreRequest:
    body = body or orjson.dumps(shipment(shipment_id=f"S-{number}"))
    return ScoreRequest(MACHINE, f"request-{number}", body, NOW, worded_for(MACHINE))


def decided(services: Services, requests: list[ScoreRequest]) -> list[Any]:
    return asyncio.run(services.batcher.answer_all(requests))


def test_each_is_answered_in_its_place(service: Service) -> None:
    answers = decided(service.services, [asked(number) for number in range(BATCH_SIZE + 6)])

    told = [orjson.loads(answer.body)["subject_id"] for answer in answers]
    assert told == [f"S-{number}" for number in range(BATCH_SIZE + 6)]
    assert service.services.decisions.size() == BATCH_SIZE + 6


def test_what_cannot_be_read_keeps_nobody_else_from_a_decision(service: Service) -> None:
    first, broken, last = decided(service.services, [asked(0), asked(1, b"{"), asked(2)])

    assert isinstance(broken, BodyMalformed)
    assert isinstance(first, Answer)
    assert isinstance(last, Answer)


def test_a_group_that_fails_is_told_so_and_the_next_is_decided(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(service.services.decisions, "answers", fail)
        failed = decided(service.services, [asked(number) for number in range(3)])
    again = decided(service.services, [asked(number) for number in range(3)])

    assert [type(outcome) for outcome in failed] == [LogUnavailable] * 3
    assert [type(outcome) for outcome in again] == [Answer] * 3
    assert service.services.decisions.size() == 3


def test_one_key_twice_in_one_group_makes_one_decision(service: Service) -> None:
    outcomes = decided(service.services, [asked(0), asked(0)])

    assert sum(isinstance(outcome, Answer) for outcome in outcomes) >= 1
    assert service.services.decisions.size() == 1
    assert decided(service.services, [asked(0)]) == [Answer(outcomes[0].body)]


def held_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> tuple[threading.Event, threading.Event, list[int]]:
    """Whether the log is to be written, which waits to be let go, and the sizes of groups."""
    log, begun, let_go, sizes = (
        service.services.decisions,
        threading.Event(),
        threading.Event(),
        list[int](),
    )
    append, assess = log.append, Assessor.assess

    def appending(entries: list[Any]) -> LogHead:
        begun.set()
        let_go.wait(30)
        return append(entries)

    def assessing(assessor: Assessor, requests: list[Any]) -> list[Any]:
        sizes.append(len(requests))
        return assess(assessor, requests)

    monkeypatch.setattr(log, "append", appending)
    monkeypatch.setattr(Assessor, "assess", assessing)
    return begun, let_go, sizes


def test_what_comes_while_a_group_is_written_is_decided_together(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, let_go, sizes = held_back(service, monkeypatch)

    async def one_and_then_more() -> None:
        first = asyncio.create_task(service.services.batcher.answer(asked(0)))
        await asyncio.to_thread(begun.wait, 30)
        more = []
        for number in range(1, 6):
            more.append(asyncio.create_task(service.services.batcher.answer(asked(number))))
            await asyncio.sleep(0.05)
        let_go.set()
        await asyncio.gather(first, *more)

    asyncio.run(one_and_then_more())
    assert sizes == [1, 5]


def test_who_was_just_answered_and_asks_again_is_decided_with_those_who_waited(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, let_go, sizes = held_back(service, monkeypatch)

    async def twice(first: int, second: int) -> None:
        await service.services.batcher.answer(asked(first))
        await service.services.batcher.answer(asked(second))

    async def one_again_beside_another() -> None:
        again = asyncio.create_task(twice(0, 1))
        await asyncio.to_thread(begun.wait, 30)
        waiting = asyncio.create_task(service.services.batcher.answer(asked(2)))
        await asyncio.sleep(0.05)
        let_go.set()
        await asyncio.gather(again, waiting)

    monkeypatch.setattr("serving.scoring.batcher.ASK_AGAIN_WITHIN_S", 5.0)
    asyncio.run(one_again_beside_another())
    assert sizes == [1, 2]


def test_a_lone_caller_is_not_kept_waiting_for_another(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.scoring.batcher.ASK_AGAIN_WITHIN_S", 20.0)

    async def one_after_the_other() -> float:
        await service.services.batcher.answer(asked(0))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await service.services.batcher.answer(asked(1))
        return time.monotonic() - began

    assert asyncio.run(one_after_the_other()) < 15


def test_a_group_is_committed_in_one_go(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    _, let_go, groups = held_back(service, monkeypatch)
    let_go.set()
    append, commits = service.services.decisions.append, list[int]()

    def appending(entries: list[Any]) -> LogHead:
        commits.append(len(entries))
        return append(entries)

    monkeypatch.setattr(service.services.decisions, "append", appending)
    decided(service.services, [asked(number) for number in range(40)])

    assert sum(commits) == 40
    assert commits == groups


def test_a_large_call_lets_others_in_between(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    row_s, rows = 0.01, 200
    assess, sizes = Assessor.assess, list[int]()

    def assessing(assessor: Assessor, requests: list[Any]) -> list[Any]:
        sizes.append(len(requests))
        time.sleep(row_s * len(requests))
        return assess(assessor, requests)

    monkeypatch.setattr(Assessor, "assess", assessing)

    async def one_beside_many() -> tuple[int, int]:
        batcher = service.services.batcher
        many = asyncio.create_task(batcher.answer_all([asked(number) for number in range(rows)]))
        while not sizes:
            await asyncio.sleep(0.01)
        await batcher.answer(asked(rows))
        groups, is_over = len(sizes), many.done()
        await many
        return groups, is_over

    groups, is_over = asyncio.run(one_beside_many())
    # The group in progress and its own, however many rows wait.
    assert groups <= 3
    assert not is_over
    # A group is as large as its time allows.
    assert max(sizes[1:]) * row_s <= 0.5


def test_one_caller_can_fill_a_group_and_not_every_place() -> None:
    limits = Settings()

    assert limits.max_in_flight_per_caller >= BATCH_SIZE
    assert limits.max_in_flight_per_caller * 2 <= limits.max_in_flight
    assert limits.queue_capacity >= MAX_LARGE_CALL_GROUP


def test_a_caller_waits_for_the_deadline_and_not_once_for_every_group(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadline_s, let_go, groups, size = 1.0, threading.Event(), 12, 4
    monkeypatch.setattr("serving.scoring.batcher.BATCH_SIZE", size)
    app = create_app(Settings(home=home, commit_deadline_s=deadline_s), clock=lambda: NOW)
    with TestClient(app):
        services: Services = app.state.services
        for first in (100, 200):  # what is new compiles, for longer than that
            decided(services, [asked(number) for number in range(first, first + size)])
        append = services.decisions.append
        services.decisions.append = lambda entries: let_go.wait(30) and append(entries)  # type: ignore[method-assign,func-returns-value]  # a stand-in
        began = time.monotonic()
        outcomes = decided(services, [asked(number) for number in range(groups * size)])
        waited_s = time.monotonic() - began
        let_go.set()

    assert [type(outcome) for outcome in outcomes] == [LogUnavailable] * groups * size
    assert deadline_s <= waited_s < groups / 2 * deadline_s  # however busy the machine is


def test_what_threads_find_reaches_every_future_in_their_order() -> None:
    async def settled() -> list[int]:
        loop, order = asyncio.get_running_loop(), []
        settling: FutureDispatcher[int] = FutureDispatcher(loop)
        futures = [loop.create_future() for _ in range(400)]
        for future in futures:
            future.add_done_callback(lambda done: order.append(done.result()))
        threads = [threading.Thread(target=settle, args=(settling, futures, n)) for n in range(4)]
        for thread in threads:
            thread.start()
        await asyncio.wait_for(asyncio.gather(*futures), 10)
        return order

    order = asyncio.run(settled())

    assert sorted(order) == list(range(400))
    for first in range(4):
        own = [number for number in order if number % 4 == first]
        assert own == sorted(own)


def test_an_outcome_for_someone_who_left_is_let_go() -> None:
    async def settled() -> int:
        loop = asyncio.get_running_loop()
        settling: FutureDispatcher[int] = FutureDispatcher(loop)
        gone, here = loop.create_future(), loop.create_future()
        gone.cancel()
        settling.dispatch(gone, 1)
        settling.dispatch(here, 2)
        return await asyncio.wait_for(here, 10)

    loop = asyncio.new_event_loop()
    left = loop.create_future()
    loop.close()

    assert asyncio.run(settled()) == 2
    FutureDispatcher(loop).dispatch(left, 3)
    assert not left.done()


def test_a_remembered_judgement_is_that_of_its_value_peers_and_side(
    service: Service,
) -> None:
    model = service.services.models.champion("shipment").model
    compared = Comparisons(model)
    feature = feature_named("unit_value_eur_per_kg")

    for value in (None, 0.0, 1.0, 250.0, 1.0):
        for groups in ({}, {Peers.GOODS: "890310"}, {Peers.GOODS: "none"}):
            compare = partial(compare_with_peers, model, groups)
            for is_for in (True, False):
                told = compared.of(groups, feature, value, is_for)
                assert told == judge(compare, feature, value, is_for)
                assert compared.of(groups, feature, value, is_for) is told


def settle(
    settling: FutureDispatcher[int], futures: "list[asyncio.Future[int]]", first: int
) -> None:
    for number in range(first, len(futures), 4):
        settling.dispatch(futures[number], number)


def fail(*_: object) -> None:
    raise LogUnavailable("the database failed")
