"""Ids and numbers as text, for many rows at once.

Texts are built as byte matrices, one row each, and passed to Arrow without creating Python strings;
a world has some hundred million texts.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthetic.chance import Flags, Words

Bytes = npt.NDArray[np.uint8]
_HEX = np.array([f"{i:02x}".encode() for i in range(256)], dtype="S2")


def texts(*parts: Bytes | str, where: Flags | None = None) -> pa.StringArray:
    """Return one text per row from joined parts; null where `where` is false."""
    rows = next(len(part) for part in parts if not isinstance(part, str))
    columns = [np.tile(_letters(p), (rows, 1)) if isinstance(p, str) else p for p in parts]
    matrix = np.ascontiguousarray(np.concatenate(columns, axis=1))
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(matrix.shape[1])
    # The values of a boolean array are a bitmap, as Arrow's validity is.
    missing = None if where is None else pa.array(where).buffers()[1]
    return pa.StringArray.from_buffers(
        rows, pa.py_buffer(offsets), pa.py_buffer(matrix), missing, -1
    )


def hexadecimal(words: Words) -> Bytes:
    """Return sixteen hexadecimal digits per word."""
    pairs = _HEX[words.astype(">u8").view(np.uint8).reshape(-1, 8)]
    return np.ascontiguousarray(pairs).view(np.uint8).reshape(-1, 16)


def decimal(numbers: npt.ArrayLike, width: int) -> Bytes:
    """Return the last `width` decimal digits of each number, with leading zeros."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    digits = np.asarray(numbers, dtype=np.int64)[:, None] // powers % 10
    return (digits + ord("0")).astype(np.uint8)


def capitals(words: Words, width: int) -> Bytes:
    """Return `width` capital letters per word, equal for equal words."""
    powers = np.array([26**i for i in range(width)], dtype=np.uint64)
    return (words[:, None] // powers % np.uint64(26) + np.uint64(ord("A"))).astype(np.uint8)


def _letters(text: str) -> Bytes:
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
