"""Rows in LightGBM's layout, built in batches so that no large matrix exists twice."""

from collections.abc import Iterator
from typing import Self

import numpy as np

from training.lightgbm_alone import lightgbm
from training.ranking import Floats, Ints


class EncodedRows(lightgbm.Sequence):
    """The rows at `places` of encoded columns, which may be far longer."""

    def __init__(self, columns: list[Floats], places: Ints):
        self.columns = columns
        self.places = places

    @classmethod
    def from_matrix(cls, matrix: Floats) -> Self:
        """Return all rows of a matrix."""
        return cls(list(matrix.T), np.arange(len(matrix)))

    def only(self, places: Ints) -> Self:
        """Return the rows at `places` of these rows."""
        return type(self)(self.columns, self.places[places])

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, span: slice) -> Floats:  # type: ignore[override]  # only slices, as said
        """Return a slice of rows as a matrix; with known bins, LightGBM requests only slices."""
        places = self.places[span]
        return np.column_stack([column[places] for column in self.columns])

    def batches(self) -> Iterator[Floats]:
        """Yield all rows in order, in batches of some thousands."""
        for begins in range(0, len(self), self.batch_size):
            yield self[begins : begins + self.batch_size]
