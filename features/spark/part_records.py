"""Records of one part, with the interface of a record folder."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

import numpy as np
import pyarrow as pa

from features.arrow_schema import arrow_schema
from features.engine.batch.amendments import Amendments, no_amendments
from features.engine.columns import Column, Columns, columns_of_table
from features.errors import RecordsSuspected
from features.ingest.completed_fields import COMPLETED_FIELDS
from features.records import RECORD_FILES
from features.spark.part_messages import part_name, unpack_columns
from features.spark.scan_records import (
    AMENDED_AT,
    AMENDED_UNTIL,
    FILE_ROW,
    IDENTITIES,
    IS_AMENDED,
    RECORDS,
)

JOINED = "joined"


class PartRecords:
    """Records of all types that were sent to one part, in the order of their files.

    Raises RecordsSuspected if two may have the same id, or if one contradicts another.
    """

    def __init__(self, tables: Mapping[str, Sequence[pa.Table]]) -> None:
        self._tables = tables
        self._columns: dict[tuple[str, str], Column] = {}

    @classmethod
    def received(
        cls, messages: Iterable[pa.Table], joined: str, sound: frozenset[str]
    ) -> tuple[Self, Self]:
        """Return the records of a part; and the same with the `joined` records that they name."""
        tables: dict[str, dict[str, list[pa.Table]]] = defaultdict(lambda: defaultdict(list))
        for table in messages:
            what, _, name = part_name(table).partition(":")
            tables[what][name].append(table)
        for name, identities in tables[IDENTITIES].items():
            # Equal hashes only suggest equal ids; the driver reads the file again to be sure.
            hashes = np.sort(unpack_columns(identities)[IDENTITIES])
            if name not in sound and (hashes[1:] == hashes[:-1]).any():
                raise RecordsSuspected(name)
        own = cls(tables[RECORDS])
        own._complete(sound)
        others = cls(tables[RECORDS] | {joined: tables[JOINED][joined]})
        # Reuse encoded columns, except of the joined type, which has other rows.
        others._columns = {key: c for key, c in own._columns.items() if key[0] != joined}
        return own, others

    def count(self, name: str) -> int:
        """Return the number of records of a type."""
        return sum(len(table) for table in self._tables.get(name, ()))

    def blocks(self, name: str, fields: Sequence[str]) -> Iterator[Columns]:
        """Yield all rows as one block."""
        yield {field: self._column(name, field) for field in fields}

    def texts(self, name: str, field: str, places: Column) -> list[str]:
        """Return texts of a column at some rows."""
        texts = pa.concat_tables([table.select([field]) for table in self._tables[name]])[field]
        return [str(text) for text in texts.take(pa.array(places)).to_pylist()]

    def amendments(self, name: str) -> Amendments:
        """Return the rows of a record type whose lifetime other versions end, and the instants."""
        tables = self._tables.get(name, ())
        if not tables or IS_AMENDED not in tables[0].column_names:
            return no_amendments()
        columns = unpack_columns(tables, (IS_AMENDED, AMENDED_AT, AMENDED_UNTIL))
        rows = np.flatnonzero(columns[IS_AMENDED])
        return Amendments(rows, columns[AMENDED_AT][rows], columns[AMENDED_UNTIL][rows])

    def rows_of_file(self, name: str) -> Column:
        """Return the row of each record in its file, if the scan numbered them."""
        if tables := self._tables.get(name):
            return unpack_columns(tables, [FILE_ROW])[FILE_ROW]
        return np.zeros(0, np.int64)

    def _column(self, name: str, field: str) -> Column:
        key = name, field
        if key not in self._columns:
            if tables := self._tables.get(name):
                self._columns[key] = unpack_columns(tables, [field])[field]
            else:
                empty = arrow_schema(RECORD_FILES[name]).empty_table().select([field])
                self._columns[key] = columns_of_table(empty)[field]
        return self._columns[key]

    def _complete(self, sound: frozenset[str]) -> None:
        """Fill fields that records of another type state, and check both for contradictions."""
        for name, completed in COMPLETED_FIELDS.items():
            if not self.count(name):
                continue
            (columns,) = self.blocks(name, completed.own_fields)
            (source,) = self.blocks(completed.source, completed.source_fields)
            columns = columns | {completed.field: completed.complete(columns, source)}
            faults = completed.faults(columns, source).values()
            if name not in sound and any(rows.any() for rows in faults):
                raise RecordsSuspected(name)
            self._columns[name, completed.field] = columns[completed.field]


class AskedRecords:
    """Empty records of every type that note which `fields` are read.

    Running a task on them shows the columns it needs.
    """

    def __init__(self) -> None:
        self.fields: dict[str, set[str]] = defaultdict(set)
        for name, completed in COMPLETED_FIELDS.items():
            self.fields[name] |= {*completed.own_fields}
            self.fields[completed.source] |= {*completed.source_fields}

    def count(self, _: str) -> int:
        """Return zero."""
        return 0

    def blocks(self, name: str, fields: Sequence[str]) -> Iterator[Columns]:
        """Note the fields and yield an empty block."""
        self.fields[name] |= {*fields}
        yield columns_of_table(arrow_schema(RECORD_FILES[name]).empty_table().select([*fields]))

    def texts(self, _name: str, _field: str, _places: Column) -> list[str]:
        """Return no texts."""
        return []

    def rows_of_file(self, _: str) -> Column:
        """Return no rows."""
        return np.zeros(0, np.int64)

    def amendments(self, _: str) -> Amendments:
        """Return no amendments."""
        return no_amendments()
