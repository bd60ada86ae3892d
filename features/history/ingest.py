"""Ingest records as events, each once and in any order.

A record is identified by its id and version; an outcome by its subject, the instant of inspection
and the instant the result became known. Known records are skipped. Amendments, withdrawals and
records of amended subjects are ingested by `amended_ingest`.

An outcome is an event with the columns of its subject's record and counts from the instant both are
known. A shipment takes its lane from its journey. The record that arrives last completes the event,
so no order of arrival loses an event.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

import numpy as np

from features.engine.columns import Column
from features.engine.store.blob_store import BlobReader, BlobTransaction
from features.engine.store.event_rows import IncomingRecords
from features.engine.store.event_writer import insert_events
from features.engine.store.layout import Layout, of_source
from features.engine.store.raw_columns import (
    RawColumns,
    number_column,
    rows_where,
    size_of,
    take_rows,
    text_column,
)
from features.engine.store.row_index import are_new
from features.history.amended_ingest import AmendedIngest, are_permits, parted
from features.history.stored_columns import (
    JOURNEY,
    PAYMENT,
    SHIPMENT,
    HistorySchema,
    reads_journey,
)
from features.history.stored_lists import (
    INSPECTED,
    PAID,
    WHEN_FOUND,
    Inspection,
    Paid,
    append,
    append_versions,
    carried,
    inspections_of,
    keep_carried,
    keys_of_lists,
    lists,
    paid_of,
)
from features.networks.links import (
    JOURNEY_PARTIES,
    LINKS,
    OWN_PARTIES,
    PARTY_OUTCOMES,
    PAYMENT_PARTIES,
    link_events,
    nodes_of,
    party_outcome_events,
)
from features.records import CONCLUSIVE, Record, SubjectKind
from features.subject_types import SUBJECT_TYPES

OUTCOMES = {kind: each.outcome_source for kind, each in SUBJECT_TYPES.items()}

_DRIFT = b"x"

# Key prefix, id field and instant field of each record type that is looked up by id.
_KEYS = {
    "journeys": (JOURNEY, "journey_id", "declared_at"),
    "shipments": (SHIPMENT, "shipment_id", "declared_at"),
    "transactions": (PAYMENT, "transaction_id", "known_at"),
}


# Event source of each record type whose records are events themselves. A journey may in addition
# complete events of other records.
OWN_EVENTS = {"transactions": "payments", "positions": "drifts", "journeys": "journeys"}


@dataclass(frozen=True)
class HistoryIngest:
    """Ingest of records into the event logs of some layouts.

    If `before` is set, records that became known at or after that instant are ignored. `insert`
    writes events under their keys; requests pass a function that writes to their overlay.
    """

    schema: HistorySchema
    layouts: tuple[Layout, ...]
    before: int | None = None
    insert: Callable[[BlobTransaction, Iterable[Layout], RawColumns], None] = insert_events

    def ingest(
        self, store: BlobTransaction, records: Mapping[str, IncomingRecords]
    ) -> dict[str, int]:
        """Insert new records and return the number of new records of each type.

        Types may be missing. An inconclusive outcome is stored but does not count as new.
        """
        ingests: dict[str, Callable[[BlobTransaction, RawColumns], int]] = {
            "journeys": self._ingest_journeys,
            "shipments": self._ingest_shipments,
            "outcomes": self._ingest_outcomes,
            "transactions": self._ingest_payments,
            "documents": self._ingest_permits,
            "positions": self._ingest_drifts,
        }
        given = {name: records[name] for name in ingests if records.get(name)}
        read = {name: self.schema.read(name, each) for name, each in given.items()}
        plain, amending = parted(
            store, {name: each for name, each in read.items() if size_of(each)}
        )
        new = Counter[str]()
        # Subjects come first: outcomes and payments look up the subjects' columns.
        for name, ingest in ingests.items():
            if name in plain:
                new[name] = ingest(store, plain[name])
        # Amendments come last, so they see the plain records of the same batch.
        if amending:
            new += AmendedIngest(self.schema, self.layouts, store).ingest(amending)
        return new

    def events_of(
        self, name: str, records: Sequence[Record]
    ) -> tuple[tuple[Layout, ...], RawColumns]:
        """Return records as events of their own source, and the layouts that hold that source."""
        events = self.schema.read(name, records)
        if name == "journeys":
            events = _as_events(events)
        return of_source(self.layouts, OWN_EVENTS[name]), events

    def _ingest_journeys(self, store: BlobTransaction, journeys: RawColumns) -> int:
        journeys = self._new(store, "route", journeys)
        if not size_of(journeys):
            return 0
        self._insert(store, "journeys", _as_events(journeys))
        self.schema.subjects["route"].put(store, journeys)
        self._insert_links(store, "route", journeys)
        self.insert_earlier_inspections(store, "route", journeys)
        self._complete(store, journeys)
        return size_of(journeys)

    def _ingest_shipments(self, store: BlobTransaction, shipments: RawColumns) -> int:
        shipments = self._new(store, "shipment", shipments)
        if not size_of(shipments):
            return 0
        journeys = self.schema.subjects["route"].of(
            store, filter(None, text_column(shipments, "journey_id"))
        )
        shipments = shipments | self.schema.of_journeys(shipments, journeys)
        self._insert(store, "shipments", _as_events(shipments))
        self.schema.subjects["shipment"].put(store, shipments)
        self._insert_links(store, "shipment", shipments)
        self.insert_earlier_inspections(store, "shipment", shipments)
        # Record the link even if the journey is unknown, so that a later journey can complete it.
        keep_carried(store, shipments)
        return size_of(shipments)

    def _new(self, store: BlobReader, kind: SubjectKind, subjects: RawColumns) -> RawColumns:
        is_new = np.array(
            self.schema.subjects[kind].is_new(store, text_column(subjects, "subject_id"))
        )
        if self.before is not None:
            is_new &= number_column(subjects, "declared_at") < self.before
        return rows_where(subjects, is_new)

    def _complete(self, store: BlobTransaction, journeys: RawColumns) -> None:
        """Insert shipments that waited for these journeys, under keys with journey columns."""
        waiting = carried(store, text_column(journeys, "journey_id"))
        if not waiting:
            return
        shipments = self.schema.subjects["shipment"].of(store, waiting)
        complete = shipments | self.schema.of_journeys(shipments, journeys)
        self.schema.subjects["shipment"].put(store, complete)
        # Other layouts already have these events; inserting them again would count them twice.
        late = replace(self, layouts=tuple(filter(reads_journey, self.layouts)))
        late._insert(store, "shipments", _as_events(complete))
        late.insert_earlier_inspections(store, "shipment", complete)
        self._insert_journey_links(store, complete)

    def _insert_links(self, store: BlobTransaction, kind: SubjectKind, own: RawColumns) -> None:
        """Insert the links of new subjects, and of those whose payments for them came earlier."""
        nodes, of_journey = _nodes(kind, own)
        times = {"known_at": number_column(own, "declared_at")}
        self._insert(store, LINKS, {**link_events(nodes, of_journey, times)})
        paid = lists(store, keys_of_lists(PAID[kind], text_column(own, "subject_id")))
        pairs = [(at, payment) for at, payments in enumerate(paid) for payment in payments]
        self._insert_paid_links(store, kind, own, pairs)

    def _insert_journey_links(self, store: BlobTransaction, complete: RawColumns) -> None:
        """Insert the links, and the results, of the journeys of shipments that waited for them."""
        nodes, of_journey = _nodes("shipment", complete)
        times = {"known_at": number_column(complete, "declared_at")}
        self._insert(store, LINKS, {**link_events(nodes, of_journey, times, of_added=True)})
        found = self._conclusive(store, "shipment", text_column(complete, "subject_id"))
        rows = [row for row, inspections in enumerate(found) for _ in inspections]
        if rows:
            of_rows = take_rows(complete, rows)
            events = _found(of_rows, [*chain.from_iterable(found)])
            self._insert_results(store, "shipment", of_rows, events, of_added=True)

    def _insert_results(
        self,
        store: BlobTransaction,
        kind: SubjectKind,
        subjects: RawColumns,
        inspections: RawColumns,
        *,
        of_added: bool = False,
    ) -> None:
        """Insert the results of inspections for the parties of their subjects."""
        nodes, of_journey = _nodes(kind, subjects)
        times = {"known_at": number_column(inspections, "known_at")}
        confirmed = number_column(inspections, "is_confirmed")
        events = party_outcome_events(nodes, of_journey, confirmed, times, of_added=of_added)
        self._insert(store, PARTY_OUTCOMES, {**events})

    def _insert_paid_links(
        self,
        store: BlobTransaction,
        kind: SubjectKind,
        subjects: RawColumns,
        pairs: Sequence[tuple[int, Paid]],
    ) -> None:
        """Insert the links of those who paid for subjects or were paid, counted once known."""
        if pairs:
            own = take_rows(subjects, [at for at, _ in pairs])
            paid, paid_at = _paid(pairs)
            times = {"known_at": np.maximum(number_column(own, "declared_at"), paid_at)}
            nodes, _ = _nodes(kind, own)
            self._insert(store, LINKS, {**link_events(nodes, paid, times, of_added=True)})

    def insert_earlier_inspections(
        self, store: BlobTransaction, kind: SubjectKind, subjects: RawColumns
    ) -> None:
        """Insert inspections that arrived before the record of their subject."""
        found = self._conclusive(store, kind, text_column(subjects, "subject_id"))
        rows = [row for row, inspections in enumerate(found) for _ in inspections]
        if rows:
            inspections = [*chain.from_iterable(found)]
            self._insert_inspections(store, kind, take_rows(subjects, rows), inspections)

    def _ingest_outcomes(self, store: BlobTransaction, outcomes: RawColumns) -> int:
        new = 0
        for kind in INSPECTED:
            is_of_kind = [of == kind for of in text_column(outcomes, "subject_kind")]
            new += self._ingest_of_kind(store, kind, rows_where(outcomes, is_of_kind))
        return new

    def _ingest_of_kind(
        self, store: BlobTransaction, kind: SubjectKind, outcomes: RawColumns
    ) -> int:
        """Store outcomes, insert those with a known subject and count the new conclusive ones."""
        ids, inspections = text_column(outcomes, "subject_id"), inspections_of(outcomes)
        is_new = append(
            store,
            [*zip(keys_of_lists(INSPECTED[kind], ids), inspections, strict=True)],
            known_by=WHEN_FOUND,
        )
        is_new &= np.array([_is_conclusive(each) for each in inspections], bool)
        subjects = self.schema.subjects[kind].of(store, ids)
        row_of = {id_: row for row, id_ in enumerate(text_column(subjects, "subject_id"))}
        known = [at for at in np.flatnonzero(is_new).tolist() if ids[at] in row_of]
        subjects = take_rows(subjects, [row_of[ids[at]] for at in known])
        self._insert_inspections(store, kind, subjects, [inspections[at] for at in known])
        return int(is_new.sum())

    def _conclusive(
        self, store: BlobReader, kind: SubjectKind, ids: Sequence[str]
    ) -> list[list[Inspection]]:
        """Return the stored conclusive inspections of each subject."""
        kept = lists(store, keys_of_lists(INSPECTED[kind], ids))
        return [[*filter(_is_conclusive, of_subject)] for of_subject in kept]

    def _insert_inspections(
        self,
        store: BlobTransaction,
        kind: SubjectKind,
        subjects: RawColumns,
        inspections: Sequence[Inspection],
    ) -> None:
        """Insert inspections with the columns of their subjects.

        An inspection counts from the instant both are known. Rows for the payers and payees of the
        subjects are inserted too.
        """
        events = _found(subjects, inspections)
        self._insert(store, OUTCOMES[kind], subjects | events)
        self._insert_results(store, kind, subjects, events)
        paid = lists(store, keys_of_lists(PAID[kind], text_column(subjects, "subject_id")))
        pairs = [(at, payment) for at, payments in enumerate(paid) for payment in payments]
        self._insert_paid(store, kind, subjects, events, pairs)

    def _insert_paid(
        self,
        store: BlobTransaction,
        kind: SubjectKind,
        subjects: RawColumns,
        inspections: RawColumns,
        pairs: Sequence[tuple[int, Paid]],
    ) -> None:
        """Insert a row for each pair of inspection and payment, counted once both are known.

        There is a row of `subjects` for each inspection.
        """
        if not pairs:
            return
        found = take_rows(inspections, [at for at, _ in pairs])
        paid, paid_at = _paid(pairs)
        of_pair: RawColumns = {
            "inspected_subject": [f"{kind} {id_}" for id_ in text_column(found, "record_id")],
            "payer_id": [payer_id for _, (_, payer_id, _, _) in pairs],
            "payee_id": [payee_id for _, (_, _, payee_id, _) in pairs],
            "known_at": np.maximum(number_column(found, "known_at"), paid_at),
        }
        self._insert(store, "paid_outcomes", found | of_pair)
        nodes, _ = _nodes(kind, take_rows(subjects, [at for at, _ in pairs]))
        known_at = number_column(of_pair, "known_at")
        confirmed, times = number_column(found, "is_confirmed"), {"known_at": known_at}
        events = party_outcome_events(nodes, paid, confirmed, times, of_added=True)
        self._insert(store, PARTY_OUTCOMES, {**events})

    def _ingest_payments(self, store: BlobTransaction, payments: RawColumns) -> int:
        is_new = self.schema.payments.is_new(store, text_column(payments, "record_id"))
        new = rows_where(payments, is_new)
        self._insert(store, "payments", new)
        for kind in PAID:
            of_kind = [of == kind for of in text_column(new, "subject_kind")]
            self._keep_paid(store, kind, rows_where(new, of_kind))
        self.schema.payments.put(store, new)
        return int(np.sum(is_new))

    def _keep_paid(self, store: BlobTransaction, kind: SubjectKind, payments: RawColumns) -> None:
        """Store who paid whom for subjects, and insert rows for known inspections of these."""
        ids, paid = text_column(payments, "subject_id"), paid_of(payments)
        append(store, [*zip(keys_of_lists(PAID[kind], ids), paid, strict=True)])
        found = self._conclusive(store, kind, ids)
        subjects = self.schema.subjects[kind].of(store, ids)
        row_of = {id_: row for row, id_ in enumerate(text_column(subjects, "subject_id"))}
        of_known = [
            (row_of[id_], payment) for id_, payment in zip(ids, paid, strict=True) if id_ in row_of
        ]
        self._insert_paid_links(store, kind, subjects, of_known)
        if not any(found):
            return
        rows = [
            (row_of[id_], inspection, payment)
            for id_, of_subject, payment in zip(ids, found, paid, strict=True)
            if id_ in row_of
            for inspection in of_subject
        ]
        inspected = take_rows(subjects, [row for row, *_ in rows])
        inspections = _found(inspected, [found for _, found, _ in rows])
        pairs = [*enumerate(paid for *_, paid in rows)]
        self._insert_paid(store, kind, inspected, inspections, pairs)

    def _ingest_permits(self, store: BlobTransaction, documents: RawColumns) -> int:
        """Insert the numbered permits of shipments among documents; return how many are new."""
        permits = rows_where(documents, are_permits(documents))
        is_new = append_versions(store, permits, self.schema.permits)
        self._insert(store, "shipment_permits", rows_where(permits, is_new))
        return int(is_new.sum())

    def _ingest_drifts(self, store: BlobTransaction, positions: RawColumns) -> int:
        """Insert the drifts among positions; other positions are not stored."""
        drifts = rows_where(positions, ~np.isnan(number_column(positions, "drift_cell")))
        # Key of a drift: journey, instant and grid cell, so repeated reports count once.
        columns = (text_column(drifts, "journey_id"), drifts["known_at"], drifts["drift_cell"])
        keys = [
            b"%b%b %d %d" % (_DRIFT, journey_id.encode(), known_at, cell)
            for journey_id, known_at, cell in zip(*columns, strict=True)
        ]
        is_new = are_new(store, keys)
        self._insert(store, "drifts", rows_where(drifts, is_new))
        store.put((key, b"") for key in keys)
        return int(np.sum(is_new))

    def _insert(self, store: BlobTransaction, source: str, events: RawColumns) -> None:
        # A request must not count records that became known at or after its own instant.
        if self.before is not None:
            events = rows_where(events, number_column(events, "known_at") < self.before)
        layouts = of_source(self.layouts, source)
        if layouts and size_of(events):
            self.insert(store, layouts, events)


def known_key(name: str, record: Record, before: datetime) -> bytes | None:
    """Return the store key that shows whether a record is known, or None if it is irrelevant.

    A record is irrelevant if it became known at or after `before`. A document is always irrelevant,
    since only permits of other subjects count. Outcomes may repeat and positions are stored by
    drift only, so both get a key that is never stored and always look unknown.
    """
    if name == "documents":
        return None
    if name == "positions":
        heard = record.__dict__
        where = b"-%b %f %f" % (heard["journey_id"].encode(), heard["latitude"], heard["longitude"])
        observed_at = heard["observed_at"]
        return b"%b %b" % (where, str(observed_at).encode()) if observed_at < before else None
    if name not in _KEYS:
        return b"-"
    prefix, id_field, known_from = _KEYS[name]
    fields = record.__dict__
    return prefix + fields[id_field].encode() if fields[known_from] < before else None


def _found(subjects: RawColumns, inspections: Sequence[Inspection]) -> RawColumns:
    """Return one row per inspection with its subject's id, counted once both are known."""
    found_at = np.array([known_at for _, known_at, *_ in inspections], np.int64)
    confirmed = [result == "confirmed" for _, _, result, _ in inspections]
    return {
        "record_id": subjects["subject_id"],
        "known_at": np.maximum(found_at, number_column(subjects, "declared_at")),
        "is_confirmed": np.array(confirmed, np.float64),
    }


def _nodes(kind: SubjectKind, subjects: RawColumns) -> tuple[Column, Column]:
    """Return the nodes of the own parties of subjects, and of those of their journeys."""
    return nodes_of(subjects, OWN_PARTIES[kind]), nodes_of(subjects, JOURNEY_PARTIES[kind])


def _paid(pairs: Sequence[tuple[int, Paid]]) -> tuple[Column, Column]:
    """Return the nodes of payers and payees, and the instants at which payments became known."""
    payers, payees = ([payment[at] for _, payment in pairs] for at in (1, 2))
    nodes = nodes_of({"payer_id": payers, "payee_id": payees}, PAYMENT_PARTIES)
    return nodes, np.array([known_at for _, (known_at, *_) in pairs], np.int64)


def _is_conclusive(inspection: Inspection) -> bool:
    return inspection[2] in CONCLUSIVE


def _as_events(subjects: RawColumns) -> RawColumns:
    return subjects | {"record_id": subjects["subject_id"], "known_at": subjects["declared_at"]}
