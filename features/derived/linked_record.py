"""Records beside the subject they belong to, and the comparisons made there.

What is made of a record and its subject is a program over the record's columns and, by `OfSubject`,
the subject's. A comparison is 1, 0 or NaN where one of its sides is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from features.catalogue import columns_read
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
    taken,
)
from features.engine.expressions.program import Key, Program, traced_columns
from features.engine.expressions.tracing import Mapped
from features.records import SubjectKind


@dataclass(frozen=True)
class OfSubject:
    """The key of a subject's column, beside the columns of its records."""

    name: str


def of_subject(key: Key) -> Key | None:
    """The subject's own key for what a program reads of it; None for what it reads of a record."""
    if isinstance(key, Mapped) and isinstance(key.key, OfSubject):
        return replace(key, key=key.key.name)
    return key.name if isinstance(key, OfSubject) else None


def seen_beside(
    source: str,
    kind: SubjectKind,
    events: Mapping[str, Kind],
    see: Callable[[Columns, Columns], Columns],
) -> Program:
    """The program of what `see` makes of events and their subjects; what windows read of it.

    The payers and payees are kept too, by which payments are followed.
    """
    subject = subject_kinds(kind)

    def seen(columns: dict[str | OfSubject, Column]) -> Columns:
        return see(
            {name: columns[name] for name in events},
            {name: columns[OfSubject(name)] for name in subject},
        )

    kinds: dict[Key, Kind] = {**events}
    kinds |= {OfSubject(name): held for name, held in subject.items()}
    return traced_columns(seen, kinds, {*columns_read(source), "payer_id", "payee_id"})


def known_before(
    records: Columns, subject_ids: Column, known_at: Column, subjects: Columns
) -> Columns:
    """The records known before their subject's instant."""
    declared_at = taken(subjects["declared_at"], places(subject_ids, subjects["subject_id"]))
    return rows(records, is_before(known_at, declared_at))


def run_beside(
    program: Program, events: Columns, subject_ids: Column, subjects: Columns
) -> Columns:
    """What a program makes of events, each beside its subject's row."""
    where = places(subject_ids, subjects["subject_id"])
    read = [key for key in program.columns if isinstance(key, OfSubject)]
    return program.run(events | {key: taken(subjects[key.name], where) for key in read})


def flag(condition: Column) -> Column:
    """A condition as 0 or 1."""
    return condition.astype(np.float64)


def differs(stated: Column, declared: Column) -> Column:
    """Whether both are given and differ."""
    return np.where(is_missing(stated) | is_missing(declared), np.nan, stated != declared)


def is_none_of(values: Column, others: list[Column]) -> Column:
    """Whether a given value equals none of the others; a missing other is never equal."""
    equals_one = reduce(np.logical_or, [values == other for other in others])
    return np.where(is_missing(values), np.nan, ~equals_one)


def is_earlier(instants: Column, limit: Column) -> Column:
    """Whether an instant lies before a limit."""
    is_known = (instants != NO_INSTANT) & (limit != NO_INSTANT)
    return np.where(is_known, instants < limit, np.nan)


def difference_ppm(stated: Column, declared: Column) -> Column:
    """Difference in whole parts per million of what was declared, at most a thousandfold."""
    relative = np.abs(stated - declared) / np.where(declared > 0, declared, np.nan)
    return np.rint(np.minimum(relative, 1e3) * 1e6)


def previous(values: Column, groups: Column, missing: object) -> Column:
    """The value of the row before in the same group of sorted rows; `missing` for its first row."""
    before = np.roll(values, 1)
    if len(groups):
        before[np.concatenate([[True], groups[1:] != groups[:-1]])] = missing
    return before
