"""Trace, run and compare columns of a linked record relative to its subject.

A column of a linked record is derived by a program from the record's columns and, as
`SubjectColumn`, those of its subject. A comparison is 1, 0, or NaN if a side is missing.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from features.derived.subject import subject_kinds
from features.engine.columns import (
    NO_INSTANT,
    Column,
    Columns,
    Kind,
    is_before,
    is_missing,
    places,
    rows,
    take_or_missing,
)
from features.engine.expressions.program import Key, Program, traced_columns
from features.engine.expressions.trace import Mapped
from features.records import SubjectKind

# Prefix of the columns of the preceding record.
PREVIOUS = "previous_"
# The column that is 1 if a later version of the same document is known, else 0.
IS_SUPERSEDED = "is_superseded"


@dataclass(frozen=True)
class SubjectColumn:
    """The key of a subject's column in a program over the columns of its linked records."""

    name: str


def subject_key(key: Key) -> Key | None:
    """Return the subject's own key for a key of a program; None for keys of the record."""
    if isinstance(key, Mapped) and isinstance(key.key, SubjectColumn):
        return replace(key, key=key.key.name)
    return key.name if isinstance(key, SubjectColumn) else None


def trace_beside_subject(
    derive: Callable[[Columns, Columns], Columns],
    record_kinds: Mapping[str, Kind],
    kind: SubjectKind,
    columns: Collection[str] | None,
) -> Program:
    """Return the program that derives some or all columns of a linked record and its subject."""
    of_subject = subject_kinds(kind)

    def derive_both(given: dict[str | SubjectColumn, Column]) -> Columns:
        record = {name: given[name] for name in record_kinds}
        return derive(record, {name: given[SubjectColumn(name)] for name in of_subject})

    kinds: dict[Key, Kind] = {**record_kinds}
    kinds |= {SubjectColumn(name): subject_kind for name, subject_kind in of_subject.items()}
    return traced_columns(derive_both, kinds, columns)


def run_beside_subjects(
    program: Program, records: Columns, subject_ids: Column, subjects: Columns
) -> Columns:
    """Return the columns that a program derives of records, each relative to its subject's row."""
    where = places(subject_ids, subjects["subject_id"])
    read = [key for key in program.columns if isinstance(key, SubjectColumn)]
    return program.run(records | {key: take_or_missing(subjects[key.name], where) for key in read})


def known_before(
    records: Columns, subject_ids: Column, known_at: Column, until: Column, subjects: Columns
) -> Columns:
    """Return the records known before their subject's instant and not ended before it (`until`)."""
    instants = take_or_missing(subjects["declared_at"], places(subject_ids, subjects["subject_id"]))
    counts = is_before(known_at, instants)
    # `until` is empty if no record was ever ended.
    return rows(records, counts & (until >= instants) if len(until) else counts)


def with_previous(
    records: Columns, subject_field: str, order_field: str, missing: Mapping[str, object]
) -> Columns:
    """Return records sorted by subject and order, with fields of the preceding record.

    `missing` maps these fields to the values for a subject's first record.
    """
    ordered = rows(records, np.lexsort((records[order_field], records[subject_field])))
    subject_ids = ordered[subject_field]
    return ordered | {
        f"{PREVIOUS}{name}": _previous(ordered[name], subject_ids, value)
        for name, value in missing.items()
    }


def with_versions(
    records: Columns,
    subject_field: str,
    version_of: Sequence[str],
    missing: Mapping[str, object],
) -> Columns:
    """Return records in their order, with fields of the previous version and `is_superseded`.

    Records of a subject that are equal in `version_of` are versions of one document, in the order
    of `version`; missing values are equal. `missing` is as in `with_previous`.
    """
    of_paper = [records[name] for name in (*version_of[::-1], subject_field)]
    order = np.lexsort((records["version"], *of_paper))
    first = _begins(*(column[order] for column in of_paper))
    papers = np.cumsum(first) - 1
    version = records["version"][order]
    last = version[np.append(np.flatnonzero(first)[1:], len(order)) - 1] if len(order) else version
    made = {IS_SUPERSEDED: flag(version < last[papers])} | {
        f"{PREVIOUS}{name}": _previous(records[name][order], papers, value)
        for name, value in missing.items()
    }
    # Back to the original order.
    back = np.argsort(order, kind="stable")
    return records | {name: column[back] for name, column in made.items()}


def flag(condition: Column) -> Column:
    """Return a condition as 0 or 1."""
    return condition.astype(np.float64)


def differs(stated: Column, declared: Column) -> Column:
    """Return whether two values differ; NaN if either is missing."""
    return np.where(is_missing(stated) | is_missing(declared), np.nan, stated != declared)


def is_none_of(values: Column, others: list[Column]) -> Column:
    """Return whether a value equals none of the others; NaN if it is missing.

    A missing other value is never equal.
    """
    equals_one = reduce(np.logical_or, [values == other for other in others])
    return np.where(is_missing(values), np.nan, ~equals_one)


def is_earlier(instants: Column, limit: Column) -> Column:
    """Return whether an instant is before a limit; NaN if either is missing."""
    is_known = (instants != NO_INSTANT) & (limit != NO_INSTANT)
    return np.where(is_known, instants < limit, np.nan)


def _begins(*columns: Column) -> Column:
    """Return flags of sorted rows that differ from the preceding row; the first row always does."""
    differs = [column[1:] != column[:-1] for column in columns]
    first = np.ones(len(columns[0]), np.bool_)
    first[1:] = reduce(np.logical_or, differs)
    return first


def _previous(values: Column, groups: Column, missing: object) -> Column:
    """Return the value of the preceding row in the same group of sorted rows."""
    before = np.roll(values, 1)
    if len(groups):
        before[np.concatenate([[True], groups[1:] != groups[:-1]])] = missing
    return before
