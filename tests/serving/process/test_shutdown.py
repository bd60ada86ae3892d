"""A service that is told to stop before it is ready, in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Timer
from typing import TextIO, cast

import httpx
import pytest

from features.atomic_dir import written_whole
from serving.cli.start_progress import StartStatus
from tests.features.messages.worst_inputs import statement
from tests.forked_command import ForkedCommand
from tests.ports import free_port
from tests.processes import in_a_session, wait_until_nobody_is_left
from tests.serving.cli.test_commands import run
from tests.serving.postgres import Server

SERVE = [sys.executable, "-m", "serving.cli.main", "serve"]
SOON_S = 5.0
Starting = AbstractContextManager["subprocess.Popen[str]"]


def serving(home: Path, cache: Path, *arguments: str) -> Starting:
    """A service that has nothing compiled yet."""
    command = [*SERVE, "--home", str(home), "--port", str(free_port()), *arguments]
    return in_a_session(command, {"NUMBA_CACHE_DIR": str(cache)})


@pytest.mark.parametrize(("told", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_start_that_is_told_to_stop_ends_at_once_without_a_traceback(
    home: Path, tmp_path: Path, told: signal.Signals, code: int
) -> None:
    with serving(home, tmp_path / "cache", "--progress") as process:
        lines = cast("TextIO", process.stderr)
        progress = [StartStatus.of_line(next(lines))]
        while progress[-1] and not progress[-1].compiled:
            progress.append(StartStatus.of_line(next(lines)))
        process.send_signal(told)
        too_late = Timer(SOON_S, process.kill)
        too_late.start()
        progress += map(StartStatus.of_line, lines)
        too_late.cancel()

        assert process.wait(SOON_S) == code
        assert None not in progress, "no line is of a traceback"
        stages = [line.stage for line in progress if line]
        assert list(dict.fromkeys(stages))[:2] == ["opening the database", "reading history"]
    half_written = {*home.glob(".state.*")}
    with written_whole(home / "state"):
        assert half_written.isdisjoint(home.glob(".state.*"))


def test_workers_end_when_the_process_that_began_them_is_killed(
    home: Path, postgres: Server
) -> None:
    """Else they would hold the address that the next service needs."""
    command = [*SERVE, "--home", str(home), "--port", str(free_port()), "--workers", "2"]
    command += ["--database-url", postgres.new_database()]
    with in_a_session(command) as process:
        while process.poll() is None and not (home / ".state-turn").exists():
            time.sleep(0.05)
        process.kill()
        process.wait(SOON_S)
        wait_until_nobody_is_left(process)


def test_workers_that_are_told_to_stop_while_they_start_end_at_once(
    home: Path, tmp_path: Path, postgres: Server
) -> None:
    arguments = ("--workers", "2", "--database-url", postgres.new_database())
    cache = tmp_path / "cache"
    with serving(home, cache, *arguments) as process:
        while process.poll() is None and not any(cache.rglob("*.nbi")):
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=SOON_S)

        assert process.returncode == 0
        assert "Traceback" not in said
        wait_until_nobody_is_left(process)


def test_workers_that_could_never_start_are_not_begun(tmp_path: Path, postgres: Server) -> None:
    (tmp_path / "lanes.toml").write_text("x = = y")
    command = ["serve", "--home", str(tmp_path), "--port", str(free_port()), "--workers", "2"]
    over = {"postgres": ["--database-url", postgres.new_database()], "sqlite": []}
    says = {"postgres": "lanes.toml", "sqlite": "several workers need PostgreSQL"}
    for engine, options in over.items():
        ended = ForkedCommand.start([*command, *options], tmp_path / engine)

        assert ended.wait(60) == 1
        errors = ended.errors.read_text()
        assert says[engine] in errors
        assert "Traceback" not in errors


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_service_ends_soon_though_a_message_is_read_without_end(home: Path) -> None:
    port = free_port()
    made = run("keys", "create", "sender", "--scope", "ingest", "--home", home, "--json")
    key = made["key"]
    command = [*SERVE, "--home", str(home), "--port", str(port)]
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "m"}
    with in_a_session(command) as process, ThreadPoolExecutor(1) as sender:
        address = f"http://127.0.0.1:{port}"
        while process.poll() is None and not is_ready(address):
            time.sleep(0.05)
        sending = sender.submit(
            httpx.post,
            f"{address}/v1/messages/iso20022?shipment_pattern=AC{{digits}}",
            content=statement(4_000),
            headers=headers,
            timeout=60,
        )
        while not (reader := readers_of(process.pid)):
            assert not sending.done(), sending.result().text
            time.sleep(0.01)
        os.kill(reader[0], signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)

        assert process.wait(10.0) == 0
        wait_until_nobody_is_left(process)
        assert not Path(f"/proc/{reader[0]}").exists()


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/ready").is_success
    except httpx.HTTPError:
        return False


def readers_of(process: int) -> list[int]:
    """The processes that read messages for a service."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    commands = {int(each): Path(f"/proc/{each}/cmdline").read_bytes() for each in children}
    return [each for each, command in commands.items() if b"reader_process" in command]
