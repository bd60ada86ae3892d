"""Combine the columns of a subject: fields of its record, derived ones, those of its journey.

Every subject has `subject_id` and `declared_at`, the scoring instant. Columns that follow from a
single record are derived once on entry; features and windows only read them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from features.derived.journey import derive_journey
from features.derived.shipment import derive_shipment, join_journeys
from features.engine.columns import Columns, Kind, Records, kinds_of
from features.engine.expressions.program import Program, traced_columns
from features.records import (
    RECORD_FILES,
    SUBJECT_KINDS,
    VERSION_FIELDS,
    Journey,
    SubjectKind,
)
from features.subject_types import SUBJECT_TYPES

# The function that derives the columns of a subject from its own record.
DERIVE_BY_KIND: Mapping[SubjectKind, Callable[[Columns], Columns]] = MappingProxyType(
    {"route": derive_journey, "shipment": derive_shipment}
)


class LatestField(NamedTuple):
    """A field, or a measured number, from the last known record of a subject that states it.

    Documents may be limited to one `kind`; other records to those known before the declaration
    (`is_before_declaration`). Subjects of the kinds `subjects` have the column.
    """

    record_file: str
    field: str
    kind: str | None = None
    is_before_declaration: bool = False
    subjects: tuple[SubjectKind, ...] = SUBJECT_KINDS

    @property
    def where(self) -> str | None:
        """Return the column that selects the records; None for all of them."""
        return None if self.kind is None else f"is_{self.kind}"


# Columns that a subject takes from the last of its linked records.
LATEST_FIELDS: Mapping[str, LatestField] = MappingProxyType(
    {
        "latest_payer_id": LatestField("transactions", "payer_id"),
        "latest_payee_id": LatestField("transactions", "payee_id"),
        "latest_amount": LatestField("transactions", "amount"),
        "latest_currency": LatestField("transactions", "currency"),
        "latest_permit_number": LatestField("documents", "number", "permit"),
        "latest_drift_cell": LatestField(
            "positions", "drift_cell", is_before_declaration=True, subjects=("route",)
        ),
    }
)


def derive_subjects(kind: SubjectKind, records: Records) -> Columns:
    """Return the subjects of one kind with all their columns, in the order of their records."""
    subject_type = SUBJECT_TYPES[kind]
    own = records[subject_type.record_file]
    joined = join_journeys(own, records["journeys"]) if subject_type.has_journey else {}
    return own | joined | derived_columns(kind).run(own)


@cache
def derived_columns(kind: SubjectKind, columns: frozenset[str] | None = None) -> Program:
    """Return the program that derives columns from a subject's own record.

    It derives those among `columns`, or all of them.
    """
    return traced_columns(DERIVE_BY_KIND[kind], record_kinds(kind), columns)


def record_kinds(kind: SubjectKind) -> dict[str, Kind]:
    """Return the kind of each column of a subject's own record."""
    return kinds_of(SUBJECT_TYPES[kind].record)


@cache
def subject_kinds(kind: SubjectKind) -> dict[str, Kind]:
    """Return the kind of each column of a subject."""
    derived = {name: column.kind for name, column in derived_columns(kind).outputs.items()}
    latest = {
        name: kinds_of(RECORD_FILES[each.record_file]).get(each.field, Kind.NUMBER)
        for name, each in LATEST_FIELDS.items()
        if kind in each.subjects
    }
    fields = kinds_of(Journey) if SUBJECT_TYPES[kind].has_journey else {}
    journey = {f"journey_{n}": of for n, of in fields.items() if n not in VERSION_FIELDS}
    return journey | record_kinds(kind) | derived | latest
