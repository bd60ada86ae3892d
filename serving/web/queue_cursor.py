"""Cursors of lists of cases and decisions: where the next page begins, as opaque text."""

import base64
import json
import re
from datetime import datetime

from serving.errors import RequestFault, Unprocessable
from serving.review.cases.case_records import CaseRecord, QueuePosition

MAX_CURSOR_LENGTH = 400  # characters
_PLACE = re.compile(
    r'\[([01]), (\d[0-9.e+-]{0,30}), "([0-9T:.+-]{1,40})", "([A-Za-z0-9_-]{1,64})"\]'
)
_FOUND = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SEQ = re.compile(r"[0-9]{1,18}")
_LISTED = re.compile(r'\[(\d{1,15}), "([A-Za-z0-9_-]{1,64})"\]')


def encode_cursor(row: CaseRecord, now: datetime) -> str:
    """The cursor of the page that begins after a case, as the queue is at an instant."""
    place = json.dumps(row.queue_position(now.isoformat()))
    return base64.urlsafe_b64encode(place.encode()).decode()


def encode_place(before: tuple[int, str] | None) -> str | None:
    """The cursor of the next page of a list of all cases; None where there is none."""
    if before is None:
        return None
    place = json.dumps([-before[0], before[1]])
    return base64.urlsafe_b64encode(place.encode()).decode()


def decode_place(cursor: str | None) -> tuple[int, str] | None:
    """Return where a page of a list of all cases begins, as `CaseFilter.before`.

    Raises Unprocessable for a cursor that no page gave.
    """
    if not cursor:
        return None
    try:
        place = base64.b64decode(cursor[:MAX_CURSOR_LENGTH], b"-_", validate=True).decode("ascii")
        seq, case_id = _LISTED.fullmatch(place).groups()  # type: ignore[union-attr]  # caught
        return -int(seq), case_id
    except (ValueError, AttributeError):
        fault = RequestFault("/cursor", "cursor", "want the `next` of a page")
        raise Unprocessable("the cursor is none that a page gave", (fault,)) from None


def encode_seq(seq: int) -> str:
    """The cursor of the page of a list of decisions that begins before a place in the log."""
    return base64.urlsafe_b64encode(str(seq).encode()).decode()


def decode_seq(cursor: str | None) -> int | None:
    """Where a page of a list of decisions begins; raises Unprocessable where no page gave it."""
    if not cursor:
        return None
    try:
        place = base64.b64decode(cursor[:MAX_CURSOR_LENGTH], b"-_", validate=True).decode("ascii")
        if not _SEQ.fullmatch(place):
            raise ValueError
        return int(place)
    except ValueError:
        fault = RequestFault("/cursor", "cursor", "want the `next` of a page")
        raise Unprocessable("the cursor is none that a page gave", (fault,)) from None


def decode_found(cursor: str | None) -> str | None:
    """After which case a page of a search begins; raises Unprocessable for what is no case."""
    if not cursor:
        return None
    if _FOUND.fullmatch(cursor):
        return cursor
    fault = RequestFault("/cursor", "cursor", "want the `next` of a page")
    raise Unprocessable("the cursor is none that a page gave", (fault,))


def decode_cursor(cursor: str | None) -> QueuePosition | None:
    """Where a page of the queue begins; raises Unprocessable for a cursor that no page gave."""
    if not cursor:
        return None
    try:
        place = base64.b64decode(cursor[:MAX_CURSOR_LENGTH], b"-_", validate=True).decode("ascii")
        is_over, risk, due_at, case_id = _PLACE.fullmatch(place).groups()  # type: ignore[union-attr]  # caught
        datetime.fromisoformat(due_at)
        return int(is_over), float(risk), due_at, case_id
    except (ValueError, AttributeError):
        fault = RequestFault("/cursor", "cursor", "want the `next` of a page")
        raise Unprocessable("the cursor is none that a page gave", (fault,)) from None
