"""How long it takes from a record, or from the passing of time, to the call of a rescue centre.

    python experiments/2026-11-27-record-to-call/study.py [--each N] [--seconds S] [--burst]
        [--postgres] [--kill]

A real service in processes of its own, over a real database, calls a real server. N subjects are in
danger as declared, N by a call for help within the hour of their score, N since nothing comes; all
of that spread over S seconds, or with `--burst` at once, while others report where they are. With
`--kill` the service is killed in the middle, and started again at once. Prints, of each way, the
seconds to the first call.
"""

import argparse
import asyncio
import json
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

from serving.access.api_keys import new_key
from serving.app import utc_now
from serving.db.engine import open_database
from serving.db.repositories.api_key_repository import ApiKeyRepository
from serving.triage.life_at_risk import OVERDUE_AFTER
from tests.faults.served import Served
from tests.ports import free_port
from tests.serving.bodies import route
from tests.serving.postgres import postgresql
from tests.serving.world import train_and_promote, write_world

OTHERS_PER_S = 10
ANSWERED_WITHIN_S = 120


@dataclass
class Centre:
    """A server that takes every call, and when it first had one about a conveyance."""

    address: str = ""
    called_at: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Alarm:
    """A conveyance in danger: how that comes to be known, and when, in seconds of the epoch."""

    name: str
    way: str
    at: float


@contextmanager
def listening() -> Iterator[Centre]:
    """A centre, as long as the context lasts."""
    centre = Centre()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            centre.called_at.setdefault(body["data"]["conveyance_id"], time.time())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep the output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    centre.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield centre
    server.shutdown()


def served(home: Path, centre: Centre, database_url: str | None) -> Served:
    """A service over a home with two small models, not yet started; two workers over PostgreSQL."""
    write_world(home / "records")
    for kind in ("route", "shipment"):
        train_and_promote(home, kind, "1")
    engine = open_database(database_url or home / "tidegate.db", is_service=False)
    kept, shown = new_key("study", ("score", "ingest"), (), utc_now())
    ApiKeyRepository(engine).add_key(kept)
    engine.dispose()
    secret = "whsec_" + "A" * 32
    settings = {
        "rescue_webhook": centre.address,
        "rescue_secret": secret,
        "arrivals_are_reported": True,
    }
    workers = 2 if database_url else 1
    return Served(home, str(shown), free_port(), database_url, workers, settings)


class Sender:
    """Sends what a border system would, again and again until it is taken."""

    def __init__(self, service: Served):
        self._service = service
        self._client = httpx2.AsyncClient(timeout=30)
        self._few = asyncio.Semaphore(24)

    async def post(self, path: str, body: dict[str, Any], key: str) -> None:
        """Post until it is taken: a service that is busy, or gone, is asked again."""
        headers = {**self._service.headers, "Idempotency-Key": key}
        while True:
            try:
                async with self._few:
                    answer = await self._client.post(
                        f"{self._service.address}{path}", json=body, headers=headers
                    )
                if answer.status_code == 200:
                    return
                assert answer.status_code in (409, 503), answer.text
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.2)

    async def declare(self, name: str, due_at: datetime, **changed: Any) -> None:
        """Declare a journey of a fishing vessel of this name, as of a day ago."""
        declared_at = (utc_now() - timedelta(days=1)).isoformat()
        fields = {"conveyance_id": name, "declared_at": declared_at, "due_at": due_at.isoformat()}
        body = route(journey_id=name, **fields | changed)
        body["legs"] = []
        await self.post("/v1/scores", body, name)

    async def report(self, name: str, **changed: Any) -> None:
        """Say where a conveyance was heard just now."""
        heard = {"journey_id": name, "observed_at": utc_now().isoformat(), "source": "ais"}
        position = heard | {"latitude": 38.2, "longitude": 26.1} | changed
        await self.post("/v1/records", {"positions": [position]}, f"{name} {time.time()}")


async def study(service: Served, asked: argparse.Namespace) -> list[Alarm]:
    """Let what is to happen happen, and say when it did."""
    sender, lots = Sender(service), random.Random(7)
    later = utc_now() + timedelta(days=3)
    names = range(asked.each)
    begun = time.monotonic()
    await asyncio.gather(
        *(sender.declare(f"record-{n}", later) for n in names),
        *(sender.declare(f"other-{n}", later) for n in names),
    )
    # Those that nothing will be heard of are declared last, since their time is coming.
    lead_s = 30 + 1.5 * (time.monotonic() - begun)
    starts = time.time() + lead_s
    spread = [0.0 if asked.burst else lots.uniform(0, asked.seconds) for _ in range(3 * asked.each)]
    alarms = [
        Alarm(f"{way}-{n}", way, starts + spread.pop())
        for way in ("declaration", "record", "time")
        for n in names
    ]
    await asyncio.gather(*(_overdue(sender, each) for each in alarms if each.way == "time"))
    assert time.time() < starts, "the machine is too slow: want a longer lead"
    happening = [_happen(sender, each) for each in alarms if each.way != "time"]
    others = [_other(sender, lots, starts, asked) for _ in range(OTHERS_PER_S)]
    kills = [_killed(service, starts + asked.seconds / 2)] if asked.kill else []
    await asyncio.gather(*happening, *others, *kills)
    return alarms


async def _overdue(sender: Sender, alarm: Alarm) -> None:
    due_at = datetime.fromtimestamp(alarm.at, UTC) - OVERDUE_AFTER
    await sender.declare(alarm.name, due_at)


async def _happen(sender: Sender, alarm: Alarm) -> None:
    await asyncio.sleep(max(alarm.at - time.time(), 0))
    if alarm.way == "declaration":
        later = utc_now() + timedelta(days=3)
        await sender.declare(alarm.name, later, persons_on_board=41)
    else:
        await sender.report(alarm.name, is_distress=True)


async def _other(
    sender: Sender, lots: random.Random, starts: float, asked: argparse.Namespace
) -> None:
    """Once a second, somebody else says where they are."""
    while time.time() < starts + asked.seconds:
        await sender.report(f"other-{lots.randrange(asked.each)}")
        await asyncio.sleep(1)


async def _killed(service: Served, at: float) -> None:
    await asyncio.sleep(max(at - time.time(), 0))
    await asyncio.to_thread(service.kill)
    await asyncio.to_thread(service.start)


def show(alarms: list[Alarm], called_at: dict[str, float]) -> None:
    """Print how many of each way were called, and after how many seconds."""
    for way in ("declaration", "record", "time"):
        own = [each for each in alarms if each.way == way]
        waited = [called_at[each.name] - each.at for each in own if each.name in called_at]
        half, most, longest = np.quantile(waited, [0.5, 0.99, 1.0])
        print(f"{way}: {len(waited):,} of {len(own):,} called; seconds: ", end="")
        print(f"median {half:.2f}, 99 % {most:.2f}, longest {longest:.2f}")
    print(f"called though not in danger: {sum('other' in name for name in called_at)}")


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=240)
    for name in ("burst", "postgres", "kill"):
        parser.add_argument(f"--{name}", action="store_true")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        listening() as centre,
        postgresql() if asked.postgres else nullcontext() as server,
    ):
        service = served(Path(folder) / "home", centre, server.new_database() if server else None)
        service.start()
        try:
            alarms = asyncio.run(study(service, asked))
            ends_at = time.time() + ANSWERED_WITHIN_S
            while time.time() < ends_at and any(a.name not in centre.called_at for a in alarms):
                time.sleep(0.5)
            show(alarms, centre.called_at)
        finally:
            service.kill()


if __name__ == "__main__":
    main()
