"""No derived column without a table of facts: the place to write them is named by what fails."""

import importlib
from collections.abc import Iterator

import pytest

from features.derived.subject import derived_columns
from features.engine.expressions.program import Program
from features.linked_records import LINKED_RECORD_TYPES
from features.records import RECORD_FILES, VERSION_FIELDS, Journey, SubjectKind

CARRIED = {"subject_id", "known_at", "record_id"}
"""Columns that only carry a field of the record by another name: one value shows it."""

Need = tuple[str, SubjectKind, str]
"""The test module of a column, by what it is a column of; the kind of subject; the column."""


def needs() -> Iterator[Need]:
    """Every column that is derived, apart from those that a record has itself."""
    yield from derived("journey", "route", "journeys", derived_columns("route"))
    yield from derived("shipment", "shipment", "shipments", derived_columns("shipment"))
    of_journeys = [name for name in Journey.model_fields if name not in VERSION_FIELDS]
    yield from (("journey", "shipment", f"journey_{name}") for name in of_journeys)
    for record_type in LINKED_RECORD_TYPES.values():
        for kind in record_type.kinds:
            name = record_type.name.removesuffix("s")
            yield from derived(name, kind, record_type.name, record_type.program(kind))


def derived(name: str, kind: SubjectKind, file: str, program: Program) -> Iterator[Need]:
    for column in program.outputs:
        if column not in RECORD_FILES[file].model_fields:
            yield name, kind, str(column)


def values_of(need: Need) -> set[str]:
    """What the facts of a column expect; of what is attached to a subject, each value by itself."""
    name, kind, column = need
    try:
        module = importlib.import_module(f"tests.features.derived.test_{name}_columns")
    except ModuleNotFoundError:
        return set()
    expected = [fact.expected for fact in module.FACTS.get(column, ()) if fact.kind == kind]
    return {repr(value) for e in expected for value in (e if isinstance(e, list) else [e])}


@pytest.mark.parametrize("need", [*needs()], ids=": ".join)
def test_a_derived_column_has_facts_that_tell_values_apart(need: Need) -> None:
    name, kind, column = need
    table = f"FACTS[{column!r}] in tests/features/derived/test_{name}_columns.py"

    assert len(values_of(need)) >= (1 if column in CARRIED else 2), (
        f"{table}: want more of a {kind}"
    )
