"""What a submission brings, seen beside its subject: one source after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from operator import itemgetter

import numpy as np

from features.derived.document import document_program
from features.derived.leg import OF_THE_LEG_BEFORE, leg_program
from features.derived.linked_record import of_subject
from features.derived.position import OF_THE_POSITION_BEFORE, position_program
from features.derived.transaction import transaction_program
from features.engine.columns import Column
from features.engine.expressions.encode_rows import Codes, Copies, Filling, Row
from features.engine.expressions.program import Program
from features.engine.online.request_windows import Gathering
from features.engine.windows.window import Window
from features.records import RECORD_FILES, SubjectKind
from features.submission import Submission


@dataclass(frozen=True)
class Brought:
    """A source of attached records: where a submission has them, and how they are ordered.

    In the order of `identity` each record is told the fields `before` of the one before it.
    """

    source: str
    field: str
    identity: str
    program: Program
    before: tuple[str, ...] = ()

    def rows(self, submission: Submission) -> list[Row]:
        """The records known before the subject's instant, in the order of knowledge."""
        known_from, at = RECORD_FILES[self.field].known_from, submission.declared_at
        held: list[Row] = [record.__dict__ for record in getattr(submission, self.field)]
        rows = [row for row in held if row[known_from] is not None and row[known_from] < at]
        if self.before:
            rows.sort(key=itemgetter(self.identity))
            rows = [*self._each_after_the_one_before(rows)]
        if len(rows) > 1:
            rows.sort(key=itemgetter(known_from, self.identity))
        return rows

    def _each_after_the_one_before(self, rows: Iterable[Row]) -> Iterable[Row]:
        before = dict.fromkeys(f"previous_{name}" for name in self.before)
        for row in rows:
            yield {**row, **before}
            before = {f"previous_{name}": row[name] for name in self.before}


def brought(kind: SubjectKind) -> tuple[Brought, ...]:
    """The attached sources of subjects of one kind."""
    own = (
        Brought("attached_documents", "documents", "document_id", document_program(kind)),
        Brought(
            "attached_transactions", "transactions", "transaction_id", transaction_program(kind)
        ),
    )
    if kind == "shipment":
        return own
    return (
        *own,
        Brought("legs", "legs", "sequence", leg_program(), (*OF_THE_LEG_BEFORE,)),
        Brought(
            "positions",
            "positions",
            "observed_at",
            position_program(),
            (*OF_THE_POSITION_BEFORE,),
        ),
    )


# Where the payments are among the sources: what they tell last is a subject's to follow.
PAYMENTS = 1


class Attached:
    """The windows of subjects of one kind over one source that they bring."""

    def __init__(
        self, brought: Brought, windows: Iterable[Window], subject: Program, codes: Codes
    ) -> None:
        self.brought = brought
        self.windows = [window for window in windows if window.source == brought.source]
        copied = [
            (subject.outputs[of_subject(key)].place, register.place)
            for key, register in brought.program.inputs.items()
            if of_subject(key) is not None
        ]
        pairs = np.array(copied, np.int64).reshape(-1, 2)
        self._filling = Filling(brought.program, codes, pairs)
        self._gathering = Gathering(brought.program, self.windows)
        self._of_nothing = np.empty((1, len(self.windows)))
        nothing = np.empty((len(brought.program.constants), 0))
        self._gathering.reduce(nothing, _starts([[]]), np.zeros(1, np.int64), self._of_nothing)

    def reduce(
        self,
        rows: Sequence[Sequence[Row]],
        subjects: Column,
        instants: Column,
        codes: Codes,
        into: Column,
        first: int,
    ) -> None:
        """Put each window's number as of each subject's instant, a row per subject.

        `rows` are what each brings, `subjects` the registers of subjects; `first` is the column of
        the first window.
        """
        if not any(rows):
            into[:, first : first + len(self.windows)] = self._of_nothing
            return
        starts = _starts(rows)
        copies = Copies(starts, subjects)
        registers = self._filling.made([*chain.from_iterable(rows)], codes, copies)
        self._gathering.reduce(registers, starts, instants, into, first)


def _starts(rows: Iterable[Sequence[Row]]) -> Column:
    """Where the rows of each subject start among those of all, and where they end."""
    return np.array([*accumulate(map(len, rows), initial=0)], np.int64)
