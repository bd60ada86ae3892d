"""The record types linked to a subject: goods items, documents, payments, events, legs, positions.

There is one descriptor each. Everything else derives from it: the linked records of which batch and
requests compute windows, the records that a submission may contain, the keys that distinguish
records on arrival, and the words for them. A new record type needs a record in `records`, its
columns in `derived`, a field of the submission and a descriptor here.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from features.catalogue import columns_of_source
from features.derived.beside_subject import (
    IS_SUPERSEDED,
    PREVIOUS,
    SubjectColumn,
    known_before,
    run_beside_subjects,
    trace_beside_subject,
    with_previous,
    with_versions,
)
from features.derived.document import derive_document
from features.derived.drifting import drift_cell
from features.derived.event import derive_event
from features.derived.goods_item import (
    HEADING_CONFIRMED,
    are_of_other_goods,
    derive_goods_item,
)
from features.derived.leg import derive_leg
from features.derived.position import derive_position
from features.derived.subject import LATEST_FIELDS, LatestField
from features.derived.transaction import derive_transaction
from features.engine.batch.amendments import amendments_of
from features.engine.columns import (
    NO_INSTANT,
    Column,
    Columns,
    Kind,
    Records,
    instant_us,
    is_missing,
    kinds_of,
    missing_value,
    places,
    rows,
)
from features.engine.expressions.program import Program
from features.engine.string_table import NO_TEXT, STRING_TABLE
from features.engine.windows.event_order import sorted_by_known_at
from features.engine.windows.record_history import RecordHistory
from features.engine.windows.window_declaration import NETWORK, Window
from features.field_types import BEFORE_ALL
from features.networks.links import HISTORY_OF_LINKS, HISTORY_OF_RESULTS, VALUES_OF_RESULTS
from features.records import RECORD_FILES, SUBJECT_KINDS, Record, SubjectKind
from features.reference.geography.ports import nearest_port_km


class Measure(NamedTuple):
    """A number that programs cannot compute: its input fields, and the function to compute it."""

    fields: tuple[str, ...]
    function: Callable[..., Column]


# The cell in which a conveyance drifted, from a single position.
DRIFT_CELL = Measure(("latitude", "longitude", "speed_kn", "observed_at"), drift_cell)

# Whether the description of a goods item names other goods than its code.
OF_OTHER_GOODS = Measure(("description", "commodity_code"), are_of_other_goods)


@dataclass(frozen=True, kw_only=True, eq=False)
class LinkedRecordType:
    """The link of one record type to subjects, and the words for its records.

    `name` is that of the record file, of the submission's field and of the source of windows.
    `order_field` orders records that became known at the same instant. `previous` names fields that
    each record also reads from the subject's preceding record in that order, with the values for a
    first record. With `version_of`, the preceding record is the earlier version of the same
    document: of the same subject and equal in these fields; each record then also has
    `is_superseded`, whether a later version is known. `measured` adds numbers to each record before
    that; `histories` adds numbers from the history of anyone, by a key of the record.

    `submission_path` leads to the submission field that holds the records, by default one called
    `name`. `key_fields` identify a record within its subject, `id_fields` within its type. A record
    with the flag `marked_by` differs from one without it, which never displaces it.
    """

    name: str
    kinds: tuple[SubjectKind, ...]
    subject_field: str
    order_field: str
    key_fields: tuple[str, ...]
    id_fields: tuple[str, ...]
    marked_by: str | None = None
    derive: Callable[[SubjectKind, Columns, Columns], Columns]
    previous: Mapping[str, object] = field(default_factory=dict)
    measured: Mapping[str, Measure] = field(default_factory=dict)
    histories: Mapping[str, RecordHistory] = field(default_factory=dict)
    version_of: tuple[str, ...] = ()
    submission_path: tuple[str, ...] = ()
    most_in_submission: int = 500
    words_when_cited: str
    words_when_missing: str

    @property
    def record(self) -> type[Record]:
        """Return the type of the records."""
        return RECORD_FILES[self.name]

    @property
    def latest(self) -> dict[str, LatestField]:
        """Return the columns that a subject takes from its last record."""
        return {name: each for name, each in LATEST_FIELDS.items() if each.record_file == self.name}

    @property
    def known_from(self) -> str:
        """Return the field with the instant from which a record may be used."""
        return self.record.known_from

    @property
    def path_in_submission(self) -> tuple[str, ...]:
        """Return the fields of a submission that lead to the records."""
        return self.submission_path or (self.name,)

    @property
    def known_when_missing(self) -> datetime | None:
        """Return the instant from which a record without one may be used; None if never."""
        return BEFORE_ALL if self.record.is_part_of_declaration else None

    @property
    def has_subject_kind(self) -> bool:
        """Return whether a record states the kind of its subject."""
        return "subject_kind" in self.record.model_fields

    @property
    def has_text_ids(self) -> bool:
        """Return whether records of one instant are ordered by a text."""
        return kinds_of(self.record)[self.order_field] is Kind.TEXT

    def id_of(self, record: Record) -> str:
        """Return the id of a record within its type; a later version has another id."""
        named = " ".join(str(getattr(record, field)) for field in self.id_fields)
        if self.is_marked(record.__dict__):
            named = f"{named} {self.marked_by}"
        # Documents have the version among their id fields already.
        version = 1 if "version" in self.id_fields else getattr(record, "version", 1)
        return named if version == 1 else f"{named} version {version}"

    def key_of(self, record: Record) -> tuple[Any, ...]:
        """Return the key of a record within its type and subject."""
        told = (getattr(record, field) for field in self.key_fields)
        return (*told, self.is_marked(record.__dict__))

    def is_marked(self, fields: Mapping[str, Any]) -> bool:
        """Return whether the flag is set that makes it a separate record."""
        return self.marked_by is not None and bool(fields.get(self.marked_by))

    def subject_of(self, row: Mapping[str, Any]) -> tuple[SubjectKind, str]:
        """Return the kind and id of the subject of a row of its file."""
        kind = row["subject_kind"] if self.has_subject_kind else self.kinds[0]
        return kind, row[self.subject_field]

    def program(self, kind: SubjectKind) -> Program:
        """Return the program of the columns that windows read of a record and its subject."""
        return _program(self, kind)

    def column_kinds(self, kind: SubjectKind) -> dict[str, Kind]:
        """Return the kind of every column that windows could read of a record."""
        outputs = _traced(self, kind, None).outputs
        return {name: column.kind for name, column in outputs.items()}

    def fields_read(self, kind: SubjectKind) -> set[str]:
        """Return the fields from which the windows of one kind of subject are computed."""
        read = {key for key in self.program(kind).columns if isinstance(key, str)}
        read |= {self.subject_field, self.known_from, self.order_field, *self.previous}
        read |= {name for measure in self.measured.values() for name in measure.fields}
        read |= {history.field for history in self.histories.values()}
        read |= {*self.version_of, "version"} if self.version_of else set()
        return (read | {"subject_kind"}) & self.record.model_fields.keys()

    def subject_columns_read(self, kind: SubjectKind) -> set[str]:
        """Return the columns of a subject that its records are compared with."""
        columns = self.program(kind).columns
        return {key.name for key in columns if isinstance(key, SubjectColumn)}

    def derive_events(self, kind: SubjectKind, subjects: Columns, records: Columns) -> Columns:
        """Return the events that windows reduce, one per record, all known before their subjects.

        Numbers from history that are not among the columns of the records are missing.
        """
        unknown = np.full(len(records[self.subject_field]), np.nan)
        records = dict.fromkeys(self.histories, unknown) | records
        records |= {
            name: measure.function(*(records[field] for field in measure.fields))
            for name, measure in self.measured.items()
        }
        if self.version_of:
            records = with_versions(records, self.subject_field, self.version_of, self.previous)
        elif self.previous:
            records = with_previous(records, self.subject_field, self.order_field, self.previous)
        subject_ids = records[self.subject_field]
        return run_beside_subjects(self.program(kind), records, subject_ids, subjects)


LINKED_RECORD_TYPES: Mapping[str, LinkedRecordType] = MappingProxyType(
    {
        record_type.name: record_type
        for record_type in (
            LinkedRecordType(
                name="goods_items",
                kinds=("shipment",),
                subject_field="shipment_id",
                order_field="number",
                key_fields=("number", "version"),
                id_fields=("shipment_id", "number"),
                derive=derive_goods_item,
                measured={"is_of_other_goods": OF_OTHER_GOODS},
                histories={"heading_confirmed_ppm": HEADING_CONFIRMED},
                submission_path=("shipment", "items"),
                most_in_submission=999,
                words_when_cited="goods items {ids}",
                words_when_missing="the goods items of the shipment",
            ),
            LinkedRecordType(
                name="documents",
                kinds=SUBJECT_KINDS,
                subject_field="subject_id",
                order_field="document_id",
                key_fields=("document_id", "version"),
                id_fields=("document_id", "version"),
                derive=derive_document,
                previous={
                    "consignor_id": NO_TEXT,
                    "consignee_id": NO_TEXT,
                    "gross_mass_kg": np.nan,
                    "packages": np.nan,
                    "container_number": NO_TEXT,
                    "seal_number": NO_TEXT,
                },
                version_of=("kind", "number"),
                words_when_cited="documents {ids}",
                words_when_missing="any document",
            ),
            LinkedRecordType(
                name="transactions",
                kinds=SUBJECT_KINDS,
                subject_field="subject_id",
                order_field="transaction_id",
                key_fields=("transaction_id", "version"),
                id_fields=("transaction_id",),
                derive=derive_transaction,
                words_when_cited="payments {ids}",
                words_when_missing="any payment",
            ),
            LinkedRecordType(
                name="events",
                kinds=SUBJECT_KINDS,
                subject_field="subject_id",
                order_field="event_id",
                key_fields=("event_id", "version"),
                id_fields=("event_id",),
                derive=derive_event,
                words_when_cited="events {ids}",
                words_when_missing="what happened on the way",
            ),
            LinkedRecordType(
                name="legs",
                kinds=("route",),
                subject_field="journey_id",
                order_field="sequence",
                key_fields=("sequence", "version"),
                id_fields=("journey_id", "sequence", "known_at"),
                derive=derive_leg,
                previous={"sequence": np.nan, "arrived_at": NO_INSTANT, "destination": NO_TEXT},
                words_when_cited="legs {ids}",
                words_when_missing="the legs of the journey",
            ),
            LinkedRecordType(
                name="positions",
                kinds=("route",),
                subject_field="journey_id",
                order_field="observed_at",
                key_fields=("observed_at", "source"),
                id_fields=("journey_id", "observed_at", "source"),
                marked_by="is_distress",
                derive=derive_position,
                previous={
                    "observed_at": NO_INSTANT,
                    "latitude": np.nan,
                    "longitude": np.nan,
                    "port_km": np.nan,
                    "drift_cell": np.nan,
                },
                measured={
                    "port_km": Measure(("latitude", "longitude"), nearest_port_km),
                    "drift_cell": DRIFT_CELL,
                },
                most_in_submission=5_000,
                words_when_cited="positions heard {ids}",
                words_when_missing="the positions of the conveyance",
            ),
        )
    }
)


def linked_record_types(kind: SubjectKind) -> tuple[LinkedRecordType, ...]:
    """Return the record types linked to subjects of one kind."""
    return tuple(
        record_type for record_type in LINKED_RECORD_TYPES.values() if kind in record_type.kinds
    )


def windows_behind(kind: SubjectKind, window: Window) -> tuple[Window, ...]:
    """Return the windows over history behind a window: itself, or those of its records' numbers."""
    if window.source == NETWORK:
        return HISTORY_OF_RESULTS if window.value in VALUES_OF_RESULTS else HISTORY_OF_LINKS
    if window.source not in LINKED_RECORD_TYPES:
        return (window,)
    record_type = LINKED_RECORD_TYPES[window.source]
    inputs = record_type.program(kind).inputs_of_outputs
    keys = {key for name in (window.value, window.where) for key in inputs.get(name, ())}
    histories = (of for name, of in record_type.histories.items() if name in keys)
    return tuple(one for history in histories for one in history.windows.values())


def linked_events(
    kind: SubjectKind, subjects: Columns, records: Records, as_of: Column | None = None
) -> dict[str, Columns]:
    """Return the events of each linked record type, in the order in which they became known.

    `as_of` are the scoring instants of the subjects, by default their declarations.
    """
    asking = subjects if as_of is None else subjects | {"declared_at": as_of}

    def events(record_type: LinkedRecordType) -> Columns:
        linked = with_known_from(record_type, records[record_type.name])
        known = linked_before(record_type, kind, asking, linked)
        return sorted_by_known_at(record_type.derive_events(kind, subjects, known))

    return {record_type.name: events(record_type) for record_type in linked_record_types(kind)}


def with_known_from(record_type: LinkedRecordType, records: Columns) -> Columns:
    """Return records in which those of a declaration are known before everything else."""
    if record_type.known_when_missing is None:
        return records
    known_at, earliest = records[record_type.known_from], instant_us(record_type.known_when_missing)
    known = np.where(is_missing(known_at), earliest, known_at)
    return records | {record_type.known_from: known}


def linked_before(
    record_type: LinkedRecordType, kind: SubjectKind, subjects: Columns, records: Columns
) -> Columns:
    """Return the records that count at their subject's instant, for subjects of one kind."""
    if record_type.has_subject_kind:
        records = rows(records, records["subject_kind"] == STRING_TABLE.code(kind))
    subject_ids, known_at = records[record_type.subject_field], records[record_type.known_from]
    until = amendments_of(records, record_type.record).until_of(0, len(known_at))
    return known_before(records, subject_ids, known_at, until, subjects)


def latest_by_subject(
    subjects: Columns, events: Columns, name: str, where: str | None = None
) -> Column:
    """Return the last known value of `name` among each subject's events; missing if there is none.

    With `where`, only events in which that column is 1 count.
    """
    latest = np.full(len(subjects["subject_id"]), missing_value(events[name]), events[name].dtype)
    subject = places(events["subject_id"], subjects["subject_id"])
    known = (subject >= 0) & ~is_missing(events[name])
    if where is not None:
        known &= events[where] == 1
    latest[subject[known]] = events[name][known]  # if indices repeat, NumPy keeps the last value
    return latest


@cache
def _program(record_type: LinkedRecordType, kind: SubjectKind) -> Program:
    of_latest = {name for each in record_type.latest.values() for name in (each.field, each.where)}
    columns = {"subject_id", *columns_of_source(record_type.name), *filter(None, of_latest)}
    return _traced(record_type, kind, columns)


def _traced(
    record_type: LinkedRecordType, kind: SubjectKind, columns: Collection[str] | None
) -> Program:
    kinds = kinds_of(record_type.record) | dict.fromkeys(record_type.measured, Kind.NUMBER)
    kinds |= dict.fromkeys(record_type.histories, Kind.NUMBER)
    kinds |= {f"{PREVIOUS}{name}": kinds[name] for name in record_type.previous}
    kinds |= {IS_SUPERSEDED: Kind.NUMBER} if record_type.version_of else {}
    return trace_beside_subject(partial(record_type.derive, kind), kinds, kind, columns)
