"""Backups of a service under load, killed and whole, and the homes that are made of them."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest

from tests.counts import count, in_full_alone
from tests.faults.conftest import Serve
from tests.faults.served import Served
from tests.ports import free_port
from tests.serving.bodies import shipment
from tests.serving.postgres import Server

KILLS = 25  # of a backup and of a restore, on either engine
MAX_S = count(180, 60)


@pytest.fixture(params=["sqlite", "postgresql"][: count(1, 2)])
def served(request: pytest.FixtureRequest, serve: Serve) -> Served:
    if request.param == "sqlite":
        return serve()
    server: Server = request.getfixturevalue("postgres")
    return serve(server.new_database(), workers=2)


def begun(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "serving.cli.main", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def done(*arguments: str) -> str:
    """What a command said that must succeed."""
    process = begun(*arguments)
    said, _ = process.communicate(timeout=MAX_S)
    assert process.returncode == 0, said
    return said


def killed(lots: random.Random, *arguments: str) -> None:
    """Begin a command and kill it within its first seconds, if it is not over then."""
    process = begun(*arguments)
    time.sleep(lots.uniform(0.5, count(4.0, 3.0)))
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=MAX_S)


def database_of(served: Served) -> list[str]:
    return ["--database-url", served.database_url] if served.database_url else []


def backed_up(served: Served, out: Path) -> dict[str, bytes]:
    """Kill some backups and write a whole one, all under load; what was acknowledged before it."""
    lots, before = random.Random(7), {}
    arguments = ["backup", "--out", str(out), "--home", str(served.home), *database_of(served)]
    is_over = threading.Event()

    def back_up() -> None:
        try:
            for _ in range(KILLS):
                killed(lots, *arguments)
                out.unlink(missing_ok=True)  # it may have been faster
            while len(served.acknowledged) < 8:
                time.sleep(0.05)
            before.update(served.acknowledged)
            done(*arguments)
        finally:
            is_over.set()

    thread = threading.Thread(target=back_up)
    thread.start()
    served.load(4, "S", is_over.is_set)
    thread.join()
    return before


@in_full_alone
@pytest.mark.faults
def test_what_was_acknowledged_before_a_backup_is_in_the_home_that_is_made_of_it(
    served: Served, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    archive, new = tmp_path / "backups" / "backup.tgz", tmp_path / "homes" / "new"
    archive.parent.mkdir()
    served.start()
    before = backed_up(served, archive)
    served.kill()
    lots, url = random.Random(8), None
    if served.database_url:
        server: Server = request.getfixturevalue("postgres")
        url = server.new_database()
    where = ["--home", str(new), *(["--database-url", url] if url else [])]
    restore = ["restore", str(archive), *where, "--because", "a drill"]
    for _ in range(KILLS if url is None else 0):  # what is left in a database, a person drops
        killed(lots, *restore)
        if new.exists():  # it may have been faster, or killed while the past was rebuilt
            subprocess.run(["rm", "-r", str(new)], check=True)

    said = done(*restore)

    assert "epoch 2 begins" in said
    assert [each.name for each in archive.parent.iterdir()] == [archive.name]
    assert [each.name for each in new.parent.iterdir()] == [new.name]
    assert "whole" in done("verify-log", *where)
    done("doctor", *where)
    require_the_same_answers(Served(new, served.key, free_port(), url), before)
    decision = httpx2.Response(200, content=next(iter(before.values()))).json()["decision_id"]
    done("replay", decision, *where)


def require_the_same_answers(restored: Served, before: dict[str, bytes]) -> None:
    restored.start()
    try:
        for name, body in before.items():
            answer = httpx2.post(
                f"{restored.address}/v1/scores",
                json=shipment(shipment_id=name),
                headers={**restored.headers, "Idempotency-Key": name},
                timeout=30,
            )
            assert (answer.status_code, answer.content) == (200, body)
            assert answer.headers["Idempotency-Replayed"] == "true"
    finally:
        restored.kill()
