"""The history as the service uses it: the online feature store, kept up to date.

The store follows the decision log and the received records.
"""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from features.atomic_dir import put_back_interrupted, sweep_interrupted, working_folder
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.write_buffer import WriteBuffer
from features.engine.windows.window_declaration import Window
from features.errors import OnlineStoreMismatch, OnlineStoreUnavailable, TidegateError
from features.history.confirmed_finds import Find
from features.history.online_store import HISTORY_RECORD_TYPES, OnlineStore
from features.history.rebuild import Progress, rebuild_store
from features.records import Outcome, Record
from features.submission import Submission, history_records
from features.vector import Vector, feature_vectors
from serving.audit.decision import Decision
from serving.errors import Unavailable
from serving.history.missing_history import require_whole_history
from serving.history.received_records import RECEIVED_TYPES, SUBJECT_KIND_OF, pages_of
from serving.integrity.hash_chain import LogHead
from serving.process.background_threads import STUCK_AFTER_S
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.storage.postgres_state import PostgresStateStore
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.record_repository import RecordRepository

PAGE_SIZE = 500  # decisions or records read and applied together
# Processes may commit records in another order than they were received, within this time.
OVERLAP = timedelta(hours=1)
# Seconds that another worker may need to apply its decisions; a killed one never does.
OTHERS_TAKE_S = 0.25
_LOOK_AGAIN_S = 0.001
# After so many decisions or seconds the store is written; after a kill, the start reads the
# decisions that were not.
MAX_UNWRITTEN = 1_000
MAX_UNWRITTEN_S = 5.0

_DECISIONS, _DECISIONS_LINK, _RECORDS = "decisions", "decisions_link", "records"


class HistoryClient:
    """The online feature store for all requests; decided subjects become part of it.

    After a kill or a failure the store may lag behind the log and the received records. It loses
    nothing: it stores how far it got, and continues from there.
    """

    def __init__(
        self,
        state: OnlineStore,
        log: "DecisionRepository",
        records: "RecordRepository",
        *,
        has_other_writers: bool = False,
    ):
        self._state = state
        self._patience_s = OTHERS_TAKE_S if has_other_writers else 0.0
        self._log = log
        self._records = records
        self._unwritten = 0
        self._writer = ThreadPoolExecutor(1, "state-writer")
        self._writing: tuple[int, Future[None]] | None = None
        self._writing_since_s = time.monotonic()

    def vectors(self, submissions: Sequence[Submission]) -> list[Vector]:
        """Return the features of each subject, computed against all that was known before.

        The records in a submission count for its own subject only; none of them is stored.
        """
        with _failing_as_unavailable():
            return _vectors(self._state, submissions)

    def finds(self, submission: Submission, windows: Sequence[Window]) -> dict[Window, list[Find]]:
        """Return the confirmed inspections that windows count as of a subject's declaration."""
        with _failing_as_unavailable():
            return self._state.finds(submission, windows)

    def warm_up(self, examples: Sequence[Submission]) -> list[Vector]:
        """Compute the features of examples, and forget them, so that all code is compiled."""
        with _failing_as_unavailable():
            self._state.warm_up()
            _vectors(self._state, [*examples] * 2)  # code compiled for one differs from a group's
            return _vectors(self._state, examples)

    def apply_decisions(self, head: LogHead, submissions: Sequence[Submission]) -> None:
        """Apply the newest decisions of the log; `head` is the log's head including them."""
        with _failing_as_unavailable():
            before = head.size - len(submissions)
            # Decisions must be applied in the order of the log: if others are missing, read it.
            if self._applied_by_others(before) == before:
                self._state.ingest(history_records(submissions), _marks(head.size, head.head))
            else:
                self._catch_up_with_decisions()
        self._unwritten += len(submissions)

    @property
    def counts(self) -> Mapping[str, int]:
        """Counts of known records by type; those of other workers as of the last group."""
        return self._state.counts

    def refresh_counts(self) -> None:
        """Count again, because another process may have rebuilt or extended the store."""
        with _failing_as_unavailable():
            self._state.refresh_counts()

    @property
    def is_behind(self) -> bool:
        """Return whether the store has unwritten decisions."""
        return self._unwritten > 0

    @property
    def is_stuck(self) -> bool:
        """Return whether a write of the store takes so long that it seems stuck."""
        is_long = time.monotonic() - self._writing_since_s > STUCK_AFTER_S
        return is_long and self._writing is not None and not self._writing[1].done()

    def flush(self) -> None:
        """Start to write applied decisions if they are many or the last write is long ago.

        The write runs in a thread of its own, because the next group waits for the caller, so this
        never blocks. Raises Unavailable if the previous write failed; later calls try again.
        """
        is_due = time.monotonic() - self._writing_since_s >= MAX_UNWRITTEN_S
        if self._writing is not None:
            self._end_writing(*self._writing)
        elif self._unwritten >= (1 if is_due else MAX_UNWRITTEN):
            self._writing_since_s = time.monotonic()
            self._writing = self._unwritten, self._writer.submit(self._state.store.sync)

    def _end_writing(self, size: int, written: "Future[None]") -> None:
        if not written.done():
            return
        self._writing = None
        with _failing_as_unavailable():
            written.result()
        self._unwritten -= size

    def catch_up(self) -> None:
        """Apply all durable decisions and records that the store does not have yet."""
        with _failing_as_unavailable():
            # Subjects received before their decision must be seen as new, so they come first.
            self._catch_up_with_records(SUBJECT_KIND_OF)
            self._catch_up_with_decisions()
            self._catch_up_with_records()

    def ingest_records(self, records: Iterable[Record], received_at: str) -> None:
        """Ingest received records; all records received up to `received_at` are then applied.

        Records may come in any order and repeatedly: known ones are skipped. They survive a power
        cut once this returns.
        """
        self._ingest(_by_type(records), {_RECORDS: received_at})

    def ingest_outcome(self, submission: Submission, outcome: Outcome) -> None:
        """Ingest the outcome of an inspection, which must be durable elsewhere already."""
        self._ingest({**history_records([submission]), "outcomes": [outcome]}, {})

    def close(self) -> None:
        """Close the store after the pending write."""
        self._writer.shutdown()
        self._state.store.close()

    def _ingest(self, records: dict[str, list[Record]], marks: dict[str, str]) -> None:
        with _failing_as_unavailable():
            self._state.ingest(records, marks)
            self._state.store.sync()

    def _catch_up_with_decisions(self) -> None:
        require_same_log(self._state, self._log)
        size = self._applied_size()
        for page in pages_of(self._log.records(size), PAGE_SIZE):
            # Records of erased decisions are None; they still count for the position.
            size += len(page)
            kept = (record for record in page if record is not None)
            decided = (Decision.model_validate_json(record).submission for record in kept)
            marks = _marks(size, self._log.link_at(size) or "")
            self._state.ingest(history_records(decided), marks)

    def _catch_up_with_records(self, kinds: Iterable[str] = ()) -> None:
        until = self._state.watermark(_RECORDS)
        since = "" if until is None else (datetime.fromisoformat(until) - OVERLAP).isoformat()
        for page in pages_of(self._records.all(since, kinds), PAGE_SIZE):
            # Subjects alone must not move the watermark past records of other kinds.
            marks = {} if kinds else {_RECORDS: page[-1].received_at}
            self._state.ingest(_by_type(row.record for row in page), marks)

    def _applied_by_others(self, wanted: int) -> int:
        """Return the number of applied decisions, after a short wait for other workers.

        The other workers have their decisions in memory and are faster than a read of the log.
        """
        deadline_s = time.monotonic() + self._patience_s
        while (size := self._applied_size()) < wanted and time.monotonic() < deadline_s:
            time.sleep(_LOOK_AGAIN_S)
        return size

    def _applied_size(self) -> int:
        return int(self._state.watermark(_DECISIONS) or 0)


def require_same_log(state: OnlineStore, log: "DecisionRepository") -> None:
    """Raise TidegateError if the last decision applied to a store is not in the log."""
    size = int(state.watermark(_DECISIONS) or 0)
    # The chain's link covers all earlier decisions, so one comparison is enough.
    link, applied = log.link_at(size), state.watermark(_DECISIONS_LINK)
    mend = "run `tidegate state rebuild`, once the log is the right one"
    if link is None:
        raise TidegateError(
            f"the online feature store has followed {size:,} decisions, and the log has fewer: "
            f"an older copy of it was restored; {mend}"
        )
    if applied and applied.startswith(f"{size}:") and applied != f"{size}:{link}":
        raise TidegateError(
            f"the online feature store has followed another decision {size:,} than the log has; "
            f"{mend}"
        )


def _marks(size: int, link: str) -> dict[str, str]:
    """Return the watermarks: the position in the decision log, and its chain link there."""
    return {_DECISIONS: str(size), _DECISIONS_LINK: f"{size}:{link}"}


def _vectors(state: OnlineStore, submissions: Sequence[Submission]) -> list[Vector]:
    own_records = [history_records([submission]) for submission in submissions]
    return feature_vectors(submissions, state, own_records)


def open_history(
    settings: Settings,
    log: "DecisionRepository",
    records: "RecordRepository",
    shared: "PostgresStateStore | None",
    progress: Progress = lambda done, total: None,
) -> HistoryClient:
    """Open the history of a home folder or a shared database; build it if it is missing.

    With several workers of one home, the first builds the store while the others wait.
    """
    progress(0, 0)
    with nullcontext() if shared is None else _turn_of_workers(settings):
        sweep_interrupted(settings.state)
        is_there = settings.state.exists() if shared is None else not shared.is_empty
        if not is_there:
            rebuild_history(settings, log, records, shared, progress=progress, is_first=True)
        store = shared or WriteBuffer(LmdbStore(settings.state))
        history = HistoryClient(
            OnlineStore(store), log, records, has_other_writers=shared is not None
        )
        history.catch_up()
    return history


@contextmanager
def _turn_of_workers(settings: Settings) -> Iterator[None]:
    # A file lock is released by the kernel if the holder crashes.
    descriptor = os.open(
        settings.home / ".state-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    with os.fdopen(descriptor) as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def known_records(settings: Settings, shared: "PostgresStateStore | None") -> Mapping[str, int]:
    """Return the counts of records in the store of a home, by type; empty without a store."""
    if shared is not None:
        return {} if shared.is_empty else OnlineStore(shared).counts
    if not settings.state.exists():
        return {}
    store = LmdbStore(settings.state)
    try:
        return OnlineStore(store).counts
    except OnlineStoreMismatch:  # written by another release, which will rebuild it
        return {}
    finally:
        store.close()


def rebuild_history(
    settings: Settings,
    log: "DecisionRepository",
    records: "RecordRepository",
    shared: "PostgresStateStore | None",
    *,
    files: Path | None = None,
    progress: Progress = lambda done, total: None,
    is_first: bool = False,
    expected: Mapping[str, int] | None = None,
) -> None:
    """Rebuild the store from record files and all durable records, completely or not at all.

    `files` is their folder if not that of the home. Processes that have the store open keep the old
    one. With `is_first`, a shared store that another process built meanwhile stays. `expected`
    gives the least count of records per type: raises TidegateError if too few are found, and leaves
    the store as it was.
    """
    put_back_interrupted(settings.records)
    settings.records.mkdir(parents=True, exist_ok=True)

    def make(folder: Path) -> None:
        rebuild_store(
            files or settings.records,
            folder,
            progress,
            and_then=lambda state: HistoryClient(state, log, records).catch_up(),
            check=lambda state: require_whole_history(state.counts, expected or {}),
        )

    if shared is None:
        make(settings.state)
        return
    with working_folder(settings.state) as scratch:  # not in /tmp: it holds party ids
        folder = scratch / "state"
        make(folder)
        rebuilt = LmdbStore(folder)
        shared.replace(rebuilt.all(), if_empty=is_first)
        rebuilt.close()


def _by_type(records: Iterable[Record]) -> dict[str, list[Record]]:
    names = {RECEIVED_TYPES[name]: name for name in HISTORY_RECORD_TYPES}
    by_type: dict[str, list[Record]] = {name: [] for name in HISTORY_RECORD_TYPES}
    for record in records:
        if (name := names.get(type(record))) is not None:
            by_type[name].append(record)
    return by_type


@contextmanager
def _failing_as_unavailable() -> Iterator[None]:
    try:
        yield
    except OnlineStoreUnavailable as failure:
        raise Unavailable(
            "the earlier history is unavailable", code="history-unavailable"
        ) from failure
