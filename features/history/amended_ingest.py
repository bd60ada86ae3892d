"""Ingest amendments and withdrawals, and records that belong to amended subjects.

Such a record changes events that were counted earlier. The events of everything it affects are
therefore computed again from all stored records, with the functions of the batch engine, and the
difference between the old and the new rows is applied to the store. Events that count for ever are
stored in the logs of their keys; all others are stored separately
(`features.engine.store.amended_rows`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from features.derived.amended_journeys import join_amended_journeys
from features.derived.outcome import outcome_events, paid_outcome_events
from features.engine.columns import Column, Columns, is_text
from features.engine.store.amended_rows import Lifetime, put_amended, remove_rows
from features.engine.store.blob_store import BlobReader, BlobTransaction
from features.engine.store.event_log import insert_rows
from features.engine.store.event_writer import event_keys, event_words
from features.engine.store.layout import Layout, of_source
from features.engine.store.raw_columns import (
    RawColumns,
    number_column,
    rows_where,
    size_of,
    text_column,
)
from features.engine.store.row_index import RowIndex
from features.engine.store.store_keys import texts_of
from features.engine.string_table import STRING_TABLE
from features.engine.windows.lifetimes import (
    COUNTS_FROM,
    COUNTS_UNTIL,
    FOREVER,
    NEVER,
    last_instants,
)
from features.history.stored_columns import HistorySchema
from features.history.stored_lists import (
    INSPECTED,
    PAID,
    WHEN_FOUND,
    KeptVersion,
    append,
    append_versions,
    carried,
    inspections_of,
    keep_carried,
    keys_of_lists,
    lists,
    paid_of,
    versions_kept,
)
from features.networks.links import (
    LINKS,
    PARTY_OUTCOMES,
    links_of_subjects,
    party_outcomes_of_subjects,
)
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES

_IS_MARKED = b"mmarked"
_OF_SUBJECT: dict[SubjectKind, bytes] = {"route": b"kr", "shipment": b"ks"}
_OF_PAYMENT, _OF_PERMIT = b"ky", b"kf"

_PLAIN: Lifetime = (NEVER, FOREVER)

Subject = tuple[SubjectKind, str]


class Concerned(NamedTuple):
    """Subjects, payments and documents whose events change when records are ingested."""

    subjects: set[Subject]
    payments: set[str]
    documents: set[str]


# The number of occurrences of each row with its lifetime, by layout number and key.
Rows = dict[tuple[int, bytes], Counter[tuple[Lifetime, tuple[int, ...]]]]


def parted(
    store: BlobReader, records: Mapping[str, RawColumns]
) -> tuple[dict[str, RawColumns], dict[str, RawColumns]]:
    """Split records into those that only add events and those that change existing ones."""
    plain, amending = {}, {}
    is_marked = has_amendments(store)
    for name, columns in records.items():
        amends = _amends(store, name, columns)
        # Marks exist only after the first amendment. Until then the lookup below is skipped.
        if is_marked and name in _MARKED_BY:
            amends = amends | _concerns_marked(store, name, columns)
        if not amends.all():
            plain[name] = rows_where(columns, ~amends)
        if amends.any():
            amending[name] = rows_where(columns, amends)
    return plain, amending


def has_amendments(store: BlobReader) -> bool:
    """Return whether any stored record was amended, withdrawn or corrected."""
    return store.get([_IS_MARKED]) != [None]


def are_permits(documents: RawColumns) -> Column:
    """Return a mask of the documents that are numbered permits of shipments."""
    read = (text_column(documents, name) for name in ("kind", "subject_kind", "number"))
    return np.array(
        [
            kind == "permit" and subject_kind == "shipment" and number is not None
            for kind, subject_kind, number in zip(*read, strict=True)
        ],
        bool,
    )


@dataclass(frozen=True)
class AmendedIngest:
    """Ingest of amending records into the logs of some layouts, in one transaction."""

    schema: HistorySchema
    layouts: tuple[Layout, ...]
    store: BlobTransaction

    def ingest(self, records: Mapping[str, RawColumns]) -> Counter[str]:
        """Store records, update the affected events and count the new records by type."""
        # The old rows must be read before the new records are stored: both are computed from the
        # store.
        concerned = self._concerned(records)
        before = self._rows(concerned)
        new = self._keep(records)
        keys = [_OF_SUBJECT[kind] + id_.encode() for kind, id_ in concerned.subjects]
        keys += keys_of_lists(_OF_PAYMENT, concerned.payments)
        keys += keys_of_lists(_OF_PERMIT, concerned.documents)
        self.store.put((key, b"1") for key in [*keys, _IS_MARKED])
        self._replace(before, self._rows(concerned))
        return new

    def _concerned(self, records: Mapping[str, RawColumns]) -> Concerned:
        subjects: set[Subject] = set()
        for kind, subject_type in SUBJECT_TYPES.items():
            own = records.get(subject_type.record_file)
            subjects |= {(kind, id_) for id_ in text_column(own, "subject_id")} if own else set()
        journeys = records.get("journeys")
        if journeys:
            # A changed journey also changes the events of its shipments, which have columns of the
            # journey.
            subjects |= {("shipment", id_) for id_ in self._carried_otherwise(journeys)}
        for name in ("outcomes", "transactions"):
            if linked := records.get(name):
                subjects |= _subjects_of(linked)
        payments = {*text_column(records.get("transactions", {"record_id": []}), "record_id")}
        # A payment belongs to the subjects of all its versions, since an earlier one may name
        # another.
        for kept in versions_kept(self.store, self.schema.payments, payments).values():
            subjects |= _subjects_of(self.schema.payments.columns([each.row for each in kept]))
        plain = self.schema.payments.of(self.store, payments)
        subjects |= _subjects_of(plain)
        documents = {*text_column(records.get("documents", {"record_id": []}), "record_id")}
        return Concerned(subjects, payments, documents)

    def _carried_otherwise(self, journeys: RawColumns) -> list[str]:
        """Return shipments of journeys whose versions differ in a column that shipments use."""
        index, of_shipments = self.schema.subjects["route"], self.schema.columns_of_journeys
        told: dict[str, set[str]] = defaultdict(set)
        withdrawn = number_column(journeys, "withdrawn") == 1
        ids = text_column(journeys, "subject_id")
        for id_, gone in zip(ids, withdrawn, strict=True):
            kept = self._versions("route", id_)
            told[id_] |= {repr(_picked(each.row, index, of_shipments)) for each in kept}
            told[id_] |= {"withdrawn"} if gone or not kept else set()
        for id_, row in zip(ids, index.values(journeys), strict=True):
            told[id_].add(repr(_picked(row, index, of_shipments)))
        # With one distinct value only, the shipments' events stay the same.
        return carried(self.store, [id_ for id_, of_id in told.items() if len(of_id) > 1])

    def _keep(self, records: Mapping[str, RawColumns]) -> Counter[str]:
        store, new = self.store, Counter[str]()
        for kind, subject_type in SUBJECT_TYPES.items():
            if own := records.get(subject_type.record_file):
                index = self.schema.subjects[kind]
                if subject_type.has_journey:
                    keep_carried(store, own)
                    # The shipment's journey columns are joined again whenever its events are
                    # computed.
                    own = own | self.schema.without_journeys(size_of(own))
                self._keep_first(index, text_column(own, "subject_id"))
                new[subject_type.record_file] = int(append_versions(store, own, index).sum())
        if outcomes := records.get("outcomes"):
            keys = [INSPECTED[kind] + id_.encode() for kind, id_ in _each_subject(outcomes)]
            pairs = [*zip(keys, inspections_of(outcomes), strict=True)]
            new["outcomes"] = int(append(store, pairs, known_by=WHEN_FOUND).sum())
        if payments := records.get("transactions"):
            index = self.schema.payments
            self._keep_first(index, text_column(payments, "record_id"))
            keys = [PAID[kind] + id_.encode() for kind, id_ in _each_subject(payments)]
            append(store, [*zip(keys, paid_of(payments), strict=True)])
            new["transactions"] = int(append_versions(store, payments, index).sum())
        if documents := records.get("documents"):
            new["documents"] = int(append_versions(store, documents, self.schema.permits).sum())
        return new

    def _keep_first(self, index: RowIndex, ids: Iterable[str]) -> None:
        """Store unversioned records as the first version of their record."""
        # A plain record is stored without versions until something amends it.
        plain = index.of(self.store, ids)
        if count := size_of(plain):
            first: RawColumns = {
                "version": np.ones(count),
                "withdrawn": np.zeros(count),
                "learnt_at": _plainly_known_at(plain),
            }
            append_versions(self.store, plain | first, index)

    def _rows(self, concerned: Concerned) -> Rows:
        """Return the rows of all affected events as the store currently implies them."""
        found: Rows = defaultdict(Counter)
        for source, events in self._events(concerned):
            layouts = of_source(self.layouts, source)
            if layouts and size_of(events):
                self._count(found, layouts, events)
        return found

    def _count(self, found: Rows, layouts: Sequence[Layout], events: RawColumns) -> None:
        words, first = event_words(self.store, layouts, events), 0
        known_at = number_column(events, "known_at")
        since = np.asarray(events.get(COUNTS_FROM, known_at))
        until = np.asarray(events.get(COUNTS_UNTIL, np.full(len(known_at), FOREVER)))
        # An event that counts from its own instant for ever needs no stored lifetime.
        is_plain = (since <= known_at) & (until == FOREVER)
        since, until = np.where(is_plain, NEVER, since), np.where(is_plain, FOREVER, until)
        lives: list[Lifetime] = [*zip(since.tolist(), until.tolist(), strict=True)]
        for layout, keys in zip(layouts, event_keys(layouts, events), strict=True):
            of_layout = words[:, first : first + layout.width].tolist()
            first += layout.width
            for key, life, row in zip(keys, lives, of_layout, strict=True):
                if key is not None:
                    found[layout.number, key][life, tuple(row)] += 1

    def _replace(self, before: Rows, after: Rows) -> None:
        layouts = {layout.number: layout for layout in self.layouts}
        for number, key in sorted(before.keys() | after.keys()):
            layout, old, now = layouts[number], before[number, key], after[number, key]
            # Counters are multisets: equal rows may occur more than once, and each must be removed
            # once.
            gone, new = [*(old - now).elements()], [*(now - old).elements()]
            if plain := _plain(gone):
                remove_rows(self.store, layout, key, np.array(plain, np.int64))
            if plain := _plain(new):
                insert_rows(self.store, [layout], [[key] * len(plain)], np.array(plain, np.int64))
            few, more = _with_lives(gone), _with_lives(new)
            if few or more:
                put_amended(self.store, layout, key, few, more)

    def _events(self, concerned: Concerned) -> Iterator[tuple[str, RawColumns]]:
        for kind, id_ in sorted(concerned.subjects):
            yield from self.events_of_subject(kind, id_)
        for source, index, ids in (
            ("payments", self.schema.payments, concerned.payments),
            ("shipment_permits", self.schema.permits, concerned.documents),
        ):
            for id_ in sorted(ids):
                versions = self._versions_in(index, id_)
                events = _in_force(index.columns([v.row for v in versions]), versions, index)
                if source == "shipment_permits":
                    events = rows_where(events, are_permits(events))
                yield source, events

    def events_of_subject(self, kind: SubjectKind, id_: str) -> Iterator[tuple[str, RawColumns]]:
        """Yield the events of a subject by source, as the store currently implies them."""
        subject_type = SUBJECT_TYPES[kind]
        subjects = self._subject(kind, id_)
        if not len(subjects["declared_at"]):
            return
        own = subjects | {"record_id": subjects["subject_id"], "known_at": subjects["declared_at"]}
        yield subject_type.record_file, _raw(own)
        outcomes = self._outcomes(kind, id_)
        yield subject_type.outcome_source, _raw(outcome_events(kind, subjects, outcomes))
        # Payments for the subject in all versions, since earlier ones counted at earlier instants.
        (kept,) = lists(self.store, [PAID[kind] + id_.encode()])
        index = self.schema.payments
        columns = [
            _in_force(index.columns([each.row for each in versions]), versions, index)
            for payment_id in sorted({payment_id for *_, payment_id in kept})
            for versions in [self._versions_in(index, payment_id)]
        ]
        columns = columns or [_in_force(index.columns([]), [], index)]
        names = ("subject_kind", "subject_id", "payer_id", "payee_id", "known_at", COUNTS_UNTIL)
        coded = [_coded({name: each[name] for name in names}) for each in columns]
        paid = {name: np.concatenate([each[name] for each in coded]) for name in names}
        yield "paid_outcomes", _raw(paid_outcome_events(kind, subjects, outcomes, paid))
        yield LINKS, _raw(links_of_subjects(kind, subjects, paid))
        found = outcome_events(kind, subjects, outcomes)
        yield PARTY_OUTCOMES, _raw(party_outcomes_of_subjects(kind, found, paid))

    def _subject(self, kind: SubjectKind, id_: str) -> Columns:
        """Return a row with a lifetime for each version of a subject that counts at any instant."""
        index, versions = self.schema.subjects[kind], self._versions(kind, id_)
        told = index.columns([each.row for each in versions])
        # All versions use the declaration instant of the version that became known first.
        if versions:
            declared_at = number_column(told, "declared_at")
            known_at = [each.known_at for each in versions]
            _, first = min(zip(known_at, declared_at.tolist(), strict=True))
            told["declared_at"] = np.full(len(versions), first)
        own = _coded(_in_force(told, versions, index))
        own |= self.schema.derived_by_declaration[kind].run(own)
        if not SUBJECT_TYPES[kind].has_journey:
            return own
        # Stored journey columns may be out of date; they are derived from the journeys' versions
        # below.
        own = {n: c for n, c in own.items() if n not in self.schema.without_journeys(0)}
        journeys = [
            self._subject("route", journey_id)
            for journey_id in sorted({*filter(None, STRING_TABLE.texts_of(own["journey_id"]))})
        ]
        named = {*self.schema.columns_of_journeys, "journey_id", "declared_at"}
        named |= {COUNTS_FROM, COUNTS_UNTIL}
        none = self.schema.subjects["route"]
        journeys = journeys or [_coded(_in_force(none.columns([]), [], none))]
        beside = {name: np.concatenate([each[name] for each in journeys]) for name in sorted(named)}
        return join_amended_journeys(own, beside)

    def _versions(self, kind: SubjectKind, id_: str) -> list[KeptVersion]:
        return self._versions_in(self.schema.subjects[kind], id_)

    def _versions_in(self, index: RowIndex, id_: str) -> list[KeptVersion]:
        """Return the versions of a record; a record that was never amended has one."""
        kept = versions_kept(self.store, index, [id_])[id_]
        if kept:
            return kept
        plain = index.of(self.store, [id_])
        if not size_of(plain):
            return []
        return [KeptVersion(1, int(_plainly_known_at(plain)[0]), False, index.values(plain)[0])]

    def _outcomes(self, kind: SubjectKind, id_: str) -> Columns:
        (kept,) = lists(self.store, [INSPECTED[kind] + id_.encode()])
        inspected_at, known_at = (np.array([each[at] for each in kept], np.int64) for at in (0, 1))
        is_withdrawn = np.array([each[3] for each in kept], bool)
        # The last result of an inspection replaces earlier ones; a withdrawal ends them all.
        until = last_instants([inspected_at], known_at, known_at, np.ones(len(kept), bool))
        until[is_withdrawn] = NEVER
        return {
            "subject_kind": STRING_TABLE.codes([kind] * len(kept)),
            "subject_id": STRING_TABLE.codes([id_] * len(kept)),
            "known_at": known_at,
            "result": STRING_TABLE.codes([each[2] for each in kept]),
            COUNTS_UNTIL: until,
        }


def _plainly_known_at(plain: RawColumns) -> Column:
    """Return the instant each unamended record became known; subjects use their declaration."""
    return number_column(plain, "declared_at" if "declared_at" in plain else "known_at")


def _in_force(records: RawColumns, versions: Sequence[KeptVersion], index: RowIndex) -> RawColumns:
    """Return the versions of one record that count at any instant, with their lifetimes."""
    number = np.array([each.number for each in versions], np.int64)
    known_at = np.array([each.known_at for each in versions], np.int64)
    is_withdrawn = np.array([each.is_withdrawn for each in versions], bool)
    # Without `versions_replace` only a withdrawal ends a version; a later version does not.
    ends = is_withdrawn if not index.versions_replace else np.ones(len(versions), bool)
    until = last_instants([np.zeros(len(versions), np.int64)], number, known_at, ends)
    until[is_withdrawn] = NEVER
    lived: RawColumns = {**records, COUNTS_FROM: known_at, COUNTS_UNTIL: until}
    # A version replaced at the instant it became known never counts.
    return rows_where(lived, until > known_at)


def _amends(store: BlobReader, name: str, columns: RawColumns) -> Column:
    """Return a mask of records that amend or withdraw others."""
    # Positions have no versions and no withdrawals.
    if name == "positions":
        return np.zeros(size_of(columns), bool)
    amends = number_column(columns, "withdrawn") == 1
    if name == "outcomes":
        return amends | _corrects(store, columns)
    if name == "documents":
        return amends
    amends |= number_column(columns, "version") > 1
    if name in ("journeys", "shipments"):
        # A declaration learnt of late counts from a later instant than its own, like an amendment.
        learnt_at, declared_at = (number_column(columns, n) for n in ("learnt_at", "declared_at"))
        amends |= learnt_at > declared_at
    return amends


def _corrects(store: BlobReader, outcomes: RawColumns) -> Column:
    """Return a mask of outcomes whose inspection has another result, stored or in this batch."""
    inspections = inspections_of(outcomes)
    keys = [INSPECTED[kind] + id_.encode() for kind, id_ in _each_subject(outcomes)]
    unique = sorted({*keys})
    known: dict[tuple[bytes, int], set[int]] = defaultdict(set)
    for key, kept in zip(unique, lists(store, unique), strict=True):
        for inspected_at, known_at, *_ in kept:
            known[key, inspected_at].add(known_at)
    for key, (inspected_at, known_at, *_) in zip(keys, inspections, strict=True):
        known[key, inspected_at].add(known_at)
    return np.array(
        [len(known[key, each[0]]) > 1 for key, each in zip(keys, inspections, strict=True)]
    )


def _concerns_marked(store: BlobReader, name: str, columns: RawColumns) -> Column:
    """Return a mask of records that belong to an amended record."""
    fields = [columns[name_of] for name_of in _MARKED_BY[name]]
    marks = [mark_keys(name, row) for row in zip(*fields, strict=True)]
    is_known = iter(store.get([*chain.from_iterable(marks)]))
    return np.array([sum(next(is_known) is not None for _ in of_row) > 0 for of_row in marks])


# The columns that identify a record and the records it belongs to.
_MARKED_BY = {
    "journeys": ("journey_id",),
    "shipments": ("subject_id", "journey_id"),
    "transactions": ("record_id", "subject_kind", "subject_id"),
    "documents": ("record_id",),
    "outcomes": ("subject_kind", "subject_id"),
}


def mark_keys(name: str, named: Sequence[Any]) -> list[bytes]:
    """Return the keys that are set if a record, or a record it belongs to, was amended.

    `named` holds the record's own id (outcomes have none), then the kind of its subject if the
    record states one, then the id of its subject or journey.
    """
    match name, named:
        case "journeys", (journey_id,):
            return [_OF_SUBJECT["route"] + journey_id.encode()]
        case "shipments", (shipment_id, journey_id):
            of_journey = [_OF_SUBJECT["route"] + journey_id.encode()] if journey_id else []
            return [_OF_SUBJECT["shipment"] + shipment_id.encode(), *of_journey]
        case "transactions", (payment_id, kind, subject_id):
            of_subject = _OF_SUBJECT[kind] + subject_id.encode()
            return [_OF_PAYMENT + payment_id.encode(), of_subject]
        case "documents", (document_id,):
            return [_OF_PERMIT + document_id.encode()]
        case _, (kind, subject_id):
            return [_OF_SUBJECT[kind] + subject_id.encode()]
    raise AssertionError(f"{name} are never marked")


def _each_subject(linked: RawColumns) -> Iterator[Subject]:
    kinds, ids = text_column(linked, "subject_kind"), text_column(linked, "subject_id")
    yield from zip(kinds, ids, strict=True)


def _subjects_of(linked: RawColumns) -> set[Subject]:
    return {*_each_subject(linked)}


def _picked(row: Sequence[object], index: RowIndex, names: Iterable[str]) -> list[object]:
    places = {name: at for at, name in enumerate(index.kinds)}
    return [row[places[name]] for name in sorted(names)]


def _plain(told: Iterable[tuple[Lifetime, tuple[int, ...]]]) -> list[tuple[int, ...]]:
    """Return the rows that count for ever, ordered by instant."""
    return sorted(row for life, row in told if life == _PLAIN)


def _with_lives(
    told: Iterable[tuple[Lifetime, tuple[int, ...]]],
) -> list[tuple[Lifetime, tuple[int, ...]]]:
    return [(life, row) for life, row in told if life != _PLAIN]


def _coded(raw: RawColumns) -> Columns:
    return {
        name: STRING_TABLE.codes(column) if isinstance(column, list) else column
        for name, column in raw.items()
    }


def _raw(columns: Columns) -> RawColumns:
    return {
        name: texts_of(column) if is_text(column) else column for name, column in columns.items()
    }
