"""Two online stores that are ordered by entity key and instant: a blob per event, or per block.

Both answer `window_numbers` as the online store does and take events in any order. They stand on an
online store of paged logs for all that is no event: which records are known, the columns of
subjects and the codes of labels.
"""

import shutil
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import lmdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.engine.columns import DAY_US, HOUR_US
from features.engine.store import event_writer
from features.engine.store.layout import Layout
from features.engine.store.query_plan import QueryPlan, WindowQuery
from features.engine.windows.reducers import MISSING, Reducer
from features.history.online_store import OnlineStore
from features.history.overlay_ingest import ingest_overlay

Array = np.ndarray[Any, Any]
INSTANT, TIE = 8, 4  # bytes at the end of a row's key
BLOBS_OF_A_COMMIT = 1 << 20


class Prefix(NamedTuple):
    """What a key has before an instant: the last one, and its totals.

    These are the count, then of each value the sum and how many are present.
    """

    last: int
    totals: Sequence[int]


class Sorted(NamedTuple):
    """The events of a layout by key and instant; `number` is the place of the key among `keys`."""

    keys: list[bytes]
    number: Array
    words: Array


class OrderedStore:
    """What both have in common: spilled events, windows as differences, and the overlay.

    An index of the instant at which each label was there last counts the labels of windows that
    reach up to the newest event, unless `has_label_index` is false.
    """

    has_label_index = True

    def __init__(self, folder: Path, known: OnlineStore) -> None:
        folder.mkdir(exist_ok=True)
        self._folder, self.known = folder, known
        self._spills: dict[int, tuple[Layout, Any]] = {}
        self._windows: dict[int, list[tuple[int, Layout, Any]]] = {}
        self._database = lmdb.open(str(folder), map_size=1 << 37, sync=False, max_dbs=3)
        self._lasts = self._database.open_db(b"lasts")
        self._by_last = self._database.open_db(b"by-last")
        self._main = self._database.open_db(b"events")
        self._writing: Any = None
        self.rewritten = 0
        self.rewritten_bytes = 0

    # Made of files: events are spilled by layout, sorted one layout at a time, and appended.

    def gather(self, store: Any, layouts: Iterable[Layout], events: Any) -> None:
        """Spill events, to be sorted and written by `write`."""
        for layout, keys, words in _rows_of(store, layouts, events):
            has_key = [at for at, key in enumerate(keys) if key is not None]
            columns = [pa.array(words[has_key, at]) for at in range(layout.width)]
            names = ["key", *map(str, range(layout.width))]
            batch = pa.RecordBatch.from_arrays(
                [pa.array([keys[at] for at in has_key], pa.large_binary()), *columns], names
            )
            if layout.number not in self._spills:
                file = pa.OSFile(str(self._spill(layout)), "wb")
                self._spills[layout.number] = layout, pa.ipc.new_stream(file, batch.schema)
            self._spills[layout.number][1].write_batch(batch)

    def write(self) -> int:
        """Sort, accumulate and append all that was spilled; how many rows those are."""
        many = 0
        for _, (layout, writer) in sorted(self._spills.items()):
            writer.close()
            events = _sorted(self._spill(layout), layout)
            self._spill(layout).unlink()
            many += len(events.number)
            self._append(self._main, self._blobs(layout, events))
            if layout.labels and self.has_label_index:
                self._write_lasts(layout, events)
        self._spills.clear()
        self._database.sync(True)
        return many

    def take_spills(self, other: "OrderedStore") -> None:
        """Take a copy of what another store has spilled."""
        for number, (layout, writer) in other._spills.items():
            writer.close()
            self._spills[number] = layout, writer
            shutil.copy(other._spill(layout), self._spill(layout))

    def _spill(self, layout: Layout) -> Path:
        return self._folder / f"spill-{layout.number}"

    def _append(self, database: Any, blobs: Iterator[tuple[bytes, bytes]]) -> None:
        is_more = True
        while is_more:
            with self._database.begin(write=True) as transaction:
                batch = _some(blobs)
                is_more = bool(batch)
                transaction.cursor(database).putmulti(batch, append=True)

    def _write_lasts(self, layout: Layout, events: Sorted) -> None:
        lasts, by_last = [], []
        for at, word in enumerate(range(layout.label_at, layout.width, 2)):
            labels = events.words[:, word]
            order = np.lexsort((events.words[:, 0], labels, events.number))
            number, label = events.number[order], labels[order]
            is_last = np.r_[(number[1:] != number[:-1]) | (label[1:] != label[:-1]), True]
            is_last &= label != MISSING
            instants = events.words[order, 0][is_last].tolist()
            for key, code, instant in zip(
                number[is_last].tolist(), label[is_last].tolist(), instants, strict=True
            ):
                name = _label_name(events.keys[key], at)
                lasts.append((name + _eight(code), _eight(instant)))
                by_last.append((name + _eight(instant) + _eight(code), b""))
        self._append(self._lasts, iter(sorted(lasts)))
        self._append(self._by_last, iter(sorted(by_last)))

    def _blobs(self, layout: Layout, events: Sorted) -> Iterator[tuple[bytes, bytes]]:
        raise NotImplementedError

    # Events one by one, in any order.

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One commit, in which `insert` puts events."""
        with self._database.begin(write=True) as self._writing:
            yield

    def insert(self, store: Any, layouts: Iterable[Layout], events: Any) -> None:
        """Put events among those of their keys."""
        for layout, keys, words in _rows_of(store, layouts, events):
            of_key: dict[bytes, list[int]] = {}
            for at in np.argsort(words[:, 0], kind="stable").tolist():
                if (key := keys[at]) is not None:
                    of_key.setdefault(key, []).append(at)
            for key, places in of_key.items():
                self._insert(layout, _name(key), words[places])
                if self.has_label_index:
                    self._insert_lasts(layout, _name(key), words[places])

    def _insert(self, layout: Layout, name: bytes, rows: Array) -> None:
        raise NotImplementedError

    def _insert_lasts(self, layout: Layout, name: bytes, rows: Array) -> None:
        for at, word in enumerate(range(layout.label_at, layout.width, 2)):
            start = _label_name(name, at)
            for instant, label in rows[:, [0, word]].tolist():
                if label == MISSING:
                    continue
                key = start + _eight(label)
                last = self._writing.get(key, db=self._lasts)
                if last is not None and int.from_bytes(last, "big") >= instant:
                    continue
                if last is not None:
                    self._writing.delete(start + last + _eight(label), db=self._by_last)
                self._writing.put(key, _eight(instant), db=self._lasts)
                self._writing.put(start + _eight(instant) + _eight(label), b"", db=self._by_last)

    def _put(self, blobs: Sequence[tuple[bytes, bytes]]) -> None:
        self.rewritten += len(blobs)
        self.rewritten_bytes += sum(len(blob) for _, blob in blobs)
        self._writing.cursor(self._main).putmulti(blobs)

    def _later(self, name: bytes, start: bytes) -> list[tuple[bytes, bytes]]:
        """The blobs of a key from a place on."""
        cursor, found = self._writing.cursor(self._main), []
        if cursor.set_range(start):
            for key, blob in cursor:
                if not _is_of(key, name):
                    break
                found.append((key, blob))
        return found

    # Windows.

    @property
    def mib(self) -> int:
        """The size on disk, with what is no event."""
        return round((self._folder / "data.mdb").stat().st_blocks / 2048)

    def window_numbers(self, plan: QueryPlan, queries: Sequence[WindowQuery]) -> Array:
        """As the online store: the number of each window, a row per query."""
        parts = [plan.parts(query.values) for query in queries]
        with self.known.store.reading() as view:
            overlay = plan.overlay(parts)
            ingest_overlay(self.known._ingest, view, plan, queries, overlay)
        logs = len(plan.logs)
        with self._database.begin() as transaction:
            cursors = transaction.cursor(self._main), transaction.cursor(self._by_last)
            return np.array(
                [
                    self._numbers(cursors, plan, keys, query.at, overlay._rows, logs * at)
                    for at, (query, keys) in enumerate(
                        zip(queries, map(plan.keys, parts), strict=True)
                    )
                ]
            )

    def _numbers(
        self, cursors: Any, plan: QueryPlan, keys: Any, at: int, overlay: Any, first: int
    ) -> list[float]:
        if id(plan) not in self._windows:
            logs = [(log.layout.number, log.by) for log in plan.logs]
            layouts = {layout.keying: layout for layout in plan.layouts}
            self._windows[id(plan)] = [
                (logs.index((layouts[window.keying].number, window.by)), log_layout, window)
                for window in plan.windows
                for log_layout in [layouts[window.keying]]
            ]
        names = [None if key is None else _name(key) for key in keys]
        added = [
            [
                row
                for rows in overlay
                for row in rows.words[rows.starts[first + slot] : rows.starts[first + slot + 1]]
                .reshape(-1, log.layout.width)
                .tolist()
            ]
            if overlay
            else ()
            for slot, log in enumerate(plan.logs)
        ]
        prefixes: dict[tuple[bytes, int], Prefix | None] = {}
        return [
            self._number(cursors, prefixes, names[slot], at, layout, window, added[slot])
            for slot, layout, window in self._windows[id(plan)]
        ]

    def _number(  # noqa: C901, PLR0911 - one return for each reducer
        self,
        cursors: Any,
        prefixes: Any,
        name: bytes | None,
        at: int,
        layout: Layout,
        window: Any,
        added: Any,
    ) -> float:
        if name is None:
            return np.nan
        begin = 0 if window.days is None else at - window.days * DAY_US
        cursor, by_last = cursors
        if added:
            added = [row for row in added if begin <= row[0] < at]
        upto = self._until(cursor, prefixes, layout, name, at)
        before = self._until(cursor, prefixes, layout, name, begin) if begin else None
        stored = 0 if upto is None else upto.totals[0] - (before.totals[0] if before else 0)
        count, reducer = stored + len(added), window.reducer
        if reducer is Reducer.COUNT:
            return float(count)
        if reducer is Reducer.DISTINCT:
            place = layout.labels.index(window.value)
            labels = self._labels_in(cursor, by_last, layout, name, begin, at, place)
            word = layout.label_at + 2 * place
            return float(len(labels | {row[word] for row in added} - {MISSING}))
        if not count:
            return 0.0 if reducer is Reducer.TOTAL else np.nan
        if reducer is Reducer.HOURS_SINCE_LATEST:
            lasts = [upto.last] if stored and upto else []
            return (at - max([*lasts, *(row[0] for row in added)])) / HOUR_US
        if reducer is Reducer.DAYS_SINCE_FIRST:
            firsts = [self._first(cursor, name, begin)] if stored else []
            return (at - min([*firsts, *(row[0] for row in added)])) / DAY_US
        value = layout.values.index(window.value)
        total, present = _difference(upto, before, 1 + 2 * value)
        of_request = [row[1 + value] for row in added if row[1 + value] != MISSING]
        total, present = total + sum(of_request), present + len(of_request)
        if reducer is Reducer.TOTAL:
            return float(total)
        return float(total) / float(present) if present else np.nan

    def _until(
        self, cursor: Any, prefixes: Any, layout: Layout, name: bytes, at: int
    ) -> Prefix | None:
        if (name, at) not in prefixes:
            found = cursor.set_range(name + _eight(at))
            found = cursor.prev() if found else cursor.last()
            is_own = found and _is_of(cursor.key(), name)
            prefixes[name, at] = self._prefix(layout, cursor, at) if is_own else None
        return prefixes[name, at]

    def _prefix(self, layout: Layout, cursor: Any, at: int) -> Prefix:
        """What lies before an instant, of the blob at which the cursor is."""
        raise NotImplementedError

    def _first(self, cursor: Any, name: bytes, begin: int) -> int:
        """The instant of the first event at or after another; all windows that ask have one."""
        raise NotImplementedError

    def _labels_in(
        self,
        cursor: Any,
        by_last: Any,
        layout: Layout,
        name: bytes,
        begin: int,
        at: int,
        label: int,
    ) -> set[int]:
        """The labels of a window: of the index, unless events lie after the window."""
        is_newest = not (cursor.set_range(name + _eight(at)) and _is_of(cursor.key(), name))
        if is_newest and self.has_label_index:
            start, labels = _label_name(name, label), set()
            if by_last.set_range(start + _eight(begin)):
                for key in by_last.iternext(values=False):
                    if not key.startswith(start) or len(key) != len(start) + 2 * INSTANT:
                        break
                    labels.add(int.from_bytes(key[-INSTANT:], "big", signed=True))
            return labels
        return self.scanned_labels(cursor, layout, name, begin, at, label)

    def scanned_labels(
        self, cursor: Any, layout: Layout, name: bytes, begin: int, at: int, label: int
    ) -> set[int]:
        """The labels of a window, of all its events."""
        raise NotImplementedError


class CumulativeRows(OrderedStore):
    """A blob per event: the totals up to it, then its labels."""

    def _blobs(self, layout: Layout, events: Sorted) -> Iterator[tuple[bytes, bytes]]:
        totals = _running(layout, events)
        labels = [events.words[:, at] for at in range(layout.label_at, layout.width, 2)]
        values = np.ascontiguousarray(np.column_stack([*totals, *labels]), np.int64)
        width = 8 * values.shape[1]
        instants = events.words[:, 0].astype(">i8").tobytes()
        whole, ties = values.tobytes(), _ties(events).astype(">i4").tobytes()
        for row, key in enumerate(events.number.tolist()):
            yield (
                events.keys[key]
                + instants[INSTANT * row : INSTANT * row + INSTANT]
                + ties[TIE * row : TIE * row + TIE],
                whole[width * row : width * row + width],
            )

    def _insert(self, layout: Layout, name: bytes, rows: Array) -> None:
        totals = 1 + 2 * len(layout.values)
        instants = rows[:, 0]
        earliest = int(instants[0])
        cursor = self._writing.cursor(self._main)
        found = cursor.set_range(name + _eight(earliest + 1))
        is_late = found and _is_of(cursor.key(), name)
        found = cursor.prev() if found else cursor.last()
        old = [(cursor.key(), cursor.value())] if found and _is_of(cursor.key(), name) else []
        if not is_late:
            self._append_rows(layout, name, rows.tolist(), old)
            return
        has_before = len(old)
        old += self._later(name, name + _eight(earliest + 1))
        width = totals + len(layout.labels)
        values = np.frombuffer(b"".join(blob for _, blob in old), np.int64).reshape(-1, width)
        old_instants = np.array([_instant(key) for key, _ in old], np.int64)
        added = np.cumsum(_contributions(layout, rows), axis=0)
        at_old = np.searchsorted(old_instants, instants, side="right") - 1
        new = np.column_stack([added, rows[:, layout.label_at :: 2]])
        new[at_old >= 0, :totals] += values[at_old[at_old >= 0], :totals]
        blobs = []
        for at, (instant, base) in enumerate(zip(instants.tolist(), at_old.tolist(), strict=True)):
            tie = at - int(np.searchsorted(instants, instant))
            if base >= 0 and old_instants[base] == instant:
                tie += 1 + int.from_bytes(old[base][0][-TIE:], "big")
            blobs.append((name + _eight(instant) + tie.to_bytes(TIE, "big"), new[at].tobytes()))
        later = values[has_before:].copy()
        if len(later):
            is_before = np.searchsorted(instants, old_instants[has_before:], side="left") - 1
            later[:, :totals] += added[is_before]
            whole, size = later.tobytes(), 8 * width
            blobs += [
                (key, whole[size * at : size * at + size])
                for at, (key, _) in enumerate(old[has_before:])
            ]
        self._put(blobs)

    def _append_rows(self, layout: Layout, name: bytes, rows: Any, last: Any) -> None:
        """Put rows behind the last one of their key, if any: most come so, and numpy is slow."""
        totals = [0] * (1 + 2 * len(layout.values))
        instant, tie, blobs = -1, 0, []
        for key, blob in last:
            totals = memoryview(blob).cast("q").tolist()[: len(totals)]
            instant, tie = _instant(key), int.from_bytes(key[-TIE:], "big")
        for row in rows:
            totals[0] += 1
            for at, value in enumerate(row[1 : layout.label_at]):
                if value != MISSING:
                    totals[1 + 2 * at] += value
                    totals[2 + 2 * at] += 1
            tie = tie + 1 if row[0] == instant else 0
            instant = row[0]
            words = [*totals, *row[layout.label_at :: 2]]
            key = name + _eight(instant) + tie.to_bytes(TIE, "big")
            blobs.append((key, struct.pack(f"{len(words)}q", *words)))
        self._put(blobs)

    def _prefix(self, layout: Layout, cursor: Any, at: int) -> Prefix:
        totals = memoryview(cursor.value()).cast("q")
        return Prefix(_instant(cursor.key()), totals)

    def _first(self, cursor: Any, name: bytes, begin: int) -> int:
        cursor.set_range(name + _eight(begin))
        return _instant(cursor.key())

    def scanned_labels(
        self, cursor: Any, layout: Layout, name: bytes, begin: int, at: int, label: int
    ) -> set[int]:
        """The labels of a window, of all its events."""
        if not cursor.set_range(name + _eight(begin)):
            return set()
        place = 8 * (1 + 2 * len(layout.values) + label)
        labels, end = set(), name + _eight(at)
        for key, blob in cursor:
            if key >= end or not _is_of(key, name):
                break
            labels.add(blob[place : place + 8])
        return {int.from_bytes(code, "little", signed=True) for code in labels} - {MISSING}


class CumulativeBlocks(OrderedStore):
    """A blob per block of events: the totals before it, then the words of each event."""

    rows_of_a_block = 64
    has_label_index = False

    def _blobs(self, layout: Layout, events: Sorted) -> Iterator[tuple[bytes, bytes]]:
        totals = np.column_stack(_running(layout, events)).astype(np.int64)
        words = np.ascontiguousarray(_row_words(layout, events.words))
        is_first = (totals[:, 0] - 1) % self.rows_of_a_block == 0
        starts = np.flatnonzero(is_first)
        stops = np.r_[starts[1:], len(words)]
        before = totals[starts] - _contributions(layout, events.words[starts])
        heads, rows = before.astype(np.int64).tobytes(), words.tobytes()
        head, width = 8 * before.shape[1], 8 * words.shape[1]
        instants = events.words[starts, 0].astype(">i8").tobytes()
        ties = _ties(Sorted([], events.number[starts], events.words[starts])).tolist()
        for at, (key, start, stop, tie) in enumerate(
            zip(events.number[starts].tolist(), starts.tolist(), stops.tolist(), ties, strict=True)
        ):
            yield (
                events.keys[key]
                + instants[INSTANT * at : INSTANT * at + INSTANT]
                + tie.to_bytes(TIE, "big"),
                heads[head * at : head * at + head] + rows[width * start : width * stop],
            )

    def _insert(self, layout: Layout, name: bytes, rows: Array) -> None:
        cursor = self._writing.cursor(self._main)
        found = cursor.set_range(name + _eight(int(rows[0, 0]) + 1))
        found = cursor.prev() if found else cursor.last()
        start = cursor.key() if found and _is_of(cursor.key(), name) else name
        blocks = self._later(name, start)
        firsts = np.array([_instant(key) for key, _ in blocks], np.int64)
        of_block = np.maximum(np.searchsorted(firsts, rows[:, 0], side="right") - 1, 0)
        head = 1 + 2 * len(layout.values)
        added = np.zeros(head, np.int64)
        blobs: list[tuple[bytes, bytes]] = []
        for at, (key, blob) in enumerate(blocks or [(b"", bytes(8 * head))]):
            words = np.frombuffer(blob, np.int64)
            before = words[:head] + added
            new = rows[of_block == at]
            if not len(new):
                blobs.append((key, before.tobytes() + blob[8 * head :]))
                continue
            merged = np.concatenate(
                [words[head:].reshape(-1, _row_width(layout)), _row_words(layout, new)]
            )
            merged = merged[np.argsort(merged[:, 0], kind="stable")]
            if key:
                self._writing.delete(key, db=self._main)
            blobs += self._split(layout, name, before, merged, blobs[-1:])
            added = added + _contributions(layout, new).sum(axis=0)
        self._put(blobs)

    def _split(
        self, layout: Layout, name: bytes, before: Array, rows: Array, last: list[Any]
    ) -> list[tuple[bytes, bytes]]:
        """The blobs of a block that may have grown beyond two; `last` is the one before."""
        size = self.rows_of_a_block if len(rows) >= 2 * self.rows_of_a_block else len(rows)
        blobs = last
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            tie = 0
            if blobs and _instant(blobs[-1][0]) == part[0, 0]:
                tie = 1 + int.from_bytes(blobs[-1][0][-TIE:], "big")
            key = name + _eight(int(part[0, 0])) + tie.to_bytes(TIE, "big")
            blobs = [*blobs, (key, before.tobytes() + part.tobytes())]
            before = before + _contributions(layout, part).sum(axis=0)
        return blobs[len(last) :]

    def _prefix(self, layout: Layout, cursor: Any, at: int) -> Prefix:
        words, head = np.frombuffer(cursor.value(), np.int64), 1 + 2 * len(layout.values)
        width = _row_width(layout)
        instants = words[head::width]
        stop = int(instants.searchsorted(at))
        totals = words[:head].tolist()
        totals[0] += stop
        for value in range(len(layout.values)):
            own = words[head + 1 + value :: width][:stop]
            is_present = own != MISSING
            totals[1 + 2 * value] += int(own.sum(where=is_present))
            totals[2 + 2 * value] += int(is_present.sum())
        return Prefix(int(instants[stop - 1]), totals)

    def _first(self, cursor: Any, name: bytes, begin: int) -> int:
        if begin:
            raise NotImplementedError("the catalogue asks it of all of history only")
        cursor.set_range(name)
        return _instant(cursor.key())

    def scanned_labels(
        self, cursor: Any, layout: Layout, name: bytes, begin: int, at: int, label: int
    ) -> set[int]:
        """The labels of a window, of all its events."""
        head, width = 1 + 2 * len(layout.values), _row_width(layout)
        found = cursor.set_range(name + _eight(begin))
        found = cursor.prev() if found else cursor.last()
        if not (found and _is_of(cursor.key(), name)) and not cursor.set_range(name):
            return set()
        parts = [np.empty(0, np.int64)]
        end = name + _eight(at)
        for key, blob in cursor:
            if key >= end or not _is_of(key, name):
                break
            words = np.frombuffer(blob, np.int64)[head:]
            instants = words[::width]
            own = words[1 + len(layout.values) + label :: width]
            parts.append(own[(instants >= begin) & (instants < at)])
        return set(np.unique(np.concatenate(parts)).tolist()) - {MISSING}


def into(known: OnlineStore, insert: Callable[..., None]) -> None:
    """Let an online store take records, whose events `insert` puts elsewhere."""
    known._ingest = replace(known._ingest, insert=insert)


def _rows_of(
    store: Any, layouts: Iterable[Layout], events: Any
) -> Iterator[tuple[Layout, list[bytes | None], Array]]:
    """Of each layout the key and the words of each event."""
    of = [*layouts]
    words, begin = event_writer._words(store, of, events), 0
    for layout, keys in zip(of, event_writer._keys(of, events), strict=True):
        yield layout, keys, words[:, begin : begin + layout.width]
        begin += layout.width


def _sorted(spill: Path, layout: Layout) -> Sorted:
    with pa.memory_map(str(spill)) as file:
        table = pa.ipc.open_stream(file).read_all()
        coded = table["key"].combine_chunks().dictionary_encode()
        order = pc.sort_indices(coded.dictionary).to_numpy()
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order))
        keys = [_name(key) for key in coded.dictionary.take(order).to_pylist()]
        number = rank[coded.indices.to_numpy()]
        words = np.empty((len(number), layout.width), np.int64)
        for at in range(layout.width):
            words[:, at] = table[str(at)].to_numpy()
        del table, coded
    in_order = np.lexsort((words[:, 0], number))
    return Sorted(keys, number[in_order], words[in_order])


def _running(layout: Layout, events: Sorted) -> list[Array]:
    """The totals up to each event, within its key."""
    starts = np.flatnonzero(np.r_[True, events.number[1:] != events.number[:-1]])
    sizes = np.diff(np.r_[starts, len(events.number)])
    columns = [np.arange(len(events.number)) - np.repeat(starts, sizes) + 1]
    for at in range(1, layout.label_at):
        is_present = events.words[:, at] != MISSING
        for added in (np.where(is_present, events.words[:, at], 0), is_present.astype(np.int64)):
            total = np.cumsum(added)
            columns.append(total - np.repeat(total[starts] - added[starts], sizes))
    return columns


def _ties(events: Sorted) -> Array:
    """Which each is among those of its key and instant."""
    number, instants = events.number, events.words[:, 0]
    if not len(number):
        return np.empty(0, np.int64)
    is_new = np.r_[True, (number[1:] != number[:-1]) | (instants[1:] != instants[:-1])]
    starts = np.flatnonzero(is_new)
    return np.arange(len(number)) - np.repeat(starts, np.diff(np.r_[starts, len(number)]))


def _contributions(layout: Layout, rows: Array) -> Array:
    """What each row adds to the totals."""
    values = rows[:, 1 : layout.label_at]
    added = np.empty((len(rows), 1 + 2 * values.shape[1]), np.int64)
    added[:, 0] = 1
    added[:, 1::2] = np.where(values != MISSING, values, 0)
    added[:, 2::2] = values != MISSING
    return added


def _row_words(layout: Layout, words: Array) -> Array:
    """The words of rows as blocks have them: without when a label was there before."""
    return words[:, [*range(layout.label_at), *range(layout.label_at, layout.width, 2)]]


def _row_width(layout: Layout) -> int:
    return layout.label_at + len(layout.labels)


def _difference(upto: Prefix | None, before: Prefix | None, at: int) -> tuple[int, int]:
    if upto is None:
        return 0, 0
    if before is None:
        return upto.totals[at], upto.totals[at + 1]
    return upto.totals[at] - before.totals[at], upto.totals[at + 1] - before.totals[at + 1]


def _name(key: bytes) -> bytes:
    """A key with the letter of its layout first, so that a layout can be written by itself."""
    return key[-1:] + key[:-1]


def _label_name(name: bytes, label: int) -> bytes:
    return name + bytes([label])


def _eight(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)


def _instant(key: bytes) -> int:
    return int.from_bytes(key[-INSTANT - TIE : -TIE], "big")


def _is_of(key: bytes, name: bytes) -> bool:
    return len(key) == len(name) + INSTANT + TIE and key.startswith(name)


def _some(blobs: Iterator[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [*islice(blobs, BLOBS_OF_A_COMMIT)]


def scanned(store: OrderedStore, layout: Layout, key: bytes, begin: int, at: int) -> int:
    """How many labels a window has, without the index of last instants."""
    with store._database.begin() as transaction:
        cursor = transaction.cursor(store._main)
        return len(store.scanned_labels(cursor, layout, _name(key), begin, at, 0))
