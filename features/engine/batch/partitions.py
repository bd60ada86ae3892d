"""Rows spread over parts by key, so that each part fits in memory."""

import errno
import os
from io import BufferedRandom
from pathlib import Path
from typing import Self

import numpy as np

from features.engine.batch.gather import gather
from features.engine.batch.sort_by_key import by_number
from features.engine.columns import Column, Columns

# Bytes of rows held in memory; later blocks go to disk.
MEMORY_BYTES = 1 << 27


class Partitions:
    """Columns of fixed names and types, added in blocks and read back in parts.

    Within a part rows keep the order in which they were added. The first blocks are held in memory,
    up to `memory_bytes`; later ones are in a file, which is deleted when the `with` block ends.
    """

    def __init__(self, file: Path, parts: int, memory_bytes: int | None = None) -> None:
        self._path = file
        self._parts = parts
        self._bytes_left = MEMORY_BYTES if memory_bytes is None else memory_bytes
        # For each block, sorted by part: the first row of each part, and the columns, or the offset
        # of the first column in the file.
        self._blocks: list[tuple[Column, Columns | int]] = []
        self._kinds: dict[str, np.dtype[np.generic]] = {}

    def __enter__(self) -> Self:
        self._file: BufferedRandom = self._path.open("w+b")
        return self

    def __exit__(self, *error: object) -> None:
        self._blocks.clear()
        self._file.close()
        self._path.unlink()

    def __len__(self) -> int:
        return self._parts

    def add(self, columns: Columns, part: Column) -> None:
        """Add rows to their parts; rows with a negative part are dropped."""
        self._kinds = self._kinds or {name: column.dtype for name, column in columns.items()}
        starts, order = by_number(part, len(self))
        rows = {name: gather(columns[name], order) for name in self._kinds}
        self._bytes_left -= sum(column.nbytes for column in rows.values())
        if self._bytes_left >= 0:
            self._blocks.append((starts, rows))
            return
        self._blocks.append((starts, self._file.tell()))
        for column in rows.values():
            self._file.write(column.data)
        # `read` uses the file descriptor, which does not see Python's buffer.
        self._file.flush()

    def read(self, at: int) -> Columns:
        """Return the rows of one part; safe to call from several threads.

        Raises OSError if the file lacks rows that were written.
        """
        count = sum(int(starts[at + 1] - starts[at]) for starts, _ in self._blocks)
        columns = {name: np.empty(count, kind) for name, kind in self._kinds.items()}
        begin = 0
        for starts, rows in self._blocks:
            first, last = starts[at : at + 2].tolist()
            end = begin + last - first
            pieces = {name: column[begin:end] for name, column in columns.items()}
            if isinstance(rows, int):
                self._read(pieces, rows, first, int(starts[-1]))
            else:
                for name, piece in pieces.items():
                    piece[:] = rows[name][first:last]
            begin = end
        return columns

    def _read(self, pieces: Columns, offset: int, first: int, rows: int) -> None:
        """Fill pieces from columns of `rows` rows in the file, beginning with row `first`."""
        for piece in pieces.values():
            # `preadv` takes an offset, so that threads need no shared file position.
            where = offset + first * piece.itemsize
            if os.preadv(self._file.fileno(), [piece.data], where) != piece.nbytes:
                raise OSError(errno.EIO, "rows that were written are not there", str(self._path))
            offset += rows * piece.itemsize
