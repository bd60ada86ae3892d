"""Page of search results: cases, the matched identifiers, and the next page."""

from dataclasses import dataclass
from typing import Annotated, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, field_validator
from starlette.responses import HTMLResponse

from features.records import Mode
from serving.access.callers import Caller
from serving.console.browser_session import TheSession
from serving.console.case_view import HIDDEN_LANE, is_blind_to
from serving.console.own_views import views_of
from serving.console.page_scopes import MayFindCases
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.errors import Unprocessable
from serving.explanation.formatting import readable
from serving.language import subject_named
from serving.review.cases.case_records import (
    CaseFilter,
    CaseRow,
    CaseSearch,
    MatchedCase,
    SearchPage,
)
from serving.review.cases.case_state import Status
from serving.review.cases.reviewer import Reviewer
from serving.review.search.search_terms import MAX_SEARCH_LENGTH, SearchTerm, read_search
from serving.triage.lane_declarations import LANE_NAMES, Lane
from serving.web.queue_cursor import decode_found
from serving.web.services import TheServices

router = APIRouter(prefix="/console/search", include_in_schema=False, route_class=PageRoute)


PAGE_SIZE = 25
NOT_CLOSED: tuple[Status, ...] = tuple(each for each in get_args(Status) if each != "closed")
_IN_WORDS = {"imo_number": "IMO number", "mmsi": "MMSI"}


class SearchFilters(BaseModel):
    """Search that the reader asked for; empty values do not filter."""

    q: Annotated[str, Field(max_length=MAX_SEARCH_LENGTH)] = ""
    status: Literal["open", "closed", ""] = ""
    office: Annotated[str, Field(max_length=64)] = ""
    mode: Mode | None = None
    cursor: Annotated[str, Field(max_length=64)] = ""

    @field_validator("mode", mode="before")
    @classmethod
    def _nothing_chosen(cls, value: object) -> object:
        """Convert the empty text that a form sends for no choice."""
        return None if value == "" else value

    def case_filter(self) -> CaseFilter:
        """Return the search as a filter of stored cases."""
        statuses = {"open": NOT_CLOSED, "closed": ("closed",)}
        return CaseFilter(
            statuses=statuses.get(self.status, ()),
            office_id=self.office or None,
            mode=self.mode,
        )

    def address(self, **changed: str) -> str:
        """Return the address of this search with changes."""
        kept = self.model_dump(exclude_none=True, exclude={"cursor"}) | changed
        chosen = {name: value for name, value in kept.items() if value}
        return "/console/search" + (f"?{urlencode(chosen)}" if chosen else "")


@dataclass(frozen=True)
class FoundRow:
    """One result; a case drawn at random looks like any other inspection."""

    row: CaseRow
    title: str
    lane: str
    is_mine: bool
    matched: tuple[tuple[str, str], ...]

    @classmethod
    def from_match(cls, found: MatchedCase, services: Services, caller: Caller) -> "FoundRow":
        """Return the row of a found case, with the roles of what matched."""
        row = found.case
        lane: Lane = row.lane  # type: ignore[assignment]  # a lane, as it was stored
        return cls(
            row,
            subject_named(row.subject_kind, row.subject_id),
            HIDDEN_LANE if is_blind_to(services, caller, row) else LANE_NAMES[lane],
            caller.actor.is_holder(row.holder),
            tuple((names_in_words(term), term.value) for term in found.matched),
        )


def names_in_words(term: SearchTerm) -> str:
    """Return the roles in which a case names an identifier, as in "consignee and payer"."""
    return " and ".join(_IN_WORDS.get(name) or readable(name) for name in term.names)


@router.get("")
def show_search(
    services: TheServices,
    caller: MayFindCases,
    session: TheSession,
    filters: Annotated[SearchFilters, Query()],
) -> HTMLResponse:
    """Show the cases that match the search; only the form without one."""
    refusal, found = None, SearchPage((), None)
    if filters.q:
        try:
            asked = CaseSearch(read_search(filters.q), filters.case_filter())
            found = services.cases.search(
                Reviewer.from_caller(caller), asked, decode_found(filters.cursor or None), PAGE_SIZE
            )
        except Unprocessable as error:
            refusal = error
    return page(
        "search.html",
        status=refusal.status if refusal else 200,
        reader=caller,
        session=session,
        filters=filters,
        refusal=refusal,
        found=[FoundRow.from_match(each, services, caller) for each in found.found],
        next=found.next,
        entities={}
        if caller.may("rescue")
        else services.entities.named_by(each.case for each in found.found),
        modes=get_args(Mode),
        views=views_of(services, caller),
        pages="rescues" if caller.may("rescue") else "cases",
    )
