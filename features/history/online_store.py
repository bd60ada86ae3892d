"""Public interface of the online feature store: ingest records, read window values."""

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
from features.engine.windows.window_declaration import NETWORK, Window
from features.history.confirmed_finds import Find, counts_finds, finds_behind
from features.history.ingest import HistoryIngest
from features.history.overlay_ingest import ingest_overlay
from features.history.stored_columns import HistorySchema
from features.history.stored_network import StoredNetwork
from features.linked_records import windows_behind
from features.networks.links import LINKS, PARTY_OUTCOMES, asking_columns
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission
from features.submitted_subject import request_rows
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
    LINKS,
    PARTY_OUTCOMES,
)

# Record types whose every record is part of history. Subjects precede what refers to them.
COUNTED_RECORD_TYPES = ("journeys", "shipments", "outcomes", "transactions")

# All record types of history. Only permits count among documents, only drifts among positions.
HISTORY_RECORD_TYPES = (*COUNTED_RECORD_TYPES, "documents", "positions")

_FORMAT, _WATERMARK, _COUNTS = b"mmade-for", b"mmark-", b"mcounts"


def history_windows() -> list[Window]:
    """Return every window over history that a feature reads.

    Raises TidegateError if a window is invalid.
    """
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
    """History of all keys in a blob store; safe to share between threads.

    Writers run one at a time.
    """

    def __init__(self, store: BlobStore):
        """Open the online feature store in a blob store, or initialise an empty one.

        Raises OnlineStoreMismatch if the store was made for other windows or in another format, or
        if the computation of one of its columns has changed since.
        """
        self.store = store
        self._layouts = layouts_of(history_windows())
        layouts = tuple(self._layouts.values())
        self._ingest = HistoryIngest(HistorySchema(layouts), layouts)
        self._begin()
        self._network = StoredNetwork(self._ingest, self._layouts)
        self.counts: Mapping[str, int] = {}
        """Number of records of each type as of the last ingest or refresh."""
        self.refresh_counts()

    def fields(self, name: str) -> tuple[str, ...]:
        """Return the fields of a record type that the store reads."""
        return self._ingest.schema.fields(name)

    def ingest(self, records: IncomingByType, watermarks: Mapping[str, str] | None = None) -> None:
        """Ingest records in one transaction; repeated records count once.

        Records may come in any order. An outcome counts once its subject's record is known.
        `watermarks` are positions in source logs. They are stored in the same transaction, so that
        after a crash reading resumes exactly where the stored records end.
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
        """Read the number of known records again, since other processes may have added some."""
        with self.store.reading() as view:
            self.counts = _counts_in(view)

    def warm_up(self) -> None:
        """Insert events into a discarded overlay, so that one-time setup cost is paid now."""
        with self.store.reading() as view:
            warm_up_pages(BlobOverlay(view), next(iter(self._layouts.values())))

    def watermark(self, name: str) -> str | None:
        """Return the stored position in a log, or None if there is none."""
        with self.store.reading() as view:
            (blob,) = view.get([_WATERMARK + name.encode()])
            return None if blob is None else bytes(blob).decode()

    def plan(self, windows: Sequence[Window]) -> QueryPlan:
        """Return a reusable plan for reading windows together."""
        return QueryPlan.from_windows(windows, self._layouts)

    def numbers(
        self,
        plan: QueryPlan,
        subject: Mapping[str, KeyPart],
        at: int,
        overlay: RequestRecords | None = None,
    ) -> Column:
        """Return the value of each window of a plan at an instant in microseconds.

        `subject` holds the columns that the plan names. `overlay` holds records that count for this
        call only.
        """
        query = WindowQuery([subject[name] for name in plan.columns], at, overlay)
        numbers: Column = self.window_numbers(plan, [query])[0]
        return numbers

    def window_numbers(self, plan: QueryPlan, queries: Sequence[WindowQuery]) -> Column:
        """Return window values, a row per query, all read from one snapshot of the store."""
        parts = [plan.parts(query.values) for query in queries]
        keys = [*chain.from_iterable(map(plan.keys, parts))]
        instants = np.array([query.at for query in queries], np.int64)
        with self.store.reading() as view:
            overlay = plan.overlay(parts)
            amended = ingest_overlay(self._ingest, view, plan, queries, overlay)
            numbers = plan.numbers_of(view, keys, instants, overlay)
            # A query with amendments has its own view of the store and is therefore read alone.
            for at, store in amended.items():
                own = keys[at * len(plan.logs) : (at + 1) * len(plan.logs)]
                numbers[at] = plan.numbers_of(store, own, instants[at : at + 1])[0]
            if not plan.network:
                return numbers
            values = [self._network.values(view, plan, query) for query in queries]
            # Inserted where the plan has them, since callers read windows by their place.
            with_network = np.empty((len(queries), len(plan.windows)))
            with_network[:, plan.network] = values
            others = np.delete(np.arange(len(plan.windows)), plan.network)
            with_network[:, others] = numbers
            return with_network

    def finds(self, submission: Submission, windows: Sequence[Window]) -> dict[Window, list[Find]]:
        """Return the confirmed inspections that windows over history or the network count.

        They are those of a submission at its declaration, newest first; other windows are left out.
        Records that arrived since count as well, if they were known by then.
        """
        kind, row = submission.subject_kind, request_rows(submission)
        ids = {name: row.subject[name] for name in asking_columns(kind)}
        counting = [window for window in windows if counts_finds(kind, window)]
        keys = {window: ids[window.by[0]] for window in counting if window.source != NETWORK}
        with self.store.reading() as view:
            around = [window for window in counting if window.source == NETWORK]
            levels = self._network.confirmed(view, ids, row.declared_at) if around else {}
            network = dict.fromkeys(around, levels)
            return finds_behind(view, self._ingest, keys, network, row.declared_at)

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
