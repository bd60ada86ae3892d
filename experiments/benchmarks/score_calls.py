"""Calls of `POST /v1/scores` in process; run over any checkout, by `experiments.benchmarks.calls`.

    python -P score_calls.py HOME          answers each line of its input with one JSON object
    python -P score_calls.py HOME --make   makes the home

What is imported must be there in every checkout that is compared, so it is little.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Scope

from serving.app import create_app
from serving.observability import log_as_json
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.world import train_and_promote, write_world

PARTIES = 5_000
AT_ONCE, TIMES = 32, 10
BLOCK = AT_ONCE * TIMES


def main(home: Path, *, is_to_be_made: bool) -> None:
    """Make a home, or serve from it what is asked for until the input ends."""
    if is_to_be_made:
        write_world(home / "records")
        for kind in ("route", "shipment"):
            train_and_promote(home, kind, "1")
        return
    log_as_json()
    settings = Settings(home=home, rate_per_s=1e9, rate_burst=1e9)
    app = create_app(settings)
    gc.freeze()  # as the service does when it is ready
    gc.set_threshold(10_000)
    asyncio.run(_serve(app, os.environ["BENCHMARK_KEY"]))


async def _serve(app: Any, key: str) -> None:
    requests = _requests(key)
    async with app.router.lifespan_context(app):
        for _ in sys.stdin:
            block = [next(requests) for _ in range(BLOCK)]
            await _answer(app, *next(requests))  # so that the key is remembered
            cpu_s, loop_cpu_s = time.process_time(), time.thread_time()
            for start in range(0, BLOCK, AT_ONCE):
                at_once = block[start : start + AT_ONCE]
                await asyncio.gather(*(_answer(app, scope, body) for scope, body in at_once))
            taken = {
                "cpu_us": (time.process_time() - cpu_s) / BLOCK * 1e6,
                "loop_cpu_us": (time.thread_time() - loop_cpu_s) / BLOCK * 1e6,
            }
            print(json.dumps(taken), flush=True)


def _requests(key: str) -> Iterator[tuple[Scope, bytes]]:
    """What a server would hand over: each a new shipment under a new idempotency key.

    They are declared one after the other, by many parties: the same one at the same instant would
    be no traffic but a flood of late records.
    """
    run = time.time_ns()
    for number in count():
        submission = shipment(
            shipment_id=f"S-{run}-{number}",
            consignor_id=f"c-{number % PARTIES}",
            consignee_id=f"c-{PARTIES + number % (PARTIES - 1)}",
            declared_at=datetime.now(UTC).isoformat(),
        )
        body = json.dumps(submission).encode()
        headers = {
            "host": "localhost",
            "authorization": f"Bearer {key}",
            "idempotency-key": f"request-{number}",
            "content-type": "application/json",
            "content-length": str(len(body)),
        }
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/v1/scores",
            "raw_path": b"/v1/scores",
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }
        yield scope, body


async def _answer(app: ASGIApp, scope: Scope, body: bytes) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"a call was answered {message['status']}")

    await app(scope, receive, send)


if __name__ == "__main__":
    main(Path(sys.argv[1]), is_to_be_made="--make" in sys.argv)
