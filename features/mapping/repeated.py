"""Find repeated records of a long table in bounded memory.

The unique key of each row is stored on disk as two 64-bit hashes. One is salted anew in each
import, so that nobody can construct a collision; together they are long enough that none occurs by
chance.
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

# A row's two hashes, its location, and whether it is valid.
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
        """Store notes of the rows of a block."""
        notes = np.zeros(len(rows), NOTE)
        if self._unique:
            notes["one"], notes["other"] = self._hashes(rows)
        notes["place"], notes["source"], notes["is_kept"] = places, source, is_kept
        notes.tofile(self._out)
        self._blocks.append(len(rows))

    def find_repeated(self) -> bool:
        """Return whether any valid row repeats an earlier row, valid or not."""
        self._out.close()
        total = sum(self._blocks)
        if not total or not self._unique:
            return False
        file = self._file.with_suffix(".repeated")
        self._repeated = np.memmap(file, np.bool_, "w+", shape=(total,))
        # Divide the hashes into shares so that each fits into memory when sorted.
        shares = -(-total // ROWS_SORTED_AT_ONCE)
        found = [self._mark_repeated(share, shares) for share in range(shares)]
        return any(found)

    def blocks(self) -> Iterator[tuple[Any, Bools]]:
        """Yield the notes of each block, with flags of valid rows that repeat an earlier one."""
        first = 0
        for notes in self._noted():
            until = first + len(notes)
            yield notes, np.array(self._repeated[first:until])
            first = until

    def _noted(self) -> Iterator[Any]:
        """Yield the notes of each block; reading, unlike mapping the file, keeps memory bounded."""
        with self._file.open("rb") as file:
            for rows in self._blocks:
                yield np.fromfile(file, NOTE, rows)

    def _mark_repeated(self, share: int, shares: int) -> bool:
        """Mark the valid rows in one share of the hashes that repeat an earlier row.

        Returns whether there are any; rows that are already refused do not count.
        """
        parts, first = [], 0
        for noted in self._noted():
            inside = np.flatnonzero(noted["one"] % shares == share)
            parts.append((first + inside, noted[["one", "other", "is_kept"]][inside]))
            first += len(noted)
        at, notes = (np.concatenate(part) for part in zip(*parts, strict=True))
        # Comparing one hash is cheap, and most shares have no repetition.
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
