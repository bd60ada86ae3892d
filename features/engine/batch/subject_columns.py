"""Subjects of one kind from record blocks, in the order of their declaration."""

import numpy as np

from features.derived.shipment import join_journeys
from features.derived.subject import derived_columns
from features.engine.batch.gather import picked_rows
from features.engine.batch.linked_rows import ROW
from features.engine.batch.record_blocks import RecordBlocks, read_whole
from features.engine.columns import Column, Columns, Places, rows
from features.engine.string_table import VOCABULARY
from features.engine.windows.entity_key import in_order_of_knowledge
from features.ingest.contract import IDENTITY
from features.records import RECORD_FILES, Journey, SubjectKind
from features.subject_types import SUBJECT_TYPES

OWN: dict[SubjectKind, str] = {kind: each.record_file for kind, each in SUBJECT_TYPES.items()}
_ALWAYS = {"subject_id", "known_at", "declared_at"}


def read_subjects(kind: SubjectKind, records: RecordBlocks, wanted: set[str]) -> Columns:
    """Every subject of one kind, ordered by declaration and then by id, with the wanted columns.

    `wanted` are names of columns that subjects have; nothing else of a record is read.
    """
    wanted = wanted | _ALWAYS
    own = read_whole(records, OWN[kind], fields_read_of(OWN[kind], kind, wanted))
    own = picked_rows(own, _in_order(own["declared_at"], own[IDENTITY[OWN[kind]][0]]))
    if SUBJECT_TYPES[kind].has_journey and (joined := fields_read_of("journeys", kind, wanted)):
        own |= join_journeys(own, read_whole(records, "journeys", joined))
    subjects = own | derived_columns(kind, frozenset(wanted)).run(own)
    return {name: column for name, column in subjects.items() if name in wanted}


def fields_read_of(record: str, kind: SubjectKind, wanted: set[str]) -> set[str]:
    """The fields of a record type that the wanted columns of subjects of one kind are made of."""
    wanted = wanted | _ALWAYS
    of_journey = {f for f in Journey.model_fields if f"journey_{f}" in wanted}
    if record != OWN[kind]:
        return of_journey and of_journey | {"journey_id", "declared_at"}
    read = {*derived_columns(kind, frozenset(wanted)).columns, *wanted}
    if of_journey:
        read.add("journey_id")
    return read & RECORD_FILES[record].model_fields.keys()


def _in_order(declared_at: Column, ids: Column) -> Column:
    rows = np.arange(len(ids))
    ordered = in_order_of_knowledge({"known_at": declared_at, "record_id": ids, "row": rows})
    return ordered["row"]


def outcome_events(kind: SubjectKind, subjects: Columns, outcomes: Columns) -> Columns:
    """One event per conclusive inspection of a subject that is there, with its columns.

    Known once both the finding and the subject's own record are; in that order, and within an
    instant by the subject's id; each with the row of its subject.
    """
    is_conclusive = (outcomes["subject_kind"] == VOCABULARY.code(kind)) & (
        outcomes["result"] != VOCABULARY.code("inconclusive")
    )
    found = rows(outcomes, is_conclusive)
    place = Places(subjects["subject_id"]).of(found["subject_id"])
    found, place = rows(found, place >= 0), place[place >= 0]
    events = picked_rows(subjects, place) | {
        "record_id": found["subject_id"],
        ROW: place,
        "known_at": np.maximum(found["known_at"], subjects["declared_at"][place]),
        "is_confirmed": (found["result"] == VOCABULARY.code("confirmed")).astype(np.float64),
    }
    return in_order_of_knowledge(events)
