"""Bodies that someone broke on purpose: refused or scored, never a failure, never repeated.

A generator of valid JSON does not find what breaks a reader, so these are mutations of raw bytes.
"""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.counts import count
from tests.serving.bodies import route, shipment
from tests.serving.conftest import Service

CANARY = "canary7391"
BODIES = count(500, 100_000)
MAX_GROWTH_KIB = 50 * 1024

SEEDS = [
    json.dumps(shipment(goods_description=CANARY, consignee_id=CANARY)).encode(),
    json.dumps(route(carrier_id=CANARY)).encode(),
]
TOKENS = [
    b"NaN", b"-Infinity", b"1e400", b"-1e-400", b"1" * 5_000, b"-0", b"true", b"null", b'""',
    b"[]", b"{}", b'"\\ud800"', b'"\\u0000"', b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x00",
    b"[" * 2_000, b'{"a":' * 2_000, b'"' + b"x" * 3_000 + b'"', b"2026-02-30T25:00:00Z",
    b'"0001-01-01T00:00:00+23:59"', b'"9999-12-31T23:59:59-23:59"', b"'", b"/*", b"\\", b",,",
    b'"nationality":"' + CANARY.encode() + b'",', b'"subject_kind":"person",', b"1e999999999",
]  # fmt: skip
Mutation = Callable[[bytearray, random.Random], None]


def flip(body: bytearray, lots: random.Random) -> None:
    body[lots.randrange(len(body))] ^= 1 << lots.randrange(8)


def cut(body: bytearray, lots: random.Random) -> None:
    start = lots.randrange(len(body))
    del body[start : start + lots.randrange(1, 60)]


def double(body: bytearray, lots: random.Random) -> None:
    start = lots.randrange(len(body))
    body[start:start] = body[start : start + lots.randrange(1, 80)]


def insert(body: bytearray, lots: random.Random) -> None:
    at = lots.randrange(len(body))
    body[at:at] = lots.choice(TOKENS)


def replace_value(body: bytearray, lots: random.Random) -> None:
    """Put a token in the place of what follows a colon: still JSON, often enough."""
    colons = [i for i, byte in enumerate(body) if byte == ord(":")]
    at = lots.choice(colons or [0]) + 1
    end = next((i for i in range(at, len(body)) if body[i] in b",}]"), len(body))
    body[at:end] = lots.choice(TOKENS)


MUTATIONS: list[Mutation] = [flip, cut, double, insert, replace_value]


def hostile(lots: random.Random) -> bytes:
    body = bytearray(lots.choice(SEEDS))
    for _ in range(lots.choice([1, 1, 1, 2, 3, 8])):
        if body:
            lots.choice(MUTATIONS)(body, lots)
    return bytes(body)


def resident_kib() -> int:
    """Memory of this process, which holds the service."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


@pytest.mark.faults
@pytest.mark.parametrize("seed", [20261124])
def test_no_body_makes_the_service_fail_or_repeat_it(service: Service, seed: int) -> None:
    lots = random.Random(seed)
    caller = {**service.key("score"), "Content-Type": "application/json"}
    statuses: Counter[int] = Counter()
    settled_kib = 0

    for number in range(BODIES):
        if number == BODIES // 2:
            settled_kib = resident_kib()
        body = hostile(lots)
        headers = {**caller, "Idempotency-Key": str(number)}
        response = service.client.post("/v1/scores", content=body, headers=headers)
        statuses[response.status_code] += 1
        assert response.status_code < 500, (number, body)
        if response.status_code != 200:
            assert response.headers["Content-Type"] == "application/problem+json"
            assert CANARY not in response.text, (number, body)

    assert resident_kib() - settled_kib < MAX_GROWTH_KIB
    assert set(statuses) <= {200, 400, 413, 422}
    assert statuses[400] > BODIES / 10
    assert statuses[422] > BODIES / 10
    assert service.services.decisions.size() == statuses[200]


@pytest.mark.faults
@pytest.mark.parametrize("path", ["/v1/scores", "/v1/scores/batch", "/v1/records"])
def test_a_small_body_that_would_inflate_is_not_inflated(service: Service, path: str) -> None:
    bomb = gzip.compress(bytes(count(1 << 20, 1 << 28)))
    caller = service.key("score", "ingest")
    headers = {
        **caller,
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "Idempotency-Key": "bomb",
    }
    before_kib = resident_kib()

    response = service.client.post(path, content=bomb, headers=headers)

    assert response.status_code == 415
    assert resident_kib() - before_kib < MAX_GROWTH_KIB
