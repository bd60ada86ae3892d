"""Features of all subjects of one type: columns in memory, and windows that may spill to disk."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self

from features.engine.batch.build_resources import BuildResources
from features.engine.batch.record_blocks import CachedRecords, RecordBlocks
from features.engine.batch.shared_keys import columns_of_windows, windows_by_source
from features.engine.batch.sources import EventSources
from features.engine.batch.spill_columns import SpillableColumns
from features.engine.batch.subject_versions import asked_about
from features.engine.batch.window_columns import WindowColumns
from features.engine.columns import Column, Columns, length
from features.engine.expressions.program import Program
from features.engine.windows.window_declaration import Window

# Number of subjects whose features are computed and written together.
BLOCK_ROWS = 1 << 16

# Called after each window with the number of windows done and the total.
Progress = Callable[[int, int], None]


class FeatureFrame:
    """Subjects in the order of declaration and id, with the value of every window.

    `subjects` holds the columns that features, windows and the caller read.
    """

    def __init__(
        self, subjects: Columns, spill: SpillableColumns, resources: BuildResources
    ) -> None:
        self.subjects = subjects
        self._spill = spill
        self._resources = resources

    @classmethod
    def compute(
        cls,
        sources: EventSources,
        windows: Iterable[Window],
        records: RecordBlocks,
        resources: BuildResources,
        *,
        columns: frozenset[str] = frozenset(),
        select: Callable[[Columns], Columns] | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Compute windows for every subject, or for the rows that `select` returns.

        `select` gets all subjects and may choose some or repeat them with a later scoring instant
        in `as_of`. `columns` are subject columns to read in addition to those of windows. The
        resources are needed as long as the frame is used; the number of threads affects no value.
        """
        unique = [*dict.fromkeys(windows)]
        columns |= columns_read_of_subjects(sources, unique, columns)
        records = _read_once(sources, unique, columns, records)
        everyone = sources.subjects.read(records, columns)
        subjects = asked_about(everyone, select)
        spill = SpillableColumns(resources.scratch / "windows")
        work = WindowColumns(sources, records, everyone, subjects, spill, resources)
        latest = work.compute(unique, columns, _counted(progress, len(unique)))
        return cls(subjects | latest, spill, resources)

    def __len__(self) -> int:
        return length(self.subjects)

    def window(self, window: Window, among: slice | None = None) -> Column:
        """Return one value per subject, or per subject in a range of rows."""
        among = among or slice(0, len(self))
        return self._spill.rows(window, among.start, among.stop)

    def features(self, program: Program) -> Iterator[tuple[slice, Columns]]:
        """Yield the outputs of a program over subjects and windows, block by block."""
        # At least one block, so that no subjects still give columns of the right types.
        begins = range(0, max(len(self), 1), BLOCK_ROWS)
        blocks = [slice(begin, min(begin + BLOCK_ROWS, len(self))) for begin in begins]

        def run(among: slice) -> Columns:
            columns = {name: column[among] for name, column in self.subjects.items()}
            read = [key for key in program.inputs if isinstance(key, Window)]
            return program.run(columns | {window: self.window(window, among) for window in read})

        # As many blocks as threads at a time, so that memory does not grow with the number of
        # subjects.
        for at in range(0, len(blocks), self._resources.threads):
            together = blocks[at : at + self._resources.threads]
            yield from zip(together, self._resources.map(run, together), strict=True)


def _counted(progress: Progress | None, many: int) -> Callable[[Window], None]:
    done: list[Window] = []

    def count(window: Window) -> None:
        done.append(window)
        if progress:
            progress(len(done), many)

    return count


def columns_read_of_subjects(
    sources: EventSources, windows: Sequence[Window], columns: frozenset[str]
) -> frozenset[str]:
    """Return the columns of subjects that keys, history and linked records read."""
    keys = {name for window in windows for name in window.by}
    names = {window.source for window in windows}
    linked = sources.linked_needed(names, columns | keys)
    over_history = [window for source in linked for window in source.windows_over_history]
    compared = {name for source in linked for name in source.subject_columns}
    return frozenset(keys | columns_of_history(sources, (*windows, *over_history)) | compared)


def columns_of_history(sources: EventSources, windows: Sequence[Window]) -> set[str]:
    """Return the columns of subjects read by windows over earlier subjects of the same type."""
    return columns_of_windows([window for window in windows if _is_own(sources, window)])


def _is_own(sources: EventSources, window: Window) -> bool:
    """Return whether a window reduces earlier events of subjects of the same type."""
    history = sources.histories.get(window.source)
    return history is not None and history.subjects is sources.subjects


def _read_once(
    sources: EventSources,
    windows: Sequence[Window],
    columns: frozenset[str],
    records: RecordBlocks,
) -> RecordBlocks:
    """Return records that cache files which several sources need, so that each is read once."""
    reads = [sources.subjects.fields(columns)]
    for name, of_source in windows_by_source(windows).items():
        history = sources.histories.get(name)
        if history is not None and history.subjects is not sources.subjects:
            reads.append(history.subjects.fields(frozenset(columns_of_windows(of_source))))
    times = Counter(record_file for read in reads for record_file in read)
    fields: dict[str, set[str]] = defaultdict(set)
    for read in reads:
        for record_file in read:
            if times[record_file] > 1:
                fields[record_file] |= read[record_file]
    return CachedRecords(records, fields) if fields else records
