"""Validate records of one type in blocks and write the valid rows."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import Limits, arrow_schema
from features.ingest.completed_fields import COMPLETED_FIELDS
from features.ingest.contract import Bools, BrokenRows, broken_alone, repeated_in
from features.ingest.fast_checks import is_surely_sound
from features.mapping.block_file import BlockFile
from features.mapping.refused_rows import RefusedRows
from features.mapping.repeated import RowNotes
from features.records import RECORD_FILES


class CheckedRecords:
    """The validated records of one type, written in blocks or, without a folder, only checked.

    `beside` are the record types of the same import: fields that these may complete stay optional.
    """

    def __init__(
        self,
        name: str,
        folder: Path | None,
        working: Path,
        refused: RefusedRows,
        beside: Collection[str] = (),
    ):
        record = RECORD_FILES[name]
        completed = COMPLETED_FIELDS.get(name)
        self._required = completed if completed and completed.source not in beside else None
        self.name = name
        self.written = 0
        self._schema = arrow_schema(record)
        self._refused = refused
        self._working = working
        self._notes = RowNotes(working / f"{name}.notes", record.unique_fields)
        self._out = BlockFile(folder / f"{name}.parquet", self._schema) if folder else None
        self._sources: list[str] = []

    def add(
        self,
        rows: pa.RecordBatch,
        places: npt.NDArray[np.int64],
        source: str,
        broken: Sequence[BrokenRows],
        stood: Mapping[str, pa.Array],
    ) -> None:
        """Validate a block of rows and write the valid ones.

        `broken` are values already rejected.
        """
        named: dict[str, Bools] = {}
        for each in broken:
            named[each.column] = named.get(each.column, np.zeros(len(rows), np.bool_)) | each.rows
        found = [*broken]
        for each in (*broken_alone(rows, self.name, _look), *self._left_out(rows)):
            # A value that could not be read was already reported and is not missing as well.
            left = each.but(named[each.column]) if each.column in named else each
            if left.rows.any():
                found.append(left)
        is_kept = np.ones(len(rows), np.bool_)
        for each in found:
            is_kept &= ~each.rows
        if source not in self._sources:
            self._sources.append(source)
        # Invalid rows are noted too: a later row with the same key repeats them.
        self._notes.add(rows, places, self._sources.index(source), is_kept)
        if found:
            self._refused.add(self.name, source, places, found, stood)
        self._write(pa.Table.from_batches([rows]), is_kept)

    def _left_out(self, rows: pa.RecordBatch) -> Iterator[BrokenRows]:
        """Yield rows without a field that no record of another type can complete."""
        if self._required is not None and rows[self._required.field].null_count:
            missing = pc.is_null(rows[self._required.field]).to_numpy(zero_copy_only=False)
            yield BrokenRows(self._required.field, self._required.words_when_missing, missing)

    def finish(self) -> None:
        """Refuse repeated records, and close the file."""
        if self._out is not None:
            # Closed first because repetitions are only known once all rows have been read.
            self._out.close()
        if self._notes.find_repeated():
            self._take_out_repeated()

    def _write(self, rows: pa.Table, is_kept: Bools) -> None:
        self.written += int(is_kept.sum())
        if self._out is not None:
            self._out.write(rows if is_kept.all() else rows.filter(pa.array(is_kept)))

    def _take_out_repeated(self) -> None:
        """Refuse repeated rows, and rewrite the file without them."""
        self.written, former = 0, self._out
        if former is not None:
            self._out = BlockFile(self._working / former.file.name, self._schema)
        written = former.blocks() if former else iter(())
        for notes, repeated in self._notes.blocks():
            is_kept = notes["is_kept"]
            if not is_kept.any():  # the block wrote no rows, so it has no row group
                continue
            rows = next(written, None)
            self._refuse(notes[is_kept], repeated[is_kept], rows)
            if rows is None:
                self.written += int((is_kept & ~repeated).sum())
            else:
                self._write(rows, ~repeated[is_kept])
        if self._out is not None and former is not None:
            self._out.close()
            self._out.file.replace(former.file)

    def _refuse(self, notes: Any, repeated: Bools, rows: pa.Table | None) -> None:
        names = rows.column_names if rows else []
        stood = {name: rows[name].combine_chunks() for name in names} if rows else {}
        column, what = repeated_in(self.name)
        for number in np.unique(notes["source"][repeated]).tolist():
            broken = BrokenRows(column, what, repeated & (notes["source"] == number))
            source = self._sources[number]
            self._refused.add(self.name, source, notes["place"], [broken], stood)


def _look(column: pa.Array, limit: Limits) -> bool:
    """Return whether a quick check shows that a column satisfies its limits, as most do."""
    if limit.required and column.null_count:
        return False
    given = column.drop_null() if pa.types.is_string(column.type) else column
    listed = limit.choices or (limit.codes and limit.codes[1])
    if listed:  # every listed value also matches the field's pattern
        return bool(pc.all(pc.is_in(given, pa.array(sorted(listed)))).as_py() is not False)
    return is_surely_sound(given, limit)
