"""The features of the subjects of a part, in two steps: before their keys meet, and after."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from features.build_training_set import (
    feature_tables,
    subject_columns,
    subject_table,
    subjects_before,
)
from features.catalogue import windows_of
from features.compiled_catalogue import computation
from features.engine.batch.build_resources import BuildResources
from features.engine.batch.feature_frame import FeatureFrame, columns_read_of_subjects
from features.engine.batch.record_blocks import RecordBlocks
from features.engine.batch.shared_keys import columns_of, windows_by_source
from features.engine.batch.spill_columns import SpillableColumns
from features.engine.batch.subject_versions import asked_about
from features.engine.batch.window_columns import WindowColumns
from features.engine.columns import Column, Columns, length
from features.engine.spark.keyed_windows import EventsOf, KeyedWindows
from features.engine.windows.lifetimes import LIFETIME
from features.engine.windows.window import Window
from features.event_sources import event_sources
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES

_WITH_JOURNEYS = {
    name
    for each in SUBJECT_TYPES.values()
    if each.has_journey
    for name in (each.record_file, each.outcome_source)
}
_LINKED = "linked "  # begins the name of a column of a frame that is a window's


def all_windows(kind: SubjectKind) -> list[Window]:
    """Every window of a training set, each once."""
    return [*dict.fromkeys((*windows_of(kind), subjects_before(kind)))]


def windows_by_key(kind: SubjectKind) -> tuple[Window, ...]:
    """The windows over what others did, which meets subjects by their keys."""
    linked = event_sources(kind).linked
    return tuple(window for window in all_windows(kind) if window.source not in linked)


def windows_by_subject(kind: SubjectKind) -> list[Window]:
    """The windows over a subject's own records."""
    linked = event_sources(kind).linked
    return [window for window in all_windows(kind) if window.source in linked]


def history_of_linked(
    kind: SubjectKind, own: RecordBlocks, joined: RecordBlocks
) -> dict[str, Columns]:
    """The events, among some records, of which linked records anywhere have numbers."""
    sources = event_sources(kind)
    over = [window for each in sources.linked.values() for window in each.windows_over_history]
    found = {}
    for name, windows in windows_by_source(over).items():
        history, records = sources.histories[name], joined if name in _WITH_JOURNEYS else own
        read = columns_of(windows)
        subjects = history.subjects.read(records, frozenset(read))
        events = subjects if history.derive is None else history.derive(subjects, records)
        kept = read | {"known_at", *LIFETIME}
        found[name] = {column: events[column] for column in sorted(kept & events.keys())}
    return found


def before_keys(
    kind: SubjectKind,
    keyed: KeyedWindows,
    own: RecordBlocks,
    joined: RecordBlocks,
    histories: dict[str, Columns],
) -> tuple[Columns, EventsOf]:
    """The columns of the subjects among some records with their own windows, and all events.

    `joined` are the same records, with the journeys that these subjects name and no others;
    `histories` the events of all parts of which linked records have numbers.
    """
    sources, windows = event_sources(kind), all_windows(kind)
    read = {key for key in computation(kind).columns if isinstance(key, str)}
    columns = subject_columns(kind) | read
    columns |= columns_read_of_subjects(sources, windows, columns)
    is_joined = SUBJECT_TYPES[kind].has_journey
    everyone = sources.subjects.read(joined if is_joined else own, columns)
    subjects = asked_about(everyone, None)
    own_windows = windows_by_subject(kind)
    with TemporaryDirectory() as scratch:
        resources = BuildResources(Path(scratch))
        spill = SpillableColumns(resources.scratch / "windows")
        work = WindowColumns(sources, own, everyone, subjects, spill, resources, histories)
        subjects = subjects | work.compute(own_windows, columns, lambda _: None)
        numbers = {
            f"{_LINKED}{at}": spill.rows(window, 0, length(subjects))
            for at, window in enumerate(own_windows)
        }
    events = keyed.events(
        sources, everyone, lambda source: joined if source in _WITH_JOURNEYS else own
    )
    return subjects | numbers, events


def after_keys(
    kind: SubjectKind, keyed: KeyedWindows, frame: Columns, numbers: Callable[[int], Column]
) -> tuple[pa.Table, pa.Table]:
    """The features of the subjects of a frame, and whom these are about.

    `numbers` has those of each keyed window, by its place there.
    """
    subjects = {name: c for name, c in frame.items() if not name.startswith(_LINKED)}
    with TemporaryDirectory() as scratch:
        resources = BuildResources(Path(scratch))
        spill = SpillableColumns(resources.scratch / "windows")
        for at, window in enumerate(windows_by_subject(kind)):
            spill.put(window, frame[f"{_LINKED}{at}"])
        for place, window in enumerate(keyed.windows):
            spill.put(window, numbers(place))
        whole = FeatureFrame(subjects, spill, resources)
        return pa.concat_tables(feature_tables(kind, whole)), subject_table(kind, whole)


def in_rows(received: Sequence[tuple[Column, Column]], rows: int) -> Column:
    """Numbers for so many rows, given as pairs of rows and numbers; NaN where none was."""
    column = np.full(rows, np.nan)
    for at, numbers in received:
        column[at] = numbers
    return column
