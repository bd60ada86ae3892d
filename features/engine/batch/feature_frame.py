"""All subjects of one kind and what features read of each: columns in memory, windows shelved."""

from collections.abc import Callable, Iterator, Sequence
from typing import Self

from features.catalogue import windows_of
from features.compiled_catalogue import computation
from features.derived.linked_record import OfSubject
from features.engine.batch.build_resources import Workshop
from features.engine.batch.linked_rows import ATTACHMENTS, fields_read
from features.engine.batch.record_blocks import ReadOnce, RecordBlocks
from features.engine.batch.shared_keys import columns_of
from features.engine.batch.spill_columns import Shelf
from features.engine.batch.subject_columns import OWN, fields_read_of, read_subjects
from features.engine.batch.window_columns import Windows
from features.engine.columns import Column, Columns, length, rows
from features.engine.windows.window import Window
from features.records import SubjectKind

# So many subjects' features are computed and written at a time.
BLOCK_ROWS = 1 << 16

Progress = Callable[[int, int], None]
"""Told after each window how many of how many are done."""


class Population:
    """Subjects in the order of declaration and id, with every window that was asked for."""

    def __init__(
        self, kind: SubjectKind, subjects: Columns, shelf: Shelf, workshop: Workshop
    ) -> None:
        self.kind = kind
        self.subjects = subjects
        self._shelf = shelf
        self._workshop = workshop

    @classmethod
    def of(
        cls,
        kind: SubjectKind,
        records: RecordBlocks,
        workshop: Workshop,
        *,
        also: Sequence[Window] = (),
        wanted: frozenset[str] = frozenset(),
        has_features: bool = True,
        asked: Callable[[Columns], Column] | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Every subject of one kind among the records, or those rows that `asked` selects.

        `also` are windows, and `wanted` columns, beside those that features read; without features
        only what windows read is there. The workshop is needed as long as the population is; how
        many threads it has changes no number.
        """
        windows = [*dict.fromkeys((*windows_of(kind), *also))]
        wanted |= _columns_read(kind, windows)
        if has_features:
            wanted |= fields_read(computation(kind))
        records = _journeys_once(kind, records, windows, wanted)
        everyone = read_subjects(kind, records, set(wanted))
        subjects = dict(everyone) if asked is None else rows(everyone, asked(everyone))
        shelf = Shelf(workshop.scratch / "windows")
        done: list[Window] = []

        def one_more(window: Window) -> None:
            done.append(window)
            if progress:
                progress(len(done), len(windows))

        work = Windows(kind, records, everyone, subjects, shelf, workshop)
        work.compute(windows, one_more)
        return cls(kind, subjects, shelf, workshop)

    def __len__(self) -> int:
        return length(self.subjects)

    def window(self, window: Window, among: slice | None = None) -> Column:
        """One number per subject, or for the subjects between two rows."""
        among = among or slice(0, len(self))
        return self._shelf.rows(window, among.start, among.stop)

    def features(self) -> Iterator[tuple[slice, Columns]]:
        """Every feature by name, in catalogue order, for a block of subjects at a time."""
        begins = range(0, max(len(self), 1), BLOCK_ROWS)
        blocks = [slice(begin, min(begin + BLOCK_ROWS, len(self))) for begin in begins]
        for at in range(0, len(blocks), self._workshop.threads):
            some = blocks[at : at + self._workshop.threads]
            yield from zip(some, self._workshop.each(self._features, some), strict=True)

    def _features(self, among: slice) -> Columns:
        columns = {name: column[among] for name, column in self.subjects.items()}
        windows = {window: self.window(window, among) for window in windows_of(self.kind)}
        return computation(self.kind).run({**columns, **windows})


def _journeys_once(
    kind: SubjectKind, records: RecordBlocks, windows: Sequence[Window], wanted: frozenset[str]
) -> RecordBlocks:
    """The records, of which journeys are read once if they are both joined and history."""
    history = [w for w in windows if w.source in (OWN["route"], "route_outcomes")]
    joined = fields_read_of("journeys", kind, {*wanted})
    if kind == "route" or not history or not joined:
        return records
    return ReadOnce(
        records, "journeys", joined | fields_read_of("journeys", "route", columns_of(history))
    )


def _columns_read(kind: SubjectKind, windows: Sequence[Window]) -> set[str]:
    """The columns of subjects that features, keys, history and attached records read."""
    own = [w for w in windows if w.source in (OWN[kind], f"{kind}_outcomes")]
    beside = [
        ATTACHMENTS[source].program(kind)
        for source in {w.source for w in windows} | {"attached_transactions"}
        if source in ATTACHMENTS
    ]
    return (
        {name for window in windows for name in window.by}
        | columns_of(own)
        | {key.name for p in beside for key in p.columns if isinstance(key, OfSubject)}
    )
