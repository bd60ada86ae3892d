"""The page of the queue: what waits, by lane, and how long is left."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, field_validator
from starlette.responses import RedirectResponse, Response

from features.records import Mode
from serving.access.callers import Caller
from serving.console.browser_session import ReaderWith, TheSession
from serving.console.csrf import SignedForm
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.errors import Conflict, PersonNeeded
from serving.review import case_rules as acts
from serving.review.case_records import MOST_COUNTED, CaseAccess, CaseRecord, QueueFilter
from serving.review.case_summary import LANE_NAMES
from serving.review.cases import Reviewer
from serving.review.shown_lanes import ShownLane, stored_lanes
from serving.triage.lane_rule import Lane
from serving.web.queue_cursor import decode_cursor, encode_cursor
from serving.web.services import TheServices

router = APIRouter(prefix="/console/queue", include_in_schema=False, route_class=PageRoute)

PAGE_SIZE = 25
SHOWN: tuple[ShownLane, ...] = get_args(ShownLane)

MaySeeQueue = Annotated[Caller, Depends(ReaderWith("review", "rescue", "audit"))]
MayReview = Annotated[Caller, Depends(ReaderWith("review", "rescue"))]


class Filters(BaseModel):
    """What the reader asked for; empty where nothing was chosen."""

    lane: ShownLane | None = None
    office: Annotated[str, Field(max_length=64)] = ""
    mode: Mode | None = None
    owner: Annotated[str, Field(pattern="^(mine|nobody|)$")] = ""
    older_than_hours: Annotated[int, Field(ge=0, le=8760)] | None = None
    cursor: Annotated[str, Field(max_length=400)] = ""

    @field_validator("lane", "mode", "older_than_hours", mode="before")
    @classmethod
    def _nothing_chosen(cls, value: object) -> object:
        """What a form sends where nothing was chosen."""
        return None if value == "" else value

    def queue_filter(self, caller: Caller, now: datetime) -> QueueFilter:
        """The same as the case book understands it."""
        before = now - timedelta(hours=self.older_than_hours) if self.older_than_hours else None
        return QueueFilter(
            now=now.isoformat(),
            lanes=stored_lanes([self.lane] if self.lane else []),
            office_id=self.office or None,
            mode=self.mode,
            owner=caller.actor.identity if self.owner == "mine" else None,
            is_unowned=self.owner == "nobody",
            opened_before=before.isoformat() if before else None,
        )

    def address(self, **changed: str) -> str:
        """The address of the queue with these filters and some changed."""
        kept = self.model_dump(exclude_none=True, exclude={"cursor"}) | changed
        chosen = {name: value for name, value in kept.items() if value}
        return "/console/queue" + (f"?{urlencode(chosen)}" if chosen else "")


@dataclass(frozen=True)
class QueueRow:
    """One case as the queue shows it; a control case looks like any other inspection."""

    row: CaseRecord
    title: str
    lane: str
    hours_left: float
    is_mine: bool

    @classmethod
    def from_case(cls, row: CaseRecord, caller: Caller, now: datetime) -> "QueueRow":
        """A case, seen by someone at an instant."""
        left = datetime.fromisoformat(row.due_at) - now
        lane: Lane = row.lane  # type: ignore[assignment]  # a lane, as it was stored
        return cls(
            row,
            f"{row.subject_kind.capitalize()} {row.subject_id}",
            LANE_NAMES[lane],
            left / timedelta(hours=1),
            caller.actor.is_holder(row.holder),
        )


@router.get("")
def show_queue(
    services: TheServices,
    caller: MaySeeQueue,
    session: TheSession,
    filters: Annotated[Filters, Query()],
) -> Response:
    """The cases that wait; whoever helps has a board of incidents instead."""
    if caller.may("rescue"):
        return RedirectResponse("/console/rescues", 303)
    now = services.clock()
    reviewer = Reviewer.from_caller(caller)
    rows = services.cases.queue(
        reviewer,
        filters.queue_filter(caller, now),
        decode_cursor(filters.cursor or None),
        PAGE_SIZE,
    )
    return page(
        "queue.html",
        reader=caller,
        session=session,
        filters=filters,
        waiting=[QueueRow.from_case(row, caller, now) for row in rows],
        most_counted=MOST_COUNTED,
        counts=_counts(services, reviewer.access, now),
        next=encode_cursor(rows[-1], now) if len(rows) == PAGE_SIZE else None,
        modes=get_args(Mode),
        pages=_pages(caller),
    )


@router.post("/next")
def take_next(services: TheServices, caller: MayReview, form: SignedForm) -> Response:
    """Claim the most urgent case that nobody has, and open it."""
    now = services.clock()
    reviewer = Reviewer.from_caller(caller)
    queue_filter = QueueFilter(now=now.isoformat(), is_unowned=True)
    for row in services.cases.queue(reviewer, queue_filter, None, PAGE_SIZE):
        try:
            services.cases.act(
                reviewer, row.case_id, lambda case: acts.claim(case, caller.actor, now)
            )
        except (Conflict, PersonNeeded):  # another took it meanwhile, or must judge it
            continue
        return RedirectResponse(f"/console/{_pages(caller)}/{row.case_id}", 303)
    return RedirectResponse("/console/queue", 303)


def _pages(caller: Caller) -> str:
    """Where the caller's cases have their pages."""
    return "rescues" if caller.may("rescue") else "cases"


def _counts(services: Services, access: CaseAccess, now: datetime) -> dict[str, tuple[str, int]]:
    """How many wait in each lane that is shown, with its name."""
    counts = services.cases.counts(access, now)
    inspections = min(counts.get("inspect", 0) + counts.pop("control", 0), MOST_COUNTED)
    shown = counts | {"inspect": inspections}
    own = (lane for lane in SHOWN if (lane == "rescue") == access.is_rescue)
    return {lane: (LANE_NAMES[lane], shown.get(lane, 0)) for lane in own}
