"""The state as others use it: records go in, the windows of one subject come out."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from features.catalogue import windows
from features.digests.columns import history_column
from features.engine.columns import Column
from features.engine.store.blob_store import BlobOverlay, BlobReader, BlobStore
from features.engine.store.compatibility import StoreFormat
from features.engine.store.event_log import warm_up
from features.engine.store.event_rows import IncomingRecords
from features.engine.store.keys import KeyPart
from features.engine.store.layout import layouts_of
from features.engine.store.query_plan import QueryPlan, RequestRecords, WindowQuery
from features.engine.windows.window import Window
from features.history.ingest import HistoryIngest
from features.history.overlay_ingest import ingest_overlay
from features.history.stored_columns import HistorySchema
from features.subject_types import SUBJECT_TYPES
from features.window_checks import check_windows

IncomingByType = Mapping[str, IncomingRecords]
"""Records by type; types may be left out."""

HISTORY_SOURCES = (
    *(subject_type.record_file for subject_type in SUBJECT_TYPES.values()),
    *(subject_type.outcome_source for subject_type in SUBJECT_TYPES.values()),
    "payments",
)

# The record types that history is made of, a subject before what belongs beside it.
HISTORY_RECORD_TYPES = ("journeys", "shipments", "outcomes", "transactions")

_MADE_FOR, _MARK, _COUNTS = b"mmade-for", b"mmark-", b"mcounts"


def history_windows() -> list[Window]:
    """Every window over history that a feature reads; raises DefinitionError for a wrong one."""
    for kind in SUBJECT_TYPES:
        check_windows(kind)
    return [window for window in windows() if window.source in HISTORY_SOURCES]


class OnlineStore:
    """What was known before, in a store. Threads may share one: writers wait for each other."""

    def __init__(self, store: BlobStore):
        """Open the state in a store, or begin it in an empty one.

        Raises StateMismatch where the store was made for other windows, or holds columns that are
        computed differently by now.
        """
        self.store = store
        self._layouts = layouts_of(history_windows())
        layouts = tuple(self._layouts.values())
        self._arrivals = HistoryIngest(HistorySchema(layouts), into=layouts)
        self._begin()
        self.counts: Mapping[str, int] = {}
        """How many records of each type were known when last something was added or looked up."""
        self.look_up_counts()

    def fields(self, name: str) -> tuple[str, ...]:
        """The fields of a record type that matter."""
        return self._arrivals.schema.fields(name)

    def add(self, records: IncomingByType, marks: Mapping[str, str] | None = None) -> None:
        """Make records known, all or none; in any order, any number of times.

        An outcome counts only beside its subject's own record. `marks` are kept with the records:
        how far they reach in a log that would otherwise be read again.
        """
        with self.store.writing() as transaction:
            new = self._arrivals.take(transaction, records)
            counts = _counts_in(transaction)
            counts.update(new)
            kept = (marks or {}).items()
            transaction.put((_MARK + name.encode(), mark.encode()) for name, mark in kept)
            transaction.put([(_COUNTS, json.dumps(counts).encode())])
        self.counts = counts

    def look_up_counts(self) -> None:
        """Learn of records that other processes added."""
        with self.store.reading() as view:
            self.counts = _counts_in(view)

    def warm_up(self) -> None:
        """Make events known and forget them: what is made once for that is made then."""
        with self.store.reading() as view:
            warm_up(BlobOverlay(view), next(iter(self._layouts.values())))

    def mark(self, name: str) -> str | None:
        """How far a log was read."""
        with self.store.reading() as view:
            (blob,) = view.get([_MARK + name.encode()])
            return None if blob is None else bytes(blob).decode()

    def plan(self, of: Sequence[Window]) -> QueryPlan:
        """Windows to be read together, again and again."""
        return QueryPlan.of(of, self._layouts)

    def numbers(
        self,
        plan: QueryPlan,
        subject: Mapping[str, KeyPart],
        at: int,
        beside: RequestRecords | None = None,
    ) -> Column:
        """The number of each window of a plan, as of an instant in microseconds.

        `subject` holds the columns that the plan names. `beside` are records that count as known
        too, and are not kept: what a subject brings along.
        """
        question = WindowQuery([subject[name] for name in plan.columns], at, beside)
        numbers: Column = self.numbers_of_each(plan, [question])[0]
        return numbers

    def numbers_of_each(self, plan: QueryPlan, questions: Sequence[WindowQuery]) -> Column:
        """The number of each window of a plan, a row per question, all of the same state."""
        parts = [plan.parts(question.values) for question in questions]
        keys = [*chain.from_iterable(map(plan.keys, parts))]
        instants = np.array([question.at for question in questions], np.int64)
        with self.store.reading() as view:
            bringing = plan.bringing(parts)
            ingest_overlay(self._arrivals, view, plan, questions, bringing)
            return plan.numbers_of(view, keys, instants, bringing)

    def _begin(self) -> None:
        made_for = StoreFormat.of(self._layouts.values(), history_column)
        with self.store.reading() as view:
            (held,) = view.get([_MADE_FOR])
            held = None if held is None else bytes(held)
        if held is None:
            with self.store.writing() as transaction:
                transaction.put([(_MADE_FOR, made_for.as_bytes())])
        else:
            made_for.check(held)


def _counts_in(view: BlobReader) -> Counter[str]:
    (blob,) = view.get([_COUNTS])
    return Counter(json.loads(bytes(blob)) if blob else {})
