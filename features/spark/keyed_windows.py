"""Windows over history: subjects and events meet in the part of their key.

Windows whose keys begin with the same column of the subject form a group and are computed together.
The part depends on that column alone, so events of one key are in one part whatever further columns
the key has. Windows over the network form a group too. No key divides a network, so all its events
and all subjects meet in the first part of that group, which must hold them in memory.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from features.engine.batch.changing_windows import SlicedEvents
from features.engine.batch.paired_windows import reduce_paired
from features.engine.batch.partitions import Partitions
from features.engine.batch.record_blocks import RecordBlocks
from features.engine.batch.shared_keys import (
    By,
    by_first_column,
    columns_of_windows,
    windows_by_source,
)
from features.engine.batch.sources import EventSources
from features.engine.batch.stream_partitions import events_of_block
from features.engine.batch.window_columns import events_of_history
from features.engine.columns import Column, Columns, length
from features.engine.windows.event_order import sorted_by_known_at
from features.engine.windows.lifetimes import COUNTS_UNTIL, LIFETIME, endless_lifetimes, join_events
from features.engine.windows.reducers import Reducer
from features.engine.windows.window_declaration import NETWORK, Window
from features.networks.neighbourhood import network_windows
from features.spark import part_messages
from features.spark.part_messages import SparkPart, home_of, pack_columns, part_name, part_of_keys
from features.spark.scan_records import sent

SUBJECTS = "subjects"
NUMBERS = "numbers"
ROW = "row_of_part"
ASKING = frozenset({"declared_at", ROW})
_HOME = "home"
# Stands for the first column of the key of windows over the network, which have none.
_BY_NETWORK: By = (NETWORK,)

# Events by source and first column of their key.
EventsOf = Mapping[tuple[str, By], Columns]


@dataclass(frozen=True)
class KeyedWindows:
    """Windows grouped by the first column of the subject's key, with `parts` parts per group.

    A part of more than `rows_at_once` rows is computed in slices of time, which end at
    `slice_ends`; the last end is later than all declarations.
    """

    windows: tuple[Window, ...]
    parts: int
    rows_at_once: int
    slice_ends: Column

    @property
    def groups(self) -> list[tuple[By, list[int]]]:
        """First key column of each group (empty if none), with the indexes of its windows."""
        groups: dict[By, list[int]] = defaultdict(list)
        for place, window in enumerate(self.windows):
            groups[_BY_NETWORK if window.source == NETWORK else window.by[:1]].append(place)
        return sorted(groups.items())

    def __len__(self) -> int:
        """Return the number of parts of all groups."""
        return len(self.groups) * self.parts

    def sent(self, subjects: Columns, events: EventsOf, home: int) -> Iterator[SparkPart]:
        """Yield the keys and events of one part of subjects, addressed to the parts of these keys.

        Subjects that are events by the same key are sent once. Either argument may be empty.
        """
        numbered = subjects | {ROW: np.arange(length(subjects))} if subjects else {}
        for at, (by, places) in enumerate(self.groups):
            windows = [self.windows[place] for place in places]
            read = {name for window in windows for name in window.by} | ASKING
            name = SUBJECTS
            for (source, first), _ in _by_events(windows):
                if (source, first) not in events:
                    continue
                of_source = events[source, first]
                # Identity, not equality: the columns are the same arrays if subjects are their own
                # events.
                if first == by and all(subjects.get(n) is of_source[n] for n in of_source):
                    read |= of_source.keys()
                    name = f"{name}/{source}"
                else:
                    yield from self._sent(at, _named(source, first), of_source, first, home)
            for source, first in _network_of(events) if by == _BY_NETWORK else ():
                yield from self._sent(at, _named(source, first), events[source, first], by, home)
            if numbered:
                own = {name: numbered[name] for name in sorted(read)}
                yield from self._sent(at, name, own, by, home)

    def _sent(
        self, group: int, name: str, columns: Columns, first: By, home: int
    ) -> Iterator[SparkPart]:
        if first and first != _BY_NETWORK:
            part = part_of_keys(columns[first[0]], self.parts)
        else:
            # Without key columns all rows belong together, so they share the first part.
            part = np.zeros(length(columns), np.int32)
        for message in sent(name, columns, part, self.parts, home, home):
            yield message._replace(part=group * self.parts + message.part)

    def numbers(self, part: int, bodies: Iterator[bytes], without: EventsOf) -> Iterator[SparkPart]:
        """Yield the window values of the keys of a part, addressed to the parts of the subjects.

        `without` holds empty columns for each kind of events, for parts that receive none.
        """
        held: list[pa.Table] = []
        count = 0
        tables = map(part_messages.unpack_table, bodies)
        if self._group_of(part)[0] == _BY_NETWORK:
            yield from self._at_once(part, [*tables], without)
            return
        for table in tables:
            held.append(table)
            count += len(table)
            # Only the running total shows that a part is too large; the tables read so far are
            # passed on.
            if count > self.rows_at_once:
                yield from self._in_slices(part, chain(_emptied(held), tables), without)
                return
        yield from self._at_once(part, held, without)

    def _at_once(
        self, part: int, tables: Sequence[pa.Table], without: EventsOf
    ) -> Iterator[SparkPart]:
        by, place_of = self._group_of(part)
        asking, events = _received(tables, by)
        if not asking:
            return
        subjects = part_messages.unpack_columns(asking, _read_of_subjects(place_of))
        found: dict[str, Column] = {}
        for (source, first), windows in _by_events([*place_of]):
            if source == NETWORK:
                for window, column in network_windows(
                    windows, subjects, _network_events(events, without)
                ).items():
                    found[str(place_of[window])] = column
                continue
            none = without[source, first]
            held = events_together([none, *_events_of(events[_named(source, first)], none)])
            # Only LATEST depends on the order of events.
            if "record_id" in held:
                held = sorted_by_known_at(held)
            for window, column in reduce_paired(windows, held, subjects):
                found[str(place_of[window])] = column
        # Subjects were received in tables by home part; values go back in the same division.
        found[ROW], begin = subjects[ROW], 0
        for table in asking:
            of = slice(begin, begin + len(table))
            begin += len(table)
            numbers = {name: column[of] for name, column in found.items()}
            yield SparkPart(home_of(table), 1 + part, pack_columns(NUMBERS, numbers))

    def _in_slices(
        self, part: int, tables: Iterator[pa.Table], without: EventsOf
    ) -> Iterator[SparkPart]:
        """Compute an oversized part slice by slice, holding one slice in memory."""
        by, place_of = self._group_of(part)
        read, homes = _read_of_subjects(place_of), 0
        with TemporaryDirectory() as scratch, ExitStack() as stack:
            folder = Path(scratch)
            slices = len(self.slice_ends)
            # No memory for buffering: the part is known to be too large.
            asking = stack.enter_context(Partitions(folder / SUBJECTS, slices, memory_bytes=0))
            sliced: dict[str, SlicedEvents] = {}
            none_of: dict[str, Columns] = {}
            for (source, first), windows in _by_events([*place_of]):
                name, none = _named(source, first), without[source, first]
                inner = folder / str(len(sliced))
                sliced[name] = SlicedEvents(windows, self.slice_ends, inner, stack, none)
                none_of[name] = none
            for table in tables:
                for name in _events_in(table, by):
                    (events,) = _events_of([table], none_of[name])
                    sliced[name].add(events)
                if _is_asking(table):
                    subjects = part_messages.unpack_columns([table], read)
                    subjects[_HOME] = np.full(len(table), home_of(table), np.int32)
                    homes = max(homes, home_of(table) + 1)
                    asks = np.searchsorted(self.slice_ends, subjects["declared_at"], side="right")
                    asking.add(subjects, asks.astype(np.int32))
            for at in range(slices if homes else 0):
                subjects = asking.read(at)
                found = {ROW: subjects[ROW]}
                for each in sliced.values():
                    numbers = each.numbers(at, subjects)
                    found |= {str(place_of[window]): c for window, c in numbers.items()}
                yield from sent(NUMBERS, found, subjects[_HOME], homes, 1 + part)

    def _group_of(self, part: int) -> tuple[By, dict[Window, int]]:
        """Return the first key column of a part's group and the indexes of its windows."""
        by, places = self.groups[part // self.parts]
        return by, {self.windows[place]: place for place in places}

    def events(
        self, sources: EventSources, everyone: Columns, records: Callable[[str], RecordBlocks]
    ) -> EventsOf:
        """Return the events of all windows from the records of one part.

        `records` returns the records to use for a source.
        """
        events: dict[tuple[str, By], Columns] = {}
        for source, windows in windows_by_source(self.windows).items():
            if source == NETWORK and sources.network is not None:
                of_network = sources.network.all_events(records)
                events |= {(NETWORK, (name,)): each for name, each in of_network.items()}
                continue
            derived = _derived(source, windows, sources, everyone, records(source))
            for (_, first), alike in _by_events(windows):
                always = ({"known_at"} | LIFETIME) & derived.keys()
                if any(window.reducer is Reducer.LATEST for window in alike):
                    always |= {"record_id"}
                read = columns_of_windows(alike) | always
                events[source, first] = {name: derived[name] for name in sorted(read)}
        return events


def _network_events(
    received: Mapping[str, list[pa.Table]], without: EventsOf
) -> dict[str, Columns]:
    """Return the events of the network that a part received, by name."""
    return {
        first[0]: events_together(
            [
                without[source, first],
                *_events_of(received[_named(source, first)], without[source, first]),
            ]
        )
        for source, first in _network_of(without)
    }


def _network_of(events: EventsOf) -> list[tuple[str, By]]:
    return [key for key in events if key[0] == NETWORK]


def _derived(
    name: str,
    windows: Sequence[Window],
    sources: EventSources,
    everyone: Columns,
    records: RecordBlocks,
) -> Columns:
    if name in sources.held:
        return sources.held[name].derive(records)
    if name in sources.histories:
        return events_of_history(sources.histories[name], windows, sources, everyone, records)
    stream, parts, before = sources.streams[name], [], 0
    amendments = records.amendments(stream.record_file)
    for block in records.blocks(stream.record_file, sorted(stream.fields)):
        parts.append(events_of_block(stream, block, amendments, before))
        before += length(block)
    return events_together(parts)


def _received(
    tables: Sequence[pa.Table], by: By
) -> tuple[list[pa.Table], dict[str, list[pa.Table]]]:
    """Return the tables of subjects, and those of events by name; some tables are both."""
    events: dict[str, list[pa.Table]] = defaultdict(list)
    for table in tables:
        for name in _events_in(table, by):
            events[name].append(table)
    return [table for table in tables if _is_asking(table)], events


def _is_asking(table: pa.Table) -> bool:
    return part_name(table).partition("/")[0] == SUBJECTS


def _events_in(table: pa.Table, by: By) -> list[str]:
    """Return the names of the events in a table; a subject table may hold events too."""
    _, *sources = part_name(table).split("/")
    return [_named(source, by) for source in sources] if _is_asking(table) else [part_name(table)]


def _read_of_subjects(windows: Iterable[Window]) -> list[str]:
    return sorted({name for window in windows for name in window.by} | ASKING)


def _emptied(tables: list[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables in order, releasing each as soon as it is used."""
    tables.reverse()
    while tables:
        yield tables.pop()


def _named(source: str, first: By) -> str:
    return "/".join((source, *first))


def _events_of(tables: Sequence[pa.Table], none: Columns) -> Iterator[Columns]:
    """Yield the events of each table, with lifetimes if they have any."""
    for table in tables:
        names = [name for name in table.column_names if name in none.keys() | LIFETIME]
        yield part_messages.unpack_columns([table], names)


def events_together(parts: Sequence[Columns]) -> Columns:
    """Concatenate events of which some have lifetimes, or only the ends of lifetimes."""
    if any(COUNTS_UNTIL in part for part in parts):
        parts = [endless_lifetimes(part["known_at"]) | part for part in parts]
    return join_events(parts)


def _by_events(windows: Sequence[Window]) -> list[tuple[tuple[str, By], list[Window]]]:
    """Return windows by the source of their events and the first column of the events' key."""
    return [
        ((source, first), alike)
        for source, of_source in windows_by_source(windows).items()
        for first, alike in by_first_column(of_source).items()
    ]
