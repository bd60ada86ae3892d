"""Rows spread over parts by their key, so that one part at a time is held in memory as a whole."""

from io import BufferedRandom
from pathlib import Path
from typing import Self

import numpy as np

from features.batch.grouping import by_number
from features.batch.moving import picked
from features.columns import Column, Columns

# So many bytes of rows stay in memory; those that come after them go to disk.
HELD_BYTES = 1 << 27


class Parts:
    """Columns of the same names and types, added a block at a time and read back a part at a time.

    Within a part rows keep the order in which they were added. The first blocks are held in memory,
    all others lie on disk, a file for each part. Lives as long as its `with` block.
    """

    def __init__(self, folder: Path, parts: int) -> None:
        self._folder = folder
        self._parts = parts
        self._room_bytes = HELD_BYTES
        self._held: list[tuple[Column, Columns]] = []
        self._files: list[BufferedRandom] = []
        self._written: list[list[int]] = [[] for _ in range(parts)]
        self._kinds: dict[str, np.dtype[np.generic]] = {}

    def __enter__(self) -> Self:
        self._folder.mkdir()
        return self

    def __exit__(self, *error: object) -> None:
        self._held.clear()
        for part, file in enumerate(self._files):
            file.close()
            (self._folder / str(part)).unlink()
        self._folder.rmdir()

    def __len__(self) -> int:
        return self._parts

    def add(self, columns: Columns, part: Column) -> None:
        """Add rows, each to its part; one whose part is negative to none."""
        self._kinds = self._kinds or {name: column.dtype for name, column in columns.items()}
        starts, order = by_number(part, len(self))
        rows = {name: picked(columns[name], order) for name in self._kinds}
        self._room_bytes -= sum(column.nbytes for column in rows.values())
        if self._room_bytes >= 0:
            self._held.append((starts, rows))
        else:
            self._write(starts, rows)

    def part(self, at: int) -> Columns:
        """The rows of one part."""
        held = [(slice(*starts[at : at + 2].tolist()), rows) for starts, rows in self._held]
        many = sum(these.stop - these.start for these, _ in held)
        size = many + sum(self._written[at])
        columns = {name: np.empty(size, kind) for name, kind in self._kinds.items()}
        for name, column in columns.items():
            pieces = [rows[name][these] for these, rows in held]
            np.concatenate([column[:0], *pieces], out=column[:many])
        if size > many:
            self._read(at, {name: column[many:] for name, column in columns.items()})
        return columns

    def _write(self, starts: Column, rows: Columns) -> None:
        if not self._files:
            self._files = [(self._folder / str(p)).open("w+b") for p in range(len(self))]
        for at in np.flatnonzero(starts[1:] > starts[:-1]).tolist():
            start, stop = starts[at : at + 2].tolist()
            self._written[at].append(stop - start)
            for column in rows.values():
                self._files[at].write(column[start:stop].data)

    def _read(self, at: int, columns: Columns) -> None:
        file = self._files[at]
        file.seek(0)
        start = 0
        for count in self._written[at]:
            for column in columns.values():
                file.readinto(column[start : start + count].data)
            start += count
