"""List of received standard messages, for supervisors and auditors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, field_validator
from starlette.responses import HTMLResponse

from features.messages.formats import FORMATS
from serving.access.acting import add_audit_details
from serving.console.browser_session import TheSession
from serving.console.page_scopes import MaySupervise
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.history.kept_messages import KeptMessage
from serving.review.cases.case_records import CaseRow
from serving.review.cases.message_list import ListedMessage, MessageFilter
from serving.review.cases.reviewer import Reviewer
from serving.web.services import TheServices

router = APIRouter(prefix="/console/messages", include_in_schema=False, route_class=PageRoute)

PAGE_SIZE = 25
# Cases listed per message; further ones are only counted.
MAX_CASES = 5


class WantedMessages(BaseModel):
    """Filters that the reader chose; empty values do not filter."""

    format: Annotated[str, Field(max_length=20)] = ""
    subject_id: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")] = ""
    before: Annotated[str, Field(max_length=120, pattern=r"^([0-9T:.+-]+/[0-9a-f-]+)?$")] = ""

    @field_validator("format")
    @classmethod
    def _name_a_format(cls, name: str) -> str:
        if name and name not in FORMATS:
            raise ValueError(f"want one of {', '.join(FORMATS)}")
        return name

    @property
    def message_filter(self) -> MessageFilter:
        """Filter in the form of the message list."""
        received_at, _, message_id = self.before.partition("/")
        return MessageFilter(
            format=self.format or None,
            subject_id=self.subject_id.strip() or None,
            before=(received_at, message_id) if message_id else None,
        )

    def address(self, before: tuple[str, str] | None = None) -> str:
        """Return the address of a page with the same filters."""
        kept = self.model_dump(exclude={"before"}) | {"before": "/".join(before or ())}
        chosen = {name: value for name, value in kept.items() if value}
        return "/console/messages" + (f"?{urlencode(chosen)}" if chosen else "")


@dataclass(frozen=True)
class MessageRow:
    """Row of a message: its sender's key or token, and its first cases."""

    message: KeptMessage
    sender: str
    cases: Sequence[CaseRow]
    more_cases: int

    @classmethod
    def from_listed(cls, listed: ListedMessage, services: Services) -> "MessageRow":
        """Return the row of a message."""
        caller_id = listed.message.caller_id
        key = None if ":" in caller_id else services.api_keys.find(caller_id)
        return cls(
            listed.message,
            caller_id if key is None else key.name,
            listed.cases[:MAX_CASES],
            max(len(listed.cases) - MAX_CASES, 0),
        )


@router.get("")
def show_messages(
    services: TheServices,
    caller: MaySupervise,
    session: TheSession,
    wanted: Annotated[WantedMessages, Query()],
) -> HTMLResponse:
    """Show the newest messages with visible cases; without an office limit, all messages."""
    reviewer = Reviewer.from_caller(caller)
    listed, older = services.message_list.page(reviewer, wanted.message_filter, PAGE_SIZE)
    # The audit event lists exactly the messages shown.
    add_audit_details(messages=[each.message.message_id for each in listed])
    return page(
        "messages.html",
        reader=caller,
        session=session,
        wanted=wanted,
        formats=list(FORMATS),
        rows=[MessageRow.from_listed(each, services) for each in listed],
        older=None if older is None else wanted.address(older),
    )
