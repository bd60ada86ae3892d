"""Ingest records as events: each once, in any order.

A record is known by its id, an outcome by its subject and when that was inspected; what is known
already is skipped. An outcome is an event with the columns of its subject's own record, from when
both are known, and a shipment's lane is that of its journey: whichever comes last completes the
event, so that no order of arrival leaves one out.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from features.engine.columns import Column
from features.engine.store.blob_store import BlobReader, BlobTransaction
from features.engine.store.event_rows import IncomingRecords
from features.engine.store.event_writer import insert_events
from features.engine.store.layout import Layout
from features.engine.store.raw_columns import (
    RawColumns,
    number_column,
    rows_where,
    size_of,
    take_rows,
    text_column,
)
from features.engine.store.subject_index import are_new
from features.history.stored_columns import JOURNEY, SHIPMENT, HistorySchema, reads_journey
from features.records import CONCLUSIVE, Record, SubjectKind
from features.subject_types import SUBJECT_TYPES

OUTCOMES = {kind: each.outcome_source for kind, each in SUBJECT_TYPES.items()}

_PAYMENT, _PERMIT, _DRIFT, _WAITING = b"y", b"f", b"x", b"w"
_INSPECTED: dict[SubjectKind, bytes] = {"route": b"qr", "shipment": b"qs"}
_PAID: dict[SubjectKind, bytes] = {"route": b"zr", "shipment": b"zs"}

_Inspection = Sequence[Any]
"""When something was inspected, when the result was known, and whether it was confirmed: 1 or 0."""
_Paid = Sequence[Any]
"""When a payment was known, who paid and who was paid."""

# What the key of a known record begins with, the field that follows, and that of its instant.
_KEYS = {
    "journeys": (JOURNEY, "journey_id", "declared_at"),
    "shipments": (SHIPMENT, "shipment_id", "declared_at"),
    "transactions": (_PAYMENT, "transaction_id", "known_at"),
}


APART = {"transactions": "payments", "positions": "drifts"}
"""The record types that complete no other record, with the source of their events."""


@dataclass(frozen=True)
class HistoryIngest:
    """The ingest of records into the event logs of some layouts.

    With `before`, only what became known before that instant counts; `insert` puts events under
    their keys.
    """

    schema: HistorySchema
    layouts: tuple[Layout, ...]
    before: int | None = None
    insert: Callable[[BlobTransaction, Iterable[Layout], RawColumns], None] = insert_events

    def ingest(
        self, store: BlobTransaction, records: Mapping[str, IncomingRecords]
    ) -> dict[str, int]:
        """Insert what is new among records; returns how many of each type that was.

        Record types may be left out; an outcome that is not conclusive is nothing new.
        """
        ingests: dict[str, Callable[[BlobTransaction, RawColumns], int]] = {
            "journeys": self._ingest_journeys,
            "shipments": self._ingest_shipments,
            "outcomes": self._ingest_outcomes,
            "transactions": self._ingest_payments,
            "documents": self._ingest_permits,
            "positions": self._ingest_drifts,
        }
        new = {}
        for name, ingest in ingests.items():  # a subject before what is linked to it
            columns = self.schema.read(name, records[name]) if records.get(name) else {}
            if columns and size_of(columns):
                new[name] = ingest(store, columns)
        return new

    def events_of(
        self, name: str, records: Sequence[Record]
    ) -> tuple[tuple[Layout, ...], RawColumns]:
        """Records that touch no others as events, and the layouts under which they come."""
        return _of_source(self.layouts, APART[name]), self.schema.read(name, records)

    def _ingest_journeys(self, store: BlobTransaction, journeys: RawColumns) -> int:
        journeys = self._new(store, "route", journeys)
        if not size_of(journeys):
            return 0
        self._insert(store, "journeys", _as_events(journeys))
        self.schema.subjects["route"].put(store, journeys)
        self._insert_earlier_inspections(store, "route", journeys)
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
        self._insert_earlier_inspections(store, "shipment", shipments)
        known = {None, *text_column(journeys, "journey_id")}
        named = zip(
            text_column(shipments, "journey_id"), text_column(shipments, "subject_id"), strict=True
        )
        _append(store, [(_WAITING + j.encode(), s) for j, s in named if j not in known])
        return size_of(shipments)

    def _new(self, store: BlobReader, kind: SubjectKind, subjects: RawColumns) -> RawColumns:
        is_new = np.array(
            self.schema.subjects[kind].is_new(store, text_column(subjects, "subject_id"))
        )
        if self.before is not None:
            is_new &= number_column(subjects, "declared_at") < self.before
        return rows_where(subjects, is_new)

    def _complete(self, store: BlobTransaction, journeys: RawColumns) -> None:
        """Insert shipments that waited for these journeys, under keys that have their columns."""
        waiting = _lists(store, _keys(_WAITING, text_column(journeys, "journey_id")))
        shipments = self.schema.subjects["shipment"].of(store, chain.from_iterable(waiting))
        if not size_of(shipments):
            return
        complete = shipments | self.schema.of_journeys(shipments, journeys)
        self.schema.subjects["shipment"].put(store, complete)
        late = replace(self, layouts=tuple(filter(reads_journey, self.layouts)))
        late._insert(store, "shipments", _as_events(complete))
        late._insert_earlier_inspections(store, "shipment", complete)

    def _insert_earlier_inspections(
        self, store: BlobTransaction, kind: SubjectKind, subjects: RawColumns
    ) -> None:
        """Insert inspections that were known before their subjects' records."""
        lists = _lists(store, _keys(_INSPECTED[kind], text_column(subjects, "subject_id")))
        rows = [row for row, inspections in enumerate(lists) for _ in inspections]
        if rows:
            inspections = [*chain.from_iterable(lists)]
            self._insert_inspections(store, kind, take_rows(subjects, rows), inspections)

    def _ingest_outcomes(self, store: BlobTransaction, outcomes: RawColumns) -> int:
        new = 0
        for kind in _INSPECTED:
            pairs = zip(outcomes["subject_kind"], outcomes["result"], strict=True)
            counts = [of == kind and result in CONCLUSIVE for of, result in pairs]
            new += self._ingest_conclusive(store, kind, rows_where(outcomes, counts))
        return new

    def _ingest_conclusive(
        self, store: BlobTransaction, kind: SubjectKind, outcomes: RawColumns
    ) -> int:
        """Keep outcomes, and insert those whose subject is known; returns how many are new."""
        ids = text_column(outcomes, "subject_id")
        instants = (number_column(outcomes, name).tolist() for name in ("inspected_at", "known_at"))
        is_confirmed = (float(result == "confirmed") for result in text_column(outcomes, "result"))
        inspections = [[*row] for row in zip(*instants, is_confirmed, strict=True)]
        at_subjects = [*zip(_keys(_INSPECTED[kind], ids), inspections, strict=True)]
        is_new = _append(store, at_subjects, known_by=itemgetter(0, 1))
        subjects = self.schema.subjects[kind].of(store, ids)
        row_of = {id_: row for row, id_ in enumerate(text_column(subjects, "subject_id"))}
        known = [at for at in np.flatnonzero(is_new).tolist() if ids[at] in row_of]
        subjects = take_rows(subjects, [row_of[ids[at]] for at in known])
        self._insert_inspections(store, kind, subjects, [inspections[at] for at in known])
        return int(is_new.sum())

    def _insert_inspections(
        self,
        store: BlobTransaction,
        kind: SubjectKind,
        subjects: RawColumns,
        inspections: Sequence[_Inspection],
    ) -> None:
        """Insert inspections with the columns of their subjects, known once both are.

        With them, beside those who paid and were paid for the subjects.
        """
        events = _found(subjects, inspections)
        self._insert(store, OUTCOMES[kind], subjects | events)
        paid = _lists(store, _keys(_PAID[kind], text_column(subjects, "subject_id")))
        pairs = [(at, payment) for at, payments in enumerate(paid) for payment in payments]
        self._insert_paid(store, kind, events, pairs)

    def _insert_paid(
        self,
        store: BlobTransaction,
        kind: SubjectKind,
        inspections: RawColumns,
        pairs: Sequence[tuple[int, _Paid]],
    ) -> None:
        """Insert rows of inspections, each with a payment for its subject, known once both are."""
        if not pairs:
            return
        found = take_rows(inspections, [at for at, _ in pairs])
        paid_at = np.array([known_at for _, (known_at, *_) in pairs], np.int64)
        of_pair: RawColumns = {
            "inspected_subject": [f"{kind} {id_}" for id_ in text_column(found, "record_id")],
            "payer_id": [payer_id for _, (_, payer_id, _) in pairs],
            "payee_id": [payee_id for _, (*_, payee_id) in pairs],
            "known_at": np.maximum(number_column(found, "known_at"), paid_at),
        }
        self._insert(store, "paid_outcomes", found | of_pair)

    def _ingest_payments(self, store: BlobTransaction, payments: RawColumns) -> int:
        keys = _keys(_PAYMENT, text_column(payments, "record_id"))
        is_new = are_new(store, keys)
        new = rows_where(payments, is_new)
        self._insert(store, "payments", new)
        for kind in _PAID:
            of_kind = [of == kind for of in text_column(new, "subject_kind")]
            self._keep_paid(store, kind, rows_where(new, of_kind))
        store.put((key, b"") for key in keys)
        return int(np.sum(is_new))

    def _keep_paid(self, store: BlobTransaction, kind: SubjectKind, payments: RawColumns) -> None:
        """Keep who paid whom for subjects, and insert inspections of these that are known.

        Of payments of one payer to one payee for one subject, those that others precede change no
        number.
        """
        known_at = number_column(payments, "known_at").tolist()
        names = (text_column(payments, name) for name in ("subject_id", "payer_id", "payee_id"))
        first: dict[tuple[str, ...], int] = {}
        for pair, at in zip(zip(*names, strict=True), known_at, strict=True):
            first[pair] = min(at, first.get(pair, at))
        ids = [id_ for id_, *_ in first]
        paid = [(at, *parties) for (_, *parties), at in first.items()]
        _append(store, [*zip(_keys(_PAID[kind], ids), map(list, paid), strict=True)])
        found = _lists(store, _keys(_INSPECTED[kind], ids))
        subjects = self.schema.subjects[kind].of(
            store, (id_ for id_, of_subject in zip(ids, found, strict=True) if of_subject)
        )
        row_of = {id_: row for row, id_ in enumerate(text_column(subjects, "subject_id"))}
        rows = [
            (row_of[id_], inspection, payment)
            for id_, of_subject, payment in zip(ids, found, paid, strict=True)
            if id_ in row_of
            for inspection in of_subject
        ]
        inspections = _found(
            take_rows(subjects, [row for row, *_ in rows]), [found for _, found, _ in rows]
        )
        self._insert_paid(store, kind, inspections, [*enumerate(paid for *_, paid in rows)])

    def _ingest_permits(self, store: BlobTransaction, documents: RawColumns) -> int:
        """Insert numbered permits of shipments, of any documents; returns how many are new."""
        read = (text_column(documents, name) for name in ("kind", "subject_kind", "number"))
        permits = rows_where(
            documents,
            [
                kind == "permit" and subject_kind == "shipment" and number is not None
                for kind, subject_kind, number in zip(*read, strict=True)
            ],
        )
        ids, versions = text_column(permits, "record_id"), number_column(permits, "version")
        keys = [_PERMIT + f"{id_} {v:g}".encode() for id_, v in zip(ids, versions, strict=True)]
        is_new = are_new(store, keys)
        self._insert(store, "shipment_permits", rows_where(permits, is_new))
        store.put((key, b"") for key in keys)
        return int(np.sum(is_new))

    def _ingest_drifts(self, store: BlobTransaction, positions: RawColumns) -> int:
        """Insert where conveyances drifted; of any other position nothing is kept."""
        drifts = rows_where(positions, ~np.isnan(number_column(positions, "drift_cell")))
        keys = _drift_keys(drifts)
        is_new = are_new(store, keys)
        self._insert(store, "drifts", rows_where(drifts, is_new))
        store.put((key, b"") for key in keys)
        return int(np.sum(is_new))

    def _insert(self, store: BlobTransaction, source: str, events: RawColumns) -> None:
        if self.before is not None:
            events = rows_where(events, number_column(events, "known_at") < self.before)
        layouts = _of_source(self.layouts, source)
        if layouts and size_of(events):
            self.insert(store, layouts, events)


@lru_cache
def _of_source(layouts: tuple[Layout, ...], source: str) -> tuple[Layout, ...]:
    """The layouts under whose keys events of a source come."""
    return tuple(layout for layout in layouts if layout.source == source)


def known_key(name: str, record: Record, before: datetime) -> bytes | None:
    """The key that the store has where it knows a record; None where it can change no number.

    That is what became known later, and a document: of permits only other subjects' count. An
    outcome, which may come again, has a key that no store has, and so has a position, of which the
    store knows where it drifted.
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


def _found(subjects: RawColumns, inspections: Sequence[_Inspection]) -> RawColumns:
    """What inspections found, a row for each with its subject's, known once both are."""
    found_at = np.array([known_at for _, known_at, _ in inspections], np.int64)
    return {
        "record_id": subjects["subject_id"],
        "known_at": np.maximum(found_at, number_column(subjects, "declared_at")),
        "is_confirmed": np.array([confirmed for *_, confirmed in inspections], np.float64),
    }


def _drift_keys(drifts: RawColumns) -> list[bytes]:
    """The key of each place and instant of a journey, however often it was told."""
    columns = (text_column(drifts, "journey_id"), drifts["known_at"], drifts["drift_cell"])
    return [
        b"%b%b %d %d" % (_DRIFT, journey_id.encode(), known_at, cell)
        for journey_id, known_at, cell in zip(*columns, strict=True)
    ]


def _as_events(subjects: RawColumns) -> RawColumns:
    return subjects | {"record_id": subjects["subject_id"], "known_at": subjects["declared_at"]}


def _keys(start: bytes, ids: Iterable[str]) -> list[bytes]:
    return [start + id_.encode() for id_ in ids]


def _lists(store: BlobReader, keys: Sequence[bytes]) -> list[list[Any]]:
    return [json.loads(bytes(blob)) if blob else [] for blob in store.get(keys)]


def _append(
    store: BlobTransaction,
    items: Sequence[tuple[bytes, Any]],
    known_by: Callable[[Any], Any] = lambda item: item,
) -> Column:
    """Append items to lists, each that is not there yet; which these were."""
    keys = sorted({key for key, _ in items})
    lists = dict(zip(keys, _lists(store, keys), strict=True))
    is_new = np.zeros(len(items), bool)
    for at, (key, item) in enumerate(items):
        if known_by(item) not in map(known_by, lists[key]):
            lists[key].append(item)
            is_new[at] = True
    store.put((key, json.dumps(entries).encode()) for key, entries in lists.items())
    return is_new
