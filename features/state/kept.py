"""Rows of subjects in the store, by their id, for what arrives later and belongs beside them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from features.columns import NO_INSTANT, Column, Columns, columns_of_records, is_missing, is_text
from features.records import RECORD_FILES, SubjectKind
from features.state.keys import texts_of
from features.state.store import Reading, Writing
from features.subjects import subjects_of
from features.vocabulary import VOCABULARY

_KIND: dict[SubjectKind, bytes] = {"route": b"j", "shipment": b"h"}


@dataclass(frozen=True)
class Kept:
    """Subjects of one kind with some of their columns; `subject_id` is always one."""

    kind: SubjectKind
    names: tuple[str, ...]

    def is_new(self, store: Reading, ids: Sequence[str]) -> list[bool]:
        """Which ids are neither kept nor stand earlier among these."""
        return first_of(store, self._keys(ids))

    def put(self, store: Writing, subjects: Columns) -> None:
        """Keep subjects, in place of rows with their ids."""
        columns = (_plain(subjects[name]) for name in self.names)
        blobs = (json.dumps(row).encode() for row in zip(*columns, strict=True))
        ids = VOCABULARY.texts_of(subjects["subject_id"])
        store.put(zip(self._keys(ids), blobs, strict=True))

    def of(self, store: Reading, ids: Iterable[str]) -> Columns:
        """The kept ones of these subjects, in no order; columns that are not kept are absent."""
        blobs = store.get(self._keys(sorted(set(ids))))
        kept = [json.loads(bytes(blob)) for blob in blobs if blob is not None]
        values = list(zip(*kept, strict=True)) or [()] * len(self.names)
        kinds = _kinds(self.kind)
        return {
            name: _column(column, kinds[name])
            for name, column in zip(self.names, values, strict=True)
        }

    def _keys(self, ids: Sequence[str]) -> list[bytes]:
        return [_KIND[self.kind] + id_.encode() for id_ in ids]


def first_of(store: Reading, keys: Sequence[bytes]) -> list[bool]:
    """Which keys are neither in the store nor earlier among these."""
    seen: set[bytes] = set()
    is_first = []
    for key, blob in zip(keys, store.get(keys), strict=True):
        is_first.append(blob is None and key not in seen)
        seen.add(key)
    return is_first


@cache
def _kinds(kind: SubjectKind) -> dict[str, np.dtype[Any]]:
    empty = {name: columns_of_records([], record) for name, record in RECORD_FILES.items()}
    return {name: column.dtype for name, column in subjects_of(kind, empty).items()}


def _plain(column: Column) -> list[Any]:
    """The values of a column as JSON has them, None for a missing one."""
    if is_text(column):
        return texts_of(column)
    is_absent = is_missing(column).tolist()
    return [None if gone else value for value, gone in zip(column.tolist(), is_absent, strict=True)]


def _column(values: Sequence[Any], kind: np.dtype[Any]) -> Column:
    if kind == np.int32:
        return VOCABULARY.codes(list(values))
    absent = NO_INSTANT if kind == np.int64 else np.nan
    return np.array([absent if value is None else value for value in values], kind)
