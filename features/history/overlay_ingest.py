"""What subjects bring of which the state does not know yet, taken beside its ledgers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from features.engine.columns import instant_at
from features.engine.store.blob_store import BlobOverlay, BlobReader, BlobTransaction
from features.engine.store.layout import Layout
from features.engine.store.query_plan import QueryPlan, WindowQuery
from features.engine.store.raw_columns import RawColumns, size_of
from features.engine.store.request_overlay import RequestOverlay
from features.history.ingest import HistoryIngest, place_of
from features.records import Record

UnknownRecord = tuple[int, str, Record, bytes]
"""A record that is not known: its question's place, its type, itself, and where it would be."""


def ingest_overlay(
    arrivals: HistoryIngest,
    store: BlobReader,
    plan: QueryPlan,
    questions: Sequence[WindowQuery],
    bringing: RequestOverlay,
) -> None:
    """Put beside the ledgers what questions bring that could change a number of theirs.

    No question sees what another brings. Payments touch nothing but payments, so that those of all
    questions are taken together; what else comes may complete what waits in the store.
    """
    payments: dict[tuple[int, bytes], Record] = {}
    others: dict[int, dict[str, list[Record]]] = {}
    for of, name, record, place in unknown_records(store, questions):
        if name == "transactions":
            payments.setdefault((of, place), record)
        else:
            others.setdefault(of, {}).setdefault(name, []).append(record)
    if payments:
        layouts, events = arrivals.payments([*payments.values()])
        bringing.insert(BlobOverlay(store), layouts, events, [of for of, _ in payments])
    for of, records in others.items():
        insert, before = partial(_insert, bringing, of), questions[of].at
        arriving = replace(arrivals, into=plan.layouts, before=before, insert=insert)
        arriving.take(BlobOverlay(store), records)


def unknown_records(store: BlobReader, questions: Sequence[WindowQuery]) -> list[UnknownRecord]:
    """The records that could change a number as of their question's instant: those not known."""
    told: list[UnknownRecord] = [
        (of, name, record, place)
        for of, question in enumerate(questions)
        if question.beside
        for before in [instant_at(question.at)]
        for name, records in question.beside.items()
        for record in records
        if (place := place_of(name, record, before)) is not None
    ]
    if not told:
        return []
    blobs = store.get([place for *_, place in told])
    return [noted for noted, blob in zip(told, blobs, strict=True) if blob is None]


def _insert(
    bringing: RequestOverlay,
    of: int,
    store: BlobTransaction,
    layouts: Iterable[Layout],
    events: RawColumns,
) -> None:
    bringing.insert(store, layouts, events, [of] * size_of(events))
