"""A service that is killed under load: what it acknowledged is there, once, and the same.

kill -9 shows that nothing is answered before it is written; it cannot show a power cut.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from serving.access.api_keys import new_key
from serving.app import utc_now
from serving.store.engine import open_database
from serving.store.key_register import KeyRegister
from serving.store.log_proof import prove
from tests.serving.bodies import shipment

ROUNDS = int(os.environ.get("TIDEGATE_KILL_ROUNDS", "2"))
CLIENTS = 8
PER_ROUND = 25
COMMAND = "from serving.commands.main import main; main()"


@dataclass
class Killed:
    """A service in a process of its own, that can be killed and started again."""

    home: Path
    key: str
    port: int
    process: subprocess.Popen[bytes] | None = None
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def start(self) -> None:
        arguments = ["serve", "--home", str(self.home), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx2.get(f"{self.address}/health/ready").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
        pytest.fail("the service did not get ready")

    def kill(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(30)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, client: httpx2.Client, name: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": name}
        return client.post(
            f"{self.address}/v1/scores", json=shipment(shipment_id=name), headers=headers
        )

    def wait_for_acknowledged(self, decisions: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.acknowledged) < decisions:
            assert time.monotonic() < deadline, "the service decides too slowly"
            time.sleep(0.01)

    def ask_until_cut_off(self, prefix: str) -> None:
        with httpx2.Client(timeout=30) as client:
            for number in range(10_000):
                name = f"{prefix}-{number}"
                self.asked.add(name)
                try:
                    response = self.ask(client, name)
                except httpx2.TransportError:
                    return
                if response.status_code == 200:
                    self.acknowledged[name] = response.content


@pytest.fixture
def killed(home: Path) -> Iterator[Killed]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    engine = open_database(home / "tidegate.db", is_service=False)
    kept, shown = new_key("load", ("score",), (), utc_now())
    KeyRegister(engine).add(kept)
    engine.dispose()
    made = Killed(home, str(shown), port)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill(signal.SIGKILL)


def test_no_acknowledged_decision_is_lost_or_made_twice(killed: Killed) -> None:
    lots = random.Random(5)
    for round_ in range(ROUNDS):
        killed.start()
        clients = [
            threading.Thread(target=killed.ask_until_cut_off, args=(f"S-{round_}-{i}",))
            for i in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        killed.wait_for_acknowledged(PER_ROUND * (round_ + 1))
        time.sleep(lots.uniform(0, 0.2))
        killed.kill(signal.SIGKILL)
        for client in clients:
            client.join()

    killed.start()
    with httpx2.Client(timeout=30) as client:
        for name, answer in killed.acknowledged.items():
            repeated = killed.ask(client, name)
            assert repeated.content == answer
            assert repeated.headers["Idempotency-Replayed"] == "true"
        for name in killed.asked - set(killed.acknowledged):
            assert killed.ask(client, name).status_code == 200
        decisions = client.get(f"{killed.address}/health/ready").json()["decisions"]
    assert decisions == len(killed.asked)
    assert killed.kill(signal.SIGTERM) == 0
    assert prove(open_database(killed.home / "tidegate.db", is_service=False)).is_whole


def test_a_service_that_is_told_to_stop_answers_what_it_took(killed: Killed) -> None:
    killed.start()
    statuses: list[int] = []

    def ask(number: int) -> None:
        with httpx2.Client(timeout=30) as client:
            statuses.append(killed.ask(client, f"S-{number}").status_code)

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for asker in askers:
        asker.start()
    time.sleep(0.1)
    code = killed.kill(signal.SIGTERM)
    for asker in askers:
        asker.join()

    assert code == 0
    assert json.dumps(statuses) == json.dumps([200] * CLIENTS)
