"""Read untrusted messages in separate processes, within limits and one at a time per caller.

A service has a few reader processes (`features.messages.reader_process`), started on demand and
reused. A process that exceeds its limits, or whose sender disconnects, is killed. The queue for a
process is bounded, and callers take turns.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

import orjson
import structlog

from features.messages.concerned_parts import ConcernedPart, Subject
from features.messages.conversion import Conversion
from features.messages.encoded_message import Leftovers, decode, with_pseudonyms
from features.messages.options import Options
from features.messages.reader_process import LENGTH, OUT_OF_MEMORY, OUT_OF_TIME
from features.messages.stored_text import MessageText
from serving.errors import (
    BodyTooLarge,
    RequestFault,
    ServingError,
    TooBusy,
    Unavailable,
    Unprocessable,
)

log = structlog.get_logger(__name__)

# Processor time for one message, in seconds.
CPU_S = 10.0
# Memory for reading one message, in addition to that of an idle process.
MEMORY_BYTES = 1024 * 1024 * 1024
# Wall-clock seconds for one step; longer than CPU_S, since the machine may be busy.
DEADLINE_S = 60.0
MAX_REPLY_BYTES = 32 * 1024 * 1024
MAX_WAITING = 64
MAX_WAITING_OF_CALLER = 32

_ABORTED = -6  # SIGABRT: native code aborts when an allocation fails
_END_S = 5.0
_MEBIBYTE = 1024 * 1024


class ReaderProcess:
    """A process that reads messages and answers one request at a time."""

    def __init__(self, process: subprocess.Popen[bytes], own: socket.socket):
        self._process = process
        self._socket = own
        self.is_asked = False

    @classmethod
    def start(cls) -> Self:
        """Start a process that inherits only the import path and time zone data."""
        own, theirs = socket.socketpair()
        own.setblocking(False)
        environment = {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
            # Arrow's other memory pools reserve a gibibyte of address space up front, which is the
            # whole limit of the process.
            "ARROW_DEFAULT_MEMORY_POOL": "system",
            **{name: os.environ[name] for name in ("TZDIR", "PYTHONTZPATH") if name in os.environ},
        }
        with theirs:
            process = subprocess.Popen(  # noqa: S603  # no argument comes from a caller
                [sys.executable, "-m", "features.messages.reader_process", str(MEMORY_BYTES)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # a traceback could reveal contents of a message
                env=environment,
                start_new_session=True,
            )
        return cls(process, own)

    async def ask(self, request: Mapping[str, Any], *frames: bytes | bytearray) -> dict[str, Any]:
        """Send a request and return the first reply frame; raises EOFError if the process ended."""
        self.is_asked = True
        try:
            for frame in (orjson.dumps(request), *frames):
                await self._send(LENGTH.pack(len(frame)))
                await self._send(frame)
            return orjson.loads(await self.frame())
        except (ConnectionError, BrokenPipeError):
            raise EOFError from None

    async def frame(self) -> bytearray:
        """Return the next frame of a reply."""
        (length,) = LENGTH.unpack(await self._exactly(LENGTH.size))
        # Checked before allocating: the reader parsed untrusted input, so its reply is not trusted
        # either.
        if length > MAX_REPLY_BYTES:
            raise BodyTooLarge(
                f"the records of a message may take at most {MAX_REPLY_BYTES // _MEBIBYTE} MiB"
            )
        return await self._exactly(length)

    async def _send(self, frame: bytes | bytearray) -> None:
        with memoryview(frame) as view:
            await asyncio.get_running_loop().sock_sendall(self._socket, view)

    async def _exactly(self, count: int) -> bytearray:
        buffer = bytearray(count)
        with memoryview(buffer) as whole:
            at = 0
            while at < count:
                with whole[at:] as rest:
                    got = await asyncio.get_running_loop().sock_recv_into(self._socket, rest)
                if not got:
                    raise EOFError
                at += got
        return buffer

    def kill(self) -> None:
        """Kill the process; a pending `ask` then raises EOFError."""
        self._process.kill()

    def leave(self) -> None:
        """Kill the process and wait until it is gone; blocks."""
        self.kill()
        self._socket.close()
        self.ended_with()

    def ended_with(self) -> int | None:
        """Return the exit code of an ending process; None if it still runs after _END_S."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(_END_S)
        return None


class MessageJob:
    """The reading of one message, with exclusive use of a process."""

    def __init__(self, process: ReaderProcess):
        self._process = process

    async def read(
        self, format: str, message: bytearray, options: Options
    ) -> tuple[Conversion, Leftovers]:
        """Read a message into records, each once.

        Raises Unprocessable with places, BodyTooLarge naming the limit, or Unavailable.
        """
        request = {
            "do": "read",
            "cpu_s": CPU_S,
            "format": format,
            "options": {
                "received_at": options.received_at and options.received_at.isoformat(),
                "heard_at": options.heard_at and options.heard_at.isoformat(),
                "zone": str(options.zone),
                "shipment_pattern": options.shipment_pattern and options.shipment_pattern.text,
                "journey_pattern": options.journey_pattern and options.journey_pattern.text,
            },
            "bounds": options.bounds.__dict__,
        }
        said, encoded = await self._reply(request, message, frames=1)
        if said["is"] == "refused":
            (place,), wanted = map(str, said["places"]), str(said["wanted"])
            fault = RequestFault(place, "standard", wanted)
            raise Unprocessable(
                "the message breaks its standard", (fault,), code="message-unreadable"
            )
        if said["is"] == "contradictory":
            wanted = str(said["wanted"])
            places = map(str, said["places"])
            faults = (RequestFault(place, "record_differs", wanted) for place in places)
            raise Unprocessable(
                "the message contradicts itself", tuple(faults), code="message-unreadable"
            )
        if said["is"] == "too_large":
            raise BodyTooLarge(str(said["says"]))
        try:
            conversion, leftovers = decode(encoded)
            # The key stays in this process: parties are pseudonymised here, so a compromised reader
            # cannot leak it.
            return with_pseudonyms(conversion, options.key), leftovers
        except (ValueError, TypeError, KeyError) as damaged:
            raise self._failed(type(damaged).__name__) from None

    async def redact(
        self,
        concerned: Mapping[str, Mapping[Subject, None]],
        unfounded: Sequence[tuple[str, str]],
    ) -> tuple[MessageText, dict[str, tuple[int, int]], tuple[ConcernedPart, ...]]:
        """Return the text that may be stored, the span of each place, and the parts' subjects.

        `concerned` maps each place to its subjects; `unfounded` lists the record type and place of
        each withdrawal of an unknown record. Raises BodyTooLarge naming the limit, or Unavailable.
        """
        request = {
            "do": "redact",
            "concerned": [[place, list(subjects)] for place, subjects in concerned.items()],
            "unfounded": unfounded,
        }
        _, told, text = await self._reply(request, frames=2)
        try:
            said = orjson.loads(told)
            spans = {
                str(place): (int(start), int(end)) for place, (start, end) in said["spans"].items()
            }
            parts = tuple(
                ConcernedPart(int(start), int(end), _subjects(of))
                for start, end, of in said["parts"]
            )
            kept = MessageText(text)
            # The reader process is not trusted, so verify every piece of text before storing it.
            await asyncio.to_thread(kept.check)
            return kept, spans, parts
        except (ValueError, TypeError, KeyError) as damaged:
            raise self._failed(type(damaged).__name__) from None

    async def rest(self) -> bool:
        """Let the process discard the message; return True if it can read another one."""
        if self._process.is_asked:
            return False
        try:
            said, *_ = await self._reply({"do": "end"}, frames=0)
        except (BodyTooLarge, Unavailable):
            return False
        return said.get("stays") is True

    async def _reply(
        self, request: Mapping[str, Any], *sent: bytearray, frames: int
    ) -> tuple[Any, ...]:
        try:
            async with asyncio.timeout(DEADLINE_S):
                said = await self._process.ask(request, *sent)
                told = [await self._process.frame() for _ in range(frames)]
        except TimeoutError:
            raise Unavailable("the message could not be read in time; ask again later") from None
        except EOFError:
            raise await self._ended() from None
        self._process.is_asked = False
        return said, *told

    async def _ended(self) -> BodyTooLarge | Unavailable:
        """Return the error for a process that ended without a reply."""
        code = await asyncio.to_thread(self._process.ended_with)
        if code == OUT_OF_TIME:
            return BodyTooLarge(f"reading a message may take {CPU_S:g} seconds of processor time")
        if code in (OUT_OF_MEMORY, _ABORTED):
            return BodyTooLarge(f"reading a message may take {MEMORY_BYTES // _MEBIBYTE} MiB")
        return self._failed(f"exit code {code}")

    def _failed(self, why: str) -> Unavailable:
        self._process.is_asked = True  # never reuse a process that misbehaved
        log.error("message_reader_failed", why=why)
        return Unavailable("the message could not be read")


def _subjects(of: Any) -> tuple[Subject, ...] | None:
    return None if of is None else tuple((str(kind), str(id_)) for kind, id_ in of)


@dataclass(eq=False)
class _Turn:
    """A caller's place in the queue; `comes` is set when it is admitted."""

    caller_id: str
    comes: asyncio.Future[None]


class MessageReaders:
    """The reader processes of one service, and the queue for them."""

    def __init__(self, count: int, party_key: bytes):
        self.party_key = party_key
        self._free = count
        self._idle: list[ReaderProcess] = []
        self._busy: set[ReaderProcess] = set()
        self._waiting: list[_Turn] = []
        self._reading: set[str] = set()
        self._is_closed = False

    @asynccontextmanager
    async def job(self, caller_id: str) -> AsyncIterator[MessageJob]:
        """Lend a caller a process in turn; a caller has at most one at a time.

        Raises TooBusy, or ServingError if the caller itself has too many waiting. Cancelling leaves
        the queue at once and kills the process in use.
        """
        await self._turn(caller_id)
        process: ReaderProcess | None = None
        try:
            if self._is_closed:
                raise Unavailable("the service is stopping")
            process = self._idle.pop() if self._idle else ReaderProcess.start()
            self._busy.add(process)
            job = MessageJob(process)
            try:
                yield job
            except Exception:
                await self._lay_aside(process, job)
                raise
            await self._lay_aside(process, job)
        finally:
            if process is not None and process not in self._idle:
                self._drop(process)
            self._end_turn(caller_id)

    def close(self) -> None:
        """End all processes and admit no more callers."""
        self._is_closed = True
        for process in self._busy:
            process.kill()
        for process in self._idle:
            process.leave()
        self._idle.clear()

    async def _lay_aside(self, process: ReaderProcess, job: MessageJob) -> None:
        """Return a process to the idle ones if it can be reused."""
        if await job.rest() and not self._is_closed:
            self._busy.discard(process)
            self._idle.append(process)

    def _drop(self, process: ReaderProcess) -> None:
        self._busy.discard(process)
        process.kill()
        # Freeing up to a gibibyte takes a moment, so reap the process off the event loop.
        asyncio.get_running_loop().run_in_executor(None, process.leave)

    async def _turn(self, caller_id: str) -> None:
        own = Counter(each.caller_id for each in self._waiting)[caller_id]
        if own >= MAX_WAITING_OF_CALLER:
            raise ServingError("too many messages of this caller are waiting", code="too-often")
        if len(self._waiting) >= MAX_WAITING:
            raise TooBusy("too many messages are waiting; try again later")
        turn = _Turn(caller_id, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        self._admit()
        try:
            async with asyncio.timeout(DEADLINE_S):
                await turn.comes
        except (TimeoutError, asyncio.CancelledError) as ended:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:
                self._end_turn(caller_id)
            if isinstance(ended, TimeoutError):
                raise TooBusy("too many messages are waiting; try again later") from None
            raise

    def _admit(self) -> None:
        """Admit waiting callers while processes are free, in queue order."""
        for turn in list(self._waiting):
            if not self._free:
                return
            if turn.caller_id not in self._reading and not turn.comes.done():
                self._waiting.remove(turn)
                self._reading.add(turn.caller_id)
                self._free -= 1
                turn.comes.set_result(None)

    def _end_turn(self, caller_id: str) -> None:
        """Free a process and move the caller's other requests behind those of other callers."""
        self._reading.discard(caller_id)
        self._free += 1
        self._waiting.sort(key=lambda turn: turn.caller_id == caller_id)
        self._admit()
