"""The columns of a subject: its record's fields, the derived ones, those of its journey.

Two columns every subject has: `subject_id` and `declared_at`, the scoring instant. What can be
derived from a single record on entry is derived once; features and windows only read it.
"""

from functools import cache

from features.derived.shipment import join_journeys
from features.engine.columns import Columns, Kind, Records, kinds_of
from features.engine.expressions.program import Program, traced_columns
from features.records import Journey, SubjectKind
from features.subject_types import SUBJECT_TYPES

LATEST_PAYMENT = {"latest_payer_id": "payer_id", "latest_payee_id": "payee_id"}
"""Columns that a subject takes from the last of its payments, with the payment's column."""


def derive_subjects(kind: SubjectKind, records: Records) -> Columns:
    """The subjects of one kind with all their columns, in the order of their records."""
    subject_type = SUBJECT_TYPES[kind]
    own = records[subject_type.record_file]
    joined = join_journeys(own, records["journeys"]) if subject_type.has_journey else {}
    return own | joined | derived_columns(kind).run(own)


@cache
def derived_columns(kind: SubjectKind, columns: frozenset[str] | None = None) -> Program:
    """The program that derives columns from the fields of a subject's own record.

    It derives those among `columns`, or every one.
    """
    return traced_columns(SUBJECT_TYPES[kind].derive, record_kinds(kind), columns)


def record_kinds(kind: SubjectKind) -> dict[str, Kind]:
    """What each column of a subject's own record holds."""
    return kinds_of(SUBJECT_TYPES[kind].record)


@cache
def subject_kinds(kind: SubjectKind) -> dict[str, Kind]:
    """What each column of a subject holds."""
    derived = {name: column.kind for name, column in derived_columns(kind).outputs.items()}
    latest = dict.fromkeys(LATEST_PAYMENT, Kind.TEXT)
    fields = kinds_of(Journey) if SUBJECT_TYPES[kind].has_journey else {}
    journey = {f"journey_{name}": field_kind for name, field_kind in fields.items()}
    return journey | record_kinds(kind) | derived | latest
