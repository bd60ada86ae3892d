"""Computation of every window of every subject, source by source, into columns that may spill.

Record files whose linked records give subjects a column come first, since windows over any source
may have that column in their key. Within a file, linked records come before streams for the same
reason.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

import numpy as np

from features.engine.batch.build_resources import BuildResources
from features.engine.batch.gather import gather_rows, scatter
from features.engine.batch.linked_partitions import (
    LinkedPartitions,
    scoring_instants,
)
from features.engine.batch.paired_windows import reduce_paired
from features.engine.batch.partitions import Partitions
from features.engine.batch.record_blocks import RecordBlocks
from features.engine.batch.reduce_windows import reduce_windows
from features.engine.batch.self_join import SelfJoin
from features.engine.batch.shared_keys import (
    by_key,
    by_keying,
    columns_of_windows,
    keys_where,
    partitions_of_keys,
    windows_by_source,
)
from features.engine.batch.sort_by_key import KeyGroups, by_number
from features.engine.batch.sources import (
    EventSources,
    EventStream,
    LatestColumn,
    LinkedSource,
    SubjectHistory,
)
from features.engine.batch.spill_columns import SpillableColumns
from features.engine.batch.stream_partitions import StreamPartitions
from features.engine.columns import Column, Columns, is_missing, length, missing_values
from features.engine.numba_cache import compiled
from features.engine.windows.lifetimes import LIFETIME
from features.engine.windows.window_declaration import NETWORK, Window

# Target number of events sorted and reduced together; events of one key are never split.
PART_ROWS = 1 << 19

Done = Callable[[Window], None]


class WindowColumns:
    """Computation of the windows of subjects of one type, a column each.

    `everyone` holds all subjects of the type, who make history. `subjects` are those to compute:
    the same columns or some of their rows. Both are in the order of declaration. A row of
    `subjects` may be repeated for each later scoring instant, given in `as_of`. `histories` holds
    the events from which values of linked records are computed, if `records` lacks some of them.
    """

    def __init__(
        self,
        sources: EventSources,
        records: RecordBlocks,
        everyone: Columns,
        subjects: Columns,
        spill: SpillableColumns,
        resources: BuildResources,
        histories: dict[str, Columns] | None = None,
    ) -> None:
        self._sources = sources
        self._records = records
        self._everyone = everyone
        self._subjects = subjects
        self._spill = spill
        self._resources = resources
        self._histories = histories

    def compute(self, windows: Sequence[Window], columns: frozenset[str], done: Done) -> Columns:
        """Compute every window; return the columns that subjects take from linked records.

        `columns` are subject columns that features and keys read. `done` is called after each
        window.
        """
        by_source = windows_by_source(windows)
        linked = self._sources.linked_needed({*by_source}, columns)
        streams = [
            self._sources.streams[name] for name in by_source if name in self._sources.streams
        ]
        latest: Columns = {}
        for record_file in _record_files(linked, streams):
            latest |= self._compute_file(
                record_file,
                [source for source in linked if source.record_file == record_file],
                [stream for stream in streams if stream.record_file == record_file],
                by_source,
                self._subjects | latest,
                done,
            )
        # Last, since their keys may use columns that linked records gave to subjects.
        self._compute_histories(by_source, self._subjects | latest, done)
        self._compute_held(by_source, self._subjects | latest, done)
        self._compute_network(by_source, self._subjects | latest, done)
        return latest

    def _compute_file(
        self,
        record_file: str,
        linked: Sequence[LinkedSource],
        streams: Sequence[EventStream],
        by_source: Mapping[str, list[Window]],
        subjects: Columns,
        done: Done,
    ) -> Columns:
        """Read one record file once for all windows over its records."""
        with ExitStack() as stack:
            create = partial(self._partitions, stack, record_file)
            amendments = self._records.amendments(record_file)
            of_linked = [
                LinkedPartitions(
                    source,
                    subjects,
                    create(f"linked-{source.name}"),
                    amendments,
                    self._history_of(source),
                )
                for source in linked
            ]
            of_streams = [
                StreamPartitions(stream, by_source[stream.name], create, amendments)
                for stream in streams
            ]
            self._read_file(record_file, of_linked, of_streams)
            latest: Columns = {}
            for spread in of_linked:
                latest |= self._sweep_linked(spread, by_source.get(spread.source.name, []), done)
            for stream_partitions in of_streams:
                for partitions, windows in stream_partitions.windows():
                    self._sweep_stream(partitions, windows, subjects | latest, done)
        return latest

    def _read_file(
        self,
        record_file: str,
        linked: Sequence[LinkedPartitions],
        streams: Sequence[StreamPartitions],
    ) -> None:
        sources: list[LinkedSource | EventStream] = [
            *(partitions.source for partitions in linked),
            *(partitions.stream for partitions in streams),
        ]
        fields = sorted({field for source in sources for field in source.fields})
        for block in self._records.blocks(record_file, fields):
            for of_linked in linked:
                of_linked.add(block)
            for of_stream in streams:
                of_stream.add(block)

    def _sweep_linked(
        self, linked: LinkedPartitions, windows: Sequence[Window], done: Done
    ) -> Columns:
        at = scoring_instants(self._subjects)
        results = {window: np.empty(len(at)) for window in windows}
        latest = {
            name: missing_values(taken.kind, len(at))
            for name, taken in linked.source.latest.items()
        }

        def sweep(partition: int) -> None:
            among, subject, events = linked.events(partition, self._records)
            # Each partition writes its own range of rows, so that threads need no lock.
            for name, taken in linked.source.latest.items():
                _keep_latest(latest[name][among], subject, *_values_of(taken, events))
            subject_groups = KeyGroups.singletons(at[among])
            for (_, _, where), alike in by_keying(windows).items():
                keys = keys_where(subject, events, where)
                for window, column in reduce_windows(
                    alike, events, keys, subject_groups, len(subject_groups.instants)
                ):
                    results[window][among] = column

        self._resources.map(sweep, range(len(linked)))
        self._put(results, done)
        return latest

    def _sweep_stream(
        self, partitions: Partitions, windows: Sequence[Window], subjects: Columns, done: Done
    ) -> None:
        names = {name for window in windows for name in (*window.by, "declared_at")}
        key = {name: subjects[name] for name in names}
        count = len(partitions)
        # Subjects are divided like the events, so that a partition meets only its own keys.
        rows_by_key = {
            by: by_number(partitions_of_keys(key, by, count), count) for by in by_key(windows)
        }
        # Written in partition order and scattered once, so that threads write disjoint ranges.
        ordered = {window: np.empty(len(rows_by_key[window.by][1])) for window in windows}

        def sweep(partition: int) -> None:
            events = partitions.read(partition)
            for by, alike in by_key(windows).items():
                starts, rows = rows_by_key[by]
                here = slice(*starts[partition : partition + 2].tolist())
                subject_keys = gather_rows(key, rows[here])
                numbers = reduce_paired(alike, events, subject_keys, count)
                for window, column in numbers:
                    ordered[window][here] = column

        self._resources.map(sweep, range(count))
        for window, numbers in ordered.items():
            rows = rows_by_key[window.by][1]
            self._put({window: scatter(numbers, rows, length(subjects))}, done)

    def _compute_histories(
        self, by_source: Mapping[str, list[Window]], subjects: Columns, done: Done
    ) -> None:
        """Compute windows over earlier subjects; windows over the same type share their keys."""
        histories = [
            history
            for name, history in sorted(self._sources.histories.items())
            if name in by_source
        ]
        events = {
            history.name: events_of_history(
                history, by_source[history.name], self._sources, self._everyone, self._records
            )
            for history in histories
        }
        windows = [window for history in histories for window in by_source[history.name]]
        # Self-joins share one numbering of keys; other windows pair the keys of two tables.
        own = [window for window in windows if self._is_self_join(window)]
        for window, column in SelfJoin(self._everyone, subjects, events).reduce(own):
            self._put({window: column}, done)
        for window in windows:
            if not self._is_self_join(window):
                self._put(dict(reduce_paired([window], events[window.source], subjects)), done)

    def _compute_held(
        self, by_source: Mapping[str, list[Window]], subjects: Columns, done: Done
    ) -> None:
        for name in sorted(by_source.keys() & self._sources.held.keys()):
            events = self._sources.held[name].derive(self._records)
            for window in by_source[name]:
                self._put(dict(reduce_paired([window], events, subjects)), done)

    def _compute_network(
        self, by_source: Mapping[str, list[Window]], subjects: Columns, done: Done
    ) -> None:
        if NETWORK in by_source and self._sources.network is not None:
            network = self._sources.network
            events = network.all_events(lambda _: self._records)
            self._put(network.values(by_source[NETWORK], subjects, events), done)

    def _history_of(self, linked: LinkedSource) -> dict[str, Columns]:
        """Return by source the events from which values of linked records are computed."""
        if self._histories is not None:
            return self._histories
        return {
            name: events_of_history(
                self._sources.histories[name],
                windows,
                self._sources,
                self._everyone,
                self._records,
            )
            for name, windows in windows_by_source(linked.windows_over_history).items()
        }

    def _is_self_join(self, window: Window) -> bool:
        """Return whether its events are rows of the subjects themselves, with equal key columns."""
        history = self._sources.histories[window.source]
        return history.subjects is self._sources.subjects and window.matching == window.by

    def _partitions(self, stack: ExitStack, record_file: str, name: str) -> Partitions:
        count = max(1, -(-self._records.count(record_file) // PART_ROWS))
        return stack.enter_context(Partitions(self._resources.scratch / name, count))

    def _put(self, results: Mapping[Window, Column], done: Done) -> None:
        for window, column in results.items():
            self._spill.put(window, column)
            done(window)


def events_of_history(
    history: SubjectHistory,
    windows: Sequence[Window],
    sources: EventSources,
    everyone: Columns,
    records: RecordBlocks,
) -> Columns:
    """Return the events of a source held in memory, in the order they became known."""
    read = frozenset(columns_of_windows(windows))
    if history.subjects is not sources.subjects:
        subjects = history.subjects.read(records, read)
    elif history.derive is None:
        return everyone
    else:
        kept = read | {"subject_id", "declared_at", *LIFETIME}
        subjects = {name: column for name, column in everyone.items() if name in kept}
    return subjects if history.derive is None else history.derive(subjects, records)


def _record_files(linked: Sequence[LinkedSource], streams: Sequence[EventStream]) -> list[str]:
    """Return the record files to read, first those whose linked records give subjects a column."""
    ordered = sorted(linked, key=lambda source: not source.latest)
    files = (
        *(source.record_file for source in ordered),
        *(stream.record_file for stream in streams),
    )
    return list(dict.fromkeys(files))


def _values_of(column: LatestColumn, events: Columns) -> tuple[Column, Column]:
    """Return the values of an event column, and a mask of those to use."""
    values = events[column.name]
    is_meant = ~is_missing(values)
    return values, is_meant if column.where is None else is_meant & (events[column.where] == 1)


@compiled(nogil=True)
def _keep_latest(latest: Column, subject: Column, values: Column, is_meant: Column) -> None:
    """Store the last valid value of each subject; rows must be in the order they became known."""
    for row in range(len(subject)):
        if is_meant[row]:
            latest[subject[row]] = values[row]
