"""Which records of a long table stood in an earlier row already, in bounded memory.

What makes a record one record is kept on disk as two hashes of each row. One is salted anew in each
import, so that nobody can make two ids that meet, and they are so long that no two do by chance.
"""

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import INSTANT
from features.engine.string_table import hashes_of_texts

Bools = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.int64]

NOTE = np.dtype(
    [("one", "i8"), ("other", "i8"), ("place", "i8"), ("source", "i4"), ("is_kept", "?")]
)
"""What is remembered of a row: its two hashes, where it stands, and whether it is usable."""

ROWS_SORTED_AT_ONCE = 1 << 21
_BETWEEN = "\x1f"


class RowNotes:
    """Notes of all rows of one record type, in a file."""

    def __init__(self, file: Path, unique_fields: Sequence[str]):
        self._file = file
        self._unique = unique_fields
        self._salt = secrets.token_hex(8)
        self._out = file.open("wb")
        self._blocks: list[int] = []
        self._repeated: Any = None

    def add(self, rows: pa.RecordBatch, places: Any, source: int, is_kept: Bools) -> None:
        """Remember the rows of a block."""
        notes = np.zeros(len(rows), NOTE)
        if self._unique:
            notes["one"], notes["other"] = self._hashes(rows)
        notes["place"], notes["source"], notes["is_kept"] = places, source, is_kept
        notes.tofile(self._out)
        self._blocks.append(len(rows))

    def find_repeated(self) -> bool:
        """Whether rows that are usable stood in an earlier row, usable or not."""
        self._out.close()
        total = sum(self._blocks)
        if not total or not self._unique:
            return False
        notes = np.memmap(self._file, NOTE, "r")
        file = self._file.with_suffix(".repeated")
        self._repeated = np.memmap(file, np.bool_, "w+", shape=(total,))
        shares = -(-total // ROWS_SORTED_AT_ONCE)
        found = [_mark_repeated(notes, self._repeated, share, shares) for share in range(shares)]
        return any(found)

    def blocks(self) -> Iterator[tuple[Any, Bools]]:
        """Of each block the notes of its rows, and which usable ones stood in an earlier row."""
        notes, first = np.memmap(self._file, NOTE, "r"), 0
        for rows in self._blocks:
            until = first + rows
            yield np.array(notes[first:until]), np.array(self._repeated[first:until])
            first = until

    def _hashes(self, rows: pa.RecordBatch) -> tuple[Hashes, Hashes]:
        parts = [_as_text(rows[field]) for field in self._unique]
        text = parts[0] if len(parts) == 1 else _joined(*parts, _BETWEEN)
        return hashes_of_texts(text), hashes_of_texts(_joined(self._salt, text, _BETWEEN))


def _joined(*parts: Any) -> pa.Array:
    return pc.binary_join_element_wise(*parts, null_handling="replace", null_replacement="\0")


def _mark_repeated(notes: Any, repeated: Bools, share: int, shares: int) -> bool:
    """Mark, of the rows whose hash falls into a share of all hashes, those that are no first.

    Whether there are any; those that are refused already are none.
    """
    rows = [
        first + np.flatnonzero(notes["one"][first : first + ROWS_SORTED_AT_ONCE] % shares == share)
        for first in range(0, len(notes), ROWS_SORTED_AT_ONCE)
    ]
    at = np.concatenate(rows)
    one, other = notes["one"][at], notes["other"][at]
    in_order = np.sort(one)
    if not (in_order[1:] == in_order[:-1]).any():
        return False
    order = np.lexsort((other, one))  # stable: of the same, the first row stays first
    is_same = np.zeros(len(at), np.bool_)
    is_same[1:] = (np.diff(one[order]) == 0) & (np.diff(other[order]) == 0)
    again = at[order[is_same]]
    again = again[notes["is_kept"][again]]
    repeated[again] = True
    return bool(len(again))


def _as_text(column: pa.Array) -> pa.Array:
    if column.type == INSTANT:
        column = column.cast(pa.int64())
    return column if pa.types.is_string(column.type) else column.cast(pa.string())
