"""Features of the subjects of a part, computed in two steps: before and after the keys meet."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import numpy as np

from features.build_training_set import SelectSubjects, subject_columns, subjects_before
from features.catalogue import windows_of
from features.compiled_catalogue import computation
from features.engine.batch.build_resources import BuildResources
from features.engine.batch.feature_frame import (
    FeatureFrame,
    columns_of_history,
    columns_read_of_subjects,
)
from features.engine.batch.record_blocks import RecordBlocks
from features.engine.batch.shared_keys import columns_of_windows, windows_by_source
from features.engine.batch.sources import EventSources
from features.engine.batch.spill_columns import SpillableColumns
from features.engine.batch.subject_versions import asked_about
from features.engine.batch.window_columns import WindowColumns
from features.engine.columns import Column, Columns, length
from features.engine.windows.lifetimes import LIFETIME
from features.engine.windows.window_declaration import Window
from features.event_sources import event_sources
from features.file_among_records import AskedSubjects, among
from features.records import SubjectKind
from features.rescoring_rules import RescoringRules
from features.scoring_instants import at_instants, later_instants
from features.spark.keyed_windows import EventsOf, KeyedWindows
from features.spark.part_records import AskedRecords, PartRecords
from features.subject_types import SUBJECT_TYPES

_WITH_JOURNEYS = {
    name
    for each in SUBJECT_TYPES.values()
    if each.has_journey
    for name in (each.record_file, each.outcome_source)
}
_LINKED = "linked "  # prefix of frame columns that hold window values


@dataclass(frozen=True)
class BuildRequest:
    """Request of a build: windows of subjects and additional columns.

    It covers all subjects, or those `asked` about. With `rules` subjects are also scored at the
    later instants at which the rules would have scored them again.
    """

    kind: SubjectKind
    windows: tuple[Window, ...]
    columns: frozenset[str]
    asked: AskedSubjects | None = None
    rules: RescoringRules | None = None

    @classmethod
    def of_training_set(cls, kind: SubjectKind, rules: RescoringRules | None = None) -> Self:
        """Return the request of everything in a training set."""
        windows = dict.fromkeys((*windows_of(kind), subjects_before(kind)))
        return cls(kind, tuple(windows), subject_columns(kind), rules=rules)

    @classmethod
    def of_asked(cls, asked: AskedSubjects, columns: frozenset[str]) -> Self:
        """Return the request of the features of `asked` subjects, with some of their columns."""
        return cls(asked.kind, tuple(dict.fromkeys(windows_of(asked.kind))), columns, asked)

    @classmethod
    def of_history(cls, kind: SubjectKind) -> Self:
        """Return the request of all windows over history, those behind linked records included."""
        linked = event_sources(kind).linked
        own = (window for window in windows_of(kind) if window.source not in linked)
        of_linked = (each.windows_over_history for each in linked.values())
        return cls(kind, tuple(dict.fromkeys(chain(own, *of_linked))), frozenset())

    @cached_property
    def windows_by_key(self) -> tuple[Window, ...]:
        """Windows over the records of other subjects, which are found by key."""
        linked = event_sources(self.kind).linked
        return tuple(window for window in self.windows if window.source not in linked)

    @cached_property
    def windows_by_subject(self) -> tuple[Window, ...]:
        """Windows over a subject's own records."""
        linked = event_sources(self.kind).linked
        return tuple(window for window in self.windows if window.source in linked)

    def select(
        self, own: PartRecords | AskedRecords, joined: RecordBlocks
    ) -> SelectSubjects | None:
        """Return a function that selects the subjects and instants to compute.

        None selects all subjects at their declaration.
        """
        if self.rules is not None:
            return at_instants(later_instants(self.kind, joined, self.rules))
        if self.asked is None:
            return None
        subject_type = SUBJECT_TYPES[self.kind]
        (ids,) = own.blocks(subject_type.record_file, [subject_type.id_field])
        places = own.rows_of_file(subject_type.record_file)
        is_asked = places >= self.asked.first_row
        codes = ids[subject_type.id_field][is_asked]
        return partial(among, ids=codes, places=places[is_asked])


def history_of_linked(
    kind: SubjectKind, own: RecordBlocks, joined: RecordBlocks
) -> dict[str, Columns]:
    """Return the events in some records that values of linked records are computed from."""
    sources = event_sources(kind)
    over = [window for each in sources.linked.values() for window in each.windows_over_history]
    found = {}
    for name, windows in windows_by_source(over).items():
        history, records = sources.histories[name], joined if name in _WITH_JOURNEYS else own
        read = columns_of_windows(windows)
        subjects = history.subjects.read(records, frozenset(read))
        events = subjects if history.derive is None else history.derive(subjects, records)
        # Sorted, since the order of a set differs between processes.
        kept = read | {"known_at", *LIFETIME}
        found[name] = {column: events[column] for column in sorted(kept & events.keys())}
    return found


def before_keys(
    wanted: BuildRequest,
    keyed: KeyedWindows,
    own: PartRecords | AskedRecords,
    joined: PartRecords | AskedRecords,
    histories: dict[str, Columns],
) -> tuple[Columns, EventsOf]:
    """Return subjects with their columns and own windows, and the events of all keyed windows.

    `joined` holds the same records plus exactly the journeys that these subjects name. `histories`
    holds the events of all parts that values of linked records are computed from.
    """
    kind, sources = wanted.kind, event_sources(wanted.kind)
    read = {key for key in computation(kind).columns if isinstance(key, str)}
    columns = wanted.columns | read
    columns |= columns_read_of_subjects(sources, wanted.windows, columns)
    with_journeys = joined if SUBJECT_TYPES[kind].has_journey else own
    everyone = sources.subjects.read(with_journeys, columns)
    subjects = asked_about(everyone, wanted.select(own, with_journeys))
    # Windows over linked records need only this part; keyed windows wait for other parts.
    own_windows = wanted.windows_by_subject
    with TemporaryDirectory() as scratch:
        resources = BuildResources(Path(scratch))
        spill = SpillableColumns(resources.scratch / "windows")
        work = WindowColumns(sources, own, everyone, subjects, spill, resources, histories)
        subjects = subjects | work.compute(own_windows, columns, lambda _: None)
        numbers = {
            f"{_LINKED}{at}": spill.rows(window, 0, length(subjects))
            for at, window in enumerate(own_windows)
        }
    return subjects | numbers, _events(keyed, sources, everyone, own, joined)


def history_before_keys(
    wanted: BuildRequest,
    keyed: KeyedWindows,
    own: PartRecords | AskedRecords,
    joined: PartRecords | AskedRecords,
) -> EventsOf:
    """Return the events in some records, where none of their subjects is scored."""
    sources = event_sources(wanted.kind)
    with_journeys = joined if SUBJECT_TYPES[wanted.kind].has_journey else own
    columns = frozenset(columns_of_history(sources, wanted.windows))
    everyone = sources.subjects.read(with_journeys, columns)
    return _events(keyed, sources, everyone, own, joined)


def _events(
    keyed: KeyedWindows,
    sources: EventSources,
    everyone: Columns,
    own: RecordBlocks,
    joined: RecordBlocks,
) -> EventsOf:
    return keyed.events(
        sources, everyone, lambda source: joined if source in _WITH_JOURNEYS else own
    )


@contextmanager
def after_keys(
    wanted: BuildRequest, keyed: KeyedWindows, columns: Columns, numbers: Callable[[int], Column]
) -> Iterator[FeatureFrame]:
    """Provide subjects with these columns and all their windows as a frame.

    `numbers` returns the values of a keyed window by its index in `keyed`.
    """
    subjects = {name: c for name, c in columns.items() if not name.startswith(_LINKED)}
    with TemporaryDirectory() as scratch:
        resources = BuildResources(Path(scratch))
        spill = SpillableColumns(resources.scratch / "windows")
        for at, window in enumerate(wanted.windows_by_subject):
            # Own windows came along as columns of the frame, in the order of the request.
            spill.put(window, columns[f"{_LINKED}{at}"])
        for place, window in enumerate(keyed.windows):
            spill.put(window, numbers(place))
        yield FeatureFrame(subjects, spill, resources)


def in_rows(received: Sequence[tuple[Column, Column]], rows: int) -> Column:
    """Return a column of `rows` values from pairs of row indexes and values; NaN elsewhere."""
    column = np.full(rows, np.nan)
    for at, numbers in received:
        column[at] = numbers
    return column
