"""A process that reads messages of strangers for a service, and has nothing to lose.

The service begins it as a program of its own, so that it holds no key, no database and no
connection but the socket at its standard input. It reads one message at a time, within limits of
processor time and memory that the operating system keeps: beyond them it ends, and the service
says so to the sender. It ends too when the service does.

A request and a reply are frames: a length of eight bytes, then so many bytes. The first is JSON.
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

from features.errors import MessageContradictory, MessageRefused, MessageTooLarge
from features.messages.bounds import Bounds
from features.messages.concerned_parts import concerned_parts
from features.messages.conversion import GIVEN, Conversion, RefusedRecord
from features.messages.id_templates import id_template
from features.messages.json_tree import json_root
from features.messages.once_read import encode, read_once
from features.messages.options import Options
from features.messages.redaction import redacted
from features.messages.stored_text import pack_texts
from features.messages.xml_tree import read_xml

# The exit code of a process that needed more memory than it may have.
OUT_OF_MEMORY = 3
# The exit code of a reader that needed more processor time, for the process that began it.
OUT_OF_TIME = -signal.SIGPROF

LENGTH = struct.Struct(">Q")
# What a process may keep of a message that it read; one that keeps more ends after it.
_KEPT_BYTES = 64 * 1024 * 1024
_MAX_FAULTS = 50
_NICENESS = 5  # who decides about messages comes before who reads them


@dataclass(frozen=True)
class _MessageRead:
    """The message that was read last; what is kept of it is asked for afterwards."""

    format: str
    message: bytes
    conversion: Conversion
    bounds: Bounds


def main() -> None:
    """Answer the requests of the service until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    os.nice(_NICENESS)
    memory_bytes = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # What a message becomes has no cycles; to look for them again and again doubles the time.
    gc.disable()
    gc.collect()
    gc.freeze()
    base = _resident_bytes()
    if sys.platform == "linux":
        limit = _pages(0) + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        _serve(socket.socket(fileno=0), base)
    except MemoryError:
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
    """The reading, and the frames that tell it; none where the message is refused."""
    bounds = Bounds(**asked["bounds"])
    try:
        conversion = read_once(asked["format"], message, _options(asked, bounds))
    except MessageContradictory as refusal:
        places = refusal.places[:_MAX_FAULTS]
        said = {"is": "contradictory", "places": places, "wanted": refusal.wanted}
        return None, orjson.dumps(said), b""
    except MessageTooLarge as refusal:
        place = f"line {refusal.line}" if refusal.line else refusal.place
        return None, orjson.dumps({"is": "too_large", "says": f"{place}: {refusal.wanted}"}), b""
    except MessageRefused as refusal:
        place = f"line {refusal.line}, {refusal.place}" if refusal.line else refusal.place
        said = {"is": "refused", "places": [place], "wanted": refusal.wanted}
        return None, orjson.dumps(said), b""
    reading = _MessageRead(asked["format"], message, conversion, bounds)
    return reading, orjson.dumps({"is": "read"}), encode(conversion)


def _options(asked: Mapping[str, Any], bounds: Bounds) -> Options:
    options = asked["options"]
    received_at, heard_at = options["received_at"], options["heard_at"]
    shipment, journey = options["shipment_pattern"], options["journey_pattern"]
    return Options(
        key=os.urandom(32),  # no pseudonym that it makes is ever stored
        received_at=received_at and datetime.fromisoformat(received_at),
        zone=ZoneInfo(options["zone"]),
        shipment_pattern=shipment and id_template(shipment),
        journey_pattern=journey and id_template(journey),
        heard_at=heard_at and datetime.fromisoformat(heard_at),
        bounds=bounds,
    )


def _redacted(reading: _MessageRead, asked: Mapping[str, Any]) -> list[bytes | bytearray]:
    """Return what may be kept of the message, given whom each place of it concerns."""
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
    told = [[each.start, each.end, each.subjects] for each in parts]
    return [
        orjson.dumps({"is": "redacted"}),
        orjson.dumps({"spans": spans, "parts": told}),
        pack_texts([kept.text]),
    ]


def _received(service: socket.socket) -> bytes | None:
    """The next frame; None where the service ended."""
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
    """The bytes in memory once what was freed is given back."""
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
