"""Records on arrival: each taken once, in any order, and made into events.

A record is known by its id, an outcome by its subject and its instants; what is known already is
passed over. An outcome is an event beside its subject's own record, and a shipment's lane is told
by its journey: whichever comes last completes the event, so that no order of arrival leaves one
out.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from features.attached.transactions import payments
from features.columns import Column, Columns, length, places, rows
from features.errors import DefinitionError
from features.records import SubjectKind
from features.state.events import insert_events
from features.state.kept import Kept, first_of
from features.state.keys import texts_of
from features.state.layout import Layout
from features.state.store import Reading, Writing
from features.subjects import Records, joined_journeys, subjects_of
from features.vocabulary import VOCABULARY

OUTCOMES: dict[SubjectKind, str] = {"route": "route_outcomes", "shipment": "shipment_outcomes"}
TOLD_BY_INSPECTION = {"known_at", "record_id", "is_confirmed"}

_PAYMENT, _WAITING = b"y", b"w"
_INSPECTED: dict[SubjectKind, bytes] = {"route": b"qr", "shipment": b"qs"}

# A subject is kept before what belongs beside it.
_ORDER = ("journeys", "shipments", "outcomes", "transactions")


@dataclass(frozen=True)
class Arrivals:
    """Where records go: `layouts` are all that the state holds, `into` those that are written.

    With `before`, only what became known before that instant matters.
    """

    layouts: tuple[Layout, ...]
    into: tuple[Layout, ...]
    before: int | None = None

    def __post_init__(self) -> None:
        for layout in self.layouts:
            if any(map(_is_of_journey, (*layout.values, *layout.labels))):
                raise DefinitionError(
                    f"a window over {layout.source} reduces a column of the journey; it may only "
                    "be part of the key, since the journey may come after the shipment"
                )

    def take(self, store: Writing, records: Records) -> None:
        """Put what is new among records into the ledgers; record types may be left out."""
        for name in (name for name in _ORDER if name in records and length(records[name])):
            self._taken[name](store, records[name])

    @cached_property
    def _taken(self) -> dict[str, Callable[[Writing, Columns], None]]:
        return {
            "journeys": self._take_journeys,
            "shipments": self._take_shipments,
            "outcomes": self._take_outcomes,
            "transactions": self._take_payments,
        }

    def _take_journeys(self, store: Writing, journeys: Columns) -> None:
        new = rows(journeys, self._is_new(store, "route", journeys, "journey_id"))
        if not length(new):
            return
        subjects = subjects_of("route", {"journeys": new})
        self._insert(store, "journeys", subjects | {"record_id": subjects["subject_id"]})
        self._kept["route"].put(store, subjects)
        self._put_earlier_inspections(store, "route", subjects)
        self._complete(store, subjects)

    def _take_shipments(self, store: Writing, shipments: Columns) -> None:
        new = rows(shipments, self._is_new(store, "shipment", shipments, "shipment_id"))
        if not length(new):
            return
        named = _texts(new, "journey_id")
        journeys = self._kept["route"].of(store, filter(None, named))
        subjects = subjects_of("shipment", {"shipments": new, "journeys": journeys})
        self._insert(store, "shipments", subjects | {"record_id": subjects["subject_id"]})
        self._kept["shipment"].put(store, subjects)
        self._put_earlier_inspections(store, "shipment", subjects)
        known = set(_texts(journeys, "journey_id"))
        waiting = [
            (_WAITING + journey_id.encode(), shipment_id)
            for journey_id, shipment_id in zip(named, _texts(new, "shipment_id"), strict=True)
            if journey_id and journey_id not in known
        ]
        _append(store, waiting)

    def _is_new(self, store: Reading, kind: SubjectKind, subjects: Columns, name: str) -> Column:
        ids = _texts(subjects, name)
        is_new = np.array(self._kept[kind].is_new(store, ids))
        if self.before is None or not is_new.any():
            return is_new
        is_inspected = [bool(told) for told in _lists(store, _keys(_INSPECTED[kind], ids))]
        return is_new & ((subjects["declared_at"] < self.before) | np.array(is_inspected))

    def _complete(self, store: Writing, journeys: Columns) -> None:
        """Put shipments that waited for these journeys under the keys that journeys are part of."""
        waiting = _lists(store, _keys(_WAITING, _texts(journeys, "journey_id")))
        shipments = self._kept["shipment"].of(store, chain.from_iterable(waiting))
        if not length(shipments):
            return
        complete = shipments | joined_journeys(shipments, journeys)
        self._kept["shipment"].put(store, complete)
        late = replace(self, into=tuple(filter(_reads_journey, self.into)))
        known_at = {"record_id": complete["subject_id"], "known_at": complete["declared_at"]}
        late._insert(store, "shipments", complete | known_at)
        late._put_earlier_inspections(store, "shipment", complete)

    def _put_earlier_inspections(
        self, store: Writing, kind: SubjectKind, subjects: Columns
    ) -> None:
        """Put inspections that were known before their subjects' records beside these."""
        told = _lists(store, _keys(_INSPECTED[kind], _texts(subjects, "subject_id")))
        beside = np.repeat(np.arange(len(told)), [len(of_one) for of_one in told])
        self._put_inspections(store, kind, rows(subjects, beside), [*chain.from_iterable(told)])

    def _take_outcomes(self, store: Writing, outcomes: Columns) -> None:
        is_conclusive = outcomes["result"] != VOCABULARY.code("inconclusive")
        for kind in _INSPECTED:
            is_own = outcomes["subject_kind"] == VOCABULARY.code(kind)
            self._take_conclusive(store, kind, rows(outcomes, is_own & is_conclusive))

    def _take_conclusive(self, store: Writing, kind: SubjectKind, outcomes: Columns) -> None:
        """Keep outcomes, and put those whose subject is known beside it."""
        ids = _texts(outcomes, "subject_id")
        instants = (outcomes[name].tolist() for name in ("inspected_at", "known_at"))
        is_confirmed = outcomes["result"] == VOCABULARY.code("confirmed")
        told = [[*one] for one in zip(*instants, is_confirmed.tolist(), strict=True)]
        is_new = _append(store, [*zip(_keys(_INSPECTED[kind], ids), told, strict=True)])
        subjects = self._kept[kind].of(store, ids)
        beside = places(outcomes["subject_id"], subjects["subject_id"])
        which = np.flatnonzero(is_new & (beside >= 0))
        self._put_inspections(
            store, kind, rows(subjects, beside[which]), [told[at] for at in which]
        )

    def _put_inspections(
        self, store: Writing, kind: SubjectKind, subjects: Columns, told: list[Any]
    ) -> None:
        """Put inspections beside their subjects, one row each."""
        events = {
            "record_id": subjects["subject_id"],
            "known_at": np.array([known_at for _, known_at, _ in told], np.int64),
            "is_confirmed": np.array([is_confirmed for *_, is_confirmed in told], np.float64),
        }
        self._insert(store, OUTCOMES[kind], subjects | events)

    def _take_payments(self, store: Writing, transactions: Columns) -> None:
        keys = _keys(_PAYMENT, _texts(transactions, "transaction_id"))
        new = rows(transactions, np.array(first_of(store, keys)))
        if length(new):
            self._insert(store, "payments", payments(new))
            store.put((key, b"") for key in keys)

    def _insert(self, store: Writing, source: str, events: Columns) -> None:
        if self.before is not None:
            events = rows(events, events["known_at"] < self.before)
        if length(events):
            layouts = [layout for layout in self.into if layout.source == source]
            insert_events(store, layouts, events)

    @cached_property
    def _kept(self) -> dict[SubjectKind, Kept]:
        """What later arrivals need of a subject: what outcomes and late journeys are keyed by."""
        of_journey = {
            name.removeprefix("journey_")
            for layout in self.layouts
            for name in filter(_is_of_journey, layout.columns)
        }
        routes = _read(self.layouts, OUTCOMES["route"]) | of_journey
        late = [layout for layout in self.layouts if _reads_journey(layout)]
        shipments = _read(self.layouts, OUTCOMES["shipment"]) | _read(late, "shipments")
        return {"route": _kept("route", routes), "shipment": _kept("shipment", shipments)}


def _kept(kind: SubjectKind, names: set[str]) -> Kept:
    always = {"subject_id", "journey_id", "declared_at"}
    return Kept(kind, tuple(sorted((names | always) - TOLD_BY_INSPECTION)))


def _read(layouts: Iterable[Layout], source: str) -> set[str]:
    return {name for layout in layouts if layout.source == source for name in layout.columns}


def _is_of_journey(column: str) -> bool:
    return column.startswith("journey_") and column != "journey_id"


def _reads_journey(layout: Layout) -> bool:
    return any(map(_is_of_journey, layout.columns))


def _texts(columns: Columns, name: str) -> list[Any]:
    return texts_of(columns[name])


def _lists(store: Reading, keys: Sequence[bytes]) -> list[list[Any]]:
    return [json.loads(bytes(blob)) if blob else [] for blob in store.get(keys)]


def _keys(start: bytes, ids: Iterable[str]) -> list[bytes]:
    return [start + id_.encode() for id_ in ids]


def _append(store: Writing, items: Sequence[tuple[bytes, Any]]) -> Column:
    """Append items to lists, each that is not there yet; which these were."""
    keys = sorted({key for key, _ in items})
    lists = dict(zip(keys, _lists(store, keys), strict=True))
    is_new = np.zeros(len(items), bool)
    for at, (key, item) in enumerate(items):
        if item not in lists[key]:
            lists[key].append(item)
            is_new[at] = True
    store.put((key, json.dumps(held).encode()) for key, held in lists.items())
    return is_new
