"""The days of a case on one line: when what was booked, declared, filed, paid, heard and due."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from features.submission import Submission

Row = Literal["Journey", "Documents", "Payments"]
WIDTH, LABEL_WIDTH = 1000.0, 110.0


@dataclass(frozen=True)
class Mark:
    """One instant on the line; `x` in the canvas, `row` what it belongs to."""

    row: Row
    at: datetime
    words: str
    is_declaration: bool = False
    x: float = 0.0


@dataclass(frozen=True)
class Days:
    """All marks, the earliest first, and the days under them."""

    marks: tuple[Mark, ...]
    first: datetime
    last: datetime

    @classmethod
    def of(cls, submission: Submission) -> Self:
        """The days of a submission; its declaration is always among them."""
        told = sorted(_told(submission), key=lambda mark: mark.at)
        first, last = told[0].at, told[-1].at
        span = max((last - first).total_seconds(), 1.0)
        room = WIDTH - LABEL_WIDTH - 20
        marks = tuple(
            Mark(
                mark.row,
                mark.at,
                mark.words,
                mark.is_declaration,
                LABEL_WIDTH + room * (mark.at - first).total_seconds() / span,
            )
            for mark in told
        )
        return cls(marks, first, last)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that have marks, in their order."""
        rows: tuple[Row, ...] = ("Journey", "Documents", "Payments")
        return tuple(row for row in rows if any(mark.row == row for mark in self.marks))


def _told(submission: Submission) -> Iterator[Mark]:
    yield Mark("Journey", submission.declared_at, "declared", is_declaration=True)
    if journey := submission.journey:
        told = {
            "journey declared": journey.declared_at if submission.shipment else None,
            "booked": journey.booked_at,
            "departed": journey.departed_at,
            "due": journey.due_at,
            "hire began": journey.hire_started_at,
        }
        for words, at in told.items():
            if at is not None:
                yield Mark("Journey", at, words)
    for leg in submission.legs:
        if leg.arrived_at:
            yield Mark("Journey", leg.arrived_at, f"reached {leg.destination}")
    for document in submission.documents:
        words = f"{document.kind.replace('_', ' ')}, version {document.version}"
        yield Mark("Documents", document.received_at, words)
    for payment in submission.transactions:
        words = f"{payment.amount:,.0f} {payment.currency} by {payment.method.replace('_', ' ')}"
        yield Mark("Payments", payment.paid_at, words)
