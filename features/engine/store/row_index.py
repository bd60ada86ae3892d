"""Rows of records by id, for later records that join or end them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from features.engine.columns import NO_INSTANT, Column, Kind, is_missing
from features.engine.store.blob_store import BlobReader, BlobTransaction
from features.engine.store.raw_columns import RawColumns, Texts, text_column


@dataclass(frozen=True)
class RowIndex:
    """Stored records of one type with some columns, under a common key prefix.

    `identity` is the column of ids. If `versions_replace`, a later version of a record ends earlier
    ones.
    """

    prefix: bytes
    identity: str
    kinds: Mapping[str, Kind]
    versions_replace: bool = True

    def is_new(self, store: BlobReader, ids: Sequence[str]) -> list[bool]:
        """Return for each id whether it is neither stored nor earlier in the list."""
        return are_new(store, self._keys(ids))

    def put(self, store: BlobTransaction, records: RawColumns) -> None:
        """Store records, replacing rows with the same ids."""
        # JSON keeps texts independent of the string table, whose codes differ by process.
        blobs = map(orjson.dumps, self.values(records))
        store.put(zip(self._keys(text_column(records, self.identity)), blobs, strict=True))

    def of(self, store: BlobReader, ids: Iterable[str]) -> RawColumns:
        """Return the stored ones of these records, ordered by id."""
        blobs = store.get(self._keys(sorted(set(ids))))
        return self.columns([orjson.loads(blob) for blob in blobs if blob is not None])

    def values(self, records: RawColumns) -> list[list[Any]]:
        """Return the columns of each record as JSON values, None where missing."""
        columns = (_json_values(records[name]) for name in self.kinds)
        return [[*row] for row in zip(*columns, strict=True)]

    def columns(self, rows: Sequence[Sequence[Any]]) -> RawColumns:
        """Return the columns of such rows."""
        # No rows still give a column of each kind.
        values = list(zip(*rows, strict=True)) or [()] * len(self.kinds)
        return {
            name: _column(column, kind)
            for (name, kind), column in zip(self.kinds.items(), values, strict=True)
        }

    def _keys(self, ids: Sequence[str]) -> list[bytes]:
        return [self.prefix + id_.encode() for id_ in ids]


def are_new(store: BlobReader, keys: Sequence[bytes]) -> list[bool]:
    """Return for each key whether it is neither in the store nor earlier in the list."""
    earlier: set[bytes] = set()
    is_first = []
    for key, blob in zip(keys, store.get(keys), strict=True):
        is_first.append(blob is None and key not in earlier)
        earlier.add(key)
    return is_first


def _json_values(column: Texts | Column) -> list[Any]:
    if isinstance(column, list):
        return column
    is_absent = is_missing(column).tolist()
    return [None if gone else value for value, gone in zip(column.tolist(), is_absent, strict=True)]


def _column(values: Sequence[Any], kind: Kind) -> Texts | Column:
    if kind is Kind.TEXT:
        return list(values)
    absent = np.nan if kind.is_float else NO_INSTANT
    return np.array([absent if value is None else value for value in values], kind.value)
