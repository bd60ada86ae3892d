"""Witnesses: each gets every checkpoint, however its disk or its address failed meanwhile."""

import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from features.home_keys import LOG, private_key
from serving.access.actors import SERVICE
from serving.access.errors import AddressRefused
from serving.integrity.audit_log import AuditEvent
from serving.integrity.log_check import check_log
from serving.integrity.witness_lines import framed, read_witness_lines
from serving.integrity.witnesses import NEWEST_BYTES, FileWitness, WebWitness, witnesses_of
from serving.outbox.feeds import LEASE
from serving.outbox.outbox import Outbox
from serving.outbox.witness_channel import WitnessChannel
from serving.settings import Settings
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.receiver_repository import ReceiverRepository
from tests.serving.conftest import NOW
from tests.serving.databases import database, keys_of
from tests.serving.test_degraded_modes import wait_until

SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
EVENT = AuditEvent(NOW, SERVICE, "read", "case", "C-1")


class Log:
    """A database whose audit events grow, and are sealed."""

    def __init__(self, where: Path | str, keys: Path):
        self.engine = database(where)
        self.store = CheckpointRepository(self.engine)
        self.signer = private_key(keys, LOG)

    def grow(self, times: int = 1) -> None:
        for _ in range(times):
            AuditRepository(self.engine).append(EVENT)
            assert self.store.seal(self.signer, NOW)

    def channel(self, *witnesses: Any) -> WitnessChannel:
        progress = ReceiverRepository(self.engine)
        return WitnessChannel(witnesses, self.store, progress, lambda: NOW)

    def hand_over(self, *witnesses: Any) -> list[int]:
        """Deliver what each witness lacks; return the places of those that took nothing."""
        return self.channel(*witnesses).deliver_all()


@pytest.fixture
def log(where: Path | str) -> Log:
    return Log(where, keys_of(where))


def lines_of(file: Path) -> list[str]:
    return read_witness_lines(file.read_bytes()).lines


def test_a_full_disk_leaves_half_a_line_that_is_no_attack_and_is_sent_again(
    log: Log, tmp_path: Path
) -> None:
    witness = FileWitness(tmp_path / "w")
    log.grow()
    assert not log.hand_over(witness)
    log.grow(3)
    missing = b"".join(map(framed, log.store.lines()[1:]))

    with at_most_bytes(witness.path.stat().st_size + 100), pytest.raises(OSError, match="a part"):
        witness.take(missing, NOW)

    half = witness.path.read_bytes()
    assert not half.endswith(b"\n")
    assert len(lines_of(witness.path)) == 1
    assert not log.hand_over(witness)
    found = read_witness_lines(witness.path.read_bytes())
    assert (found.lines, found.damaged, found.torn) == (log.store.lines(), [], 1)


class at_most_bytes:
    """No file of this process may grow beyond so many bytes: a write is cut, as on a full disk."""

    def __init__(self, most: int):
        self._most = most

    def __enter__(self) -> None:
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self._handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._most, self._before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)
        signal.signal(signal.SIGXFSZ, self._handler)


def test_what_was_written_and_not_noted_before_a_kill_is_sent_twice_and_counts_once(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = FileWitness(tmp_path / "w")
    log.grow(2)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ReceiverRepository, "advance", killed)
    with pytest.raises(KeyboardInterrupt):
        log.hand_over(witness)

    monkeypatch.undo()
    assert not log.hand_over(witness)
    assert lines_of(witness.path) == log.store.lines() * 2


def test_a_witness_that_lost_its_lines_is_handed_them_again(log: Log, tmp_path: Path) -> None:
    witness = FileWitness(tmp_path / "w")
    log.grow(3)
    log.hand_over(witness)
    witness.path.write_bytes(framed(log.store.lines()[0]))

    channel = log.channel(witness)
    channel.redeliver_after(witness.name, 1)
    channel.deliver_all()

    assert lines_of(witness.path) == log.store.lines()


def test_one_witness_that_fails_keeps_none_from_its_lines(log: Log, tmp_path: Path) -> None:
    broken, whole = FileWitness(tmp_path / "none" / "w"), FileWitness(tmp_path / "w")
    log.grow()

    assert log.hand_over(broken, whole) == [1]
    assert lines_of(whole.path) == log.store.lines()


def test_a_service_hands_over_at_its_start_and_once_more_at_its_end(
    log: Log, tmp_path: Path
) -> None:
    witness = FileWitness(tmp_path / "w")
    log.grow()
    outbox = Outbox([log.channel(witness)])
    outbox.look()
    log.grow()
    outbox.stop()

    assert lines_of(witness.path) == log.store.lines()


def test_witnesses_that_hang_keep_a_service_from_ending_for_a_moment_and_no_others_from_their_lines(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WitnessChannel, "end_within_s", 0.1)
    is_over = threading.Event()
    hanging = Mock(take=lambda *_: is_over.wait(9))
    hanging.name = "hanging"
    whole = FileWitness(tmp_path / "w")
    log.grow()
    outbox = Outbox([log.channel(hanging, whole)])
    outbox.look()
    wait_until(whole.path.exists)

    begun_s = time.monotonic()
    outbox.stop()
    took_s = time.monotonic() - begun_s
    is_over.set()

    assert took_s < 5
    assert lines_of(whole.path) == log.store.lines()


def test_a_witness_that_hangs_beyond_its_lease_is_behind(log: Log) -> None:
    log.grow()
    hanging = Mock()
    hanging.name = "hanging"
    channel = log.channel(hanging)
    assert ReceiverRepository(log.engine).lease("witness", "hanging", "lease", NOW - LEASE)
    channel.claim()

    assert channel.behind == [1]


@pytest.fixture
def address() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]], list[int]]]:
    """An address that takes checkpoints: what it got, and the statuses that it answers next."""
    got: list[tuple[dict[str, str], bytes]] = []
    statuses: list[int] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = statuses.pop(0) if statuses else 204
            if status < 300:
                got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(status)
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(statuses.pop(0) if statuses else 200)
            self.end_headers()
            self.wfile.write(b"".join(body for _, body in got))

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", got, statuses
    server.shutdown()
    server.server_close()


def test_an_address_takes_signed_lines_and_tells_them_back(
    log: Log, address: tuple[str, list[Any], list[int]], tmp_path: Path
) -> None:
    url, got, statuses = address
    settings = Settings(home=tmp_path, witness=f"{tmp_path}/w ; {url}", witness_secret=SECRET)  # type: ignore[arg-type]  # as read from the environment
    file, web = witnesses_of(settings)
    log.grow(2)
    statuses.append(503)

    assert log.hand_over(file, web) == [2]
    assert not log.hand_over(web)

    headers, body = got[0]
    assert read_witness_lines(body).lines == log.store.lines()
    assert headers["webhook-signature"].startswith("v1,")
    assert read_witness_lines(web.newest() or b"").lines == log.store.lines()
    statuses.append(405)
    assert web.everything() is None


def test_the_newest_line_of_an_address_is_its_last_however_much_it_answers(
    log: Log, address: tuple[str, list[Any], list[int]]
) -> None:
    url, got, _ = address
    log.grow(2)
    older, newest = map(framed, log.store.lines())
    got += [({}, older * 2_000), ({}, newest)]

    told = WebWitness(url, None).newest() or b""

    assert len(older) * 2_000 > 1_000_000 > NEWEST_BYTES == len(told)
    assert read_witness_lines(told).lines[-1:] == log.store.lines()[-1:]
    assert len(read_witness_lines(WebWitness(url, None).everything() or b"").lines) == 2_001


def test_an_address_that_tells_more_than_is_read_is_said_so_and_never_cut(
    log: Log, address: tuple[str, list[Any], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, got, _ = address
    log.grow()
    got.append(({}, framed(log.store.lines()[0]) * 9))
    monkeypatch.setattr("serving.integrity.witnesses.MAX_TOLD_BYTES", 4_000)

    check = check_log(log.store, [WebWitness(url, None)], {}, by_newest=False)

    assert check.witnesses[0].failure == "cannot be asked (the answer has more than 4,000 bytes)"


def test_an_address_that_is_not_https_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AddressRefused, match="want an https address"):
        witnesses_of(Settings(home=tmp_path, witness="http://example.org/"))
    with pytest.raises(AddressRefused, match="want a command"):
        witnesses_of(Settings(home=tmp_path, witness="command: "))
    assert WebWitness("https://example.org/", None).name == "https://example.org/"


PROGRAM = """
import sys
file, word = sys.argv[1:]
if word == "take":
    open(file, "ab").write(sys.stdin.buffer.read())
else:
    sys.stdout.buffer.write(open(file, "rb").read())
"""


def test_a_command_takes_lines_and_tells_them(log: Log, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    words = [sys.executable, str(tmp_path / "program.py"), str(tmp_path / "kept")]
    (command,) = witnesses_of(Settings(home=tmp_path, witness=f"command:{shlex.join(words)}"))
    log.grow(2)

    assert not log.hand_over(command)

    assert read_witness_lines(command.everything() or b"").lines == log.store.lines()
    assert command.name == f"command:{sys.executable}"
    (tmp_path / "program.py").unlink()
    log.grow()
    assert log.hand_over(command) == [1]


def test_a_file_that_may_be_written_and_not_read_is_a_witness(log: Log, tmp_path: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("root reads every file")
    witness = FileWitness(tmp_path / "w")
    witness.path.touch(0o200)
    log.grow()

    assert not log.hand_over(witness)
    assert witness.newest() is None


def test_a_service_killed_at_any_moment_leaves_lines_that_are_whole_in_the_end(
    tmp_path: Path,
) -> None:
    """Half a line is written by a process that is killed; the next one goes on."""
    log = Log(tmp_path / "log.db", tmp_path / "keys")
    log.grow(2)
    first, second = log.store.lines()
    witness = FileWitness(tmp_path / "w")
    write_half = "import os,sys;f=open(sys.argv[1],'ab',0);f.write(sys.stdin.buffer.read());"
    for cut in (1, 40, len(framed(first)) - 1):
        witness.path.unlink(missing_ok=True)
        ReceiverRepository(log.engine).move_back("witness", witness.name, None)
        subprocess.run(
            [sys.executable, "-c", f"{write_half}os.kill(os.getpid(), 9)", str(witness.path)],
            input=framed(first)[:cut],
            check=False,
        )
        assert not log.hand_over(witness)
        assert [*dict.fromkeys(lines_of(witness.path))] == [first, second]


def test_lines_hold_no_more_than_a_checkpoint_says(log: Log) -> None:
    log.grow()

    assert sorted(json.loads(log.store.lines()[0])) == [
        "begun",
        "database_id",
        "epoch",
        "heads",
        "key_id",
        "number",
        "signature",
        "signed_at",
    ]
