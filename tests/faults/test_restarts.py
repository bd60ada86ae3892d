"""Restarts under load, by which no client is refused, cut off or answered with an error."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from serving.process.listening_socket import BACKLOG
from tests.counts import count
from tests.faults.conftest import Serve
from tests.faults.served import Served
from tests.serving.bodies import shipment
from tests.serving.postgres import Server

CLIENTS = 4
RESTARTS_OF_ONE_PROCESS = count(1, 50)
ROLLING_RESTARTS = count(1, 200)


class Load:
    """What clients met that ask one request after another on connections they keep."""

    def __init__(self, served: Served):
        self.served, self.slowest_s, self.answers = served, 0.0, 0
        self.errors: list[str] = []
        self.is_over = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        clients = [threading.Thread(target=self._ask, args=(n,)) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self.is_over.set()
            for client in clients:
                client.join(120)
        print(f"{self.answers} answers, slowest {self.slowest_s:.2f} s, errors {self.errors[:5]}")

    def _ask(self, number: int) -> None:
        with httpx2.Client(base_url=self.served.address, timeout=90) as client:
            turn = 0
            while not self.is_over.is_set():
                turn += 1
                name = f"R-{number}-{turn}"
                began = time.monotonic()
                try:
                    answer = client.post(
                        "/v1/scores",
                        json=shipment(shipment_id=name),
                        headers={**self.served.headers, "Idempotency-Key": name},
                    )
                    if answer.status_code != 200:
                        self.errors.append(f"{answer.status_code} {answer.text[:200]}")
                except httpx2.TransportError as error:
                    self.errors.append(repr(error))
                self.answers += 1
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                # Idle for a moment, as most connections are when a server ends.
                time.sleep(0.02)


def serve_on(listener: socket.socket, served: Served) -> subprocess.Popen[bytes]:
    """Start a service on a socket that outlives it, as systemd does."""
    command = [sys.executable, "-m", "serving.cli", "serve", "--home", str(served.home)]
    with (served.home / "service.log").open("ab") as log:
        return subprocess.Popen(
            [*command, "--fd", str(listener.fileno())],
            pass_fds=[listener.fileno()],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=log,
            stderr=log,
        )


@pytest.mark.faults
def test_a_held_socket_lets_one_process_follow_another_without_a_client_error(
    serve: Serve, home: Path
) -> None:
    served = serve()
    listener = socket.create_server(("127.0.0.1", served.port), backlog=BACKLOG)
    process = serve_on(listener, served)
    load = Load(served)
    try:
        served.wait_until_ready(60)
        with load.running():
            for _ in range(RESTARTS_OF_ONE_PROCESS):
                time.sleep(0.5)
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
                process = serve_on(listener, served)
                served.wait_until_ready(60)
    finally:
        process.kill()
        process.wait(60)
        listener.close()
    assert load.answers > CLIENTS * RESTARTS_OF_ONE_PROCESS
    assert load.errors == []


@pytest.mark.faults
def test_a_reload_replaces_all_workers_without_a_client_error(
    serve: Serve, postgres: Server
) -> None:
    served = serve(postgres.new_database(), workers=2)
    served.start()
    load, log = Load(served), served.home / "service.log"
    with load.running():
        for done in range(1, ROLLING_RESTARTS + 1):
            os.kill(served.pid, signal.SIGHUP)
            ends_at = time.monotonic() + 240
            while log.read_text().count("workers_restarted") < done:
                assert time.monotonic() < ends_at, log.read_text()[-2_000:]
                time.sleep(0.1)
    assert load.answers > CLIENTS * ROLLING_RESTARTS
    assert load.errors == []
    assert served.kill(signal.SIGTERM) == 0


@pytest.mark.faults
def test_an_ending_service_answers_one_more_request_on_an_idle_connection(serve: Serve) -> None:
    served = serve()
    served.start()
    idle = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    for _ in range(2):
        idle.request("GET", "/health/live")
        answer = idle.getresponse()
        answer.read()
        assert answer.status == 200
        # The second request is sent by a client that cannot know yet that the server ends.
        if answer.headers["Connection"] is None:
            os.kill(served.pid, signal.SIGTERM)
            time.sleep(0.3)
    assert answer.headers["Connection"] == "close"
    assert served.process is not None
    assert served.process.wait(30) == 0
