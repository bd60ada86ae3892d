"""Add records of requests that the store does not have, each for its own query only."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from features.engine.columns import instant_at
from features.engine.store.blob_store import BlobOverlay, BlobReader, BlobTransaction
from features.engine.store.layout import Layout
from features.engine.store.query_plan import QueryPlan, WindowQuery
from features.engine.store.raw_columns import RawColumns, size_of
from features.engine.store.request_overlay import RequestOverlay
from features.history.amended_ingest import has_amendments, mark_keys
from features.history.ingest import OWN_EVENTS, HistoryIngest, known_key
from features.history.stored_lists import complete_kept
from features.record_versions import amends, is_known_late
from features.records import Record

# A record that the store does not have: index of its query, record type, record and store key.
UnknownRecord = tuple[int, str, Record, bytes]


def ingest_overlay(
    ingest: HistoryIngest,
    store: BlobReader,
    plan: QueryPlan,
    queries: Sequence[WindowQuery],
    overlay: RequestOverlay,
) -> dict[int, BlobReader]:
    """Add records of queries to the overlay where they could change the query's values.

    A query that brings an amendment, or a record of an amended subject, changes stored events. For
    these the result maps the query's index to its own view of the store. No query sees the records
    of another. Records that complete no others are inserted together for all queries; a record that
    may complete stored ones is ingested for its query alone.
    """
    apart: dict[str, dict[tuple[int, bytes], Record]] = {}
    others: dict[int, dict[str, list[Record]]] = {}
    sources = {layout.source for layout in plan.layouts}
    unread = {name for name, into in _ONLY_IN.items() if sources.isdisjoint(into)}
    unknown = unknown_records(store, queries, unread)
    amended = _amended_for(ingest, store, plan, queries, unknown)
    unknown = [each for each in unknown if each[0] not in amended]
    completing = _completing(store, unknown)
    for subject, name, record, key in unknown:
        # Records that complete no others need one insert for all queries.
        if name in OWN_EVENTS and (name != "journeys" or subject not in completing):
            apart.setdefault(name, {}).setdefault((subject, key), record)
        else:
            others.setdefault(subject, {}).setdefault(name, []).append(record)
    for name, brought in apart.items():
        if OWN_EVENTS[name] not in sources:
            continue
        layouts, events = ingest.events_of(name, [*brought.values()])
        overlay.insert(BlobOverlay(store), layouts, events, [subject for subject, _ in brought])
    for subject, records in others.items():
        insert, before = partial(_insert, overlay, subject), queries[subject].at
        for_query = replace(ingest, layouts=plan.layouts, before=before, insert=insert)
        for_query.ingest(BlobOverlay(store), records)
    return amended


def _completing(store: BlobReader, unknown: Sequence[UnknownRecord]) -> set[int]:
    """Return indexes of queries with records that complete stored ones or each other."""
    journeys = [(place, each) for place, name, each, _ in unknown if name == "journeys"]
    are = complete_kept(store, [each.__dict__["journey_id"] for _, each in journeys])
    by_what_came = {place for place, name, *_ in unknown if name not in OWN_EVENTS}
    return by_what_came | {place for (place, _), is_so in zip(journeys, are, strict=True) if is_so}


def _amended_for(
    ingest: HistoryIngest,
    store: BlobReader,
    plan: QueryPlan,
    queries: Sequence[WindowQuery],
    unknown: Sequence[UnknownRecord],
) -> dict[int, BlobReader]:
    amending = {
        place
        for place, query in enumerate(queries)
        for record in chain.from_iterable((query.overlay or {}).values())
        if amends(record) or is_known_late(record)
    }
    # Most stores have no amendments; the check saves a lookup per record.
    if unknown and has_amendments(store):
        amending |= _beside_amended(store, unknown)
    made: dict[int, BlobReader] = {}
    # Each amending query gets a view of its own: its changes must not reach other queries.
    for place in amending:
        made[place] = amended = BlobOverlay(store)
        replace(ingest, layouts=plan.layouts).ingest(amended, queries[place].overlay or {})
    return made


def _beside_amended(store: BlobReader, unknown: Sequence[UnknownRecord]) -> set[int]:
    """Return the indexes of queries with an unknown record that belongs to an amended one."""
    marks = [
        (place, key)
        for place, name, record, _ in unknown
        if name in _NAMED
        for key in mark_keys(name, [getattr(record, field) for field in _NAMED[name]])
    ]
    blobs = store.get([key for _, key in marks])
    return {place for (place, _), blob in zip(marks, blobs, strict=True) if blob is not None}


# The sources of the events of records that change no other source.
_ONLY_IN = {"transactions": ("payments", "paid_outcomes"), "positions": ("drifts",)}

# The fields that identify a record and the records it belongs to.
_NAMED = {
    "journeys": ("journey_id",),
    "shipments": ("shipment_id", "journey_id"),
    "transactions": ("transaction_id", "subject_kind", "subject_id"),
    "outcomes": ("subject_kind", "subject_id"),
}


def unknown_records(
    store: BlobReader, queries: Sequence[WindowQuery], unread: Collection[str]
) -> list[UnknownRecord]:
    """Return records unknown to the store that could change a value at their query's instant.

    Records of the `unread` types could not.
    """
    records: list[UnknownRecord] = [
        (subject, name, record, key)
        for subject, query in enumerate(queries)
        if query.overlay
        for before in [instant_at(query.at)]
        for name, records_of_type in query.overlay.items()
        if name not in unread
        for record in records_of_type
        if (key := known_key(name, record, before)) is not None
    ]
    if not records:
        return []
    blobs = store.get([key for *_, key in records])
    return [record for record, blob in zip(records, blobs, strict=True) if blob is None]


def _insert(
    overlay: RequestOverlay,
    subject: int,
    store: BlobTransaction,
    layouts: Iterable[Layout],
    events: RawColumns,
) -> None:
    overlay.insert(store, layouts, events, [subject] * size_of(events))
