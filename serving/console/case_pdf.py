"""Case as PDF, for files and courts; each download is an event of the case."""

from fastapi import APIRouter
from starlette.responses import Response

from serving.access.callers import Caller
from serving.console.amended_declaration import amended_declaration
from serving.console.browser_session import TheSession
from serving.console.case_page import headline_of
from serving.console.case_view import CaseView, events_shown, is_blind_to, is_score_shown
from serving.console.charts.case_pictures import CasePictures
from serving.console.justification import justification_form
from serving.console.page_scopes import MayReadCase
from serving.console.pages import PageRoute
from serving.container import Services
from serving.integrity.hash_chain import EMPTY
from serving.language import ENGLISH, begin_locale
from serving.review.cases.case_records import CaseRow
from serving.review.cases.case_state import Case
from serving.review.cases.reviewer import Reviewer
from serving.review.errors import JustificationNeeded
from serving.scoring.enrichment import as_scored
from serving.web.downloads import download_headers
from serving.web.services import TheServices

router = APIRouter(prefix="/console/cases", include_in_schema=False, route_class=PageRoute)


@router.get("/{case_id}/case.pdf")
def download_case(
    services: TheServices, caller: MayReadCase, session: TheSession, case_id: str
) -> Response:
    """Return the content of the case page as PDF, with its digest and position in the log."""
    reviewer = Reviewer.from_caller(caller)
    try:
        row, case = services.cases.read(reviewer, case_id, services.clock())
    except JustificationNeeded:
        return justification_form(session, caller, f"/console/cases/{case_id}", None)
    return as_pdf(_paper_of(services, caller, row, case), f"case {case_id}")


def _paper_of(services: Services, caller: Caller, row: CaseRow, case: Case) -> bytes:
    from serving.console.papers.case_paper import PrintedCase, case_paper

    # Fixed language: the same state of a case must give the same bytes for every reader.
    begin_locale(ENGLISH)
    decision = services.cases.decision(row.case_id)
    submission = as_scored(decision, services.records)
    is_blind = is_blind_to(services, caller, case)
    events = services.cases.history(Reviewer.from_caller(caller), row)
    printed = PrintedCase(
        row=row,
        headline=headline_of(row, submission, is_masked=services.cases.is_masked(row)),
        state=case,
        view=CaseView.from_decision(
            decision,
            is_explained=caller.may("explain"),
            is_blind=is_blind,
        ),
        amended=amended_declaration(services, row, submission, services.clock()),
        pictures=CasePictures.from_submission(submission, decision.scored_at),
        events=tuple(events_shown(events, is_blind=is_blind)),
        files=tuple(services.cases.attached(row)),
        proof=services.decisions.place(decision.decision_id) or EMPTY,
        is_score_shown=is_score_shown(services, caller, case),
        is_live=services.settings.is_live,
    )
    return case_paper(printed)


def as_pdf(content: bytes, name: str) -> Response:
    """Return a PDF as a download with this name."""
    headers = download_headers(f"{name}.pdf")
    return Response(content, headers=headers, media_type="application/pdf")
