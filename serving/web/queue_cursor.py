"""Opaque cursors for pages of cases and decisions."""

import base64
import json
import re
from datetime import datetime

from serving.errors import RequestFault, Unprocessable
from serving.review.cases.case_records import CaseRow, QueuePosition

MAX_CURSOR_LENGTH = 400  # characters
# Clients can send any text as a cursor, so decoded ones must match these patterns in full.
_PLACE = re.compile(
    r'\[([01]), (\d[0-9.e+-]{0,30}), "([0-9T:.+-]{1,40})", "([A-Za-z0-9_-]{1,64})"\]'
)
_FOUND = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SEQ = re.compile(r"[0-9]{1,18}")
_LISTED = re.compile(r'\[(\d{1,15}), "([A-Za-z0-9_-]{1,64})"\]')


def encode_cursor(row: CaseRow, now: datetime) -> str:
    """Return the cursor of the page after a case, in the order of the queue at `now`."""
    # Cursors hold a position, not an offset, so that new cases do not shift the pages.
    place = json.dumps(row.queue_position(now), default=datetime.isoformat)
    return base64.urlsafe_b64encode(place.encode()).decode()


def encode_place(before: tuple[int, str] | None) -> str | None:
    """Return the cursor of the next page of a list of all cases; None on the last page."""
    if before is None:
        return None
    place = json.dumps([-before[0], before[1]])
    return base64.urlsafe_b64encode(place.encode()).decode()


def decode_place(cursor: str | None) -> tuple[int, str] | None:
    """Return the position where a page of all cases begins, as `CaseFilter.before`.

    Raises Unprocessable for a cursor that no page returned.
    """
    if not cursor:
        return None
    try:
        place = base64.b64decode(cursor[:MAX_CURSOR_LENGTH], b"-_", validate=True).decode("ascii")
        seq, case_id = _LISTED.fullmatch(place).groups()  # type: ignore[union-attr]  # caught
        return -int(seq), case_id
    except (ValueError, AttributeError):
        fault = RequestFault("/cursor", "cursor", "want the `next` of a page")
        raise Unprocessable("this cursor did not come from a page", (fault,)) from None


def encode_seq(seq: int) -> str:
    """Return the cursor of the page of decisions before a sequence number of the log."""
    return base64.urlsafe_b64encode(str(seq).encode()).decode()


def decode_seq(cursor: str | None) -> int | None:
    """Return the sequence number of a cursor of decisions; raises Unprocessable if invalid."""
    if not cursor:
        return None
    try:
        place = base64.b64decode(cursor[:MAX_CURSOR_LENGTH], b"-_", validate=True).decode("ascii")
        if not _SEQ.fullmatch(place):
            raise ValueError
        return int(place)
    except ValueError:
        fault = RequestFault("/cursor", "cursor", "want the `next` of a page")
        raise Unprocessable("this cursor did not come from a page", (fault,)) from None


def decode_found(cursor: str | None) -> str | None:
    """Return the case after which a page of search results begins; raises Unprocessable."""
    if not cursor:
        return None
    if _FOUND.fullmatch(cursor):
        return cursor
    fault = RequestFault("/cursor", "cursor", "want the `next` of a page")
    raise Unprocessable("this cursor did not come from a page", (fault,))


def decode_cursor(cursor: str | None) -> QueuePosition | None:
    """Return the queue position of a cursor; raises Unprocessable if no page returned it."""
    if not cursor:
        return None
    try:
        place = base64.b64decode(cursor[:MAX_CURSOR_LENGTH], b"-_", validate=True).decode("ascii")
        is_over, risk, due_at, case_id = _PLACE.fullmatch(place).groups()  # type: ignore[union-attr]  # caught
        return int(is_over), float(risk), datetime.fromisoformat(due_at), case_id
    except (ValueError, AttributeError):
        fault = RequestFault("/cursor", "cursor", "want the `next` of a page")
        raise Unprocessable("this cursor did not come from a page", (fault,)) from None
