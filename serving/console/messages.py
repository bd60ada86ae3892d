"""Stored standard message, with the line that a fact of a case came from.

Rescues have addresses of their own, so that their permissions stay separate.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.messages.stored_text import MessageText
from features.submission import Submission
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.console.browser_session import TheSession
from serving.console.page_scopes import MayReadCase, MayRescue
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.explanation.provenance_text import field_name
from serving.history.kept_messages import KeptMessage, MessageContent
from serving.language import say, say_word
from serving.review.cases.reviewer import Reviewer
from serving.review.errors import JustificationNeeded
from serving.web.services import TheServices

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)

Place = Annotated[str, Query(max_length=500)]

# Lines shown before and after the marked one.
LINES_AROUND = 300
# Characters shown on either side of the mark within a line.
MAX_SHOWN_LENGTH = 2_000


# Invisible characters, some of which reverse the writing direction of the rest of a line.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


@dataclass(frozen=True)
class ShownLine:
    """Line of a message, split into the text before, within and after the mark.

    With `hidden_count` it stands for that many hidden lines.
    """

    number: int
    before: str
    marked: str = ""
    after: str = ""
    hidden_count: int = 0


@dataclass(frozen=True)
class ShownField:
    """Field of a record, with its location in the message."""

    words: str
    place: str
    line: int | None


@router.get("/cases/{case_id}/messages/{message_id}")
def message_of_case(
    services: TheServices,
    caller: MayReadCase,
    session: TheSession,
    case_id: str,
    message_id: str,
    place: Place = "",
) -> Response:
    """Show a message about the subject of a case and record the read."""
    return _message_page(services, caller, session, f"/console/cases/{case_id}", message_id, place)


@router.get("/rescues/{case_id}/messages/{message_id}")
def message_of_rescue(
    services: TheServices,
    caller: MayRescue,
    session: TheSession,
    case_id: str,
    message_id: str,
    place: Place = "",
) -> Response:
    """Show a message about the subject of a rescue and record the read."""
    of_case = f"/console/rescues/{case_id}"
    return _message_page(services, caller, session, of_case, message_id, place)


def _message_page(
    services: Services,
    caller: Caller,
    session: Session,
    of_case: str,
    message_id: str,
    place: str,
) -> HTMLResponse | RedirectResponse:
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    case_id = of_case.rpartition("/")[2]
    try:
        row, _ = services.cases.read(reviewer, case_id, now)
    # The page of the case asks for the justification.
    except JustificationNeeded:
        return RedirectResponse(of_case, 303)
    submission = services.cases.decision(case_id).submission
    shown = services.message_evidence.read_with_case(reviewer, row, submission, message_id, now)
    message, content = shown.message, shown.message.content
    return page(
        "message.html",
        reader=caller,
        session=session,
        of_case=of_case,
        address=f"{of_case}/messages/{message_id}",
        message=message,
        content=content,
        place=place,
        line=content.line_of(place),
        lines=list(shown_lines(content, place, shown.hidden_lines)),
        line_count=content.text.count_line_breaks() + 1,
        records=list(_records(message, submission)),
    )


def shown_lines(
    content: MessageContent, place: str, hidden: Sequence[range] = ()
) -> Iterator[ShownLine]:
    """Yield the lines around a location, with the mark; without a location, the first lines.

    A run of hidden lines is one entry, however long it is.
    """
    start, end = content.spans.get(place, (0, 0))
    rows = _rows(content.text, hidden)
    # Messages can be large, so only a window of lines is kept while scanning for the mark.
    near: deque[_Row] = deque(maxlen=LINES_AROUND + 1)
    for row in rows:
        near.append(row)
        if row.end >= start:
            break
    following = islice(rows, LINES_AROUND if end else 2 * LINES_AROUND)
    for row in chain(near, following):
        if row.hidden_count:
            yield ShownLine(row.number, "", hidden_count=row.hidden_count)
        else:
            yield _shown_line(content.text, row, start, end)


class _Row(NamedTuple):
    """Line with number and offsets of its start and line break, or a run of hidden lines."""

    number: int
    start: int
    end: int
    hidden_count: int = 0


def _rows(text: MessageText, hidden: Sequence[range]) -> Iterator[_Row]:
    runs = {run.start: len(run) for run in hidden}
    number, start = 1, 0
    ends = text.line_ends() if len(text) else iter(())
    for first in ends:
        hidden_count = runs.get(number, 0)
        others = islice(ends, max(hidden_count - 1, 0))
        end = next(iter(deque(others, maxlen=1)), first)
        yield _Row(number, start, end, hidden_count)
        number, start = number + (hidden_count or 1), end + 1


def _shown_line(text: MessageText, row: _Row, start: int, end: int) -> ShownLine:
    """Return a line with its marked part, if any; text far from the mark is cut."""
    start, end = max(start, row.start), min(end, row.end)
    if start >= end:
        return ShownLine(row.number, _first(text, row.start, row.end, 2 * MAX_SHOWN_LENGTH))
    first = max(row.start, start - MAX_SHOWN_LENGTH)
    return ShownLine(
        row.number,
        ("…" if first > row.start else "") + _visible(text.part(first, start)),
        _first(text, start, end, MAX_SHOWN_LENGTH),
        _first(text, end, row.end, MAX_SHOWN_LENGTH),
    )


def _first(text: MessageText, start: int, end: int, most: int) -> str:
    """Return the first characters of a range of a text."""
    shown = _visible(text.part(start, min(end, start + most)))
    return f"{shown}…" if end - start > most else shown


def _visible(text: str) -> str:
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)


def _records(
    message: KeptMessage, submission: Submission
) -> Iterator[tuple[str, str, list[ShownField]]]:
    """Yield the records about the subject and its journey: type, id, and located fields."""
    subjects = {(str(submission.subject_kind), submission.subject_id)}
    if submission.journey is not None:
        subjects.add(("route", submission.journey.journey_id))
    content = message.content
    for each in content.records:
        if (each.subject_kind, each.subject_id) not in subjects:
            continue
        fields = [
            ShownField(say(field_name(name)), place, content.line_of(place))
            for name, place in each.places.items()
        ]
        yield say_word(each.record_type), each.cited_as, fields
