"""Columns of a linked record relative to its subject: how they are traced, run and compared.

A column of a linked record is derived by a program over the record's columns and, by
`SubjectColumn`, those of its subject. A comparison is 1, 0 or NaN where a side is missing.
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

# What the columns of the record before begin with.
PREVIOUS = "previous_"
# The column that says whether a later version of the same paper is known: 0 or 1.
IS_SUPERSEDED = "is_superseded"


@dataclass(frozen=True)
class SubjectColumn:
    """The key of a subject's column in a program over the columns of its linked records."""

    name: str


def subject_key(key: Key) -> Key | None:
    """The subject's own key for what a program reads of it; None for what it reads of a record."""
    if isinstance(key, Mapped) and isinstance(key.key, SubjectColumn):
        return replace(key, key=key.key.name)
    return key.name if isinstance(key, SubjectColumn) else None


def trace_beside_subject(
    derive: Callable[[Columns, Columns], Columns],
    record_kinds: Mapping[str, Kind],
    kind: SubjectKind,
    columns: Collection[str] | None,
) -> Program:
    """The program that derives some columns of a linked record and its subject, or all of them."""
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
    """Return what a program derives of records, each relative to its subject's row."""
    where = places(subject_ids, subjects["subject_id"])
    read = [key for key in program.columns if isinstance(key, SubjectColumn)]
    return program.run(records | {key: take_or_missing(subjects[key.name], where) for key in read})


def known_before(
    records: Columns, subject_ids: Column, known_at: Column, until: Column, subjects: Columns
) -> Columns:
    """The records known before their subject's instant, and not ended before it (`until`)."""
    instants = take_or_missing(subjects["declared_at"], places(subject_ids, subjects["subject_id"]))
    counts = is_before(known_at, instants)
    return rows(records, counts & (until >= instants) if len(until) else counts)


def with_previous(
    records: Columns, subject_field: str, order_field: str, missing: Mapping[str, object]
) -> Columns:
    """Records sorted by subject and order, each with fields of the one before of its subject.

    `missing` names those fields, with what stands there for a subject's first record.
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
    """Records in their order, each with fields of the version before it, and `is_superseded`.

    Those of a subject that equal in `version_of` are versions of one paper, in the order of
    `version`; a missing value equals a missing one. `missing` is as `with_previous` takes it.
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
    back = np.argsort(order, kind="stable")
    return records | {name: column[back] for name, column in made.items()}


def flag(condition: Column) -> Column:
    """A condition as 0 or 1."""
    return condition.astype(np.float64)


def differs(stated: Column, declared: Column) -> Column:
    """Return whether both are given and differ."""
    return np.where(is_missing(stated) | is_missing(declared), np.nan, stated != declared)


def is_none_of(values: Column, others: list[Column]) -> Column:
    """Return whether a given value equals none of the others; a missing other is never equal."""
    equals_one = reduce(np.logical_or, [values == other for other in others])
    return np.where(is_missing(values), np.nan, ~equals_one)


def is_earlier(instants: Column, limit: Column) -> Column:
    """Return whether an instant lies before a limit."""
    is_known = (instants != NO_INSTANT) & (limit != NO_INSTANT)
    return np.where(is_known, instants < limit, np.nan)


def _begins(*columns: Column) -> Column:
    """Return where sorted rows differ from the row before in one of the columns; so does the
    first.
    """
    differs = [column[1:] != column[:-1] for column in columns]
    first = np.ones(len(columns[0]), np.bool_)
    first[1:] = reduce(np.logical_or, differs)
    return first


def _previous(values: Column, groups: Column, missing: object) -> Column:
    """The value of the row before in the same group of sorted rows."""
    before = np.roll(values, 1)
    if len(groups):
        before[np.concatenate([[True], groups[1:] != groups[:-1]])] = missing
    return before
