"""Records attached to subjects: spread over parts by their subject, then seen beside it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from features.derived.document import document_program
from features.derived.leg import OF_THE_LEG_BEFORE, attached_legs, leg_program
from features.derived.linked_record import run_beside
from features.derived.position import (
    OF_THE_POSITION_BEFORE,
    attached_positions,
    position_program,
)
from features.derived.transaction import transaction_program
from features.engine.batch.gather import is_every_row, picked, picked_rows
from features.engine.batch.partitions import Parts
from features.engine.batch.record_blocks import RecordBlocks
from features.engine.batch.sort_by_key import Groups
from features.engine.columns import NO_INSTANT, Column, Columns, Places, length
from features.engine.expressions.program import Program
from features.engine.numba_cache import compiled
from features.engine.string_table import NO_TEXT, VOCABULARY
from features.records import RECORD_FILES, SubjectKind

# Beside a record's own columns: the row of its subject, and its place in the file.
ROW, PLACE = "row_of_subject", "place_in_file"


@dataclass(frozen=True)
class Attachment:
    """How the records of one type are attached to the subjects of one kind.

    `of` names the subject of a record; `see` makes of records, each known before its subject's
    instant and given with its subjects, the events that windows reduce.
    """

    record: str
    of: str
    identity: str | None
    program: Callable[[SubjectKind], Program]
    see: Callable[[SubjectKind, Columns, Columns], Columns]
    of_the_one_before: tuple[str, ...] = ()

    @property
    def known_from(self) -> str:
        """The instant from which a record is known."""
        return RECORD_FILES[self.record].known_from

    def fields(self, kind: SubjectKind) -> set[str]:
        """The columns of a record that are read."""
        read = fields_read(self.program(kind)) | {self.of, self.known_from, *self.of_the_one_before}
        own = RECORD_FILES[self.record].model_fields
        if "subject_kind" in own:
            read.add("subject_kind")
        return read & own.keys() - {self.identity}


def fields_read(program: Program) -> set[str]:
    """The columns of its own rows that a program reads."""
    return {key for key in program.columns if isinstance(key, str)}


def _documents(kind: SubjectKind, subjects: Columns, events: Columns) -> Columns:
    events = events | {"document_id": without_ids(events[PLACE])}
    return run_beside(document_program(kind), events, events["subject_id"], subjects)


def _transactions(kind: SubjectKind, subjects: Columns, events: Columns) -> Columns:
    events = events | {"transaction_id": without_ids(events[PLACE])}
    return run_beside(transaction_program(kind), events, events["subject_id"], subjects)


def without_ids(column: Column) -> Column:
    """Ids for rows of which nobody asks the id any more."""
    return np.full(len(column), NO_TEXT, np.int32)


ATTACHMENTS = {
    "attached_documents": Attachment(
        "documents", "subject_id", "document_id", document_program, _documents
    ),
    "attached_transactions": Attachment(
        "transactions", "subject_id", "transaction_id", transaction_program, _transactions
    ),
    "legs": Attachment(
        "legs",
        "journey_id",
        None,
        lambda kind: leg_program(),
        lambda kind, subjects, events: attached_legs(subjects, events),
        ("sequence", *OF_THE_LEG_BEFORE),
    ),
    "positions": Attachment(
        "positions",
        "journey_id",
        None,
        lambda kind: position_program(),
        lambda kind, subjects, events: attached_positions(subjects, events),
        tuple(OF_THE_POSITION_BEFORE),
    ),
}


class Spreading:
    """Attaches blocks of records: those known before their subject's instant go to its part."""

    def __init__(
        self, kind: SubjectKind, attachment: Attachment, subjects: Columns, parts: Parts
    ) -> None:
        self.attachment = attachment
        self._parts = parts
        self._kind = VOCABULARY.code(kind)
        self._subjects = subjects
        self._places = Places(subjects["subject_id"])
        self._before = 0

    def add(self, block: Columns, fields: set[str]) -> None:
        """Take what belongs to a subject of a block of records."""
        row = self._places.of(block[self.attachment.of])
        known_at = block[self.attachment.known_from]
        kinds = block.get("subject_kind", _OF_ANY_KIND)
        of_parts = self._subjects["declared_at"], self.subjects_per_part
        part = _parts_of_known(known_at, row, kinds, self._kind, *of_parts)
        kept = fields - {"subject_kind", self.attachment.of}
        events = {name: block[name] for name in sorted(kept)}
        events |= {ROW: row, PLACE: np.arange(self._before, self._before + len(row))}
        self._before += len(row)
        self._parts.add(events, part)

    @property
    def many(self) -> int:
        """How many parts there are."""
        return len(self._parts)

    @property
    def subjects_per_part(self) -> int:
        """How many subjects share a part."""
        return max(1, -(-length(self._subjects) // len(self._parts)))

    def part(
        self, at: int, records: RecordBlocks, kind: SubjectKind
    ) -> tuple[slice, Column, Columns]:
        """The subjects of a part; of its events the subject among those, and what is seen."""
        begin = min(at * self.subjects_per_part, length(self._subjects))
        among = slice(begin, min(begin + self.subjects_per_part, length(self._subjects)))
        subjects = {name: column[among] for name, column in self._subjects.items()}
        events = self._parts.part(at)
        row = events.pop(ROW) - np.int32(begin)
        groups = Groups.of(row, events[self.attachment.known_from], length(subjects))
        order = self._settled(groups, row, events[PLACE], records)
        if not is_every_row(order, len(row)):
            events, row = picked_rows(events, order), picked(row, order)
        events[self.attachment.of] = picked(subjects["subject_id"], row)
        seen = self.attachment.see(kind, subjects, events)
        return among, Places(subjects["subject_id"]).of(seen["subject_id"]), seen

    def _settled(self, groups: Groups, row: Column, place: Column, records: RecordBlocks) -> Column:
        """The order of the groups with events of one subject and instant by their record's id."""
        order, identity = groups.order, self.attachment.identity
        tied = groups.ties(row)
        if identity is None or not len(tied):
            return order
        ids = records.texts(self.attachment.record, identity, place[order[tied]])
        ranks = np.unique(np.array(ids, dtype=object), return_inverse=True)[1]
        by_id = np.lexsort((ranks, groups.instants[tied], row[order[tied]]))
        order[tied] = order[tied][by_id]
        return order


_OF_ANY_KIND = np.zeros(0, np.int32)


@compiled(nogil=True)
def _parts_of_known(
    known_at: Column, row: Column, kinds: Column, kind: int, instants: Column, rows_per_part: int
) -> Column:
    """The part of each record of the kind that is known before the instant of its row; else -1."""
    part = np.full(len(row), -1, np.int32)
    for at in range(len(row)):
        if row[at] < 0 or known_at[at] == NO_INSTANT or (len(kinds) and kinds[at] != kind):
            continue
        if known_at[at] < instants[row[at]]:
            part[at] = row[at] // rows_per_part
    return part
