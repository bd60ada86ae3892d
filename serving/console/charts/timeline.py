"""The days of a case on one line: when what was booked, declared, filed, paid, heard and due."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Literal, Self

from features.submission import Submission
from serving.console.charts.route_map import SILENCE

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
class Span:
    """A stretch of the line: a stay between two legs, or a silence between two positions."""

    row: Row
    kind: Literal["stay", "silent"]
    begins: datetime
    ends: datetime
    words: str
    x1: float = 0.0
    x2: float = 0.0


@dataclass(frozen=True)
class Timeline:
    """All marks, the earliest first, the stretches between them, and the days under them."""

    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]
    first: datetime
    last: datetime

    @classmethod
    def from_submission(cls, submission: Submission) -> Self:
        """The days of a submission; its declaration is always among them."""
        marks = sorted(_marks(submission), key=lambda mark: mark.at)
        spans = [*_stays(submission), *_silences(submission)]
        first = min([marks[0].at, *(span.begins for span in spans)])
        last = max([marks[-1].at, *(span.ends for span in spans)])
        place = partial(_place, first, last)
        return cls(
            tuple(replace(mark, x=place(mark.at)) for mark in marks),
            tuple(replace(s, x1=place(s.begins), x2=place(s.ends)) for s in spans),
            first,
            last,
        )

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that have marks, in their order."""
        rows: tuple[Row, ...] = ("Journey", "Documents", "Payments")
        return tuple(row for row in rows if any(mark.row == row for mark in self.marks))


def _place(first: datetime, last: datetime, at: datetime) -> float:
    room = WIDTH - LABEL_WIDTH - 20
    return LABEL_WIDTH + room * ((at - first) / max(last - first, timedelta(seconds=1)))


def _stays(submission: Submission) -> Iterator[Span]:
    """Where it stayed between two legs, as far as both are known."""
    legs = sorted(submission.legs, key=lambda leg: leg.sequence)
    for before, after in pairwise(legs):
        begins, ends = before.arrived_at, after.departed_at
        if begins and ends and ends > begins:
            words = f"{(ends - begins) / timedelta(hours=1):.0f} hours in {before.destination}"
            yield Span("Journey", "stay", begins, ends, words)


def _silences(submission: Submission) -> Iterator[Span]:
    """When nobody heard of it between two positions, for longer than is usual."""
    heard = sorted(position.observed_at for position in submission.positions)
    for begins, ends in pairwise(heard):
        if ends - begins > SILENCE:
            words = f"silent for {(ends - begins) / timedelta(hours=1):.0f} hours"
            yield Span("Journey", "silent", begins, ends, words)


def _marks(submission: Submission) -> Iterator[Mark]:
    yield Mark("Journey", submission.declared_at, "declared", is_declaration=True)
    if journey := submission.journey:
        instants = {
            "journey declared": journey.declared_at if submission.shipment else None,
            "booked": journey.booked_at,
            "departed": journey.departed_at,
            "due": journey.due_at,
            "hire began": journey.hire_started_at,
        }
        for words, at in instants.items():
            if at is not None:
                yield Mark("Journey", at, words)
    yield from _marks_of_way(submission)
    for document in submission.documents:
        words = f"{document.kind.replace('_', ' ')}, version {document.version}"
        yield Mark("Documents", document.received_at, words)
    for payment in submission.transactions:
        words = f"{payment.amount:,.0f} {payment.currency} by {payment.method.replace('_', ' ')}"
        yield Mark("Payments", payment.paid_at, words)


def _marks_of_way(submission: Submission) -> Iterator[Mark]:
    """What is known to have happened on the way."""
    for leg in submission.legs:
        if leg.arrived_at:
            yield Mark("Journey", leg.arrived_at, f"reached {leg.destination}")
    for event in submission.events:
        what, where = event.kind.replace("_", " "), f" {event.place}" if event.place else ""
        yield Mark("Journey", event.occurred_at, f"{what}{where}")
