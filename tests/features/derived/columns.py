"""Facts about derived columns: what is made of a subject's record, and of what is attached to it.

A test module here holds `FACTS`: a table of facts for each column, in the stories of
`tests.features.families.facts`. A fact about a subject expects one value; a fact about attached
records expects a list, one value for each that is attached, in the order of knowledge.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from features.derived.outcome import outcome_events
from features.derived.subject import derive_subjects
from features.engine.batch.paired_windows import numbers_of_history
from features.engine.columns import (
    Column,
    Columns,
    Records,
    columns_of_records,
    instant_at,
    is_missing,
    is_text,
    places,
    take_or_missing,
)
from features.engine.string_table import STRING_TABLE
from features.event_sources import event_sources
from features.linked_records import linked_events
from features.records import RECORD_FILES, SubjectKind
from tests.features.families.facts import Fact, Record, mistake


def column_of_subject(kind: SubjectKind, column: str, *records: Record) -> Any:
    """A column of the subject of a story; None where it is missing."""
    subjects = derive_subjects(kind, _columns(records))
    (value,) = _values(subjects[column][subjects["subject_id"] == _own_code(kind)])
    return value


def columns_of_linked(source: str, kind: SubjectKind, column: str, *records: Record) -> list[Any]:
    """A column of what is attached to the subject of a story, in the order of knowledge."""
    columns = _columns(records)
    subjects = derive_subjects(kind, columns)
    columns[source] |= _numbers_of_history(source, kind, subjects, columns)
    events = linked_events(kind, subjects, columns)[source]
    return _values(events[column][events["subject_id"] == _own_code(kind)])


def _numbers_of_history(
    source: str, kind: SubjectKind, subjects: Columns, columns: Records
) -> Columns:
    """What records have of the history that is in the story."""
    linked = event_sources(kind).linked[source]
    events = {f"{kind}_outcomes": outcome_events(kind, subjects, columns["outcomes"])}
    own = places(columns[source][linked.subject_field], subjects["subject_id"])
    return numbers_of_history(
        linked.histories, events, columns[source], take_or_missing(subjects["declared_at"], own)
    )


def check_of_subject(column: str, facts: Sequence[Fact]) -> None:
    """Fail, naming the column and each case in which that of the subject is something else."""
    _check(column, facts, lambda fact: column_of_subject(fact.kind, column, *fact.records))


def check_of_linked(source: str, column: str, facts: Sequence[Fact]) -> None:
    """Fail, naming the column and each case in which that of attached records differs."""
    _check(column, facts, lambda fact: columns_of_linked(source, fact.kind, column, *fact.records))


def _check(column: str, facts: Sequence[Fact], find: Callable[[Fact], Any]) -> None:
    wrong = (mistake(column, fact, find(fact), _is_same) for fact in facts)
    assert not (found := [*filter(None, wrong)]), "\n".join(found)


def _is_same(found: Any, expected: Any) -> bool:
    """Numbers within a millionth, as facts are worked out by hand; all else exactly."""
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(_is_same, found, expected))
    if isinstance(found, float) and isinstance(expected, int | float):
        return math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9)
    return bool(found == expected)


def _columns(records: tuple[Record, ...]) -> dict[str, Columns]:
    return {
        name: columns_of_records([of(**r.row) for r in records if r.file == name], of)
        for name, of in RECORD_FILES.items()
    }


def _own_code(kind: SubjectKind) -> int:
    return STRING_TABLE.code("J" if kind == "route" else "S")


def _values(column: Column) -> list[Any]:
    """Numbers, texts and instants (the only whole numbers) as facts have them."""
    if is_text(column):
        return [STRING_TABLE.text(code) for code in column.tolist()]
    of = float if column.dtype.kind == "f" else instant_at
    return [
        None if is_absent else of(value)
        for value, is_absent in zip(column.tolist(), is_missing(column), strict=True)
    ]
