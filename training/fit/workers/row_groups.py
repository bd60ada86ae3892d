"""Rows as a worker reads them: its own, one Parquet row group at a time."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from training.data.training_set import FILES
from training.lightgbm_alone import lightgbm
from training.model.encoding import Encoding
from training.ranking import Floats, Ints


class RowGroup(lightgbm.Sequence):
    """Rows of one row group, read when LightGBM requests them, which it does once."""

    def __init__(self, file: Path, number: int, places: Ints, encoding: Encoding):
        self.file = file
        self.number = number
        self.places = places
        self.encoding = encoding
        self.batch_size = len(places)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, span: slice) -> Floats:  # type: ignore[override]  # only slices, as said
        """Return a slice of rows as a matrix, with one column of the file in memory at a time."""
        places = pa.array(self.places[span])
        texts = [column.name for column in self.encoding.inputs if column.categories is not None]
        # Without buffering ahead, which would read more than the column in use.
        with pq.ParquetFile(self.file, pre_buffer=False, read_dictionary=texts) as parquet:
            columns = {
                name: parquet.read_row_group(self.number, [name], use_threads=False)
                .column(0)
                .take(places)
                .to_pandas()
                for name in self.encoding.names
            }
        return np.column_stack(self.encoding.encode_columns(pd.DataFrame(columns, copy=False)))


def row_groups(folder: Path, places: Ints, encoding: Encoding) -> list[RowGroup]:
    """Return the rows at rising positions of a training set's features, by row group."""
    return list(_row_groups(folder / FILES[0], places, encoding))


def _row_groups(file: Path, places: Ints, encoding: Encoding) -> Iterator[RowGroup]:
    metadata = pq.read_metadata(file)
    sizes = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
    begins = np.cumsum([0, *sizes])
    ends = np.searchsorted(places, begins)
    for number, (first, last) in enumerate(pairwise(ends)):
        if last > first:
            yield RowGroup(file, number, places[first:last] - begins[number], encoding)
