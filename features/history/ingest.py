"""Records on arrival: each taken once, in any order, and made into events.

A record is known by its id, an outcome by its subject and when that was inspected; what is known
already is passed over. An outcome is an event beside its subject's own record, from when both are
known, and a shipment's lane is told by its journey: whichever comes last completes the event, so
that no order of arrival leaves one out.
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
from features.records import Record, SubjectKind
from features.subject_types import SUBJECT_TYPES

OUTCOMES = {kind: each.outcome_source for kind, each in SUBJECT_TYPES.items()}

_PAYMENT, _WAITING = b"y", b"w"
_INSPECTED: dict[SubjectKind, bytes] = {"route": b"qr", "shipment": b"qs"}

# Where a record of a type is, by which field, and the field of when it became known.
_PLACES = {
    "journeys": (JOURNEY, "journey_id", "declared_at"),
    "shipments": (SHIPMENT, "shipment_id", "declared_at"),
    "transactions": (_PAYMENT, "transaction_id", "known_at"),
}


@dataclass(frozen=True)
class HistoryIngest:
    """Records on their way into the ledgers of the layouts `into`.

    With `before`, only what became known before that instant matters; `insert` puts events under
    their keys.
    """

    schema: HistorySchema
    into: tuple[Layout, ...]
    before: int | None = None
    insert: Callable[[BlobTransaction, Iterable[Layout], RawColumns], None] = insert_events

    def take(
        self, store: BlobTransaction, records: Mapping[str, IncomingRecords]
    ) -> dict[str, int]:
        """Put what is new among records into the ledgers; how many of each type that was.

        Record types may be left out; an inconclusive outcome is nothing new.
        """
        takers: dict[str, Callable[[BlobTransaction, RawColumns], int]] = {
            "journeys": self._take_journeys,
            "shipments": self._take_shipments,
            "outcomes": self._take_outcomes,
            "transactions": self._take_payments,
        }
        new = {}
        for name, take in takers.items():  # a subject before what belongs beside it
            plain = self.schema.read(name, records[name]) if records.get(name) else {}
            if plain and size_of(plain):
                new[name] = take(store, plain)
        return new

    def payments(self, records: Sequence[Record]) -> tuple[tuple[Layout, ...], RawColumns]:
        """Payments as events, and the layouts under which they come."""
        return _of_source(self.into, "payments"), self.schema.read("transactions", records)

    def _take_journeys(self, store: BlobTransaction, journeys: RawColumns) -> int:
        journeys = self._new(store, "route", journeys)
        if not size_of(journeys):
            return 0
        self._insert(store, "journeys", _as_events(journeys))
        self.schema.kept["route"].put(store, journeys)
        self._put_earlier_inspections(store, "route", journeys)
        self._complete(store, journeys)
        return size_of(journeys)

    def _take_shipments(self, store: BlobTransaction, shipments: RawColumns) -> int:
        shipments = self._new(store, "shipment", shipments)
        if not size_of(shipments):
            return 0
        journeys = self.schema.kept["route"].of(
            store, filter(None, text_column(shipments, "journey_id"))
        )
        shipments = shipments | self.schema.of_journeys(shipments, journeys)
        self._insert(store, "shipments", _as_events(shipments))
        self.schema.kept["shipment"].put(store, shipments)
        self._put_earlier_inspections(store, "shipment", shipments)
        known = {None, *text_column(journeys, "journey_id")}
        named = zip(
            text_column(shipments, "journey_id"), text_column(shipments, "subject_id"), strict=True
        )
        _append(store, [(_WAITING + j.encode(), s) for j, s in named if j not in known])
        return size_of(shipments)

    def _new(self, store: BlobReader, kind: SubjectKind, subjects: RawColumns) -> RawColumns:
        is_new = np.array(self.schema.kept[kind].is_new(store, text_column(subjects, "subject_id")))
        if self.before is not None:
            is_new &= number_column(subjects, "declared_at") < self.before
        return rows_where(subjects, is_new)

    def _complete(self, store: BlobTransaction, journeys: RawColumns) -> None:
        """Put shipments that waited for these journeys under the keys that journeys are part of."""
        waiting = _lists(store, _keys(_WAITING, text_column(journeys, "journey_id")))
        shipments = self.schema.kept["shipment"].of(store, chain.from_iterable(waiting))
        if not size_of(shipments):
            return
        complete = shipments | self.schema.of_journeys(shipments, journeys)
        self.schema.kept["shipment"].put(store, complete)
        late = replace(self, into=tuple(filter(reads_journey, self.into)))
        late._insert(store, "shipments", _as_events(complete))
        late._put_earlier_inspections(store, "shipment", complete)

    def _put_earlier_inspections(
        self, store: BlobTransaction, kind: SubjectKind, subjects: RawColumns
    ) -> None:
        """Put inspections that were known before their subjects' records beside these."""
        told = _lists(store, _keys(_INSPECTED[kind], text_column(subjects, "subject_id")))
        beside = [at for at, of_one in enumerate(told) for _ in of_one]
        if not beside:
            return
        self._put_inspections(
            store, kind, take_rows(subjects, beside), [*chain.from_iterable(told)]
        )

    def _take_outcomes(self, store: BlobTransaction, outcomes: RawColumns) -> int:
        new = 0
        for kind in _INSPECTED:
            told = zip(outcomes["subject_kind"], outcomes["result"], strict=True)
            is_meant = [of == kind and result != "inconclusive" for of, result in told]
            new += self._take_conclusive(store, kind, rows_where(outcomes, is_meant))
        return new

    def _take_conclusive(
        self, store: BlobTransaction, kind: SubjectKind, outcomes: RawColumns
    ) -> int:
        """Keep outcomes, and put those whose subject is known beside it; how many are new."""
        ids = text_column(outcomes, "subject_id")
        instants = (number_column(outcomes, name).tolist() for name in ("inspected_at", "known_at"))
        is_confirmed = (float(result == "confirmed") for result in text_column(outcomes, "result"))
        told = [[*one] for one in zip(*instants, is_confirmed, strict=True)]
        at_subjects = [*zip(_keys(_INSPECTED[kind], ids), told, strict=True)]
        is_new = _append(store, at_subjects, known_by=itemgetter(0))
        subjects = self.schema.kept[kind].of(store, ids)
        places = {id_: at for at, id_ in enumerate(text_column(subjects, "subject_id"))}
        which = [at for at in np.flatnonzero(is_new).tolist() if ids[at] in places]
        beside = take_rows(subjects, [places[ids[at]] for at in which])
        self._put_inspections(store, kind, beside, [told[at] for at in which])
        return int(is_new.sum())

    def _put_inspections(
        self, store: BlobTransaction, kind: SubjectKind, subjects: RawColumns, told: list[Any]
    ) -> None:
        """Put inspections beside their subjects, one row each: known once both are."""
        found_at = np.array([known_at for _, known_at, _ in told], np.int64)
        events = {
            "record_id": subjects["subject_id"],
            "known_at": np.maximum(found_at, number_column(subjects, "declared_at")),
            "is_confirmed": np.array([is_confirmed for *_, is_confirmed in told], np.float64),
        }
        self._insert(store, OUTCOMES[kind], subjects | events)

    def _take_payments(self, store: BlobTransaction, payments: RawColumns) -> int:
        keys = _keys(_PAYMENT, text_column(payments, "record_id"))
        is_new = are_new(store, keys)
        self._insert(store, "payments", rows_where(payments, is_new))
        store.put((key, b"") for key in keys)
        return int(np.sum(is_new))

    def _insert(self, store: BlobTransaction, source: str, events: RawColumns) -> None:
        if self.before is not None:
            events = rows_where(events, number_column(events, "known_at") < self.before)
        layouts = _of_source(self.into, source)
        if layouts and size_of(events):
            self.insert(store, layouts, events)


@lru_cache
def _of_source(layouts: tuple[Layout, ...], source: str) -> tuple[Layout, ...]:
    """The layouts under whose keys events of a source come."""
    return tuple(layout for layout in layouts if layout.source == source)


def place_of(name: str, record: Record, before: datetime) -> bytes | None:
    """Where it is told that a record is known; None where it only became known since.

    Nowhere, `-`, of an outcome, which may come again.
    """
    if name not in _PLACES:
        return b"-"
    mark, id_, known_from = _PLACES[name]
    told = record.__dict__
    return mark + told[id_].encode() if told[known_from] < before else None


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
    store.put((key, json.dumps(held).encode()) for key, held in lists.items())
    return is_new
