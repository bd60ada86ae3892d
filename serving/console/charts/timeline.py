"""Timeline of a case: bookings, declarations, documents, payments, reports and due dates."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal, Self

from features.reference.geography.place_names import place_name
from features.submission import Submission
from serving.console.charts.route_map import SILENCE
from serving.language import reading, say, say_of, say_word
from serving.web.html import day_in_words

Row = Literal["Route", "Reports", "Documents", "Payments"]
ROWS: tuple[Row, ...] = ("Route", "Reports", "Documents", "Payments")

WIDTH, LABEL_WIDTH, RIGHT_MARGIN = 560.0, 84.0, 24.0
ROW_HEIGHT, TOP = 40.0, 30.0
MAX_TICKS = 5
STEPS = (
    *(timedelta(hours=hours) for hours in (1, 2, 3, 6, 12)),
    *(timedelta(days=days) for days in (1, 2, 7, 14, 28, 56, 91, 182, 364, 728)),
)
# Marks nearer than this are drawn at different heights.
NEAR_PX = 11.0
# The present is shown only if it lengthens the line by at most this share.
MAX_WAIT_SHARE = 0.35


@dataclass(frozen=True)
class Mark:
    """Instant on the line with its coordinates; `about` names the record that states it."""

    row: Row
    at: datetime
    words: str
    about: str = ""
    is_declaration: bool = False
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Span:
    """Interval on the line: a stay between two legs, or a silence between two positions."""

    row: Row
    kind: Literal["stay", "silent"]
    begins: datetime
    ends: datetime
    words: str
    about: str
    x1: float = 0.0
    x2: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Tick:
    """Labelled instant of the axis."""

    x: float
    words: str


@dataclass(frozen=True)
class Timeline:
    """All marks in order, the intervals between them, and the axis.

    `now_x` is None if the present is too far away to be on the line.
    """

    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]
    ticks: tuple[Tick, ...]
    first: datetime
    last: datetime
    now: datetime
    now_x: float | None

    @classmethod
    def from_submission(cls, submission: Submission, now: datetime) -> Self:
        """Return the timeline of a submission, which always has its declaration."""
        marks = sorted(_marks(submission), key=lambda mark: mark.at)
        spans = [*_stays(submission), *_silences(submission)]
        first = min([marks[0].at, *(span.begins for span in spans)])
        last = max([marks[-1].at, *(span.ends for span in spans)])
        longest = max(last - first, timedelta(hours=1))
        has_now = first <= now <= last + MAX_WAIT_SHARE * longest
        line = _Line(
            first, max(last, now, first + timedelta(hours=1)) if has_now else first + longest
        )
        rows = _used_rows(marks, spans)
        return cls(
            tuple(_placed(marks, line, rows)),
            tuple(
                replace(s, x1=line.x(s.begins), x2=line.x(s.ends), y=_middle(rows, s.row))
                for s in spans
            ),
            tuple(line.ticks()),
            first,
            last,
            now,
            line.x(now) if has_now else None,
        )

    @property
    def rows(self) -> tuple[tuple[Row, float], ...]:
        """Rows that are not empty, in order, with the y of their middle."""
        rows = _used_rows(self.marks, self.spans)
        return tuple((row, _middle(rows, row)) for row in rows)

    @property
    def axis_y(self) -> float:
        """Y of the axis, below all rows."""
        return TOP + ROW_HEIGHT * len(self.rows) + 4


@dataclass(frozen=True)
class _Line:
    """Axis from a first to a last instant."""

    first: datetime
    last: datetime

    def x(self, at: datetime) -> float:
        room = WIDTH - LABEL_WIDTH - RIGHT_MARGIN
        return round(LABEL_WIDTH + room * ((at - self.first) / (self.last - self.first)), 1)

    def ticks(self) -> Iterator[Tick]:
        """Yield round instants, no more than their labels have room for."""
        length = self.last - self.first
        step = next((s for s in STEPS if length / s <= MAX_TICKS), STEPS[-1])
        midnight = self.first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        number = math.ceil((self.first - midnight) / step)
        while (at := midnight + number * step) <= self.last:
            is_day = step >= timedelta(days=1) or at.hour == 0
            yield Tick(self.x(at), day_in_words(at) if is_day else f"{at:%H:%M}")
            number += 1


def _used_rows(marks: Iterable[Mark], spans: Iterable[Span]) -> list[Row]:
    used = {mark.row for mark in marks} | {span.row for span in spans}
    return [row for row in ROWS if row in used]


def _middle(rows: list[Row], row: Row) -> float:
    return TOP + ROW_HEIGHT * (rows.index(row) + 0.5)


def _placed(marks: list[Mark], line: _Line, rows: list[Row]) -> Iterator[Mark]:
    """Yield marks at their instants; neighbouring marks alternate in height."""
    latest: dict[Row, tuple[float, int]] = {}
    for mark in marks:
        x = line.x(mark.at)
        before, depth = latest.get(mark.row, (-math.inf, 0))
        depth = depth + 1 if x - before < NEAR_PX else 0
        latest[mark.row] = (x, depth)
        yield replace(mark, x=x, y=_middle(rows, mark.row) + (0, -9, 9)[depth % 3])


def _stays(submission: Submission) -> Iterator[Span]:
    """Yield the stays between two legs where both instants are known."""
    legs = sorted(submission.legs, key=lambda leg: leg.sequence)
    for before, after in pairwise(legs):
        begins, ends = before.arrived_at, after.departed_at
        if begins and ends and ends > begins:
            hours = (ends - begins) / timedelta(hours=1)
            place = place_name(before.destination) or before.destination
            words = say_of(
                round(hours), "{count} hour in {place}", "{count} hours in {place}", place=place
            )
            yield Span("Route", "stay", begins, ends, words, f"place:{before.destination}")


def _silences(submission: Submission) -> Iterator[Span]:
    """Yield silences between two positions that are longer than usual."""
    heard = sorted(position.observed_at for position in submission.positions)
    for begins, ends in pairwise(heard):
        if ends - begins > SILENCE:
            hours = round((ends - begins) / timedelta(hours=1))
            words = say_of(hours, "no report for {count} hour", "no report for {count} hours")
            about = f"silence:{begins.isoformat()}"
            yield Span("Reports", "silent", begins, ends, words, about)


def _marks(submission: Submission) -> Iterator[Mark]:
    yield Mark("Route", submission.declared_at, say("declared"), is_declaration=True)
    if journey := submission.journey:
        instants = {
            say("route declared"): journey.declared_at if submission.shipment else None,
            say("booked"): journey.booked_at,
            say("departed"): journey.departed_at,
            say("due"): journey.due_at,
            say("hire began"): journey.hire_started_at,
        }
        for words, at in instants.items():
            if at is not None:
                yield Mark("Route", at, words)
    yield from _marks_of_way(submission)
    for document in submission.standing("documents"):
        words = say(
            "{document}, version {version}, received",
            document=say_word(document.kind),
            version=document.version,
        )
        about = f"documents:{document.document_id}"
        yield Mark("Documents", document.received_at, words, about)
    for payment in submission.standing("transactions"):
        amount = reading().language.figure(f"{payment.amount:,.0f} ") + payment.currency
        words = say("{amount} by {method}", amount=amount, method=say_word(payment.method))
        about = f"transactions:{payment.transaction_id}"
        yield Mark("Payments", payment.paid_at, words, about)


def _marks_of_way(submission: Submission) -> Iterator[Mark]:
    """Yield the marks of what happened during the journey."""
    for leg in submission.legs:
        if leg.arrived_at:
            where = place_name(leg.destination) or leg.destination
            yield Mark(
                "Route",
                leg.arrived_at,
                say("reached {place}", place=where),
                f"place:{leg.destination}",
            )
    for event in submission.events:
        what = say_word(event.kind)
        where = f" {place_name(event.place) or event.place}" if event.place else ""
        about = f"place:{event.place}" if event.place else ""
        yield Mark("Route", event.occurred_at, f"{what}{where}", about)
    heard = sorted(position.observed_at for position in submission.positions)
    for words, instants in (
        (say("first position"), heard[:1]),
        (say("latest position"), heard[1:][-1:]),
    ):
        for at in instants:
            yield Mark("Reports", at, words, f"position:{at.isoformat()}")
