"""Messages of strangers are read in processes that may take so much, and no more than one each."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from features.messages.encoded_message import read_once
from features.messages.id_templates import id_template
from features.messages.options import Bounds, Options
from serving.errors import BodyTooLarge, ServingError, TooBusy, Unavailable
from serving.scoring import message_readers
from serving.scoring.message_intake import MAX_SENTENCES
from serving.scoring.message_readers import MessageReaders, ReaderProcess
from tests.features.messages.worst_inputs import COSTLIER, MIB, WORST, statement
from tests.serving.api.test_messages import sample
from tests.serving.refusals import refused_with

NOW = datetime(2026, 12, 1, tzinfo=UTC)
OPTIONS = Options(
    key=b"k" * 32,
    received_at=NOW,
    shipment_pattern=id_template("AC{digits}"),
    bounds=Bounds(subjects=5_000, records=5_000, sentences=MAX_SENTENCES),
)
INPUTS = WORST | (COSTLIER if os.environ.get("TIDEGATE_FAULTS") == "full" else {})
ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="measures by /proc")


@asynccontextmanager
async def pool(count: int = 2) -> AsyncIterator[MessageReaders]:
    readers = MessageReaders(count, OPTIONS.key)
    try:
        yield readers
    finally:
        readers.close()


async def read(readers: MessageReaders, body: bytes, caller: str = "a", format: str = "ubl") -> Any:
    async with readers.job(caller) as job:
        return await job.read(format, bytearray(body), OPTIONS)


def pid_of(job: Any) -> int:
    return int(job._process._process.pid)


def memory_mib(process: int | str, line: str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(each for each in lines if each.startswith(line)).split()[1]) / 1024


def cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def begin_peak(process: int | str) -> float:
    """Forget the peak of a process; the memory that it has now."""
    Path(f"/proc/{process}/clear_refs").write_text("5")
    return memory_mib(process, "VmRSS")


@ONLY_LINUX
@pytest.mark.faults
@pytest.mark.parametrize("what", INPUTS)
def test_the_worst_input_of_each_reader_is_refused_within_its_limits(what: str) -> None:
    format, make = INPUTS[what]
    body = bytearray(make())

    async def measure() -> tuple[ServingError, float, float]:
        async with pool() as readers, readers.job("a") as job:
            await job.read("ais", bytearray(sample("ais")), OPTIONS)
            process = pid_of(job)
            before, cpu_before = begin_peak(process), cpu_s(process)
            with pytest.raises(ServingError) as refused:
                await job.read(format, body, OPTIONS)
            peak = memory_mib(process, "VmHWM") - before
            return refused.value, peak, cpu_s(process) - cpu_before

    own, began = begin_peak("self"), os.times()
    refusal, peak_mib, spent_s = asyncio.run(measure())
    ended = os.times()

    assert refusal.status in (413, 422)
    assert "want" in str(refusal) or refusal.faults
    assert spent_s < message_readers.CPU_S
    assert peak_mib < 1024
    assert ended.user + ended.system - began.user - began.system < 2.0
    assert memory_mib("self", "VmHWM") - own < 64


def test_what_is_read_there_is_what_is_read_here() -> None:
    async def both() -> list[tuple[Any, Any]]:
        found = []
        async with pool() as readers:
            # EDIFACT comes first: it reads tables of places, which no other reader may do for it.
            for format in ("edifact", "ais", "cargo_xml", "dcsa", "iso20022", "ubl"):
                there, _ = await read(readers, sample(format), format=format)
                here = read_once(format, sample(format), OPTIONS)
                found.append((there, replace(here, left_over=(), withheld=(), remarks=())))
        return found

    for there, here in asyncio.run(both()):
        assert there == here


@ONLY_LINUX
def test_a_process_has_nothing_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_SECRET", "hidden")
    monkeypatch.setattr(ReaderProcess, "start", ReaderProcess.__dict__["start"])

    async def look() -> tuple[bytes, list[str]]:
        async with pool() as readers, readers.job("a") as job:
            await job.read("ubl", bytearray(sample("ubl")), OPTIONS)
            own = Path(f"/proc/{pid_of(job)}")
            held = [os.readlink(each) for each in (own / "fd").iterdir()]
            return (own / "environ").read_bytes(), held

    environment, held = asyncio.run(look())

    assert b"TIDEGATE" not in environment
    assert len([each for each in held if each.startswith("socket:")]) == 1
    assert [each for each in held if not each.startswith(("socket:", "/dev/null"))] == []


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Limits may be changed: processes that began with others are not used."""
    monkeypatch.setattr("tests.serving.conftest._READERS", [])
    return monkeypatch


def test_what_takes_too_much_time_is_refused_with_the_limit(fresh: pytest.MonkeyPatch) -> None:
    fresh.setattr(message_readers, "CPU_S", 0.05)

    async def ask() -> Any:
        async with pool() as readers:
            with pytest.raises(BodyTooLarge) as refused:
                await read(readers, statement(2_000), format="iso20022")
            fresh.setattr(message_readers, "CPU_S", 10.0)
            return refused.value, await read(readers, sample("ubl"))

    refusal, after = asyncio.run(ask())

    assert str(refusal) == "reading a message may take 0.05 seconds of processor time"
    assert after[0].records


@ONLY_LINUX
def test_what_takes_too_much_memory_is_refused_with_the_limit(fresh: pytest.MonkeyPatch) -> None:
    fresh.setattr(message_readers, "MEMORY_BYTES", 16 * MIB)

    async def ask() -> str:
        async with pool() as readers:
            with pytest.raises(BodyTooLarge) as refused:
                await read(readers, statement(4_000), format="iso20022")
            return str(refused.value)

    assert asyncio.run(ask()) == "reading a message may take 16 MiB"


async def hold(readers: MessageReaders, caller: str) -> tuple[int, asyncio.Task[Any]]:
    """Let a caller's process stop in the midst, as in a library that never returns."""
    begun: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def reading() -> None:
        async with readers.job(caller) as job:
            os.kill(pid_of(job), signal.SIGSTOP)
            begun.set_result(pid_of(job))
            await job.read("ubl", bytearray(sample("ubl")), OPTIONS)

    task = asyncio.create_task(reading())
    return await begun, task


def is_there(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@ONLY_LINUX
def test_a_caller_reads_one_message_at_a_time_and_keeps_nobody_else_waiting() -> None:
    async def ask() -> list[str]:
        done: list[str] = []

        async def one(caller: str) -> None:
            await read(readers, sample("ubl"), caller)
            done.append(caller)

        async with pool() as readers:
            stopped, held = await hold(readers, "a")
            second = asyncio.create_task(one("a"))
            await asyncio.wait_for(one("b"), 60)
            assert not second.done()
            os.kill(stopped, signal.SIGCONT)
            await asyncio.wait_for(asyncio.gather(held, second), 60)
        return done

    assert asyncio.run(ask()) == ["b", "a"]


@ONLY_LINUX
def test_who_goes_away_leaves_no_process_and_no_place() -> None:
    async def ask() -> bool:
        async with pool(1) as readers:
            process, held = await hold(readers, "a")
            waiting = asyncio.create_task(read(readers, sample("ubl"), "b"))
            await asyncio.sleep(0)
            gone = asyncio.create_task(read(readers, sample("ubl"), "c"))
            await asyncio.sleep(0)
            for task in (gone, held):
                task.cancel()
            await asyncio.gather(gone, held, return_exceptions=True)
            assert (await asyncio.wait_for(waiting, 60))[0].records
            assert (await asyncio.wait_for(read(readers, sample("ubl"), "a"), 60))[0].records
            for _ in range(600):  # a killed process ends when the system gets to it
                if not is_there(process):
                    break
                await asyncio.sleep(0.1)
            return is_there(process)

    assert not asyncio.run(ask())


@ONLY_LINUX
def test_so_many_messages_wait_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_readers, "MAX_WAITING", 3)
    monkeypatch.setattr(message_readers, "MAX_WAITING_OF_CALLER", 2)

    async def ask() -> tuple[ServingError, ServingError]:
        async with pool(1) as readers:
            _, held = await hold(readers, "a")
            waiting = [
                asyncio.create_task(read(readers, sample("ubl"), each)) for each in ("a", "a", "b")
            ]
            await asyncio.sleep(0)
            with refused_with("too-often") as too_often:
                await read(readers, sample("ubl"), "a")
            with pytest.raises(TooBusy) as too_busy:
                await read(readers, sample("ubl"), "c")
            for task in (held, *waiting):
                task.cancel()
            await asyncio.gather(held, *waiting, return_exceptions=True)
            return too_often.value, too_busy.value

    refused = asyncio.run(ask())

    assert all(each.retry_after_s for each in refused)


@ONLY_LINUX
def test_closing_ends_a_process_that_never_returns_and_whoever_waits_for_it() -> None:
    async def ask() -> int:
        async with pool(1) as readers:
            process, held = await hold(readers, "a")
            waiting = asyncio.create_task(read(readers, sample("ubl"), "b"))
            await asyncio.sleep(0)
            readers.close()
            results = await asyncio.gather(held, waiting, return_exceptions=True)
            assert all(isinstance(each, Unavailable) for each in results), results
            return process

    assert not is_there(asyncio.run(ask()))


@ONLY_LINUX
def test_a_process_ends_with_its_service() -> None:
    program = (
        "import os, time\n"
        "from serving.scoring.message_readers import ReaderProcess\n"
        "print(ReaderProcess.start()._process.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    service = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True
    )
    process = int(service.stdout)

    async def wait() -> None:
        while is_there(process):
            await asyncio.sleep(0.05)

    asyncio.run(asyncio.wait_for(wait(), 60))
