"""Rows spread over parts by their key, on disk, so that one part at a time is held in memory."""

from io import BufferedRandom
from pathlib import Path
from typing import Self

import numpy as np

from features.batch.grouping import by_number
from features.batch.moving import picked
from features.columns import Column, Columns


class Parts:
    """Columns of the same names and types, added a block at a time and read back a part at a time.

    Within a part rows keep the order in which they were added. Lives as long as its `with` block.
    """

    def __init__(self, folder: Path, parts: int) -> None:
        self._folder = folder
        self._files: list[BufferedRandom] = []
        self._counts: list[list[int]] = [[] for _ in range(parts)]
        self._kinds: dict[str, np.dtype[np.generic]] = {}

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self._files = [(self._folder / str(p)).open("w+b") for p in range(len(self._counts))]
        return self

    def __exit__(self, *error: object) -> None:
        for part, file in enumerate(self._files):
            file.close()
            (self._folder / str(part)).unlink()
        self._folder.rmdir()

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, columns: Columns, part: Column) -> None:
        """Add rows, each to its part; one whose part is negative to none."""
        self._kinds = self._kinds or {name: column.dtype for name, column in columns.items()}
        starts, order = by_number(part, len(self))
        ordered = [picked(columns[name], order) for name in self._kinds]
        for at in np.flatnonzero(starts[1:] > starts[:-1]).tolist():
            start, stop = starts[at : at + 2].tolist()
            self._counts[at].append(stop - start)
            for column in ordered:
                self._files[at].write(column[start:stop].data)

    def part(self, at: int) -> Columns:
        """The rows of one part."""
        file = self._files[at]
        file.seek(0)
        columns = {n: np.empty(sum(self._counts[at]), kind) for n, kind in self._kinds.items()}
        start = 0
        for count in self._counts[at]:
            for column in columns.values():
                file.readinto(column[start : start + count].data)
            start += count
        return columns
