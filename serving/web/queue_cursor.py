"""Cursors of the review queue: where its next page begins, as opaque text."""

import base64
import binascii
import json

from serving.errors import RequestFault, Unprocessable
from serving.review.case_records import CaseRecord, QueuePosition


def encode_cursor(row: CaseRecord) -> str:
    """The cursor of the page that begins after a case."""
    place = json.dumps([row.rank, row.due_at, row.case_id])
    return base64.urlsafe_b64encode(place.encode()).decode()


def decode_cursor(cursor: str | None) -> QueuePosition | None:
    """Where a page of the queue begins; raises Unprocessable for a cursor that no page gave."""
    if cursor is None:
        return None
    try:
        rank, due_at, case_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return int(rank), str(due_at), str(case_id)
    except (ValueError, TypeError, binascii.Error):
        fault = RequestFault("/cursor", "cursor", "want the `next` of a page")
        raise Unprocessable("the cursor is none that a page gave", (fault,)) from None
