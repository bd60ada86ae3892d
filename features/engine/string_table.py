"""String table: one integer per distinct text, so that comparing and storing text costs four bytes.

A process has one table. Texts are concatenated as UTF-8 in a buffer, and an open-addressing hash
table finds them. Functions of a text (a check digit, a chapter, a place) are computed once per
distinct text of a column, by `map_numbers` and `map_texts`.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.engine.numba_cache import compiled

Codes = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

NO_TEXT = -1
_FREE = -1
_FEW = 64
_CODE_BITS = 0x7FFFFFFF
_AHEAD = 256


class StringTable:
    """Texts by code and codes by text; codes count from 0, and NO_TEXT marks a missing text.

    Threads may read codes and texts while one adds texts.
    """

    def __init__(self) -> None:
        self._buffer: Bytes = np.zeros(1 << 12, np.uint8)
        self._ends: Integers = np.zeros(1 << 8, np.int64)  # text c ends at ends[c + 1]
        self._table: Integers = np.full(1 << 9, _FREE, np.int64)
        self._size = 0
        self._asked: dict[str, int] = {}
        self._learning = threading.Lock()

    def __len__(self) -> int:
        return self._size

    def code(self, text: str | None) -> int:
        """Return the code of a text, adding it if it is new."""
        if text is None:
            return NO_TEXT
        if text not in self._asked:
            self._asked[text] = int(self.codes([text])[0])
        return self._asked[text]

    def codes(self, texts: Sequence[str | None]) -> Codes:
        """Return the codes of texts, adding new ones."""
        if len(texts) <= _FEW and all(text is None or text in self._asked for text in texts):
            return np.array([self.code(text) for text in texts], np.int32)
        # `pa.array` is avoided because it loads pandas: see `indices_of`.
        encoded = [b"" if text is None else text.encode() for text in texts]
        ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        codes = self._learnt(np.frombuffer(bytearray().join(encoded), np.uint8), ends)
        codes[[text is None for text in texts]] = NO_TEXT
        return codes

    def codes_of_array(self, array: pa.Array | pa.ChunkedArray) -> Codes:
        """Return the codes of an Arrow array of text, plain or dictionary-encoded."""
        chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
        return np.concatenate([np.zeros(0, np.int32), *map(self._codes_of_chunk, chunks)])

    def text(self, code: int) -> str | None:
        """Return the text of a code; None for NO_TEXT."""
        if code < 0:
            return None
        return bytes(self._buffer[self._ends[code] : self._ends[code + 1]]).decode()

    def texts(self, codes: Codes) -> pa.Array:
        """Return the texts of codes as an Arrow array."""
        return self.dictionary_array(codes).dictionary_decode()

    def dictionary_array(self, codes: Codes) -> pa.DictionaryArray:
        """Return the texts of codes as an Arrow dictionary of those that occur."""
        distinct, places = self.distinct(codes)
        return pa.DictionaryArray.from_arrays(indices_of(places), self.texts_one_by_one(distinct))

    def texts_one_by_one(self, codes: Codes) -> pa.Array:
        """Return the texts of codes, none missing, as an Arrow array, row by row."""
        sizes = self._ends[codes + 1] - self._ends[codes]
        offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(sizes, dtype=np.int32)])
        packed = _packed(self._buffer, self._ends, codes, offsets)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(packed)]
        return pa.Array.from_buffers(pa.string(), len(codes), buffers)

    def distinct(self, codes: Codes) -> tuple[Codes, Codes]:
        """Return the codes that occur, and each row's index among them; -1 if missing."""
        # A table of all codes pays off only if many of them may occur.
        if len(codes) * 16 > self._size:
            return _distinct(codes, self._size)
        found, places = np.unique(codes, return_inverse=True)
        is_none = int(len(found) > 0 and found[0] == NO_TEXT)
        return found[is_none:], (places - is_none).astype(np.int32)

    def map_numbers(self, codes: Codes, function: Callable[[str], float]) -> Numbers:
        """Return a number for each text, computed once per distinct text; NaN for a missing one.

        For a traced stand-in of a column, the result is the stand-in of the numbers.
        """
        if not isinstance(codes, np.ndarray):
            return codes.mapped(function, np.float64)
        distinct, places = self.distinct(codes)
        results = [function(text) for text in self.texts_of(distinct)]
        return np.array([*results, np.nan], np.float64)[places]

    def map_texts(self, codes: Codes, function: Callable[[str], str | None]) -> Codes:
        """Return the code of a text computed from each text; NO_TEXT if missing.

        Each distinct text is computed once. Stand-ins are handled as in `map_numbers`.
        """
        if not isinstance(codes, np.ndarray):
            return codes.mapped(function, np.int32)
        distinct, places = self.distinct(codes)
        results = self.codes([function(text) for text in self.texts_of(distinct)])
        return np.append(results, np.int32(NO_TEXT))[places]

    def texts_of(self, codes: Codes) -> list[str]:
        """Return the texts of codes, none of which is missing."""
        whole: memoryview = self._buffer.data
        starts, ends = self._ends[codes].tolist(), self._ends[codes + 1].tolist()
        return [str(whole[a:b], "utf-8") for a, b in zip(starts, ends, strict=True)]

    def in_order(self, codes: Codes) -> Integers:
        """Return the rank of each row's text among the sorted distinct ones; -1 if missing."""
        distinct, places = self.distinct(codes)
        order = sorted(range(len(distinct)), key=self.texts_of(distinct).__getitem__)
        ranks = np.empty(len(distinct) + 1, np.int64)
        ranks[order] = np.arange(len(distinct))
        ranks[-1] = -1
        return ranks[places]

    def _codes_of_chunk(self, chunk: pa.Array) -> Codes:
        if not pa.types.is_dictionary(chunk.type):
            return self.learnt(chunk)
        return codes_at(self.learnt(chunk.dictionary), chunk.indices)

    def learnt(self, texts: pa.Array) -> Codes:
        """Return the codes of an Arrow array of plain text."""
        codes = self._learnt(*contents_of_texts(texts))
        if texts.null_count:
            codes[texts.is_null().to_numpy(zero_copy_only=False)] = NO_TEXT
        return codes

    def _learnt(self, content: Bytes, ends: Integers) -> Codes:
        """Return the codes of concatenated texts, in the form of `contents_of_texts`."""
        codes = np.zeros(len(ends) - 1, np.int32)
        with self._learning:
            # Reserve space for the case that all texts are new; the table stays at most half full.
            texts = len(codes)
            size = int(ends[-1] - ends[0])
            used = int(self._ends[self._size])
            # Larger arrays replace the old ones and are never resized in place: readers hold no
            # lock.
            self._buffer = _grown(self._buffer, used + size)
            self._ends = _grown(self._ends, self._size + texts + 1)
            if 2 * (self._size + texts) > len(self._table):
                wide = 1 << int(2 * (self._size + texts)).bit_length()
                self._table = _spread(self._table, wide)
            self._size = _learn(
                content, ends, self._buffer, self._ends, self._table, self._size, codes
            )
        return codes


def codes_at(codes: Codes, indices: pa.Array) -> Codes:
    """Return the codes of rows that hold indexes into a dictionary with these codes."""
    return _taken(np.append(codes, np.int32(NO_TEXT)), cells_of(indices, np.int32, len(codes)))


def cells_of(array: pa.Array, kind: npt.DTypeLike, missing: float) -> npt.NDArray[Any]:
    """Return the cells of an Arrow array of this type, with `missing` for nulls."""
    cells: npt.NDArray[Any] = np.frombuffer(array.buffers()[1] or b"", kind)
    cells = cells[array.offset : array.offset + len(array)]
    if not array.null_count:
        return cells
    return _filled(cells, np.frombuffer(array.buffers()[0], np.uint8), array.offset, missing)


def hashes_of_texts(texts: pa.Array) -> Integers:
    """Return a 63-bit hash per text of an Arrow array; a missing one hashes like an empty text."""
    content, ends = contents_of_texts(texts)
    return _hashes(content, ends)


def contents_of_texts(texts: pa.Array) -> tuple[Bytes, npt.NDArray[Any]]:
    """Return the bytes of texts, and the offsets of each start and of the last end."""
    if not len(texts):
        return np.zeros(0, np.uint8), np.zeros(1, np.int32)
    _, offsets, content = texts.buffers()
    ends = np.frombuffer(offsets, np.int64 if texts.type == pa.large_string() else np.int32)
    ends = ends[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(content or b"", np.uint8), ends


def indices_of(places: Codes) -> pa.Array:
    """Return row or dictionary indexes as an Arrow array, with null for -1.

    `pa.array` is avoided because it loads pandas: 30 MiB and a sixth of a second.
    """
    are_valid = np.packbits(places >= 0, bitorder="little")
    buffers = [pa.py_buffer(are_valid), pa.py_buffer(places)]
    return pa.Array.from_buffers(pa.int32(), len(places), buffers)


def _grown(array: npt.NDArray, size: int) -> npt.NDArray:  # type: ignore[type-arg]  # of whichever dtype
    """Return the array, or a larger copy if it has fewer than `size` elements."""
    if size <= len(array):
        return array
    grown = np.empty(max(size, 2 * len(array)), array.dtype)
    grown[: len(array)] = array
    return grown


@compiled(nogil=True)
def _filled(
    cells: npt.NDArray[Any], are_valid: Bytes, offset: int, missing: float
) -> npt.NDArray[Any]:
    filled = np.empty(len(cells), cells.dtype)
    for row in range(len(cells)):
        bit = offset + row
        is_valid = are_valid[bit >> 3] >> (bit & 7) & 1
        filled[row] = cells[row] if is_valid else missing
    return filled


@compiled(nogil=True)
def _taken(codes: Codes, indices: Codes) -> Codes:
    taken = np.empty(len(indices), np.int32)
    for row in range(len(indices)):
        taken[row] = codes[indices[row]]
    return taken


@compiled(nogil=True)
def _word(text: Bytes, at: int, size: int) -> np.uint64:
    """Return up to eight bytes as one number."""
    word = np.uint64(0)
    for byte in range(size):
        word |= np.uint64(text[np.uint64(at + byte)]) << np.uint64(8 * byte)
    return word


@compiled(nogil=True)
def _hash(text: Bytes, start: int, stop: int) -> np.int64:
    """Return a hash of bytes, folded eight at a time so that every bit affects all others."""
    mixed = np.uint64(stop - start) * np.uint64(0x9E3779B97F4A7C15)
    at = start
    while at + 8 <= stop:
        mixed = (mixed ^ _word(text, at, 8)) * np.uint64(0xD6E8FEB86659FD93)
        mixed ^= mixed >> np.uint64(32)
        at += 8
    mixed = (mixed ^ _word(text, at, stop - at)) * np.uint64(0xD6E8FEB86659FD93)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return np.int64((mixed ^ (mixed >> np.uint64(32))) & np.uint64(0x7FFFFFFFFFFFFFFF))


@compiled(nogil=True)
def _hashes(texts: Bytes, ends: Integers) -> Integers:
    hashes = np.empty(len(ends) - 1, np.int64)
    for row in range(len(hashes)):
        hashes[row] = _hash(texts, ends[row], ends[row + 1])
    return hashes


@compiled
def _is_same(one: Bytes, start: int, other: Bytes, begin: int, size: int) -> bool:
    same = 0
    while same + 8 <= size and _word(one, start + same, 8) == _word(other, begin + same, 8):
        same += 8
    while same < size and one[start + same] == other[begin + same]:
        same += 1
    return same == size


@compiled
def _learn(
    given: Bytes,
    given_ends: Integers,
    buffer: Bytes,
    ends: Integers,
    table: Integers,
    known: int,
    codes: Codes,
) -> int:
    """Write the code of each given text, add new texts, and return the number of known texts.

    A table slot holds the upper 31 bits of the hash above the code. These bits also choose the
    slot, so the table can grow without hashing texts again.
    """
    last = len(table) - 1
    hashes = _hashes(given, given_ends)
    for row in range(len(codes)):
        if row % _AHEAD == 0:
            _touch(hashes[row : row + _AHEAD], table, ends, buffer)
        start, size = given_ends[row], given_ends[row + 1] - given_ends[row]
        mark = (hashes[row] >> 32) << 32
        slot = (hashes[row] >> 32) & last
        while True:
            entry = table[slot]
            if entry == _FREE:
                table[slot] = mark | known
                begin = ends[known]
                for at in range(size):
                    buffer[begin + at] = given[start + at]
                ends[known + 1] = begin + size
                codes[row] = known
                known += 1
                break
            code = entry & _CODE_BITS
            # Comparing hash and length first avoids most comparisons of bytes.
            is_likely = (entry >> 32) << 32 == mark and ends[code + 1] - ends[code] == size
            if is_likely and _is_same(given, start, buffer, ends[code], size):
                codes[row] = code
                break
            slot = (slot + 1) & last
    return known


@compiled
def _touch(hashes: Integers, table: Integers, ends: Integers, buffer: Bytes) -> int:
    """Read the slots of the next texts in advance.

    Independent reads overlap, which hides the latency of memory. The result is returned so that the
    compiler keeps the reads.
    """
    last = len(table) - 1
    places = np.empty(len(hashes), np.int64)
    for row in range(len(hashes)):
        places[row] = max(table[(hashes[row] >> 32) & last], 0) & _CODE_BITS
    for row in range(len(hashes)):
        places[row] = ends[places[row]]
    read = 0
    for row in range(len(hashes)):
        read += buffer[places[row]]
    return read


@compiled
def _spread(table: Integers, slots: int) -> Integers:
    """Return a larger table with `slots` slots and the entries of a smaller one."""
    wide = np.full(slots, _FREE, np.int64)
    for entry in table:
        if entry != _FREE:
            slot = (entry >> 32) & (slots - 1)
            while wide[slot] != _FREE:
                slot = (slot + 1) & (slots - 1)
            wide[slot] = entry
    return wide


@compiled(nogil=True)
def _distinct(codes: Codes, known: int) -> tuple[Codes, Codes]:
    place_of = np.full(known, -1, np.int32)
    places = np.full(len(codes), -1, np.int32)
    found = np.empty(min(len(codes), known), np.int32)
    many = 0
    for row in range(len(codes)):
        code = codes[row]
        if code < 0:
            continue
        if place_of[code] < 0:
            place_of[code] = many
            found[many] = code
            many += 1
        places[row] = place_of[code]
    return found[:many].copy(), places


@compiled(nogil=True)
def _packed(buffer: Bytes, ends: Integers, codes: Codes, offsets: Codes) -> Bytes:
    packed = np.empty(offsets[-1], np.uint8)
    for row in range(len(codes)):
        begin = ends[codes[row]]
        for at in range(offsets[row + 1] - offsets[row]):
            packed[offsets[row] + at] = buffer[begin + at]
    return packed


# The string table of this process.
STRING_TABLE = StringTable()
