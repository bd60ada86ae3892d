"""Trace a feature's value to declared fields, linked records and earlier events.

It leads from a reason back to the documents, for one case at a time, so clarity matters more than
speed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from features.definition import Feature
from features.derived.subject import derive_subjects, derived_columns, record_kinds
from features.engine.columns import DAY_US, Columns, instant_us, is_missing, is_text
from features.engine.string_table import STRING_TABLE
from features.engine.windows.reducers import decisive_events
from features.engine.windows.window_declaration import Window
from features.linked_records import linked_events, windows_behind
from features.records import SubjectKind
from features.submission import Submission, records_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class EarlierEvents:
    """A group of earlier events with the same key: source, key fields and number of days."""

    source: str
    by: tuple[str, ...]
    days: int | None


@dataclass(frozen=True)
class Provenance:
    """The basis of a value: declared fields, record ids by type, and earlier events.

    A leg's id is its sequence number, a position's its instant.
    """

    declared: tuple[str, ...]
    records: dict[str, tuple[str, ...]]
    earlier_events: tuple[EarlierEvents, ...]


class SubmissionProvenance:
    """The provenance of every feature of one submission."""

    def __init__(self, submission: Submission):
        self._kind = kind = submission.subject_kind
        records = records_of(submission)
        subjects = derive_subjects(kind, records)
        self._at = instant_us(submission.scoring_instant)
        self._linked = linked_events(kind, subjects, records, np.array([self._at]))
        self._subject_id = subjects["subject_id"][0]

    def feature(self, feature: Feature) -> Provenance:
        """Return the provenance of one feature, without records that do not affect it."""
        records: dict[str, tuple[str, ...]] = {}
        earlier_events: list[EarlierEvents] = []
        for window in feature.windows.values():
            if window.source in self._linked:
                ids = (*records.get(window.source, ()), *self._counted(window))
                records[window.source] = tuple(sorted(set(ids)))
            earlier_events += (
                EarlierEvents(behind.source, behind.matching, behind.days)
                for behind in windows_behind(self._kind, window)
            )
        fields = (field for name in feature.columns for field in fields_behind(self._kind, name))
        return Provenance(
            declared=tuple(dict.fromkeys(fields)),
            records={name: ids for name, ids in records.items() if ids},
            earlier_events=tuple(dict.fromkeys(earlier_events)),
        )

    def _counted(self, window: Window) -> list[str]:
        events = self._linked[window.source]
        counts = events["subject_id"] == self._subject_id
        if window.days is not None:
            counts = counts & (events["known_at"] >= self._at - window.days * DAY_US)
        if window.where is not None:
            counts = counts & (events[window.where] == 1)
        places = np.flatnonzero(counts)
        values = None if window.value is None else events[window.value][places]
        is_present = np.ones(len(places), np.bool_) if values is None else ~is_missing(values)
        if windows_behind(self._kind, window):
            # History alone tells which of them count, so all are listed.
            return [_record_id(events, at) for at in places.tolist()]
        is_decisive = decisive_events(window.reducer, values, is_present)
        return [_record_id(events, at) for at in places[is_decisive]]


@cache
def fields_behind(kind: SubjectKind, column: str) -> tuple[str, ...]:
    """Return the record fields from which a column of a subject is made.

    >>> fields_behind("shipment", "mass_kg"), fields_behind("route", "due_at")
    (('gross_mass_kg', 'net_mass_kg'), ('due_at',))
    """
    if column in record_kinds(kind):
        return (column,)
    read = derived_columns(kind, frozenset({column})).columns
    return tuple(name for name in read if isinstance(name, str)) or (column,)


def _record_id(events: Columns, at: int) -> str:
    """Return a record's id, a leg's sequence number or the instant of a position."""
    ids = events["record_id"]
    if is_text(ids):
        return STRING_TABLE.text(ids[at]) or ""
    if ids.dtype == np.int64:
        return (EPOCH + timedelta(microseconds=int(ids[at]))).isoformat()
    return f"{ids[at]:g}"
