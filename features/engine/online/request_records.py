"""Records that a request links to its subject, and the windows over them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, chain
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from features.engine.columns import Column
from features.engine.expressions.encode_rows import CopiedColumns, RequestCodes, Row, RowEncoder
from features.engine.expressions.measures import Measured, with_measures
from features.engine.expressions.program import Key, Program
from features.engine.online.request_windows import RequestWindows
from features.engine.windows.lifetimes import rows_still_counting
from features.engine.windows.record_history import RecordHistory
from features.engine.windows.window_declaration import Window


class RequestRows(NamedTuple):
    """Subject of a request: its fields, and its linked records by source.

    Instants are in microseconds. Linked records are those known before `as_of`, in the order they
    became known. Windows over history end at `declared_at`.
    """

    as_of: int
    declared_at: int
    subject: Row
    linked: Mapping[str, Sequence[Row]]


@dataclass(frozen=True, kw_only=True)
class LinkedRows:
    """Source of linked records: when a record is known, the order of records, and derived columns.

    Records known at the same instant are ordered by `order_field`. In that order each also gets the
    fields `previous` of the one before, as `previous_...`. If `version_of` is given, the one before
    is the earlier version of the same document, which is equal in these fields, and `is_superseded`
    tells whether a later version exists. `measured` are further values of each record: the fields
    they are computed from and a function of whole columns. `subject_columns` maps subject columns
    that the program reads to keys of the subject's own program. Rows equal in `amended` are
    versions of one record: a later one ends earlier ones, or only a withdrawal does if not
    `is_replaced`. `histories` are values from history by name, which are added after
    `known_before`.
    """

    source: str
    known_from: str
    order_field: str
    program: Program
    subject_columns: Mapping[Key, Key]
    previous: tuple[str, ...] = ()
    measured: Measured = field(default_factory=dict)
    version_of: tuple[str, ...] = ()
    known_when_missing: datetime | None = None
    amended: tuple[str, ...] = ()
    is_replaced: bool = True
    histories: Mapping[str, RecordHistory] = field(default_factory=dict)

    def known_before(self, records: Iterable[Any], at: datetime) -> list[Row]:
        """Return the records known before an instant, in the order they became known."""
        known_from = self.known_from
        fields: list[Row] = [record.__dict__ for record in records]
        if self.known_when_missing is not None:
            fields = [
                row if row[known_from] is not None else {**row, known_from: self.known_when_missing}
                for row in fields
            ]
        rows = [row for row in fields if row[known_from] is not None and row[known_from] < at]
        # Amendments are rare, so the check comes before the grouping.
        if self.amended and any(row["version"] > 1 or row["withdrawn"] for row in rows):
            rows = rows_still_counting(rows, rows, self.amended, is_replaced=self.is_replaced)
        if self.measured and rows:
            rows = with_measures(rows, self.measured)
        if self.version_of:
            rows.sort(key=itemgetter(known_from, self.order_field))
            return self._with_versions(rows)
        # Sorted by order field to find the record before, then by knowledge for windows.
        if self.previous:
            rows.sort(key=itemgetter(self.order_field))
            rows = [*self._with_previous(rows)]
        if len(rows) > 1:
            rows.sort(key=itemgetter(known_from, self.order_field))
        return rows

    def _with_versions(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows in order, each with the fields of its document's previous version."""
        papers: dict[tuple[Any, ...], list[int]] = {}
        for place in sorted(range(len(rows)), key=lambda place: rows[place]["version"]):
            paper = tuple(rows[place][name] for name in self.version_of)
            papers.setdefault(paper, []).append(place)
        made: dict[int, Row] = {}
        for versions in papers.values():
            last = rows[versions[-1]]["version"]
            ordered = self._with_previous(rows[place] for place in versions)
            for place, row in zip(versions, ordered, strict=True):
                made[place] = {**row, "is_superseded": row["version"] < last}
        return [made[place] for place in range(len(rows))]

    def _with_previous(self, rows: Iterable[Row]) -> Iterable[Row]:
        previous = dict.fromkeys(f"previous_{name}" for name in self.previous)
        for row in rows:
            yield {**row, **previous}
            previous = {f"previous_{name}": row[name] for name in self.previous}


class LinkedWindows:
    """Windows over one source of linked records, for subjects of one type."""

    def __init__(
        self,
        source: LinkedRows,
        windows: Iterable[Window],
        subject: Program,
        codes: RequestCodes,
    ) -> None:
        self.source = source.source
        self.windows = [window for window in windows if window.source == source.source]
        copied = [
            (subject.outputs[column].place, source.program.inputs[key].place)
            for key, column in source.subject_columns.items()
        ]
        pairs = np.array(copied, np.int64).reshape(-1, 2)
        self._encoder = RowEncoder(source.program, codes, pairs)
        self._windows = RequestWindows(source.program, self.windows)
        # Most subjects lack some sources; the values for no records are computed once.
        self._numbers_of_none = np.empty((1, len(self.windows)))
        nothing = np.empty((len(source.program.constants), 0))
        self._windows.reduce(nothing, _starts([[]]), np.zeros(1, np.int64), self._numbers_of_none)

    def reduce(
        self,
        rows: Sequence[Sequence[Row]],
        subjects: Column,
        instants: Column,
        codes: RequestCodes,
        numbers: Column,
        first: int,
    ) -> None:
        """Write each window's value at each subject's instant, a row per subject.

        `rows` are the linked records of each subject, `subjects` the registers of subjects, and
        `first` is the column of the first window.
        """
        if not any(rows):
            numbers[:, first : first + len(self.windows)] = self._numbers_of_none
            return
        starts = _starts(rows)
        copies = CopiedColumns(starts, subjects)
        registers = self._encoder.encode([*chain.from_iterable(rows)], codes, copies)
        self._windows.reduce(registers, starts, instants, numbers, first)


def _starts(rows: Iterable[Sequence[Row]]) -> Column:
    """Return the index of each subject's first row among all rows, and the end of the last."""
    return np.array([*accumulate(map(len, rows), initial=0)], np.int64)
