"""Lines of a witness: each checkpoint in a frame that tells a torn line from a changed one.

    tidegate1 LENGTH SHA256 {…}⏎

A disk that was full, or a process that was killed, leaves half a line, and the next one is glued to
it. Such a piece is shorter than its frame says: it is passed over, since what it was to hold is
handed over again. Lines of releases before December 2026 have no frame: plain JSON.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_FRAME = re.compile(rb"tidegate1 ([0-9]{1,7}) ([0-9a-f]{64}) ")
_PLAIN_BEGINS = b'{"size"'


@dataclass
class WitnessLines:
    """What a witness has: lines as they were handed over, and how many pieces were torn.

    `damaged` names frames that are whole and hold something else than was handed over.
    """

    lines: list[str] = field(default_factory=list)
    torn: int = 0
    damaged: list[int] = field(default_factory=list)


def framed(line: str) -> bytes:
    """A line in its frame, with the end of line."""
    content = line.encode()
    digest = hashlib.sha256(content).hexdigest().encode()
    return b"tidegate1 %d %s %s\n" % (len(content), digest, content)


def read_witness_lines(content: bytes) -> WitnessLines:
    """Read what a witness has, from its beginning or from anywhere within a line."""
    found, at = WitnessLines(), 0
    for number, frame in enumerate(_frames(content), start=1):
        if frame.start() < at:
            continue  # the content of a frame that is whole may look like another
        _read_plain(content[at : frame.start()], found)
        at = _read_framed(content, frame, number, found)
    _read_plain(content[at:], found)
    return found


def _frames(content: bytes) -> Iterator[re.Match[bytes]]:
    return _FRAME.finditer(content)


def _read_framed(content: bytes, frame: re.Match[bytes], number: int, found: WitnessLines) -> int:
    """Read one frame; where it ends."""
    end = frame.end() + int(frame[1])
    held = content[frame.end() : end]
    following = _FRAME.search(content, frame.end())
    if hashlib.sha256(held).hexdigest().encode() == frame[2] and len(held) == int(frame[1]):
        found.lines.append(held.decode())
        return end
    next_begins = following.start() if following else len(content)
    if end >= next_begins or b"\0" in held:  # a power cut leaves zeros where nothing was written
        found.torn += 1
        return next_begins
    found.damaged.append(number)
    return end


def _read_plain(content: bytes, found: WitnessLines) -> None:
    """Read lines without frames; of those that are glued together, the last is whole."""
    for line in content.split(b"\n"):
        text = line.strip(b" \r\0")
        if not text:
            continue
        begins = text.rfind(_PLAIN_BEGINS)
        whole = text[max(begins, 0) :]
        if _is_json(whole):
            found.lines.append(whole.decode())
            found.torn += begins > 0
        else:
            found.torn += 1


def _is_json(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False
