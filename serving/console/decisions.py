"""Pages of decisions: the newest ones, and one shown like a case."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, field_validator
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.audit.decision_details import UNEXPLAINED, details_of
from serving.audit.derived_reasons import with_reasons
from serving.audit.logged_decision import CaseOfDecision, DecisionFilter
from serving.audit.visible_decisions import studied_page, visible_decision
from serving.console.browser_session import TheSession
from serving.console.case_links import finds_shown
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
from serving.scoring.enrichment import as_scored
from serving.triage.lane_declarations import LANE_NAMES, shown_score_lane, stored_lanes
from serving.web.queue_cursor import decode_seq, encode_seq
from serving.web.services import TheServices

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/console/decisions", include_in_schema=False, route_class=PageRoute)

MAX_SHOWN = 50


class WantedDecisions(BaseModel):
    """Filters that the reader chose; empty values do not filter."""

    subject: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""
    lane: Annotated[str, Field(max_length=40, pattern="^[a-z_]*$")] = ""
    office: Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")] = ""
    case: CaseOfDecision | None = None
    model: Annotated[str, Field(max_length=9, pattern="^[0-9]*$")] = ""
    first: date | None = None
    last: date | None = None
    cursor: Annotated[str, Field(max_length=64)] = ""

    @field_validator("case", "first", "last", mode="before")
    @classmethod
    def _nothing_chosen(cls, value: object) -> object:
        """Convert the empty text that a form sends for no choice."""
        return None if value == "" else value

    def decision_filter(self) -> DecisionFilter:
        """Return the filters of stored decisions; random checks are among the inspections."""
        day_after = self.last and self.last < date.max and self.last + timedelta(days=1)
        return DecisionFilter(
            subject_id=self.subject or None,
            lanes=stored_lanes([self.lane]) if self.lane else (),  # type: ignore[list-item]  # as sent
            office_id=self.office or None,
            begins=self.first.isoformat() if self.first else None,
            ends=day_after.isoformat() if day_after else None,
            case=self.case,
            model=self.model or None,
        )

    @property
    def is_filtered(self) -> bool:
        """Return whether anything was chosen."""
        return self.decision_filter() != DecisionFilter()

    def address(self, **changed: str) -> str:
        """Return the address of the page with the same filters and some changed."""
        kept = self.model_dump(mode="json", exclude_none=True, exclude={"cursor"}) | changed
        chosen = {name: value for name, value in kept.items() if value}
        return "/console/decisions" + (f"?{urlencode(chosen)}" if chosen else "")


@router.get("")
def list_newest(
    services: TheServices,
    reader: MayExplainOrStudy,
    session: TheSession,
    wanted: Annotated[WantedDecisions, Query()],
) -> HTMLResponse:
    """Show the newest decisions that match and that the reader may see."""
    decisions, before = studied_page(
        services.decisions,
        services.masking,
        reader,
        wanted.decision_filter(),
        decode_seq(wanted.cursor or None),
        MAX_SHOWN,
    )
    cases = []
    for each in decisions:
        is_blind = _is_blind(services, reader, each)
        # In a list of one lane, a row would tell the lane.
        if not (is_blind and wanted.lane):
            shown = as_seen_by(reader, each, services.pseudonyms)
            cases.append(_view(services, shown, is_blind=is_blind)[0])
    return page(
        "decisions.html",
        reader=reader,
        session=session,
        cases=cases,
        wanted=wanted,
        older=None if before is None else wanted.address(cursor=encode_seq(before)),
        lanes={
            lane: name
            for lane, name in LANE_NAMES.items()
            if shown_score_lane(lane) == lane and (lane != "rescue" or reader.may("audit"))
        },
        offices=sorted(reader.offices or services.cases.known_offices()),
    )


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
        submission = as_scored(case.decision, services.records)
        details = details_of(services.models, case.decision, submission, reading().language)
    return page(
        "decision.html",
        reader=reader,
        session=session,
        case=case,
        why_unexplained=why_unexplained,
        details=details if is_shown else replace(details, missing_input_effects=None),
        finds=finds_shown(services, reader, case.decision) if case.has_reasons else {},
        is_score_shown=is_shown,
    )


def _is_blind(services: Services, reader: Caller, decision: Decision) -> bool:
    """Return whether the reader has yet to judge the case of a decision blind."""
    if not services.cases.is_blind(decision.case_id):
        return False
    try:
        row, _ = services.cases.case(_on_its_side(reader, decision), decision.case_id)
    except NotFound:
        return False
    return is_blind_to(services, reader, row)


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
