"""What TAXII answers with: collections, filters, envelopes and their headers."""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query

from serving.errors import NotFound
from serving.exchange.exchanged_objects import stix_time
from serving.storage.repositories.exchange_repository import Sending

INBOX = str(uuid.uuid5(uuid.NAMESPACE_URL, "tidegate exchange inbox"))
OUTBOX = str(uuid.uuid5(uuid.NAMESPACE_URL, "tidegate exchange outbox"))

STIX_MEDIA_TYPE = "application/stix+json;version=2.1"
MAX_OBJECTS = 100


class Page:
    """The filters of a reading, as TAXII names them."""

    def __init__(
        self,
        limit: Annotated[int, Query(ge=1)] = MAX_OBJECTS,
        next_place: Annotated[int, Query(alias="next", ge=0)] = 0,
        added_after: str = "",
        match_id: Annotated[str, Query(alias="match[id]")] = "",
        match_type: Annotated[str, Query(alias="match[type]")] = "",
    ):
        self.limit, self.after, self.added_after = min(limit, MAX_OBJECTS), next_place, added_after
        self.ids = set(filter(None, match_id.split(",")))
        self.types = set(filter(None, match_type.split(",")))

    def has(self, sending: Sending) -> bool:
        """Return whether a sending passes the filters."""
        stix_type = sending.object_id.partition("--")[0]
        added = stix_time(sending.approved_at or sending.proposed_at)
        return (
            (not self.ids or sending.object_id in self.ids)
            and (not self.types or stix_type in self.types)
            and added > self.added_after
        )


Found = list[tuple[Sending, Mapping[str, Any]]]


def collection(collection_id: str) -> dict[str, Any]:
    """Return a collection; raise NotFound."""
    if collection_id not in (INBOX, OUTBOX):
        raise NotFound("there is no such collection")
    is_inbox = collection_id == INBOX
    return {
        "id": collection_id,
        "title": "inbox" if is_inbox else "outbox",
        "can_read": not is_inbox,
        "can_write": is_inbox,
        "media_types": [STIX_MEDIA_TYPE],
    }


def envelope(objects: list[Any], found: Found, more: bool) -> dict[str, Any]:
    """Return the envelope of a page."""
    rest = {"more": True, "next": str(found[-1][0].place)} if more else {}
    return {**rest, "objects": objects} if objects else {}


def date_headers(found: Found) -> dict[str, str]:
    """Return the headers that say when the first and last of a page were added."""
    if not found:
        return {}
    first, last = found[0][0], found[-1][0]
    return {
        "X-TAXII-Date-Added-First": stix_time(first.approved_at or first.proposed_at),
        "X-TAXII-Date-Added-Last": stix_time(last.approved_at or last.proposed_at),
    }
