"""A text in compressed chunks, so that no process needs to hold all of it.

A text of 15 MB takes up to 60 MB as a string: Python stores all characters as wide as the widest.
"""

import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

_HEADER = struct.Struct(">III")  # of a chunk: bytes, characters and line breaks
_MAX_CHARACTERS = 64 * 1024
_MAX_BYTES_OF_CHARACTER = 4


def pack_texts(texts: Iterable[str]) -> bytearray:
    """Return the packed bytes of concatenated texts, as read by `MessageText`."""
    pieces = bytearray()
    for piece in _pieces(texts):
        # The fastest level, since every stored message is packed.
        compressed = zlib.compress(piece.encode(), 1)
        pieces += _HEADER.pack(len(compressed), len(piece), piece.count("\n"))
        pieces += compressed
    return pieces


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    gathered: list[str] = []
    length = 0
    for text in texts:
        for start in range(0, len(text), _MAX_CHARACTERS):
            part = text[start : start + _MAX_CHARACTERS]
            if length + len(part) > _MAX_CHARACTERS:
                yield "".join(gathered)
                gathered, length = [], 0
            gathered.append(part)
            length += len(part)
    if gathered:
        yield "".join(gathered)


class MessageText:
    """A text that is decompressed chunk by chunk; offsets count characters.

    Raises ValueError if its bytes are damaged.
    """

    def __init__(self, packed: bytes | bytearray | memoryview = b""):
        self.packed = memoryview(packed).toreadonly()
        self._starts: list[int] = []  # of each piece, in bytes
        lengths: list[int] = []
        line_breaks: list[int] = []
        at = 0
        while at < len(self.packed):
            if len(self.packed) - at < _HEADER.size:
                raise ValueError("want the header of a piece")
            size, length, breaks = _HEADER.unpack_from(self.packed, at)
            self._starts.append(at + _HEADER.size)
            lengths.append(length)
            line_breaks.append(breaks)
            at += _HEADER.size + size
            if not 0 < length <= _MAX_CHARACTERS or at > len(self.packed):
                raise ValueError("want pieces of a limited length")
        self._offsets = [*accumulate(lengths, initial=0)]
        self._line_breaks = line_breaks
        self._expanded = -1, ""

    @classmethod
    def of(cls, *texts: str) -> "MessageText":
        """Return the concatenation of texts."""
        return cls(pack_texts(texts))

    def __len__(self) -> int:
        return self._offsets[-1]

    def __str__(self) -> str:
        return "".join(self.parts())

    def parts(self, start: int = 0, end: int | None = None) -> Iterator[str]:
        """Yield the text in a half-open range, chunk by chunk."""
        for number, first, last in self._within(start, end):
            yield self._piece(number)[first:last]

    def part(self, start: int, end: int) -> str:
        """Return the text in a half-open range."""
        return "".join(self.parts(start, end))

    def count_line_breaks(self, start: int = 0, end: int | None = None) -> int:
        """Return the number of line breaks in a half-open range.

        Whole chunks are counted from their headers, without decompression.
        """
        return sum(
            self._line_breaks[number]
            if (first, last) == (0, self._length_of(number))
            else self._piece(number).count("\n", first, last)
            for number, first, last in self._within(start, end)
        )

    def line_ends(self) -> Iterator[int]:
        """Yield the offset of each line break, then the length of the text."""
        for number, start in enumerate(self._offsets[:-1]):
            piece = self._piece(number)
            at = piece.find("\n")
            while at >= 0:
                yield start + at
                at = piece.find("\n", at + 1)
        yield len(self)

    def check(self) -> None:
        """Raise ValueError if a chunk does not match its header."""
        for number, _ in enumerate(self._line_breaks):
            self._piece(number)

    def _within(self, start: int, end: int | None) -> Iterator[tuple[int, int, int]]:
        """Yield the numbers of the chunks in a range, with the range inside each."""
        end = len(self) if end is None else min(end, len(self))
        number = max(bisect_right(self._offsets, start) - 1, 0)
        while number < len(self._line_breaks) and self._offsets[number] < end:
            begins = self._offsets[number]
            last = min(end - begins, self._length_of(number))
            yield number, max(start - begins, 0), last
            number += 1

    def _length_of(self, number: int) -> int:
        return self._offsets[number + 1] - self._offsets[number]

    def _piece(self, number: int) -> str:
        """Return a chunk.

        The last one is cached, as readers move forward.
        """
        known, text = self._expanded
        if known == number:
            return text
        length = self._length_of(number)
        follows = number + 1 < len(self._starts)
        end = self._starts[number + 1] - _HEADER.size if follows else len(self.packed)
        try:
            # The maximum length guards against a decompression bomb.
            expand = zlib.decompressobj()
            most = length * _MAX_BYTES_OF_CHARACTER
            text = expand.decompress(self.packed[self._starts[number] : end], most).decode()
        except zlib.error:
            raise ValueError("a piece cannot be expanded") from None
        # The header counts only once the content confirms it.
        if not expand.eof or len(text) != length or text.count("\n") != self._line_breaks[number]:
            raise ValueError("a piece differs from its header")
        self._expanded = number, text
        return text


NO_TEXT = MessageText()
