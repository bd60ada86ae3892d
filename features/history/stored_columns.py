"""The columns of each record type that layouts read, and those kept of subjects for later."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from features.derived.transaction import derive_payment
from features.engine.columns import Kind, kinds_of
from features.engine.store.event_rows import IncomingRecords, RecordReader
from features.engine.store.layout import Layout
from features.engine.store.raw_columns import RawColumns, number_column, take_rows, text_column
from features.engine.store.subject_index import SubjectIndex
from features.errors import DefinitionError
from features.linked_records import DRIFT_CELL
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

JOURNEY, SHIPMENT = b"j", b"h"  # by which keys of kept subjects begin

_BY_THE_EVENT = {"known_at", "record_id", "is_confirmed"}
_ALWAYS = {"subject_id", "journey_id", "declared_at"}
_PAYMENT = {"record_id", "subject_kind", "subject_id", "payer_id", "payee_id", "known_at"}
_PERMIT = ("record_id", "version", "kind", "subject_kind", "subject_id", "number", "known_at")
_OUTCOME = ("subject_kind", "subject_id", "inspected_at", "known_at", "result")


class HistorySchema:
    """The columns that the layouts of an online feature store read, by record type.

    Raises DefinitionError where a window reduces a column of a shipment's journey: it may be
    part of a key, under which the shipment comes once the journey is known.
    """

    def __init__(self, layouts: Sequence[Layout]):
        for layout in layouts:
            if any(map(_is_of_journey, (*layout.values, *layout.labels))):
                raise DefinitionError(
                    f"a window over {layout.source} reduces a column of the journey; it may only "
                    "be part of the key"
                )
        self._layouts = layouts

    def read(self, name: str, records: IncomingRecords) -> RawColumns:
        """The columns that are read of records of the type `name`."""
        return self._entries[name].read(records)

    def fields(self, name: str) -> tuple[str, ...]:
        """The fields of the record type `name` that are read."""
        return self._entries[name].fields

    def of_journeys(self, shipments: RawColumns, journeys: RawColumns) -> RawColumns:
        """The columns of each shipment's journey, missing unless declared before the shipment."""
        rows = {id_: at for at, id_ in enumerate(text_column(journeys, "journey_id"))}
        places = np.array(
            [rows.get(id_, -1) for id_ in text_column(shipments, "journey_id")], np.int64
        )
        declared_at = number_column(take_rows({"at": journeys["declared_at"]}, places), "at")
        places[declared_at >= number_column(shipments, "declared_at")] = -1
        of = {name: journeys[_of_the_journey(name)] for name in self._of_journey}
        return take_rows(of, places)

    @cached_property
    def subjects(self) -> dict[SubjectKind, SubjectIndex]:
        """The subjects, with the columns that keys of outcomes and of late journeys need."""
        kinds = self._entries["journeys"].kinds
        of_journey = {name: kinds[_of_the_journey(name)] for name in self._of_journey}
        routes = self._read("route_outcomes") | {*map(_of_the_journey, self._of_journey)}
        late = (one.columns for one in self._layouts if reads_journey(one))
        shipments = self._read("shipment_outcomes").union(*late) - _BY_THE_EVENT
        return {
            "route": SubjectIndex(JOURNEY, _some(kinds, routes)),
            "shipment": SubjectIndex(
                SHIPMENT, _some(self._entries["shipments"].kinds | of_journey, shipments)
            ),
        }

    @cached_property
    def _entries(self) -> dict[str, RecordReader]:
        journeys = self._read("journeys", "route_outcomes")
        journeys |= {*map(_of_the_journey, self._of_journey)}
        shipments = self._read("shipments", "shipment_outcomes") - self._of_journey
        return {
            "journeys": RecordReader(
                kinds_of(Journey), SUBJECT_TYPES["route"].derive, journeys | _ALWAYS
            ),
            "shipments": RecordReader(
                kinds_of(Shipment), SUBJECT_TYPES["shipment"].derive, shipments | _ALWAYS
            ),
            "transactions": RecordReader(
                kinds_of(Transaction),
                derive_payment,
                self._read("payments") | _PAYMENT,
            ),
            "documents": RecordReader(
                kinds_of(Document),
                lambda paper: {"known_at": paper["received_at"], "record_id": paper["document_id"]},
                _PERMIT,
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
        return {name for layout in self._layouts for name in filter(_is_of_journey, layout.columns)}

    def _read(self, *sources: str) -> set[str]:
        read = {name for one in self._layouts if one.source in sources for name in one.columns}
        return read - _BY_THE_EVENT


def reads_journey(layout: Layout) -> bool:
    """Whether a shipment comes under the layout's keys only once its journey is known."""
    return any(map(_is_of_journey, layout.columns))


def _is_of_journey(column: str) -> bool:
    return column.startswith("journey_") and column != "journey_id"


def _of_the_journey(column: str) -> str:
    return column.removeprefix("journey_")


def _some(kinds: dict[str, Kind], names: Iterable[str]) -> dict[str, Kind]:
    return {name: kinds[name] for name in sorted({*names} | _ALWAYS)}
