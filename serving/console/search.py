"""The page of search results: cases, what matched, and where the next page begins."""

from dataclasses import dataclass
from typing import Annotated, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, field_validator
from starlette.responses import HTMLResponse

from features.records import Mode
from serving.access.callers import Caller
from serving.console.browser_session import TheSession
from serving.console.own_views import views_of
from serving.console.pages import PageRoute, page
from serving.console.readers import MayFindCases
from serving.errors import Unprocessable
from serving.explanation.formatting import readable
from serving.language import subject_named
from serving.review.cases.case_records import (
    CaseFilter,
    CaseRecord,
    CaseSearch,
    MatchedCase,
    SearchPage,
)
from serving.review.cases.case_state import Status
from serving.review.cases.reviewer import Reviewer
from serving.review.search.search_terms import LONGEST_SEARCH, SearchTerm, read_search
from serving.triage.lane_declarations import LANE_NAMES, Lane
from serving.web.queue_cursor import decode_found
from serving.web.services import TheServices

router = APIRouter(prefix="/console/search", include_in_schema=False, route_class=PageRoute)


PAGE_SIZE = 25
NOT_CLOSED: tuple[Status, ...] = tuple(each for each in get_args(Status) if each != "closed")
_IN_WORDS = {"imo_number": "IMO number", "mmsi": "MMSI"}


class SearchFilters(BaseModel):
    """The search of the reader; empty where nothing was chosen."""

    q: Annotated[str, Field(max_length=LONGEST_SEARCH)] = ""
    status: Literal["open", "closed", ""] = ""
    office: Annotated[str, Field(max_length=64)] = ""
    mode: Mode | None = None
    cursor: Annotated[str, Field(max_length=64)] = ""

    @field_validator("mode", mode="before")
    @classmethod
    def _nothing_chosen(cls, value: object) -> object:
        """Return what a form sends where nothing was chosen."""
        return None if value == "" else value

    def case_filter(self) -> CaseFilter:
        """Return which cases are wanted, as a filter of stored cases."""
        statuses = {"open": NOT_CLOSED, "closed": ("closed",)}
        return CaseFilter(
            statuses=statuses.get(self.status, ()),
            office_id=self.office or None,
            mode=self.mode,
        )

    def address(self, **changed: str) -> str:
        """The address of this search with some of it changed."""
        kept = self.model_dump(exclude_none=True, exclude={"cursor"}) | changed
        chosen = {name: value for name, value in kept.items() if value}
        return "/console/search" + (f"?{urlencode(chosen)}" if chosen else "")


@dataclass(frozen=True)
class FoundRow:
    """One case as the results show it: a control case looks like any other inspection."""

    row: CaseRecord
    title: str
    lane: str
    is_mine: bool
    matched: tuple[tuple[str, str], ...]

    @classmethod
    def from_match(cls, found: MatchedCase, caller: Caller) -> "FoundRow":
        """A case that was found, for someone; what matched has its names in words."""
        row = found.case
        lane: Lane = row.lane  # type: ignore[assignment]  # a lane, as it was stored
        return cls(
            row,
            subject_named(row.subject_kind, row.subject_id),
            LANE_NAMES[lane],
            caller.actor.is_holder(row.holder),
            tuple((names_in_words(term), term.value) for term in found.matched),
        )


def names_in_words(term: SearchTerm) -> str:
    """As what a case names an identifier: "consignee and payer"."""
    return " and ".join(_IN_WORDS.get(name) or readable(name) for name in term.names)


@router.get("")
def show_search(
    services: TheServices,
    caller: MayFindCases,
    session: TheSession,
    filters: Annotated[SearchFilters, Query()],
) -> HTMLResponse:
    """Cases that name what was searched for; the form alone where nothing was."""
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
        found=[FoundRow.from_match(each, caller) for each in found.found],
        next=found.next,
        entities={}
        if caller.may("rescue")
        else services.entities.named_by(each.case for each in found.found),
        modes=get_args(Mode),
        views=views_of(services, caller),
        pages="rescues" if caller.may("rescue") else "cases",
    )
