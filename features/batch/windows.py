"""Every window of every subject: keying by keying, part by part, onto a shelf."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from features.asof.keys import KeyTable, hashes_of_parts, key_parts
from features.asof.sources import Keying, keying_of
from features.asof.windows import Window
from features.attached.transactions import payments
from features.batch.attached import ATTACHMENTS, Places, Spreading, without_ids
from features.batch.blocks import RecordBlocks
from features.batch.grouping import Groups
from features.batch.parts import Parts
from features.batch.shelf import Shelf
from features.batch.subjects import OWN, outcome_events, read_subjects, read_whole
from features.batch.sweep import Sweep
from features.columns import Column, Columns, is_missing, is_text, length, rows
from features.records import SubjectKind
from features.vocabulary import NO_TEXT, VOCABULARY

# So many events at a time are sorted and reduced; those of one key are never parted.
PART_ROWS = 1 << 19

By = tuple[str, ...]
Done = Callable[[Window], None]


class Windows:
    """Computes windows of the subjects of one kind and puts them on a shelf.

    `everyone` are all subjects of the kind, who make history; `subjects` those that are asked
    about, the same columns or some of their rows. Both are in the order of declaration.
    """

    def __init__(
        self,
        kind: SubjectKind,
        records: RecordBlocks,
        everyone: Columns,
        subjects: Columns,
        shelf: Shelf,
        scratch: Path,
    ) -> None:
        self._kind = kind
        self._records = records
        self._everyone = everyone
        self._subjects = subjects
        self._shelf = shelf
        self._scratch = scratch

    def compute(self, windows: Sequence[Window], done: Done = lambda window: None) -> None:
        """Put every window on the shelf; `latest_payer_id` and its like join the subjects."""
        by_source: dict[str, list[Window]] = defaultdict(list)
        for window in windows:
            by_source[window.source].append(window)
        self._transactions(by_source, done)
        for source in ("attached_documents", "legs", "positions"):
            if source in by_source:
                self._attach(source, by_source[source], done)
        held = [s for s in by_source if s not in ATTACHMENTS and s != "payments"]
        for source in sorted(held):
            self._sweep_held(self._events(source, by_source[source]), by_source[source], done)

    def _transactions(self, by_source: dict[str, list[Window]], done: Done) -> None:
        """One reading of the transactions for those attached and for the history of payments."""
        attachment = ATTACHMENTS["attached_transactions"]
        followed = by_keying(by_source.get("payments", []))
        fields = attachment.fields(self._kind)
        with ExitStack() as stack:
            attached = Spreading(
                self._kind, attachment, self._subjects, self._parts(stack, "transactions", "own")
            )
            kept = {k: self._parts(stack, "transactions", str(n)) for n, k in enumerate(followed)}
            for block in self._records.blocks("transactions", sorted(fields)):
                attached.add(block, fields)
                events = payments(block | {"transaction_id": without_ids(block["subject_id"])})
                for keying, parts in kept.items():
                    _keep(events, keying, followed[keying], parts)
            self._sweep_attached(attached, by_source.get("attached_transactions", []), done)
            for keying, parts in kept.items():
                self._sweep_kept(parts, keying, followed[keying], done)

    def _attach(self, source: str, windows: list[Window], done: Done) -> None:
        attachment = ATTACHMENTS[source]
        fields = attachment.fields(self._kind)
        with ExitStack() as stack:
            parts = self._parts(stack, attachment.record, "own")
            attached = Spreading(self._kind, attachment, self._subjects, parts)
            for block in self._records.blocks(attachment.record, sorted(fields)):
                attached.add(block, fields)
            self._sweep_attached(attached, windows, done)

    def _sweep_attached(self, attached: Spreading, windows: list[Window], done: Done) -> None:
        at = self._subjects["declared_at"]
        results = {window: np.full(len(at), np.nan) for window in windows}
        latest = {name: np.full(len(at), NO_TEXT, np.int32) for name in ("payer_id", "payee_id")}
        for among, events in attached.parts(self._records, self._kind):
            subjects = self._subjects["subject_id"][among]
            keys = np.arange(len(subjects), dtype=np.int32)
            asked = Groups(keys, np.arange(len(keys) + 1), at[among])
            of = Places(subjects).of(events["subject_id"])
            for name, column in latest.items():
                if name in events:
                    _note_latest(column[among], of, events[name])
            for (_, _, where), some in by_keying(windows).items():
                keys = chosen(of, events, where)
                for window, column in reduced(some, events, keys, asked, len(subjects)):
                    results[window][among] = column
        if attached.attachment.record == "transactions":
            self._subjects |= {f"latest_{name}": column for name, column in latest.items()}
        self._put(results, done)

    def _sweep_kept(self, parts: Parts, keying: Keying, windows: list[Window], done: Done) -> None:
        results = {window: np.full(length(self._subjects), np.nan) for window in windows}
        for by, some in by_key(windows).items():
            key = {name: self._subjects[name] for name in {*by, "declared_at"}}
            part_of = _parts_of(key, by, len(parts))
            for part in range(len(parts)):
                here = np.flatnonzero(part_of == part)
                events, subjects = parts.part(part), rows(key, here)
                event_keys, subject_keys, size = paired_keys(
                    events, keying[1], subjects, by, len(parts)
                )
                asked = Groups.of(subject_keys, subjects["declared_at"], size)
                for window, column in reduced(some, events, event_keys, asked, len(here)):
                    results[window][here] = column
        self._put(results, done)

    def _sweep_held(self, events: Columns, windows: list[Window], done: Done) -> None:
        for by, some in by_key(windows).items():
            for (_, matching, where), few in by_keying(some).items():
                event_keys, subject_keys, size = paired_keys(events, matching, self._subjects, by)
                asked = Groups.of(subject_keys, self._subjects["declared_at"], size)
                keys = chosen(event_keys, events, where)
                self._put(dict(reduced(few, events, keys, asked, length(self._subjects))), done)

    def _events(self, source: str, windows: list[Window]) -> Columns:
        """The events of a source that is held in memory, in the order of knowledge."""
        if source == OWN[self._kind]:
            return self._everyone
        read = {*columns_of(windows)}
        for kind in OWN:
            if source == f"{kind}_outcomes":
                outcomes = read_whole(
                    self._records, "outcomes", ("subject_kind", "subject_id", "known_at", "result")
                )
                return outcome_events(kind, self._subjects_of(kind, read), outcomes)
        other: SubjectKind = "route" if self._kind == "shipment" else "shipment"
        return self._subjects_of(other, read)

    def _subjects_of(self, kind: SubjectKind, read: set[str]) -> Columns:
        if kind == self._kind:
            return {n: c for n, c in self._everyone.items() if n in read | {"subject_id"}}
        return read_subjects(kind, self._records, read)

    def _parts(self, stack: ExitStack, record: str, name: str) -> Parts:
        many = max(1, -(-self._records.count(record) // PART_ROWS))
        return stack.enter_context(Parts(self._scratch / f"{record}-{name}", many))

    def _put(self, results: dict[Window, Column], done: Done) -> None:
        for window, column in results.items():
            self._shelf.put(window, column)
            done(window)


def by_keying(windows: Sequence[Window]) -> dict[Keying, list[Window]]:
    """Windows by what keys their events."""
    found: dict[Keying, list[Window]] = defaultdict(list)
    for window in windows:
        found[keying_of(window)].append(window)
    return found


def by_key(windows: Sequence[Window]) -> dict[By, list[Window]]:
    """Windows by the subject's columns that form their key."""
    found: dict[By, list[Window]] = defaultdict(list)
    for window in windows:
        found[window.by].append(window)
    return found


def columns_of(windows: Sequence[Window]) -> set[str]:
    """The columns of events that windows read."""
    return {name for w in windows for name in (*w.matching, w.value, w.where) if name is not None}


def _keep(events: Columns, keying: Keying, windows: list[Window], parts: Parts) -> None:
    """Spread events that meet the condition over parts by their key."""
    _, matching, where = keying
    part_of = _parts_of(events, matching, len(parts))
    is_kept = part_of >= 0
    if where is not None:
        is_kept &= events[where] == 1
    kept = np.flatnonzero(is_kept)
    read = sorted({*columns_of(windows), "known_at"} - {where})
    parts.add(rows({name: events[name] for name in read}, kept), part_of[kept])


def _parts_of(columns: Columns, names: By, parts: int) -> Column:
    """The part that each row's key belongs to; negative without a key."""
    if len(names) == 1 and is_text(codes := columns[names[0]]):
        return np.where(codes < 0, np.int32(-1), codes % np.int32(parts))
    keys, is_none = key_parts(columns, names, length(columns))
    return np.where(is_none, -1, hashes_of_parts(keys) % parts)


def paired_keys(
    events: Columns, matching: By, subjects: Columns, by: By, parts: int = 1
) -> tuple[Column, Column, int]:
    """One number per key for events and for subjects, below a size; negative without a key.

    Events of keys that no subject has are left out.
    """
    if len(by) == 1 and is_text(subjects[by[0]]) and is_text(events[matching[0]]):
        every = np.int32(parts)  # the codes of one part are so far apart
        return events[matching[0]] // every, subjects[by[0]] // every, len(VOCABULARY) // parts + 1
    table = KeyTable(*key_parts(subjects, by, length(subjects)))
    if all(events[m] is subjects[b] for m, b in zip(matching, by, strict=True)) and by:
        return table.codes, table.codes, len(table)
    return table.codes_of(*key_parts(events, matching, length(events))), table.codes, len(table)


def reduced(
    windows: list[Window], events: Columns, keys: Column, asked: Groups, subjects: int
) -> Iterator[tuple[Window, Column]]:
    """Each window of one keying for so many subjects, grouped as `asked`; NaN without a key."""
    sweep = Sweep(Groups.of(keys, events["known_at"], len(asked.starts) - 1), asked)
    for window in windows:
        column = np.full(subjects, np.nan)
        column[asked.order] = sweep.reduced(window, events.get(window.value or ""))
        yield window, column


def chosen(keys: Column, events: Columns, where: str | None) -> Column:
    """The keys, negative for events that do not meet the condition."""
    return keys if where is None else np.where(events[where] == 1, keys, np.int32(-1))


def _note_latest(latest: Column, of: Column, values: Column) -> None:
    """Of the known values of each subject, in the order of knowledge, the last stays."""
    known = ~is_missing(values)
    latest[of[known]] = values[known]
