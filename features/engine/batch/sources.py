"""The records that a batch computation reads, described as data, without their names.

Subjects are rows that are held in memory (`SubjectTable`). Windows over them reduce what other
subjects did before (`SubjectHistory`), records that are linked to one subject each
(`LinkedSource`), and events of anyone, too many to hold (`EventStream`) or not (`HeldEvents`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from features.engine.batch.record_blocks import RecordBlocks
from features.engine.columns import Columns, Kind
from features.engine.windows.record_history import RecordHistory
from features.engine.windows.window import Window


@dataclass(frozen=True)
class SubjectTable:
    """Subjects of one type, read whole, in the order of declaration and id.

    `fields` says which fields of which record files given columns of subjects are made of.
    """

    fields: Callable[[frozenset[str]], dict[str, set[str]]]
    read: Callable[[RecordBlocks, frozenset[str]], Columns]


@dataclass(frozen=True)
class SubjectHistory:
    """The history of subjects: themselves, or what `derive` makes of them and records.

    An event that is derived has the row of its subject as `gather.SUBJECT_ROW`.
    """

    name: str
    subjects: SubjectTable
    derive: Callable[[Columns, RecordBlocks], Columns] | None = None


class LatestColumn(NamedTuple):
    """A column of events whose last known value a subject takes, of those where `where` is 1."""

    name: str
    kind: Kind
    where: str | None = None


@dataclass(frozen=True)
class LinkedSource:
    """Records of which each belongs to one subject, and counts where known before its instant.

    `derive` makes events of subjects and of their records. `only` is a field with the value that
    counts. Records of one instant are ordered by `text_id`, where that is not None; it is looked up
    for those alone, and is no column of what `derive` is given but missing. `latest` names columns
    that a subject takes from the last of its events that has one, with the event's column.
    `histories` are by name numbers of history that each record has before it is made an event.
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
        """The windows over history that its records' own numbers are made of."""
        return [
            window for history in self.histories.values() for window in history.windows.values()
        ]


@dataclass(frozen=True)
class EventStream:
    """Events of anyone, each derived from one record; `text_id`, which records may have, is missing
    in what is derived.
    """

    name: str
    record_file: str
    known_from: str
    fields: frozenset[str]
    derive: Callable[[Columns], Columns]
    text_id: str | None = None


@dataclass(frozen=True)
class HeldEvents:
    """Events of anyone that are few enough to hold, in the order of knowledge."""

    name: str
    derive: Callable[[RecordBlocks], Columns]


@dataclass(frozen=True)
class EventSources:
    """All that windows of subjects of one type reduce, by the names of the sources."""

    subjects: SubjectTable
    linked: Mapping[str, LinkedSource]
    streams: Mapping[str, EventStream]
    histories: Mapping[str, SubjectHistory]
    held: Mapping[str, HeldEvents] = field(default_factory=dict)

    def linked_needed(self, names: set[str], columns: frozenset[str]) -> list[LinkedSource]:
        """The linked sources that are read: for windows, or for columns of the subjects."""
        return [
            source
            for source in self.linked.values()
            if source.name in names or source.latest.keys() & columns
        ]
