"""Pages of decisions: the newest ones, and one shown like a case."""

from dataclasses import replace

import structlog
from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.audit.decision_details import UNEXPLAINED, details_of
from serving.audit.derived_reasons import with_reasons
from serving.audit.visible_decisions import newest_visible, visible_decision
from serving.console.browser_session import TheSession
from serving.console.case_view import CaseView, is_blind_to, is_score_shown
from serving.console.csrf import SignedForm
from serving.console.forms import RefusedForm, read_form
from serving.console.justification import justification_form
from serving.console.page_scopes import MayExplainOrStudy
from serving.console.pages import PageRoute, page
from serving.console.pseudonymous_view import as_seen_by
from serving.container import Services
from serving.errors import NotFound, ReasonsUnavailable, Unprocessable
from serving.language import reading
from serving.review.acts.justifications import EvidentPurpose, Justification
from serving.review.cases.case_state import Case
from serving.review.cases.reviewer import Reviewer
from serving.review.errors import JustificationNeeded
from serving.web.services import TheServices

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/console/decisions", include_in_schema=False, route_class=PageRoute)

MAX_SHOWN = 50


@router.get("")
def newest(services: TheServices, reader: MayExplainOrStudy, session: TheSession) -> HTMLResponse:
    """Show the newest decisions that the reader may see."""
    decisions = newest_visible(services.decisions, services.masking, reader, MAX_SHOWN)
    cases = [
        _view(services, as_seen_by(reader, each, services.pseudonyms))[0] for each in decisions
    ]
    return page("decisions.html", reader=reader, session=session, cases=cases, most=MAX_SHOWN)


@router.get("/{decision_id}")
def one(
    services: TheServices, reader: MayExplainOrStudy, session: TheSession, decision_id: str
) -> HTMLResponse:
    """Show one decision like a case, and record the read with its reason.

    If a justification is needed, show the form that asks for it.
    """
    decision = visible_decision(services.decisions, services.masking, reader, decision_id)
    try:
        of_case = _read_case(services, reader, decision)
    except JustificationNeeded:
        return justification_form(session, reader, f"/console/decisions/{decision_id}", None)
    is_shown = of_case is None or is_score_shown(services, reader, of_case)
    is_blind = of_case is not None and is_blind_to(services, reader, of_case)
    shown = as_seen_by(reader, decision, services.pseudonyms)
    case, why_unexplained = _view(services, shown, is_blind=is_blind)
    details = UNEXPLAINED
    if case.is_explained:
        details = details_of(services.models, case.decision, reading().language)
    return page(
        "decision.html",
        reader=reader,
        session=session,
        case=case,
        why_unexplained=why_unexplained,
        details=details if is_shown else replace(details, missing_input_effects=None),
        is_score_shown=is_shown,
    )


def _view(
    services: Services, decision: Decision, *, is_blind: bool = False
) -> tuple[CaseView, str | None]:
    """Return a decision with its reasons; without them, and why, if its model has changed."""
    try:
        return CaseView.from_decision(
            with_reasons(services.models, decision), is_explained=True, is_blind=is_blind
        ), None
    except ReasonsUnavailable as unavailable:
        return CaseView.from_decision(decision, is_explained=False, is_blind=is_blind), str(
            unavailable
        )


@router.post("/{decision_id}/justify")
def justify_decision(
    services: TheServices,
    reader: MayExplainOrStudy,
    session: TheSession,
    form: SignedForm,
    decision_id: str,
) -> Response:
    """Record the reader's justification for reading a decision, then show it."""
    decision = visible_decision(services.decisions, services.masking, reader, decision_id)
    address = f"/console/decisions/{decision_id}"
    try:
        stated = read_form(Justification, form)
    except Unprocessable as refusal:
        refused = RefusedForm.of_error(refusal, "justify", form)
        return justification_form(session, reader, address, refused)
    services.cases.justify(
        _on_its_side(reader, decision),
        decision.case_id,
        services.clock(),
        stated.code,
        stated.text,
    )
    return RedirectResponse(address, 303)


def _read_case(services: Services, reader: Caller, decision: Decision) -> Case | None:
    """Record that the case of a decision was read, and return it; raises JustificationNeeded.

    A decision without a case, such as a release, is recorded only in the service log.
    """
    purpose: EvidentPurpose | None = None
    if decision.caller_id == reader.key_id:
        # Callers may always read what they submitted.
        purpose = "own_submission"
    elif not reader.may("explain"):
        purpose = "study"
    try:
        side = _on_its_side(reader, decision)
        return services.cases.read(side, decision.case_id, services.clock(), purpose)[1]
    except NotFound:
        log.info("decision_read", decision_id=decision.decision_id, reader=reader.name)
        return None


def _on_its_side(reader: Caller, decision: Decision) -> Reviewer:
    """Return the reader with access to the side, rescue or other, that the decision is on."""
    who = Reviewer.from_caller(reader)
    return replace(who, access=replace(who.access, is_rescue=decision.lane == "rescue"))
