"""Which requests are turned away while too many are inside follows from marked endpoints."""

import asyncio

import pytest
from fastapi import APIRouter
from starlette.types import Message, Receive

from serving.app import RESOURCES
from serving.errors import BodyTooLarge, TooBusy
from serving.observability import Metrics, RequestMetrics
from serving.web.admission import (
    SMALL_BODY,
    AdmissionLimits,
    Occupancy,
    RequestGuard,
    limited_in_flight,
    limited_paths,
)
from tests.serving.refusals import refused_with


def test_the_routes_that_score_or_ingest_are_limited_and_no_other() -> None:
    routes = [route for resource in RESOURCES for route in resource.router.routes]

    assert limited_paths(routes) == (
        "/v1/messages/",
        "/v1/records",
        "/v1/scores",
        "/v1/scores/batch",
    )


def test_a_path_is_limited_up_to_its_first_parameter() -> None:
    router = APIRouter(prefix="/things")

    @router.post("/{name}/weigh")
    @limited_in_flight
    def weigh(name: str) -> str:
        return name

    @router.get("/{name}")
    def read(name: str) -> str:
        return name

    assert limited_paths(router.routes) == ("/things/",)


LIMITS = AdmissionLimits(requests=4, of_one_caller=2, body_bytes=4 * SMALL_BODY)


def occupancy() -> tuple[Occupancy, RequestMetrics]:
    metrics = Metrics().requests
    return Occupancy(LIMITS, metrics), metrics


def arriving(*parts: bytes) -> Receive:
    """A body that comes in parts, of which the last is followed by nothing."""
    coming = list(parts)

    async def receive() -> Message:
        part = coming.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(coming)}

    return receive


def read(guard: RequestGuard) -> bytes:
    async def every_part() -> bytes:
        body, is_more = b"", True
        while is_more:
            message = await guard.receive()
            body, is_more = body + message["body"], message["more_body"]
        return body

    return asyncio.run(every_part())


def test_nothing_is_read_of_a_body_before_its_caller_is_admitted_and_no_more_than_it_may_have() -> (
    None
):
    inside, _ = occupancy()
    guard = RequestGuard(inside, arriving(b"ab", b"c"), is_limited=False)
    with pytest.raises(RuntimeError, match="not before"):
        read(guard)
    guard.allow(10)
    with pytest.raises(RuntimeError, match="not before"):
        read(guard)
    guard.admit("a")
    guard.allow(3)
    assert read(guard) == b"abc"

    larger = RequestGuard(inside, arriving(b"ab", b"cd", b"e"), is_limited=False)
    larger.admit("a")
    larger.allow(3)
    with pytest.raises(BodyTooLarge, match="3 bytes"):
        read(larger)


def test_one_caller_has_a_share_and_others_have_theirs() -> None:
    inside, _ = occupancy()
    guards = [RequestGuard(inside, arriving(b""), is_limited=False) for _ in range(4)]
    guards[0].admit("a")
    guards[1].admit("a")
    with refused_with("too-often"):
        guards[2].admit("a")
    guards[3].admit("b")
    guards[3].admit("b")  # again, for the same request
    guards[0].leave()
    guards[2].admit("a")

    for guard in guards[1:]:
        guard.leave()
    assert inside._shares == {}


def test_a_body_that_is_arriving_has_no_place() -> None:
    inside, metrics = occupancy()
    seen: list[int] = []

    async def receive() -> Message:
        seen.append(metrics.inside)
        return {"type": "http.request", "body": b"x", "more_body": len(seen) < 3}

    guard = RequestGuard(inside, receive, is_limited=True)
    guard.admit("a")
    assert metrics.inside == 1
    read(guard)

    assert seen == [0, 0, 0]
    assert metrics.inside == 1
    others = [RequestGuard(inside, arriving(b""), is_limited=True) for _ in range(3)]
    with pytest.raises(TooBusy):
        RequestGuard(inside, arriving(b""), is_limited=True)
    for each in (guard, *others):
        each.leave()
    assert metrics.inside == 0


def test_bodies_have_room_together_of_which_one_caller_takes_half() -> None:
    inside, _ = occupancy()

    def reading(caller: str, size: int) -> RequestGuard:
        guard = RequestGuard(inside, arriving(b"x" * size), is_limited=False)
        guard.admit(caller)
        guard.allow(size)
        try:
            read(guard)
        except TooBusy:
            guard.leave()
            raise
        return guard

    small = [reading("s", SMALL_BODY) for _ in range(2)]
    first = reading("a", 2 * SMALL_BODY)
    with pytest.raises(TooBusy):
        reading("a", SMALL_BODY + 1)
    second = reading("b", 2 * SMALL_BODY)
    with pytest.raises(TooBusy):
        reading("c", SMALL_BODY + 1)
    first.leave()
    third = reading("c", SMALL_BODY + 1)

    for guard in (*small, second, third):
        guard.leave()
    assert (inside._shares, inside._body_bytes) == ({}, 0)


def test_of_bodies_that_do_not_fit_together_the_first_keep_their_room() -> None:
    """Each is counted whole as soon as its length is known, not as its parts arrive in turn."""
    inside, _ = occupancy()
    part, size = b"x" * (SMALL_BODY // 2), 3 * SMALL_BODY // 2

    async def three(callers: str, *, is_declared: bool) -> list[str]:
        async def one(caller: str) -> str:
            guard = RequestGuard(inside, arriving(part, part, part), is_limited=False)
            try:
                guard.admit(caller)
                guard.allow(size, size if is_declared else 0)
                for _ in range(3):
                    await asyncio.sleep(0)  # the parts of all arrive by turns
                    await guard.receive()
                await asyncio.sleep(0.01)
            except TooBusy:
                await asyncio.sleep(0)
                return "refused"
            finally:
                guard.leave()
            return "read"

        return await asyncio.gather(*map(one, callers))

    assert asyncio.run(three("aab", is_declared=True)) == ["read", "refused", "read"]
    assert asyncio.run(three("abc", is_declared=True)) == ["read", "read", "refused"]
    assert asyncio.run(three("abc", is_declared=False)).count("read") == 2
    assert (inside._shares, inside._body_bytes) == ({}, 0)


def test_a_body_that_is_refused_gives_its_room_back_at_once() -> None:
    inside, _ = occupancy()
    growing = RequestGuard(inside, arriving(*[b"x" * SMALL_BODY] * 3), is_limited=False)
    growing.admit("a")
    growing.allow(3 * SMALL_BODY)
    with pytest.raises(TooBusy):
        read(growing)

    assert inside._body_bytes == 0
    growing.leave()
    assert inside._shares == {}
