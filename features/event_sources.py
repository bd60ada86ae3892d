"""The sources of events that windows reduce, as the batch engine reads them.

For each type of subject there are the subjects declared earlier (`journeys`, `shipments`) and the
inspection results (`route_outcomes`, `shipment_outcomes`). Other sources are the payments of anyone
(`payments`), the numbered permits of any shipment (`shipment_permits`), the inspection results of
subjects that a party paid for (`paid_outcomes`), and the places where any conveyance drifted
(`drifts`). Records linked to the subject itself are sources named after their record files.
"""

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from features.catalogue import columns_of_source
from features.derived.amended_journeys import join_amended_journeys
from features.derived.document import shipment_permits
from features.derived.outcome import (
    FIELDS_READ,
    PAYMENT_FIELDS_READ,
    outcome_events,
    paid_outcome_events,
)
from features.derived.shipment import join_journeys
from features.derived.subject import derived_columns, subject_kinds
from features.derived.transaction import derive_payment
from features.engine.batch.amendments import Amendments
from features.engine.batch.gather import gather_rows
from features.engine.batch.record_blocks import RecordBlocks, read_whole
from features.engine.batch.sources import (
    EventSources,
    EventStream,
    HeldEvents,
    LatestColumn,
    LinkedSource,
    NetworkSource,
    SubjectHistory,
    SubjectTable,
)
from features.engine.columns import Column, Columns, instant_us, kinds_of, length, rows
from features.engine.expressions.program import Program, traced_columns
from features.engine.windows.event_order import sorted_by_known_at
from features.engine.windows.lifetimes import (
    COUNTS_FROM,
    COUNTS_UNTIL,
    LIFETIME,
    is_first_of_each,
    join_events,
)
from features.linked_records import DRIFT_CELL, LinkedRecordType, linked_record_types
from features.networks.links import (
    JOURNEY_PARTIES,
    LINKS,
    OWN_PARTIES,
    PARTY_OUTCOMES,
    links_of_subjects,
    party_outcomes_of_subjects,
)
from features.networks.neighbourhood import network_windows
from features.records import Document, Journey, Position, SubjectKind, Transaction
from features.subject_types import SUBJECT_TYPES

PAYMENTS, PERMITS, PAID_OUTCOMES = "payments", "shipment_permits", "paid_outcomes"
DRIFTS = "drifts"
_ALWAYS = {"subject_id", "known_at", "declared_at"}


@cache
def event_sources(kind: SubjectKind) -> EventSources:
    """Return everything that windows of subjects of one kind reduce."""
    linked = (_linked_source(record_type, kind) for record_type in linked_record_types(kind))
    return EventSources(
        subjects=_subject_table(kind),
        linked={source.name: source for source in linked},
        streams={each.name: each for each in (_payments(), _permits(), _drifts())},
        histories={source.name: source for own in SUBJECT_TYPES for source in _histories(own)},
        held={PAID_OUTCOMES: HeldEvents(PAID_OUTCOMES, paid_outcomes)},
        network=_network(),
    )


def read_all_subjects(kind: SubjectKind, records: RecordBlocks, columns: frozenset[str]) -> Columns:
    """Return every subject of one kind, by declaration and then id, with some columns.

    Only the necessary fields are read. If any subject was amended or withdrawn there is a row for
    each version, ordered by when it became known, and the columns of `lifetimes`.
    """
    subject_type, columns = SUBJECT_TYPES[kind], columns | _ALWAYS
    fields = subject_fields(kind, columns)
    own = _with_versions(
        read_whole(records, subject_type.record_file, fields[subject_type.record_file]),
        records.amendments(subject_type.record_file),
        subject_type.id_field,
    )
    journeys: Columns = {}
    if subject_type.has_journey and fields.get("journeys"):
        read = read_whole(records, "journeys", fields["journeys"])
        journeys = _with_versions(read, records.amendments("journeys"), "journey_id")
    # Amended journeys split each subject into one row per version of its journey.
    if COUNTS_FROM in journeys:
        own = join_amended_journeys(own, journeys)
    own = gather_rows(own, _in_order(own, own[subject_type.id_field]))
    if journeys and COUNTS_FROM not in journeys:
        own |= join_journeys(own, journeys)
    subjects = own | derived_columns(kind, columns).run(own)
    kept = columns | LIFETIME
    return {name: column for name, column in subjects.items() if name in kept}


def _with_versions(own: Columns, amendments: Amendments, id_field: str) -> Columns:
    """Return subjects without withdrawals, each with the time in which it counts, if amended."""
    if not amendments:
        return own
    declared_at = own["declared_at"]
    until = amendments.until_of(0, len(declared_at))
    lifetime = {COUNTS_FROM: amendments.known_of(declared_at), COUNTS_UNTIL: until}
    own = own | lifetime | {"declared_at": _of_first_versions(own, amendments, id_field)}
    return rows(own, until > lifetime[COUNTS_FROM])


def _of_first_versions(own: Columns, amendments: Amendments, id_field: str) -> Column:
    """Return declaration instants, which all versions share with the first known one."""
    declared_at, ids = own["declared_at"].copy(), own[id_field][amendments.rows]
    # By id, then by the instant of knowledge, then by declaration.
    order = np.lexsort((declared_at[amendments.rows], amendments.known_at, ids))
    versions, is_first = amendments.rows[order], is_first_of_each(ids[order])
    declared_at[versions] = declared_at[versions[is_first]][np.cumsum(is_first) - 1]
    return declared_at


def subject_fields(kind: SubjectKind, columns: frozenset[str]) -> dict[str, set[str]]:
    """Return the fields, by record file, from which columns of subjects are made."""
    subject_type, columns = SUBJECT_TYPES[kind], columns | _ALWAYS
    own = {*derived_columns(kind, columns).columns, *columns, subject_type.id_field}
    fields: dict[str, set[str]] = {}
    if subject_type.has_journey:
        journey = {name for name in Journey.model_fields if f"journey_{name}" in columns}
        if journey:
            own.add("journey_id")
            fields["journeys"] = journey | {"journey_id", "declared_at"}
    own_fields = {name for name in own if isinstance(name, str)}
    return fields | {subject_type.record_file: own_fields & subject_type.record.model_fields.keys()}


@cache
def payment_program() -> Program:
    """Return the columns that windows read of a payment on its own, whichever its subject."""
    return traced_columns(derive_payment, kinds_of(Transaction), {*columns_of_source(PAYMENTS)})


def payments(transactions: Columns) -> Columns:
    """Return payments with their own fields and the columns of `payment_program`."""
    return transactions | payment_program().run(transactions)


def network_events(kind: SubjectKind, records: RecordBlocks) -> dict[str, Columns]:
    """Return the links of the parties of one kind of subject, and their inspection results."""
    names = frozenset({*OWN_PARTIES[kind], *JOURNEY_PARTIES[kind]})
    subjects = read_all_subjects(kind, records, names)
    found = outcome_events(kind, subjects, _outcomes(records))
    paid = _ending(
        read_whole(records, "transactions", PAYMENT_FIELDS_READ),
        records.amendments("transactions"),
        0,
    )
    return {
        LINKS: links_of_subjects(kind, subjects, paid),
        PARTY_OUTCOMES: party_outcomes_of_subjects(kind, found, paid),
    }


def paid_outcomes(records: RecordBlocks) -> Columns:
    """Return inspection results of routes and shipments together with payers and payees."""
    outcomes = _outcomes(records)
    # Payments of inspected subjects only, filtered block by block to limit memory.
    subject_ids = np.unique(outcomes["subject_id"])
    amendments, first, kept = records.amendments("transactions"), 0, []
    for block in records.blocks("transactions", PAYMENT_FIELDS_READ):
        ending = _ending(block, amendments, first)
        kept.append(rows(ending, np.isin(block["subject_id"], subject_ids)))
        first += length(block)
    paid = join_events(kept)
    of_kinds = [
        paid_outcome_events(kind, read_all_subjects(kind, records, frozenset()), outcomes, paid)
        for kind in SUBJECT_TYPES
    ]
    return sorted_by_known_at(join_events(of_kinds))


def _outcomes(records: RecordBlocks) -> Columns:
    """Return all inspection results, each with its end of validity if any was corrected."""
    outcomes = read_whole(records, "outcomes", FIELDS_READ)
    return _ending(outcomes, records.amendments("outcomes"), 0)


def _ending(records: Columns, amendments: Amendments, first: int) -> Columns:
    """Return rows of a file, with the instant until which each counts if any was ended."""
    until = amendments.until_of(first, length(records))
    return records | {COUNTS_UNTIL: until} if amendments else records


def drifts(positions: Columns) -> Columns:
    """Return positions, each with the cell of space and time in which a conveyance drifted."""
    cell = DRIFT_CELL.function(*(positions[name] for name in DRIFT_CELL.fields))
    return positions | {"drift_cell": cell, "known_at": positions[Position.known_from]}


@cache
def _network() -> NetworkSource:
    events = {
        each.record_file: partial(network_events, kind) for kind, each in SUBJECT_TYPES.items()
    }
    return NetworkSource(events, network_windows)


@cache
def _subject_table(kind: SubjectKind) -> SubjectTable:
    return SubjectTable(partial(subject_fields, kind), partial(read_all_subjects, kind))


def _histories(kind: SubjectKind) -> tuple[SubjectHistory, SubjectHistory]:
    subject_type, table = SUBJECT_TYPES[kind], _subject_table(kind)
    return (
        SubjectHistory(subject_type.record_file, table),
        SubjectHistory(subject_type.outcome_source, table, _outcomes_of(kind)),
    )


def _outcomes_of(kind: SubjectKind) -> Callable[[Columns, RecordBlocks], Columns]:
    def derive(subjects: Columns, records: RecordBlocks) -> Columns:
        return outcome_events(kind, subjects, _outcomes(records))

    return derive


def _linked_source(record_type: LinkedRecordType, kind: SubjectKind) -> LinkedSource:
    known = record_type.known_when_missing
    text_id = record_type.order_field if record_type.has_text_ids else None
    return LinkedSource(
        name=record_type.name,
        record_file=record_type.name,
        subject_field=record_type.subject_field,
        known_from=record_type.known_from,
        fields=frozenset(record_type.fields_read(kind) - {text_id}),
        subject_columns=frozenset(record_type.subject_columns_read(kind)),
        derive=partial(record_type.derive_events, kind),
        text_id=text_id,
        known_when_missing=instant_us(known) if known is not None else None,
        only=("subject_kind", kind) if record_type.has_subject_kind else None,
        latest={
            name: LatestColumn(each.field, subject_kinds(kind)[name], each.where)
            for name, each in record_type.latest.items()
        },
        histories=record_type.histories,
    )


@cache
def _payments() -> EventStream:
    read = {*payment_program().columns, *columns_of_source(PAYMENTS), Transaction.known_from}
    fields = {name for name in read if isinstance(name, str)} & Transaction.model_fields.keys()
    return EventStream(
        name=PAYMENTS,
        record_file="transactions",
        known_from=Transaction.known_from,
        fields=frozenset(fields - {"transaction_id"}),
        derive=payments,
        text_id="transaction_id",
    )


def _permits() -> EventStream:
    return EventStream(
        name=PERMITS,
        record_file="documents",
        known_from=Document.known_from,
        fields=frozenset({"kind", "subject_kind", "subject_id", "number", Document.known_from}),
        derive=shipment_permits,
        text_id="document_id",
    )


@cache
def _drifts() -> EventStream:
    return EventStream(
        name=DRIFTS,
        record_file="positions",
        known_from=Position.known_from,
        fields=frozenset({*DRIFT_CELL.fields, "journey_id"}),
        derive=drifts,
    )


def _in_order(subjects: Columns, ids: Column) -> Column:
    known = subjects["declared_at"]
    order = np.argsort(subjects[COUNTS_FROM], kind="stable") if COUNTS_FROM in subjects else None
    row = np.arange(len(ids)) if order is None else order
    events = {"known_at": known[row], "record_id": ids[row], "row": row}
    return sorted_by_known_at(events)["row"]
