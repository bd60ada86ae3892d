"""Cursors of the review queue: where its next page begins, as opaque text."""

import base64
import json
import re
from datetime import datetime

from serving.errors import RequestFault, Unprocessable
from serving.review.case_records import CaseRecord, QueuePosition

LONGEST_CURSOR = 400  # characters
_PLACE = re.compile(r'\[(\d{1,9}), "([0-9T:.+-]{1,40})", "([A-Za-z0-9_-]{1,64})"\]')


def encode_cursor(row: CaseRecord) -> str:
    """The cursor of the page that begins after a case."""
    place = json.dumps([row.rank, row.due_at, row.case_id])
    return base64.urlsafe_b64encode(place.encode()).decode()


def decode_cursor(cursor: str | None) -> QueuePosition | None:
    """Where a page of the queue begins; raises Unprocessable for a cursor that no page gave."""
    if cursor is None:
        return None
    try:
        place = base64.b64decode(cursor[:LONGEST_CURSOR], b"-_", validate=True).decode("ascii")
        rank, due_at, case_id = _PLACE.fullmatch(place).groups()  # type: ignore[union-attr]  # caught
        datetime.fromisoformat(due_at)
        return int(rank), due_at, case_id
    except (ValueError, AttributeError):
        fault = RequestFault("/cursor", "cursor", "want the `next` of a page")
        raise Unprocessable("the cursor is none that a page gave", (fault,)) from None
