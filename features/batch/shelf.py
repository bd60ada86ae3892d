"""Columns of numbers on disk, one file each, read back by ranges of rows."""

from collections.abc import Hashable
from pathlib import Path

import numpy as np

from features.columns import Column


class Shelf:
    """Columns of float64, all of one length, by name."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._places: dict[Hashable, int] = {}

    def put(self, name: Hashable, column: Column) -> None:
        """Keep a column under a name."""
        place = self._places.setdefault(name, len(self._places))
        column.astype(np.float64, copy=False).tofile(self._folder / str(place))

    def rows(self, name: Hashable, start: int, stop: int) -> Column:
        """The rows of a column from `start` to `stop`, not included."""
        file = self._folder / str(self._places[name])
        return np.fromfile(file, np.float64, stop - start, offset=start * 8)
