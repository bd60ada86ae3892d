"""Links of a case to others, as a page and as part of the case page."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.audit.decision import Decision
from serving.console.browser_session import TheSession
from serving.console.case_view import is_blind_to
from serving.console.charts.link_graph import LinkGraph, shared_in_words
from serving.console.csrf import SignedForm
from serving.console.graph_file import case_graph_file, graph_download
from serving.console.justification import justification_form
from serving.console.page_scopes import MayReadCase, MayReview
from serving.console.pages import PageRoute, is_part_asked, page
from serving.container import Services
from serving.review.acts.assign import ASSIGN, Assignment
from serving.review.acts.bulk_acts import act_together
from serving.review.cases.case_records import CaseRow
from serving.review.cases.results import MAX_TEXT
from serving.review.cases.reviewer import Reviewer
from serving.review.errors import JustificationNeeded
from serving.scoring.earlier_finds import EarlierFind
from serving.web.services import TheServices

router = APIRouter(prefix="/console/cases", include_in_schema=False, route_class=PageRoute)


# Value of `which` that hands over the ticked cases.
CHOSEN = "chosen"
# Prefix of the names of the boxes, followed by the id of a case.
BOX = "case_"
# Neighbours of an exported graph; the page draws fewer.
MAX_EXPORTED = 150

PartyId = Annotated[str, Query(max_length=128)]
CaseId = Annotated[str, Query(max_length=64)]


@router.get("/{case_id}/links")
def show_links(
    services: TheServices,
    caller: MayReadCase,
    session: TheSession,
    request: Request,
    case_id: str,
    opened: CaseId = "",
    to: PartyId = "",
) -> Response:
    """Show the links of a case and of one `opened` neighbour, and record the read.

    With `to`, show the path to a party, container or conveyance.
    """
    reviewer = Reviewer.from_caller(caller)
    try:
        row, _ = services.cases.read(reviewer, case_id, services.clock())
    except JustificationNeeded:
        return justification_form(session, caller, f"/console/cases/{case_id}", None)
    to = to.strip()
    steps = services.case_links.path(reviewer, case_id, to) if to else None
    found = steps and [(shared_in_words(step.thing), step.case) for step in steps]
    return _links_page(
        services, caller, session, request, row, opened=opened, path_found=found, path_to=to
    )


@router.get("/{case_id}/links.graphml")
def download_links(
    services: TheServices, caller: MayReadCase, session: TheSession, case_id: str
) -> Response:
    """Return the links of a case as GraphML, and record the read."""
    reviewer = Reviewer.from_caller(caller)
    try:
        row, _ = services.cases.read(reviewer, case_id, services.clock())
    except JustificationNeeded:
        return justification_form(session, caller, f"/console/cases/{case_id}", None)
    graph = services.case_links.graph(reviewer, case_id, MAX_EXPORTED)
    return graph_download(case_graph_file(row, graph), f"links of case {case_id}")


@router.post("/{case_id}/links")
def hand_over_linked(
    services: TheServices,
    caller: MayReview,
    session: TheSession,
    request: Request,
    form: SignedForm,
    case_id: str,
) -> Response:
    """Hand linked cases to a colleague: the ticked ones, or all that share one thing."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    row, _ = services.cases.case(reviewer, case_id)
    kind, _, value = form.get("which", "").partition(" ")
    if kind == CHOSEN:
        wanted = [name.removeprefix(BOX) for name in form if name.startswith(BOX)]
    else:
        wanted = services.case_links.sharing(reviewer, case_id, kind, value)
    # Skip validation: an empty name is then refused per case, with the outcome shown for each.
    stated = ASSIGN.form_fields(form, now)
    to = Assignment.model_construct(
        to=stated.get("to"), inbox=stated.get("inbox"), text=stated["text"].strip()[:MAX_TEXT]
    )
    handed = act_together(services.cases, reviewer, now, wanted, (ASSIGN, to))
    named = to.inbox or to.to or ""
    return _links_page(services, caller, session, request, row, handed=handed, to=named)


def _links_page(
    services: Services,
    caller: Caller,
    session: Session,
    request: Request,
    row: CaseRow,
    opened: str = "",
    **told: Any,
) -> Response:
    """Return the links of a case, as a page or as the requested part."""
    links = link_graph(services, Reviewer.from_caller(caller), row, opened)
    content: dict[str, Any] = {
        "session": session,
        "row": row,
        "links": links,
        "entities": services.entities.named_by([row, *links.opened_case]),
        "colleagues": colleagues(services, caller) if caller.may("review") else [],
        "inboxes": services.cases.inboxes().for_office(row.office_id),
        **told,
    }
    if is_part_asked(request):
        return page("links.html", **content)
    return page("case_links.html", reader=caller, **content)


def finds_shown(
    services: Services, caller: Caller, decision: Decision
) -> dict[str, tuple[list[tuple[EarlierFind, str | None]], int]]:
    """Return the finds behind each feature of a decision's reasons, and the number of others.

    Each has the address of its case, or else of its decision, if there is one that the reader may
    open. A find is left out if its case hides the score until the reader has judged it.
    """
    # Readers who may not identify parties get none, since a find names another subject and a party.
    is_explained = caller.may("explain")
    found = services.earlier_finds.behind(caller, decision) if is_explained else {}
    cases, access = services.cases, Reviewer.from_caller(caller).access
    named = {find.case_id for behind in found.values() for find in behind.shown if find.case_id}
    rows = {row.case_id: row for row in cases.store.cases_of(named, access)}
    addresses = {
        each: f"/console/cases/{each}" for each, row in rows.items() if not cases.is_covered(row)
    }
    blind = {each for each, row in rows.items() if is_blind_to(services, caller, row)}
    return {
        feature: (
            [
                (find, addresses.get(find.case_id or "") or _address_of_decision(find))
                for find in behind.shown
                if find.case_id not in blind
            ],
            behind.not_shown + sum(find.case_id in blind for find in behind.shown),
        )
        for feature, behind in found.items()
    }


def _address_of_decision(find: EarlierFind) -> str | None:
    return f"/console/decisions/{find.decision_id}" if find.decision_id else None


def colleagues(services: Services, caller: Caller) -> list[str]:
    """Return the names of all other enabled accounts that may review."""
    return sorted(
        account.name
        for account in services.accounts.all()
        if account.disabled_at is None
        and account.caller().may("review")
        and account.name != caller.name
    )


def link_graph(services: Services, reviewer: Reviewer, row: CaseRow, opened: str = "") -> LinkGraph:
    """Return the links of a case, and those of `opened` if it is a neighbour."""
    links = services.case_links
    graph = links.graph(reviewer, row.case_id)
    neighbour = next((each for each in graph.neighbours if each.case.case_id == opened), None)
    if neighbour is None:
        return LinkGraph.from_graph(row, graph)
    return LinkGraph.from_graph(row, graph, (neighbour, links.graph(reviewer, opened)))
