"""Order, room and waiting: what a worker does with messages, whatever broker brings them."""

import asyncio
import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from features.errors import TidegateError
from serving.streams.service_calls import ServiceCalls
from serving.streams.stream_messages import Outgoing, StreamMessage
from serving.streams.stream_worker import StreamWorker
from tidegate_client import AsyncTidegate, Retries

Answering = Callable[[httpx2.Request], Any]


class Listed:
    """A source of messages that are all there."""

    def __init__(self, messages: list[StreamMessage]):
        self.left = messages
        self.finished: list[str] = []
        self.most_asked = 0
        self.kept_alive = 0

    async def take(self, most: int) -> list[StreamMessage]:
        taken, self.left = self.left[:most], self.left[most:]
        if not taken:
            await asyncio.sleep(0.001)
        return taken

    async def keep_alive(self) -> None:
        self.kept_alive += 1

    async def done(self, message: StreamMessage) -> None:
        self.finished.append(message.id)

    async def close(self) -> None: ...


class Kept:
    """A sink that keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    async def publish(self, outgoing: Outgoing) -> None:
        await asyncio.sleep(0)
        self.sent.append(outgoing)

    async def close(self) -> None: ...


def message(number: int, lane: str, **changes: Any) -> StreamMessage:
    of_all = {"key": None, "body": b"{}", "place": {"number": number}}
    of_all |= {"topic": "t", "reader": "r", "position": f"{lane}-{number}", "lane": lane}
    return StreamMessage(**{**of_all, **changes})


def worked(
    messages: list[StreamMessage],
    answering: Answering,
    *,
    in_flight: int = 8,
    is_ordered: bool = True,
    kind: str = "submissions",
    message_format: str | None = "ubl",
    until: Callable[[Listed], bool] | None = None,
) -> tuple[Listed, Kept, Kept, list[str]]:
    """What became of messages: the source, what was sent on, dead letters, and what was said."""
    source, out, dead, said = Listed(messages), Kept(), Kept(), list[str]()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        answered = answering(request)
        return await answered if asyncio.iscoroutine(answered) else answered

    async def run() -> None:
        is_over = asyncio.Event()
        transport = httpx2.MockTransport(answer)
        async with AsyncTidegate(
            "http://service", "k", retries=Retries(most=0), transport=transport
        ) as tidegate:
            calls = ServiceCalls(tidegate, kind, message_format, is_over, said.append)
            worker = StreamWorker(source, calls, out, dead, in_flight, is_ordered)
            running = asyncio.create_task(worker.run(is_over))
            number = len(messages)
            is_enough = until or (lambda source: len(source.finished) == number)
            async with asyncio.timeout(20):
                while not running.done() and not is_enough(source):
                    await asyncio.sleep(0.002)
            is_over.set()
            await running

    asyncio.run(run())
    return source, out, dead, said


def problem(status: int, **headers: str) -> httpx2.Response:
    content = {"type": "/problems/x", "title": "x", "status": status, "detail": "d"}
    content |= {"instance": "i", "request_id": "r", "errors": []}
    return httpx2.Response(status, json=content, headers=headers)


@pytest.mark.parametrize("in_flight", [1, 3, 16])
def test_one_lane_keeps_its_order_and_no_more_is_in_flight_than_may_be(in_flight: int) -> None:
    lots = random.Random(in_flight)
    messages = [message(n, f"lane{lots.randint(0, 5)}") for n in range(120)]
    inside = most_inside = 0

    async def answer(_: httpx2.Request) -> httpx2.Response:
        nonlocal inside, most_inside
        inside += 1
        most_inside = max(most_inside, inside)
        await asyncio.sleep(lots.random() / 500)
        inside -= 1
        return httpx2.Response(200, json={})

    source, out, _, _ = worked(messages, answer, in_flight=in_flight)

    order: dict[str, list[int]] = defaultdict(list)
    for each in source.finished:
        lane, number = each.split("-")
        order[lane].append(int(number))
    assert all(numbers == sorted(numbers) for numbers in order.values())
    assert sum(map(len, order.values())) == len(out.sent) == 120
    assert most_inside <= in_flight
    assert in_flight < 3 or most_inside > 1


def test_without_an_order_one_lane_is_answered_as_fast_as_many() -> None:
    inside: set[str] = set()
    all_inside = asyncio.Event()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        inside.add(request.headers["Idempotency-Key"])
        if len(inside) == 8:
            all_inside.set()
        await all_inside.wait()
        return httpx2.Response(200, json={})

    messages = [message(n, "lane") for n in range(8)]
    source, *_ = worked(messages, answer, is_ordered=False)

    assert len(source.finished) == 8


@pytest.mark.parametrize(
    "passing",
    [
        problem(503, **{"Retry-After": "0"}),
        problem(429, **{"Retry-After": "0"}),
        problem(409, **{"Retry-After": "0"}),
        problem(500, **{"Retry-After": "0"}),
        httpx2.ConnectError("no"),
    ],
    ids=str,
)
def test_what_passes_is_asked_again_under_the_same_key(
    passing: httpx2.Response | Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.streams.service_calls.FIRST_PAUSE_S", 0.001)
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.headers["Idempotency-Key"])
        if len(asked) < 4:
            if isinstance(passing, Exception):
                raise passing
            return passing
        return httpx2.Response(200, json={})

    source, _, dead, said = worked([message(1, "lane")], answer)

    assert asked == ["t/lane-1"] * 4
    assert (source.finished, dead.sent) == (["lane-1"], [])
    assert len(said) == 2
    assert said[0].startswith("waits: ")
    assert said[1] == "goes on"


def test_while_the_service_is_away_no_more_is_taken_and_the_source_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serving.streams.stream_worker.KEEP_ALIVE_S", 0.01)
    messages = [message(n, f"lane{n}") for n in range(100)]

    source, _, dead, said = worked(
        messages, lambda _: problem(503), in_flight=4, until=lambda source: source.kept_alive > 3
    )

    assert (len(source.left), source.finished, dead.sent) == (96, [], [])
    assert len(said) == 1


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_a_refusal_of_the_message_is_a_dead_letter(status: int) -> None:
    source, out, dead, _ = worked([message(1, "lane")], lambda _: problem(status))

    assert (source.finished, out.sent) == (["lane-1"], [])
    assert b'"status": %d' % status in dead.sent[0].body


@pytest.mark.parametrize("status", [401, 403, 404, 405, 421])
def test_a_refusal_of_the_stream_is_none_of_its_messages(status: int) -> None:
    source = Listed([message(n, "lane") for n in range(5)])
    asked: list[int] = []

    def answer(_: httpx2.Request) -> httpx2.Response:
        asked.append(1)
        return problem(status)

    with pytest.raises(TidegateError):
        worked(source.left, answer)
    assert len(asked) == 1  # of one lane the others wait for the first


@pytest.mark.parametrize(
    ("given", "message_format", "says"),
    [
        ("Record", "ubl", "the nearest is 'records'"),
        ("message", "ubl", "the nearest is 'messages'"),
        ("", "ubl", "there are messages, records, submissions"),
        ("messages", None, "no --format"),
        ("message", None, "there are records, submissions"),
    ],
)
def test_a_kind_that_the_stream_has_no_call_for_is_a_dead_letter(
    given: str, message_format: str | None, says: str
) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(200, json={})

    odd = message(1, "lane", headers={"tidegate-kind": given})
    source, out, dead, _ = worked([odd, message(2, "lane")], answer, message_format=message_format)

    assert source.finished == ["lane-1", "lane-2"]
    assert (asked, len(out.sent)) == (["/v1/scores"], 1)
    letter = json.loads(dead.sent[0].body)
    assert letter["kind"] is None
    assert says in letter["problem"]["detail"]


def test_standard_messages_go_to_the_call_of_their_format_as_they_are() -> None:
    asked: list[tuple[str, bytes, str]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append((request.url.path, request.content, request.headers["Content-Type"]))
        return httpx2.Response(200, json={})

    xml = message(1, "lane", body=b"<Invoice/>", headers={"content-type": "application/xml"})
    odd = [
        message(number, "lane", body=b"UNA", headers={"content-type": given})
        for number, given in enumerate(
            ("text/xml; of=Köln", "text/xml\nX: y", "text/xml "), start=3
        )
    ]
    worked([xml, message(2, "lane", body=b"UNA"), *odd], answer, kind="messages")

    assert asked == [
        ("/v1/messages/ubl", b"<Invoice/>", "application/xml"),
        *[("/v1/messages/ubl", b"UNA", "application/octet-stream")] * 4,
    ]


def test_ids_that_could_be_no_header_become_digests() -> None:
    given = ["a\r\nX: b", "x" * 2_000, " a", "a\u200b"]
    odd = [message(1, "lane", headers={"message-id": each}) for each in given]

    digests = [f"sha256:{hashlib.sha256(each.encode()).hexdigest()}" for each in given]
    assert [each.id for each in odd] == digests


@pytest.mark.parametrize("given", ["Zug 7", "Köln", "x" * 500])
def test_an_id_that_is_no_idempotency_key_is_kept_for_readers(given: str) -> None:
    odd = message(1, "lane", headers={"nats-msg-id": given})

    assert odd.id == given
    assert re.fullmatch(r"[\x21-\x7e]{1,255}", odd.idempotency_key)
