"""Repeated records of a long table, found in bounded memory.

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

# What is remembered of a row: its two hashes, where it stands, and whether it is usable.
NOTE = np.dtype(
    [("one", "i8"), ("other", "i8"), ("place", "i8"), ("source", "i4"), ("is_kept", "?")]
)

ROWS_SORTED_AT_ONCE = 1 << 20
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
        """Return whether rows that are usable stood in an earlier row, usable or not."""
        self._out.close()
        total = sum(self._blocks)
        if not total or not self._unique:
            return False
        file = self._file.with_suffix(".repeated")
        self._repeated = np.memmap(file, np.bool_, "w+", shape=(total,))
        shares = -(-total // ROWS_SORTED_AT_ONCE)
        found = [self._mark_repeated(share, shares) for share in range(shares)]
        return any(found)

    def blocks(self) -> Iterator[tuple[Any, Bools]]:
        """Of each block the notes of its rows, and which usable ones stood in an earlier row."""
        first = 0
        for notes in self._noted():
            until = first + len(notes)
            yield notes, np.array(self._repeated[first:until])
            first = until

    def _noted(self) -> Iterator[Any]:
        """The notes of each block: read, and not mapped, which would hold them all in memory."""
        with self._file.open("rb") as file:
            for rows in self._blocks:
                yield np.fromfile(file, NOTE, rows)

    def _mark_repeated(self, share: int, shares: int) -> bool:
        """Mark, of the rows whose hash falls into a share of all hashes, those that are no first.

        Whether there are any; those that are refused already are none.
        """
        parts, first = [], 0
        for noted in self._noted():
            inside = np.flatnonzero(noted["one"] % shares == share)
            parts.append((first + inside, noted[["one", "other", "is_kept"]][inside]))
            first += len(noted)
        at, notes = (np.concatenate(part) for part in zip(*parts, strict=True))
        in_order = np.sort(notes["one"])
        if not (in_order[1:] == in_order[:-1]).any():
            return False
        order = np.lexsort((notes["other"], notes["one"]))  # stable: the first row stays first
        one, other = notes["one"][order], notes["other"][order]
        is_same = np.zeros(len(at), np.bool_)
        is_same[1:] = (np.diff(one) == 0) & (np.diff(other) == 0)
        again = order[is_same]
        again = at[again[notes["is_kept"][again]]]
        self._repeated[again] = True
        return bool(len(again))

    def _hashes(self, rows: pa.RecordBatch) -> tuple[Hashes, Hashes]:
        parts = [_as_text(rows[field]) for field in self._unique]
        text = parts[0] if len(parts) == 1 else _joined(*parts, _BETWEEN)
        return hashes_of_texts(text), hashes_of_texts(_joined(self._salt, text, _BETWEEN))


def _joined(*parts: Any) -> pa.Array:
    return pc.binary_join_element_wise(*parts, null_handling="replace", null_replacement="\0")


def _as_text(column: pa.Array) -> pa.Array:
    if column.type == INSTANT:
        column = column.cast(pa.int64())
    return column if pa.types.is_string(column.type) else column.cast(pa.string())
