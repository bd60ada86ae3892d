"""Interface to records as the batch engine reads them, a block of rows at a time."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from features.engine.batch.amendments import Amendments
from features.engine.columns import Column, Columns, Records


class RecordBlocks(Protocol):
    """Records of every type, whatever their storage."""

    def count(self, name: str) -> int:
        """Return the number of records of a type."""

    def blocks(self, name: str, fields: Sequence[str]) -> Iterator[Columns]:
        """Yield columns of a record type in blocks of rows, in the order of the file."""

    def texts(self, name: str, field: str, places: Column) -> list[str]:
        """Return a text column at some rows of the file; meant for few rows."""

    def amendments(self, name: str) -> Amendments:
        """Return the rows of a record type that other versions end, and the instants."""


class CachedRecords:
    """Records of which some types are read once, with all fields that any reader needs."""

    def __init__(self, records: RecordBlocks, fields: Mapping[str, Collection[str]]) -> None:
        self._records = records
        self._fields = fields
        self._columns: Records = {}

    def count(self, name: str) -> int:
        """Return the number of records of a type."""
        return self._records.count(name)

    def blocks(self, name: str, fields: Sequence[str]) -> Iterator[Columns]:
        """Yield columns of a record type; a cached type comes as one block."""
        if name not in self._fields:
            yield from self._records.blocks(name, fields)
            return
        if name not in self._columns:
            self._columns[name] = read_whole(self._records, name, self._fields[name])
        yield {field: self._columns[name][field] for field in fields}

    def texts(self, name: str, field: str, places: Column) -> list[str]:
        """Return a text column at some rows."""
        return self._records.texts(name, field, places)

    def amendments(self, name: str) -> Amendments:
        """Return the rows of a record type that other versions end, and the instants."""
        return self._records.amendments(name)


def read_whole(records: RecordBlocks, name: str, fields: Iterable[str]) -> Columns:
    """Return all rows of some columns of a record type."""
    names = sorted(fields)
    blocks = list(records.blocks(name, names))
    if len(blocks) == 1:
        return blocks[0]
    return {field: np.concatenate([block.pop(field) for block in blocks]) for field in names}
