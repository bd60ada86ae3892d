"""Every window of every subject: keying by keying, part by part, onto a shelf."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import numpy as np

from features.derived.transaction import payments
from features.engine.batch.build_resources import Workshop
from features.engine.batch.gather import picked_rows, put
from features.engine.batch.linked_rows import ATTACHMENTS, Spreading, without_ids
from features.engine.batch.partitions import Parts
from features.engine.batch.record_blocks import RecordBlocks, read_whole
from features.engine.batch.self_join import OwnHistory
from features.engine.batch.shared_keys import (
    By,
    by_first_column,
    by_key,
    by_keying,
    chosen,
    columns_of,
    paired_keys,
    parts_of,
)
from features.engine.batch.sort_by_key import Groups, by_number
from features.engine.batch.spill_columns import Shelf
from features.engine.batch.subject_columns import OWN, outcome_events, read_subjects
from features.engine.batch.sweep import reduced
from features.engine.columns import Column, Columns, length
from features.engine.numba_cache import compiled
from features.engine.string_table import NO_TEXT
from features.engine.windows.window import Window
from features.records import SubjectKind

# So many events at a time are sorted and reduced; those of one key are never parted.
PART_ROWS = 1 << 19

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
        workshop: Workshop,
    ) -> None:
        self._kind = kind
        self._records = records
        self._everyone = everyone
        self._subjects = subjects
        self._shelf = shelf
        self._workshop = workshop

    def compute(self, windows: Sequence[Window], done: Done = lambda window: None) -> None:
        """Put every window on the shelf; `latest_payer_id` and its like join the subjects."""
        by_source: dict[str, list[Window]] = defaultdict(list)
        for window in windows:
            by_source[window.source].append(window)
        self._transactions(by_source, done)
        for source in ("attached_documents", "legs", "positions"):
            if source in by_source:
                self._attach(source, by_source[source], done)
        held = [s for s in sorted(by_source) if s not in ATTACHMENTS and s != "payments"]
        events = {source: self._events(source, by_source[source]) for source in held}
        windows = [window for source in held for window in by_source[source]]
        own = [w for w in windows if w.source in self._own_sources and w.matching == w.by]
        history = OwnHistory(self._everyone, self._subjects, events)
        for window, column in history.reduced(own):
            self._put({window: column}, done)
        for window in [w for w in windows if w not in own]:
            self._sweep_held(events[window.source], window, done)

    @property
    def _own_sources(self) -> tuple[str, str]:
        return OWN[self._kind], f"{self._kind}_outcomes"

    def _transactions(self, by_source: dict[str, list[Window]], done: Done) -> None:
        """One reading of the transactions for those attached and for the history of payments."""
        attachment = ATTACHMENTS["attached_transactions"]
        followed = by_first_column(by_source.get("payments", []))
        fields = attachment.fields(self._kind)
        with ExitStack() as stack:
            attached = Spreading(
                self._kind, attachment, self._subjects, self._parts(stack, "transactions", "own")
            )
            kept = {k: self._parts(stack, "transactions", str(n)) for n, k in enumerate(followed)}
            for block in self._records.blocks("transactions", sorted(fields)):
                attached.add(block, fields)
                events = payments(block | {"transaction_id": without_ids(block["subject_id"])})
                for first, parts in kept.items():
                    _keep(events, first, followed[first], parts)
            self._sweep_attached(attached, by_source.get("attached_transactions", []), done)
            for first, parts in kept.items():
                self._sweep_kept(parts, followed[first], done)

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
        results = {window: np.empty(len(at)) for window in windows}
        latest = {name: np.full(len(at), NO_TEXT, np.int32) for name in ("payer_id", "payee_id")}

        def sweep(part: int) -> None:
            among, of, events = attached.part(part, self._records, self._kind)
            for name, column in latest.items():
                if name in events:
                    _note_latest(column[among], of, events[name])
            asked = Groups.alone(at[among])
            for (_, _, where), some in by_keying(windows).items():
                keys = chosen(of, events, where)
                for window, column in reduced(some, events, keys, asked, len(asked.instants)):
                    results[window][among] = column

        self._workshop.each(sweep, range(attached.many))
        if attached.attachment.record == "transactions":
            self._subjects |= {f"latest_{name}": column for name, column in latest.items()}
        self._put(results, done)

    def _sweep_kept(self, parts: Parts, windows: list[Window], done: Done) -> None:
        key = {name: self._subjects[name] for w in windows for name in (*w.by, "declared_at")}
        asking = {
            by: by_number(parts_of(key, by, len(parts)), len(parts)) for by in by_key(windows)
        }
        ordered = {window: np.empty(len(asking[window.by][1])) for window in windows}

        def sweep(part: int) -> None:
            events = parts.part(part)
            for by, some in by_key(windows).items():
                starts, rows = asking[by]
                here = slice(*starts[part : part + 2].tolist())
                subjects = picked_rows(key, rows[here])
                for (_, matching, where), few in by_keying(some).items():
                    keys, asked_keys, size = paired_keys(events, matching, subjects, by, len(parts))
                    asked = Groups.of(asked_keys, subjects["declared_at"], size)
                    keys = chosen(keys, events, where)
                    for window, column in reduced(few, events, keys, asked, length(subjects)):
                        ordered[window][here] = column

        self._workshop.each(sweep, range(len(parts)))
        for window, numbers in ordered.items():
            rows = asking[window.by][1]
            self._put({window: put(numbers, rows, length(self._subjects))}, done)

    def _sweep_held(self, events: Columns, window: Window, done: Done) -> None:
        keys, asked_keys, size = paired_keys(events, window.matching, self._subjects, window.by)
        asked = Groups.of(asked_keys, self._subjects["declared_at"], size)
        keys = chosen(keys, events, window.where)
        self._put(dict(reduced([window], events, keys, asked, length(self._subjects))), done)

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
            return {
                n: c for n, c in self._everyone.items() if n in read | {"subject_id", "declared_at"}
            }
        return read_subjects(kind, self._records, read)

    def _parts(self, stack: ExitStack, record: str, name: str) -> Parts:
        many = max(1, -(-self._records.count(record) // PART_ROWS))
        return stack.enter_context(Parts(self._workshop.scratch / f"{record}-{name}", many))

    def _put(self, results: dict[Window, Column], done: Done) -> None:
        for window, column in results.items():
            self._shelf.put(window, column)
            done(window)


def _keep(events: Columns, first: By, windows: list[Window], parts: Parts) -> None:
    """Spread events over parts by the first column of their keys."""
    read = sorted({*columns_of(windows), "known_at"})
    parts.add({name: events[name] for name in read}, parts_of(events, first, len(parts)))


@compiled(nogil=True)
def _note_latest(latest: Column, of: Column, texts: Column) -> None:
    """Of the known texts of each subject, in the order of knowledge, the last stays."""
    for row in range(len(of)):
        if texts[row] != NO_TEXT:
            latest[of[row]] = texts[row]
