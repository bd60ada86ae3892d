"""The page of the audit log, for auditors: who read, decided, signed in or changed what."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field, field_validator
from starlette.responses import HTMLResponse

from serving.access.callers import Caller
from serving.audit.audit_log import EventFilter
from serving.console.browser_session import ReaderWith, TheSession
from serving.console.pages import PageRoute, page
from serving.web.services import TheServices

router = APIRouter(prefix="/console/audit", include_in_schema=False, route_class=PageRoute)

MayAudit = Annotated[Caller, Depends(ReaderWith("audit"))]
PAGE_SIZE = 100

_Words = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class WantedEvents(BaseModel):
    """What the reader asked for; empty where nothing was chosen."""

    actor: _Words = ""
    action: _Words = ""
    object_kind: _Words = ""
    object_id: _Words = ""
    begins: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    before: Annotated[int, Field(ge=1, lt=2**63)] | None = None

    @field_validator("begins", "ends", mode="before")
    @classmethod
    def _in_utc(cls, value: object) -> object:
        """What a form sends: nothing, or an instant without its zone, which is UTC."""
        if value == "":
            return None
        is_local = isinstance(value, str) and len(value) == len("2026-11-24T12:00")
        return f"{value}:00Z" if is_local else value

    def event_filter(self) -> EventFilter:
        """The same as the audit log understands it."""
        return EventFilter(
            actor=self.actor or None,
            action=self.action or None,
            object_kind=self.object_kind or None,
            object_id=self.object_id or None,
            begins=self.begins,
            ends=self.ends,
            before_seq=self.before,
        )

    def older(self, seq: int) -> str:
        """The address of the events before one, with the same filters."""
        kept = self.model_dump(exclude={"before"}, exclude_none=True) | {"before": seq}
        chosen = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in kept.items()
            if value
        }
        return f"/console/audit?{urlencode(chosen)}"


@router.get("")
def show_audit_events(
    services: TheServices,
    caller: MayAudit,
    session: TheSession,
    wanted: Annotated[WantedEvents, Query()],
) -> HTMLResponse:
    """The newest events that are asked for; that they were read is an event too."""
    events = services.audit_events.newest(wanted.event_filter(), PAGE_SIZE)
    is_full = len(events) == PAGE_SIZE
    return page(
        "audit_events.html",
        reader=caller,
        session=session,
        wanted=wanted,
        events=events,
        older=wanted.older(events[-1].seq) if is_full else None,
    )
