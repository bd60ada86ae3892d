"""Rows as LightGBM reads them, laid out a batch at a time: a large matrix is never held twice."""

from collections.abc import Iterator
from typing import Self

import lightgbm
import numpy as np

from training.ranking import Floats, Ints


class EncodedRows(lightgbm.Sequence):
    """The rows at `places` of encoded columns, which may be far longer."""

    def __init__(self, columns: list[Floats], places: Ints):
        self.columns = columns
        self.places = places

    @classmethod
    def from_matrix(cls, matrix: Floats) -> Self:
        """All rows of a matrix."""
        return cls(list(matrix.T), np.arange(len(matrix)))

    def only(self, places: Ints) -> Self:
        """The rows at `places` of these."""
        return type(self)(self.columns, self.places[places])

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, span: slice) -> Floats:  # type: ignore[override]  # only slices, as said
        """The rows of a slice as a matrix; LightGBM asks for no others where bins are known."""
        places = self.places[span]
        return np.column_stack([column[places] for column in self.columns])

    def batches(self) -> Iterator[Floats]:
        """All rows in order, some thousands at a time."""
        for begins in range(0, len(self), self.batch_size):
            yield self[begins : begins + self.batch_size]
