"""What a case shares with others, as a page of its own and as a part of the case's page."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from serving.access.callers import Caller
from serving.console.browser_session import ReaderWith, TheSession
from serving.console.charts.link_graph import LinkGraph
from serving.console.justification import justification_form
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.errors import JustificationNeeded
from serving.review.case_records import CaseRecord
from serving.review.cases import Reviewer
from serving.web.services import TheServices

router = APIRouter(prefix="/console/cases", include_in_schema=False, route_class=PageRoute)

MaySeeCase = Annotated[Caller, Depends(ReaderWith("review", "audit"))]

CaseId = Annotated[str, Query(max_length=64)]


@router.get("/{case_id}/links")
def show_links(
    services: TheServices,
    caller: MaySeeCase,
    session: TheSession,
    request: Request,
    case_id: str,
    opened: CaseId = "",
) -> Response:
    """A case's links, with those of one neighbour (`opened`); that they were read is recorded."""
    reviewer = Reviewer.from_caller(caller)
    try:
        row, _ = services.cases.read(reviewer, case_id, services.clock())
    except JustificationNeeded:
        return justification_form(session, caller, f"/console/cases/{case_id}", None)
    links = link_graph(services, reviewer, row, opened)
    if "hx-request" in request.headers:
        return page("links.html", links=links)
    return page("case_links.html", reader=caller, session=session, row=row, links=links)


def link_graph(
    services: Services, reviewer: Reviewer, row: CaseRecord, opened: str = ""
) -> LinkGraph:
    """The links of a case; those of `opened` too, where that is one of its neighbours."""
    graph = services.cases.graph(reviewer, row.case_id)
    neighbour = next((each for each in graph.neighbours if each.case.case_id == opened), None)
    if neighbour is None:
        return LinkGraph.from_graph(row, graph)
    return LinkGraph.from_graph(row, graph, (neighbour, services.cases.graph(reviewer, opened)))
