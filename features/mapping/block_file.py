"""A Parquet file that is written and read back in the same blocks."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_ENOUGH = 4_096


class BlockFile:
    """A record file in the making, with one row group per block."""

    def __init__(self, file: Path, schema: pa.Schema):
        self.file = file
        self._schema = schema
        self._out: pq.ParquetWriter | None = None

    def write(self, block: pa.Table) -> None:
        """Append a block; an empty one writes nothing."""
        if len(block):
            out = self._opened(block)
            out.write_table(block.cast(self._schema), row_group_size=len(block))

    def close(self) -> None:
        """Finish the file; without blocks it is valid and empty."""
        self._opened(self._schema.empty_table()).close()

    def blocks(self) -> Iterator[pa.Table]:
        """Yield the written blocks."""
        with pq.ParquetFile(self.file) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group)

    def _opened(self, first: pa.Table) -> pq.ParquetWriter:
        if self._out is None:
            repeating = [name for name in self._schema.names if _repeats(first[name])]
            self._out = pq.ParquetWriter(self.file, self._schema, use_dictionary=repeating)
        return self._out


def _repeats(column: pa.ChunkedArray) -> bool:
    """Return whether dictionary encoding pays off: trying it on ids costs half the writing time."""
    is_text = pa.types.is_string(column.type)
    some = column[:_ENOUGH]
    return bool(is_text and 2 * pc.count_distinct(some).as_py() < len(some))
