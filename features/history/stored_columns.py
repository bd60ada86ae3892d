"""Columns of each record type that layouts read or that are stored for later events."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from features.derived.subject import DERIVE_BY_KIND, derived_columns
from features.derived.transaction import derive_payment
from features.engine.columns import Kind, kinds_of
from features.engine.expressions.program import Program
from features.engine.store.event_rows import IncomingRecords, RecordReader
from features.engine.store.layout import Layout
from features.engine.store.raw_columns import RawColumns, number_column, take_rows, text_column
from features.engine.store.row_index import RowIndex
from features.errors import TidegateError
from features.linked_records import DRIFT_CELL
from features.networks.links import JOURNEY_PARTIES, OWN_PARTIES
from features.records import (
    Document,
    Journey,
    Outcome,
    Position,
    Shipment,
    SubjectKind,
    Transaction,
)
from features.subject_types import SUBJECT_TYPES

JOURNEY, SHIPMENT, PAYMENT, PERMIT = b"j", b"h", b"y", b"f"  # key prefixes

# Columns that the event sets itself; they are not read from the record.
_BY_THE_EVENT = {"known_at", "record_id", "is_confirmed"}
_ALWAYS = {"subject_id", "journey_id", "declared_at"}
_VERSION = {"version", "withdrawn", "learnt_at"}
_PAYMENT = {"record_id", "subject_kind", "subject_id", "payer_id", "payee_id", "known_at"}
_PERMIT = {"record_id", "kind", "subject_kind", "subject_id", "number", "known_at"}
_OUTCOME = ("subject_kind", "subject_id", "inspected_at", "known_at", "result", "withdrawn")


class HistorySchema:
    """Columns that the layouts of an online feature store read, by record type.

    Raises TidegateError if a window reduces a column of a shipment's journey. Such a column may
    only be part of a key, because the shipment is inserted under that key once the journey is
    known.
    """

    def __init__(self, layouts: Sequence[Layout]):
        for layout in layouts:
            if any(map(_is_of_journey, (*layout.values, *layout.labels))):
                raise TidegateError(
                    f"a window over {layout.source} reduces a column of the journey; it may only "
                    "be part of the key"
                )
        self._layouts = layouts

    def read(self, name: str, records: IncomingRecords) -> RawColumns:
        """Return the columns of records of the type `name` that the store reads."""
        return self._entries[name].read(records)

    def fields(self, name: str) -> tuple[str, ...]:
        """Return the fields of the record type `name` that the store reads."""
        return self._entries[name].fields

    def of_journeys(self, shipments: RawColumns, journeys: RawColumns) -> RawColumns:
        """Return each shipment's journey columns, missing unless declared before the shipment."""
        rows = {id_: at for at, id_ in enumerate(text_column(journeys, "journey_id"))}
        places = np.array(
            [rows.get(id_, -1) for id_ in text_column(shipments, "journey_id")], np.int64
        )
        declared_at = number_column(take_rows({"at": journeys["declared_at"]}, places), "at")
        # A journey declared at the same instant or later was unknown when the shipment was
        # declared.
        places[declared_at >= number_column(shipments, "declared_at")] = -1
        of = {name: journeys[_of_the_journey(name)] for name in self._of_journey}
        return take_rows(of, places)

    @cached_property
    def subjects(self) -> dict[SubjectKind, RowIndex]:
        """Stored subjects with all columns that outcomes, late journeys and amendments need."""
        kinds = {name: self._entries[name].kinds for name in ("journeys", "shipments")}
        of_journey = {name: kinds["journeys"][_of_the_journey(name)] for name in self._of_journey}
        return {
            "route": RowIndex(JOURNEY, "subject_id", _kept(kinds["journeys"])),
            "shipment": RowIndex(SHIPMENT, "subject_id", _kept(kinds["shipments"] | of_journey)),
        }

    @cached_property
    def derived_by_declaration(self) -> dict[SubjectKind, Program]:
        """Programs that derive the subject columns that depend on the instant of declaration."""
        return {kind: self._derived_by_declaration(kind) for kind in SUBJECT_TYPES}

    @cached_property
    def payments(self) -> RowIndex:
        """Stored payments with the columns of their own events."""
        return RowIndex(PAYMENT, "record_id", _kept(self._entries["transactions"].kinds))

    @cached_property
    def permits(self) -> RowIndex:
        """Stored permits with the columns of their events."""
        kinds = _kept(self._entries["documents"].kinds)
        return RowIndex(PERMIT, "record_id", kinds, Document.versions_replace)

    @cached_property
    def columns_of_journeys(self) -> frozenset[str]:
        """Columns of journeys that shipments use, under the names journeys give them."""
        return frozenset(map(_of_the_journey, self._of_journey))

    def without_journeys(self, size: int) -> RawColumns:
        """Return `size` rows of the journey columns of shipments, all missing."""
        index = self.subjects["shipment"]
        nothing = index.columns([[None] * len(index.kinds)] * size)
        return {name: nothing[name] for name in self._of_journey}

    @cached_property
    def _entries(self) -> dict[str, RecordReader]:
        journeys = self._read("journeys", "route_outcomes") | {*OWN_PARTIES["route"]}
        journeys |= {*map(_of_the_journey, self._of_journey)}
        shipments = self._read("shipments", "shipment_outcomes") - self._of_journey
        shipments |= {*OWN_PARTIES["shipment"]}
        shipments |= {*self.derived_by_declaration["shipment"].columns}
        return {
            "journeys": RecordReader(
                kinds_of(Journey), _with_learnt_at("route"), journeys | _ALWAYS | _VERSION
            ),
            "shipments": RecordReader(
                kinds_of(Shipment), _with_learnt_at("shipment"), shipments | _ALWAYS | _VERSION
            ),
            "transactions": RecordReader(
                kinds_of(Transaction),
                lambda payment: {**derive_payment(payment), "learnt_at": payment["known_at"]},
                self._read("payments") | _PAYMENT | _VERSION,
            ),
            "documents": RecordReader(
                kinds_of(Document),
                lambda paper: {
                    "known_at": paper["received_at"],
                    "learnt_at": paper["received_at"],
                    "record_id": paper["document_id"],
                },
                _PERMIT | _VERSION,
            ),
            "positions": RecordReader(
                kinds_of(Position),
                lambda columns: {"known_at": columns[Position.known_from]},
                self._read("drifts") | {"journey_id", "drift_cell", "known_at"},
                {"drift_cell": DRIFT_CELL},
            ),
            "outcomes": RecordReader(kinds_of(Outcome), lambda columns: columns, _OUTCOME),
        }

    @cached_property
    def _of_journey(self) -> set[str]:
        read = {name for layout in self._layouts for name in layout.columns}
        return {*filter(_is_of_journey, read), *JOURNEY_PARTIES["shipment"]}

    def _derived_by_declaration(self, kind: SubjectKind) -> Program:
        subject_type = SUBJECT_TYPES[kind]
        read = self._read(subject_type.record_file, subject_type.outcome_source)
        programs = {name: derived_columns(kind, frozenset({name})) for name in read}
        by_declaration = {name for name, each in programs.items() if "declared_at" in each.columns}
        return derived_columns(kind, frozenset(by_declaration))

    def _read(self, *sources: str) -> set[str]:
        read = {name for one in self._layouts if one.source in sources for name in one.columns}
        return read - _BY_THE_EVENT


def reads_journey(layout: Layout) -> bool:
    """Return whether a layout reads a column of the shipment's journey.

    Shipments come under its keys only once their journey is known.
    """
    return any(map(_is_of_journey, layout.columns))


def _is_of_journey(column: str) -> bool:
    return column.startswith("journey_") and column != "journey_id"


def _of_the_journey(column: str) -> str:
    return column.removeprefix("journey_")


def _with_learnt_at(kind: SubjectKind) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
    """Return a function that derives the columns of a subject.

    `learnt_at` is the instant a later version became known.
    """
    derive = DERIVE_BY_KIND[kind]
    return lambda columns: {**derive(columns), "learnt_at": columns["known_at"]}


def _kept(kinds: Mapping[str, Kind]) -> dict[str, Kind]:
    return {name: kinds[name] for name in sorted(kinds.keys() - _VERSION)}
