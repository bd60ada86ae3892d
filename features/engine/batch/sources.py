"""Description, as data, of the records that a batch computation reads.

Subjects are rows held in memory (`SubjectTable`). Windows over them reduce earlier subjects
(`SubjectHistory`), records linked to one subject each (`LinkedSource`), and events of all subjects,
which either exceed memory (`EventStream`) or fit (`HeldEvents`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from features.engine.batch.record_blocks import RecordBlocks
from features.engine.columns import Column, Columns, Kind
from features.engine.windows.lifetimes import join_events
from features.engine.windows.record_history import RecordHistory
from features.engine.windows.window_declaration import Window


@dataclass(frozen=True)
class SubjectTable:
    """Subjects of one type, read as a whole in the order of declaration and id.

    `fields` takes subject columns and returns the record file fields they are computed from.
    """

    fields: Callable[[frozenset[str]], dict[str, set[str]]]
    read: Callable[[RecordBlocks, frozenset[str]], Columns]


@dataclass(frozen=True)
class SubjectHistory:
    """History of subjects: the subjects themselves, or what `derive` makes of them and of records.

    A derived event has the row of its subject in `gather.SUBJECT_ROW`.
    """

    name: str
    subjects: SubjectTable
    derive: Callable[[Columns, RecordBlocks], Columns] | None = None


class LatestColumn(NamedTuple):
    """Event column whose last known value a subject takes, among events where `where` is 1."""

    name: str
    kind: Kind
    where: str | None = None


@dataclass(frozen=True)
class LinkedSource:
    """Records that belong to one subject each and count if known before its instant.

    `derive` makes events of subjects and their records. `only` is a field and the value it must
    have. Records of one instant are ordered by `text_id` unless it is None; it is read for these
    records only, and missing in what `derive` gets. `latest` maps columns of a subject to the event
    column whose last value they take. `histories` are values from history, by name, that records
    get before they become events.
    """

    name: str
    record_file: str
    subject_field: str
    known_from: str
    fields: frozenset[str]
    subject_columns: frozenset[str]
    derive: Callable[[Columns, Columns], Columns]
    text_id: str | None = None
    only: tuple[str, str] | None = None
    known_when_missing: int | None = None
    latest: Mapping[str, LatestColumn] = field(default_factory=dict)
    histories: Mapping[str, RecordHistory] = field(default_factory=dict)

    @property
    def windows_over_history(self) -> list[Window]:
        """Windows over history from which values of the records are computed."""
        return [
            window for history in self.histories.values() for window in history.windows.values()
        ]


@dataclass(frozen=True)
class EventStream:
    """Events of all subjects, each derived from one record.

    `text_id` names an id of records that is missing in what `derive` gets.
    """

    name: str
    record_file: str
    known_from: str
    fields: frozenset[str]
    derive: Callable[[Columns], Columns]
    text_id: str | None = None


@dataclass(frozen=True)
class HeldEvents:
    """Events of all subjects that fit in memory, in the order they became known."""

    name: str
    derive: Callable[[RecordBlocks], Columns]


@dataclass(frozen=True)
class NetworkSource:
    """Values of subjects that are computed from events of all subjects at once.

    `events` returns these events by name, from the records of subjects of one type, given by their
    record file. `values` computes windows of subjects from the events of all types.
    """

    events: Mapping[str, Callable[[RecordBlocks], Mapping[str, Columns]]]
    values: Callable[[Sequence[Window], Columns, Mapping[str, Columns]], Mapping[Window, Column]]

    def all_events(self, records: Callable[[str], RecordBlocks]) -> dict[str, Columns]:
        """Return the events of all types of subjects; `records` takes a record file."""
        parts = [events(records(record_file)) for record_file, events in self.events.items()]
        return {name: join_events([part[name] for part in parts]) for name in parts[0]}


@dataclass(frozen=True)
class EventSources:
    """All sources that windows of subjects of one type reduce, by name."""

    subjects: SubjectTable
    linked: Mapping[str, LinkedSource]
    streams: Mapping[str, EventStream]
    histories: Mapping[str, SubjectHistory]
    held: Mapping[str, HeldEvents] = field(default_factory=dict)
    network: NetworkSource | None = None

    def linked_needed(self, names: set[str], columns: frozenset[str]) -> list[LinkedSource]:
        """Return the linked sources that windows, or columns of subjects, need."""
        return [
            source
            for source in self.linked.values()
            if source.name in names or source.latest.keys() & columns
        ]
