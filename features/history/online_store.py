"""The online feature store as others use it: records go in, the windows of subjects come out."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from features.catalogue import windows_of
from features.digests.column_digests import history_column
from features.engine.columns import Column
from features.engine.store.blob_store import BlobOverlay, BlobReader, BlobStore
from features.engine.store.compatibility import StoreFormat
from features.engine.store.event_log import warm_up_pages
from features.engine.store.event_rows import IncomingRecords
from features.engine.store.layout import layouts_of
from features.engine.store.query_plan import QueryPlan, RequestRecords, WindowQuery
from features.engine.store.store_keys import KeyPart
from features.engine.windows.window import Window
from features.history.ingest import HistoryIngest
from features.history.overlay_ingest import ingest_overlay
from features.history.stored_columns import HistorySchema
from features.linked_records import windows_behind
from features.subject_types import SUBJECT_TYPES
from features.window_checks import check_windows

# Records by type; types may be left out.
IncomingByType = Mapping[str, IncomingRecords]

HISTORY_SOURCES = (
    *(subject_type.record_file for subject_type in SUBJECT_TYPES.values()),
    *(subject_type.outcome_source for subject_type in SUBJECT_TYPES.values()),
    "payments",
    "shipment_permits",
    "paid_outcomes",
    "drifts",
)

# The record types of which every record is part of history, a subject before what is linked to it.
COUNTED_RECORD_TYPES = ("journeys", "shipments", "outcomes", "transactions")

# Those that history is made of; of documents permits alone are, of positions where craft drifted.
HISTORY_RECORD_TYPES = (*COUNTED_RECORD_TYPES, "documents", "positions")

_FORMAT, _WATERMARK, _COUNTS = b"mmade-for", b"mmark-", b"mcounts"


def history_windows() -> list[Window]:
    """Every window over history that a feature reads; raises TidegateError for a wrong one."""
    for kind in SUBJECT_TYPES:
        check_windows(kind)
    read = {
        behind
        for kind in SUBJECT_TYPES
        for window in windows_of(kind)
        for behind in windows_behind(kind, window)
    }
    return [window for window in read if window.source in HISTORY_SOURCES]


class OnlineStore:
    """The history of every key, in a store of blobs; threads may share it.

    Writers wait for each other.
    """

    def __init__(self, store: BlobStore):
        """Open the online feature store in a store of blobs, or begin it in an empty one.

        Raises OnlineStoreMismatch where it was made for other windows or in another form, or holds
        columns that are computed differently by now.
        """
        self.store = store
        self._layouts = layouts_of(history_windows())
        layouts = tuple(self._layouts.values())
        self._ingest = HistoryIngest(HistorySchema(layouts), layouts)
        self._begin()
        self.counts: Mapping[str, int] = {}
        """How many records of each type were known at the last ingest or refresh."""
        self.refresh_counts()

    def fields(self, name: str) -> tuple[str, ...]:
        """The fields of a record type that are read."""
        return self._ingest.schema.fields(name)

    def ingest(self, records: IncomingByType, watermarks: Mapping[str, str] | None = None) -> None:
        """Ingest records, all or none; in any order, any number of times.

        An outcome counts only once its subject's own record is known. `watermarks` are kept with
        the records: how far they reach in a log that would otherwise be read again.
        """
        with self.store.writing() as transaction:
            new = self._ingest.ingest(transaction, records)
            counts = _counts_in(transaction)
            counts.update(new)
            pairs = (watermarks or {}).items()
            transaction.put((_WATERMARK + name.encode(), mark.encode()) for name, mark in pairs)
            transaction.put([(_COUNTS, json.dumps(counts).encode())])
        self.counts = counts

    def refresh_counts(self) -> None:
        """Read how many records are known by now; other processes may have added some."""
        with self.store.reading() as view:
            self.counts = _counts_in(view)

    def warm_up(self) -> None:
        """Insert events and forget them, so that what is made once for that is made now."""
        with self.store.reading() as view:
            warm_up_pages(BlobOverlay(view), next(iter(self._layouts.values())))

    def watermark(self, name: str) -> str | None:
        """Return how far a log was read."""
        with self.store.reading() as view:
            (blob,) = view.get([_WATERMARK + name.encode()])
            return None if blob is None else bytes(blob).decode()

    def plan(self, windows: Sequence[Window]) -> QueryPlan:
        """The plan of windows that are read together, again and again."""
        return QueryPlan.from_windows(windows, self._layouts)

    def numbers(
        self,
        plan: QueryPlan,
        subject: Mapping[str, KeyPart],
        at: int,
        overlay: RequestRecords | None = None,
    ) -> Column:
        """The number of each window of a plan, as of an instant in microseconds.

        `subject` holds the columns that the plan names. `overlay` are records that count as known
        too, and are not kept.
        """
        query = WindowQuery([subject[name] for name in plan.columns], at, overlay)
        numbers: Column = self.window_numbers(plan, [query])[0]
        return numbers

    def window_numbers(self, plan: QueryPlan, queries: Sequence[WindowQuery]) -> Column:
        """The number of each window of a plan, a row per query, all as of one view of the store."""
        parts = [plan.parts(query.values) for query in queries]
        keys = [*chain.from_iterable(map(plan.keys, parts))]
        instants = np.array([query.at for query in queries], np.int64)
        with self.store.reading() as view:
            overlay = plan.overlay(parts)
            amended = ingest_overlay(self._ingest, view, plan, queries, overlay)
            numbers = plan.numbers_of(view, keys, instants, overlay)
            for at, store in amended.items():
                own = keys[at * len(plan.logs) : (at + 1) * len(plan.logs)]
                numbers[at] = plan.numbers_of(store, own, instants[at : at + 1])[0]
            return numbers

    def _begin(self) -> None:
        current = StoreFormat.from_layouts(self._layouts.values(), history_column)
        with self.store.reading() as view:
            (blob,) = view.get([_FORMAT])
            stored = None if blob is None else bytes(blob)
        if stored is None:
            with self.store.writing() as transaction:
                transaction.put([(_FORMAT, current.as_bytes())])
        else:
            current.check(stored)


def _counts_in(view: BlobReader) -> Counter[str]:
    (blob,) = view.get([_COUNTS])
    return Counter(json.loads(bytes(blob)) if blob else {})
