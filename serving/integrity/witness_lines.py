"""Lines of a witness: each checkpoint in a frame that tells a torn line from a changed one.

    tidegate1 LENGTH SHA256 {…}⏎

A full disk or a killed process leaves half a line, with the next line appended to it. Such a piece
is shorter than its frame states, and is skipped, since its content is delivered again.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_FRAME = re.compile(rb"tidegate1 ([0-9]{1,7}) ([0-9a-f]{64}) ")
_MAX_HEAD_LENGTH = len(b"tidegate1 9999999 ") + 64 + 1
_PADDING = b" \r\0"


@dataclass
class WitnessLines:
    """The content of a witness: lines as delivered, and the number of torn pieces.

    `damaged` numbers the frames that are complete and have altered content.
    """

    lines: list[str] = field(default_factory=list)
    torn: int = 0
    damaged: list[int] = field(default_factory=list)


def framed(line: str) -> bytes:
    """Return a line in its frame, with the line break."""
    content = line.encode()
    digest = hashlib.sha256(content).hexdigest().encode()
    return b"tidegate1 %d %s %s\n" % (len(content), digest, content)


def read_witness_lines(content: bytes | Iterable[bytes]) -> WitnessLines:
    """Read the content of a witness, from its beginning or from anywhere within a line.

    Only the lines found are kept in memory, never the whole content.
    """
    reader = _LineReader()
    for piece in [content] if isinstance(content, bytes) else content:
        reader.read(piece)
    reader.read(b"", is_last=True)
    return reader.found


@dataclass
class _LineReader:
    """Reads pieces in order; `rest` is the part that the next piece may continue.

    `is_lost` means that a frame was torn by zeros, and nothing counts until the next frame.
    """

    found: WitnessLines = field(default_factory=WitnessLines)
    rest: bytes = b""
    frames: int = 0
    is_lost: bool = False

    def read(self, piece: bytes, *, is_last: bool = False) -> None:
        content, at = self.rest + piece, 0
        while frame := _FRAME.search(content, at):
            # The next frame may begin within what this one claims, so that must be in memory too.
            if frame.end() + int(frame[1]) + _MAX_HEAD_LENGTH > len(content) and not is_last:
                self.rest = content[at:]
                return
            self._read_between(content[at : frame.start()])
            at = self._read_framed(content, frame)
        if is_last:
            self._read_between(content[at:])
            return
        last_line = content.rfind(b"\n", at) + 1 or at
        self._read_between(content[at:last_line])
        rest = content[last_line:].lstrip(_PADDING)
        # The end of a long piece suffices, as a frame may begin there. The "?" makes the dropped
        # part count as torn.
        self.rest = rest if len(rest) <= _MAX_HEAD_LENGTH else b"?" + rest[-_MAX_HEAD_LENGTH:]

    def _read_between(self, content: bytes) -> None:
        """Count the pieces of lines that have no frame."""
        if not self.is_lost:
            self.found.torn += sum(bool(line.strip(_PADDING)) for line in content.split(b"\n"))

    def _read_framed(self, content: bytes, frame: re.Match[bytes]) -> int:
        """Read one frame; return where to continue."""
        self.frames += 1
        self.is_lost = False
        end = frame.end() + int(frame[1])
        held = content[frame.end() : end]
        if hashlib.sha256(held).hexdigest().encode() == frame[2] and len(held) == int(frame[1]):
            self.found.lines.append(held.decode())
            return end
        following = _FRAME.search(content, frame.end())
        next_begins = following.start() if following else len(content)
        # A power cut leaves zeros where data was not written yet.
        self.is_lost = b"\0" in held and following is None
        # A frame that reaches into the next one was cut short; a complete one with a wrong digest
        # was altered.
        if end >= next_begins or b"\0" in held:
            self.found.torn += 1
            return frame.end() if self.is_lost else next_begins
        self.found.damaged.append(self.frames)
        return end
