"""A standard message as it is kept, with the line that a fact of a case came from.

Those of a rescue and of any other case have addresses of their own, on either side of the wall.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.submission import Submission
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.console.browser_session import TheSession
from serving.console.pages import PageRoute, page
from serving.console.readers import MayReadCase, MayRescue
from serving.container import Services
from serving.explanation.provenance_text import field_name
from serving.history.kept_messages import KeptMessage, MessageContent
from serving.language import say, say_word
from serving.review.errors import JustificationNeeded
from serving.review.reviewer import Reviewer
from serving.web.services import TheServices

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)

Place = Annotated[str, Query(max_length=500)]

LINES_AROUND = 300
"""Lines that are shown before and after the one that is looked for."""
LONGEST_SHOWN = 2_000
"""Characters of a line that are shown on either side of what is looked for."""


_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
"""Characters that nobody sees, some of which turn the rest of a line round."""


@dataclass(frozen=True)
class ShownLine:
    """A line of a message: what stands before, within and after what is looked for.

    Or the first of `hidden_count` lines that are not shown.
    """

    number: int
    before: str
    marked: str = ""
    after: str = ""
    hidden_count: int = 0


@dataclass(frozen=True)
class ShownField:
    """A field of a record, and where the message says it."""

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
    """A message about the subject of a case; that it was read is written down."""
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
    """A message about the subject of a rescue; that it was read is written down."""
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
    except JustificationNeeded:  # the page of the case asks why
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
        line_count=content.text.count("\n") + 1,
        records=list(_records(message, submission)),
    )


def shown_lines(
    content: MessageContent, place: str, hidden: Sequence[range] = ()
) -> Iterator[ShownLine]:
    """The lines around a place, with what stands there marked; the first ones without a place.

    Each run of lines that are not shown is told once, and takes up no room.
    """
    text = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", content.text)
    start, end = content.spans.get(place, (0, 0))
    rows = list(_rows(text.split("\n") if text else [], hidden))
    wanted = next((at for at, row in enumerate(rows) if row.end > start), 0)
    for at, row in enumerate(rows):
        if abs(at - wanted) > LINES_AROUND and (end or at > 2 * LINES_AROUND):
            continue
        if row.hidden_count:
            yield ShownLine(row.number, "", hidden_count=row.hidden_count)
        else:
            within = max(start - row.start, 0), max(end - row.start, 0)
            yield _shown_line(row.number, row.line, *within)


class _Row(NamedTuple):
    """A line with its number and characters from a start to an end; or several not shown."""

    number: int
    line: str
    start: int
    end: int
    hidden_count: int = 0


def _rows(lines: Sequence[str], hidden: Sequence[range]) -> Iterator[_Row]:
    runs = {run.start: run for run in hidden}
    number, offset = 1, 0
    while number <= len(lines):
        run = runs.get(number, ())
        own = lines[number - 1 : number - 1 + (len(run) or 1)]
        end = offset + sum(map(len, own)) + len(own)
        yield _Row(number, own[0], offset, end, len(run))
        number, offset = number + len(own), end


def _shown_line(number: int, line: str, start: int, end: int) -> ShownLine:
    """A line with the part of it that is looked for, if any; what is far from that is cut."""
    if start >= len(line) or start >= end:
        return ShownLine(number, _cut(line[: 2 * LONGEST_SHOWN], line))
    before, marked, after = line[:start], line[start:end], line[end:]
    first = before[-LONGEST_SHOWN:]
    return ShownLine(
        number,
        first if first == before else f"…{first}",
        _cut(marked[:LONGEST_SHOWN], marked),
        _cut(after[:LONGEST_SHOWN], after),
    )


def _cut(shown: str, whole: str) -> str:
    return shown if shown == whole else f"{shown}…"


def _records(
    message: KeptMessage, submission: Submission
) -> Iterator[tuple[str, str, list[ShownField]]]:
    """The records about the subject and its journey: type, id, and fields with their places."""
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
