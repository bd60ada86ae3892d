"""Read untrusted messages in a separate process that has nothing to lose.

The service starts it as a program of its own, so that it holds no key, no database and no
connection except the socket at its standard input. It reads one message at a time, within operating
system limits on processor time and memory. Beyond them it ends, and the service reports this to the
sender. It also ends with the service.

Requests and replies are frames: a length of eight bytes, then that many bytes. The first frame is
JSON.
"""

import ctypes
import gc
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from features.errors import MessageRefused
from features.messages.concerned_parts import concerned_parts
from features.messages.conversion import GIVEN, Conversion, RefusedRecord
from features.messages.encoded_message import encode, read_once
from features.messages.id_templates import id_template
from features.messages.json_tree import json_root
from features.messages.options import Bounds, Options
from features.messages.redaction import redacted
from features.messages.stored_text import pack_texts
from features.messages.xml_tree import read_xml

# Exit code after the memory limit was exceeded.
OUT_OF_MEMORY = 3
# Exit code after the processor time limit was exceeded, as seen by the parent process.
OUT_OF_TIME = -signal.SIGPROF

LENGTH = struct.Struct(">Q")
# Memory that may remain allocated after a message; with more, the process is replaced.
_KEPT_BYTES = 64 * 1024 * 1024
_MAX_FAULTS = 50
_NICENESS = 5  # processes that decide have priority over those that read


@dataclass(frozen=True)
class _MessageRead:
    """The last message read, kept because its redacted text is requested afterwards."""

    format: str
    message: bytes
    conversion: Conversion
    bounds: Bounds


def main() -> None:
    """Serve requests until the service closes the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    os.nice(_NICENESS)
    memory_bytes = int(sys.argv[1])
    # No core dump and no file: a message must leave nothing on disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # A conversion has no reference cycles, and looking for them would double the time.
    gc.disable()
    gc.collect()
    gc.freeze()
    base = _resident_bytes()
    if sys.platform == "linux":
        # RLIMIT_AS counts address space, so the limit starts from what is mapped already.
        limit = _pages(0) + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        _serve(socket.socket(fileno=0), base)
    except MemoryError:
        # Skip cleanup, which would itself need memory.
        os._exit(OUT_OF_MEMORY)


def _serve(service: socket.socket, base: int) -> None:
    reading: _MessageRead | None = None
    while (request := _received(service)) is not None:
        asked = orjson.loads(request)
        if asked["do"] == "read":
            signal.setitimer(signal.ITIMER_PROF, asked["cpu_s"])
            reading, *frames = _read(asked, _received(service) or b"")
        elif asked["do"] == "redact":
            assert reading is not None
            frames = _redacted(reading, asked)
        else:
            signal.setitimer(signal.ITIMER_PROF, 0)
            reading = None
            read_xml.cache_clear()
            json_root.cache_clear()
            is_light = _resident_after_rest() < base + _KEPT_BYTES
            frames = [orjson.dumps({"stays": is_light})]
        del request, asked
        for frame in frames:
            with suppress(BrokenPipeError, ConnectionResetError):
                service.sendall(LENGTH.pack(len(frame)))
                service.sendall(frame)
        del frames


def _read(asked: Mapping[str, Any], message: bytes) -> tuple[Any, ...]:
    """Return the reading and its reply frames; no reading if the message is refused."""
    bounds = Bounds(**asked["bounds"])
    try:
        conversion = read_once(asked["format"], message, _options(asked, bounds))
    except MessageRefused as refusal:
        return None, orjson.dumps(_as_plain(refusal)), b""
    reading = _MessageRead(asked["format"], message, conversion, bounds)
    return reading, orjson.dumps({"is": "read"}), encode(conversion)


def _as_plain(refusal: MessageRefused) -> dict[str, Any]:
    line = f"line {refusal.line}" if refusal.line else ""
    if refusal.kind == "too_large":
        return {"is": refusal.kind, "says": f"{line or refusal.place}: {refusal.wanted}"}
    place = f"{line}, {refusal.place}" if line else refusal.place
    places = refusal.places[:_MAX_FAULTS] or [place]
    return {"is": refusal.kind, "places": places, "wanted": refusal.wanted}


def _options(asked: Mapping[str, Any], bounds: Bounds) -> Options:
    options = asked["options"]
    received_at, heard_at = options["received_at"], options["heard_at"]
    shipment, journey = options["shipment_pattern"], options["journey_pattern"]
    return Options(
        key=os.urandom(32),  # no pseudonym made with this key is stored
        received_at=received_at and datetime.fromisoformat(received_at),
        zone=ZoneInfo(options["zone"]),
        shipment_pattern=shipment and id_template(shipment),
        journey_pattern=journey and id_template(journey),
        heard_at=heard_at and datetime.fromisoformat(heard_at),
        bounds=bounds,
    )


def _redacted(reading: _MessageRead, asked: Mapping[str, Any]) -> list[bytes | bytearray]:
    """Return the redacted text of the message, with the subjects of each part."""
    concerned = {
        place: dict.fromkeys((kind, id_) for kind, id_ in subjects)
        for place, subjects in asked["concerned"]
    }
    unfounded = [RefusedRecord(kind, place, ()) for kind, place in asked["unfounded"]]
    kept = redacted(
        reading.format, reading.message, reading.conversion, reading.bounds, used=concerned.keys()
    )
    parts = concerned_parts(kept, concerned, [*reading.conversion.refused, *unfounded])
    spans = {place: [span.start, span.end] for place, span in kept.spans.items() if place != GIVEN}
    ranges = [[each.start, each.end, each.subjects] for each in parts]
    return [
        orjson.dumps({"is": "redacted"}),
        orjson.dumps({"spans": spans, "parts": ranges}),
        pack_texts([kept.text]),
    ]


def _received(service: socket.socket) -> bytes | None:
    """Return the next frame; None if the service has closed the socket."""
    length = _exactly(service, LENGTH.size)
    return None if length is None else _exactly(service, *LENGTH.unpack(length))


def _exactly(service: socket.socket, count: int) -> bytes | None:
    buffer = bytearray(count)
    view = memoryview(buffer)
    while view:
        received = service.recv_into(view)
        if not received:
            return None
        view = view[received:]
    return bytes(buffer)


def _resident_after_rest() -> int:
    """Return the resident memory after freed memory was returned to the system."""
    gc.collect()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
    return _resident_bytes()


def _resident_bytes() -> int:
    return _pages(1)


def _pages(number: int) -> int:
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text().split()[number]) * resource.getpagesize()


if __name__ == "__main__":
    main()
