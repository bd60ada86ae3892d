"""Rescue calls to servers that fail in every way, with restarts, on a clock that is told the time.

What is measured is what the outbox has written down: how long after its decision a call was first
made, and whether a person acknowledged it or it went on to another address.
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson

from serving.audit.logged_decision import StoredAnswer
from serving.outbox.rescue import RescueChannel
from serving.review.rescue.rescue_calls import RescueDirectory
from serving.review.rescue.rescue_centres import RescueCentre, RescueCentres
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.rescue_call_repository import RescueCallRepository
from tests.serving.bodies import route
from tests.serving.databases import database
from tests.serving.people import person
from tests.serving.review.cases.decisions import AT, decision

TICK = timedelta(seconds=5)
PATIENCE_MINUTES = 5.0
SECRET = "whsec_" + "A" * 32
SLOW_S = 0.05
RESTARTS = 0.03  # of all ticks
MAX_RESTART = timedelta(seconds=45)
# How often a server takes a call, answers with an error, hangs up, or is slow; the rest of the
# time it is down for minutes.
TAKES, FAILS, HANGS_UP, SLOW = 0.55, 0.2, 0.15, 0.1
DOWN_SHARE, DOWN_FOR = 0.004, timedelta(minutes=8)
NEVER_AGAIN = datetime.max.replace(tzinfo=UTC)
PERSON_ANSWERS = 0.7  # of calls that were taken, and within minutes


@dataclass
class FaultyCentre:
    """A server that fails as it is drawn; whoever took a call answers later, or never."""

    rng: random.Random
    now: datetime = AT
    down_until: datetime = AT
    answers_at: dict[str, datetime] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def outcome(self, body: bytes) -> int | None:
        """The status to answer with; None to hang up."""
        with self.lock:
            draw = self.rng.random()
            if self.now < self.down_until:
                return None
            if self.rng.random() < DOWN_SHARE:
                self.down_until = self.now + DOWN_FOR
                return None
            if draw < FAILS:
                return 500
            if draw < FAILS + HANGS_UP:
                return None
            case_id = str(orjson.loads(body)["data"]["case_id"])
            if self.rng.random() < PERSON_ANSWERS and case_id not in self.answers_at:
                minutes = timedelta(minutes=self.rng.uniform(0.5, 9))
                self.answers_at[case_id] = self.now + minutes
        if draw > 1 - SLOW:
            time.sleep(SLOW_S)
        return 204

    def answering(self) -> list[str]:
        """The cases that a person answers for now, each once."""
        with self.lock:
            due = [case_id for case_id, at in self.answers_at.items() if at <= self.now]
            self.answers_at.update(dict.fromkeys(due, NEVER_AGAIN))
        return due


@dataclass(frozen=True)
class CallFigures:
    """What became of the calls: minutes from decision to first attempt, and their ends."""

    calls: int
    longest_minutes_to_call: float
    acknowledged: int
    escalated: int
    neither: int
    restarts: int
    refused_attempts: int


@contextmanager
def served(centre: FaultyCentre) -> Iterator[str]:
    """The address of the centre as a real server."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = centre.outcome(self.rfile.read(int(self.headers["Content-Length"])))
            if status is not None:
                self.send_response(status)
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep the output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def simulate(folder: Path, calls: int, seed: int) -> CallFigures:
    """Decide rescues over time, call through every fault, and wait until each has an end."""
    rng = random.Random(seed)
    centre = FaultyCentre(random.Random(seed + 1))
    engine = database(folder / "log.db")
    log, outbox = DecisionRepository(engine), RescueCallRepository(engine)
    outbox.begin()
    restarts = 0
    with served(centre) as address:
        directory = _directory(address)

        def begun() -> RescueChannel:
            return RescueChannel(RescueCallRepository(engine), directory, lambda: centre.now)

        caller, decided, away_until = begun(), dict[str, datetime](), AT
        quiet_since = AT
        while len(decided) < calls or centre.now - quiet_since < timedelta(minutes=12):
            if len(decided) < calls:
                for _ in range(min(rng.choice((0, 0, 0, 1, 3)), calls - len(decided))):
                    decision_id = f"d-{len(decided)}"
                    _decide(log, decision_id, centre.now)
                    decided[decision_id] = centre.now
                quiet_since = centre.now
            if centre.now >= away_until:
                caller.deliver_due()
                if rng.random() < RESTARTS:
                    caller.stop()
                    caller, restarts = begun(), restarts + 1
                    away_until = centre.now + rng.random() * MAX_RESTART
            for case_id in centre.answering():
                outbox.acknowledge(case_id, person("watch officer"), centre.now)
            centre.now += TICK
    log.close()
    return _figures(outbox, decided, restarts)


def _directory(address: str) -> RescueDirectory:
    centre = RescueCentre(
        name="a centre",
        receives_for_state="GR",
        brings_to_place_of_safety=True,
        addresses=(f"{address}/first", f"{address}/second"),
        secret=SECRET,
        covers=("sea", "land"),
    )
    return RescueDirectory(
        RescueCentres(centres=(centre,), acknowledge_within_minutes=PATIENCE_MINUTES)
    )


def _decide(log: DecisionRepository, decision_id: str, at: datetime) -> None:
    body = route(journey_id=f"J-{decision_id}")
    made = decision(body, decision_id=decision_id, lane="rescue", scored_at=at)
    answer = StoredAnswer("c", decision_id, "digest", decision_id, at.isoformat(), b"")
    log.append([(made.logged(), answer)])


def _figures(
    outbox: RescueCallRepository, decided: dict[str, datetime], restarts: int
) -> CallFigures:
    minutes, acknowledged, escalated, neither, refused = [], 0, 0, 0, 0
    for decision_id, decided_at in decided.items():
        events = outbox.events(decision_id)
        actions = [event.action for event in events]
        first = next(e for e in events if e.action in ("called", "refused"))
        minutes.append((first.at - decided_at) / timedelta(minutes=1))
        acknowledged += "acknowledged" in actions
        escalated += "escalated" in actions
        neither += "acknowledged" not in actions and "escalated" not in actions
        refused += actions.count("refused")
    return CallFigures(
        len(decided), max(minutes), acknowledged, escalated, neither, restarts, refused
    )
