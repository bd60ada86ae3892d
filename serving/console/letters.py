"""Letters of a case: written by one reviewer, then released by another, or deferred."""

from datetime import datetime, timedelta
from typing import Annotated, get_args

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.audit.decision import Decision
from serving.console.browser_session import RequireRecentProof, TheSession
from serving.console.csrf import SignedForm
from serving.console.forms import RefusedForm, read_form, revision_shown
from serving.console.page_scopes import MayReview
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.errors import Conflict, NotFound, PersonNeeded, Unprocessable
from serving.language import reading, say
from serving.review.acts.act_declaration import Words
from serving.review.cases.case_state import Case
from serving.review.cases.reviewer import Reviewer
from serving.review.letters.case_letters import AUDIENCES, GROUNDS, Audience, DeferralGround
from serving.review.letters.letter_rules import require_letter_due
from serving.review.letters.letter_text import sections_of
from serving.web.bodies import ClosedModel
from serving.web.languages import known_languages
from serving.web.services import TheServices

router = APIRouter(prefix="/console/cases", include_in_schema=False, route_class=PageRoute)


class LetterForm(ClosedModel):
    """Addressee of a letter to write or release, with its purpose."""

    audience: Audience
    text: Words


class DeferralForm(ClosedModel):
    """Reason and duration of a deferral."""

    ground: DeferralGround
    days: Annotated[int, Field(ge=1, le=366)]
    text: Words


@router.get("/{case_id}/letter")
def show_letters(
    services: TheServices, caller: MayReview, session: TheSession, case_id: str
) -> HTMLResponse:
    """Show the letters of a case and what can be done now, and record the read."""
    return letters_page(services, caller, session, case_id)


@router.get("/{case_id}/letter/{audience}")
def print_letter(
    services: TheServices,
    caller: MayReview,
    case_id: str,
    audience: str,
    language: Annotated[str, Query(max_length=16)] = "",
) -> HTMLResponse:
    """Show the newest letter to a party, to check before release and to print after.

    It is in `language` if given, else in the reader's. It reveals which facts counted and how much,
    so it requires the scope `explain`.
    """
    caller.require("explain")
    if audience not in AUDIENCES:
        raise NotFound(say("a letter is to one of {audiences}", audiences=", ".join(AUDIENCES)))
    reviewer = Reviewer.from_caller(caller)
    reading().language = known_languages(services).get(language, reading().language)
    kept, letter = services.letters.read(reviewer, case_id, audience, services.clock())
    sections = sections_of(letter)
    return page("letter.html", kept=kept, letter=letter, sections=sections)


@router.post("/{case_id}/letter/{step}")
def act_on_letter(
    services: TheServices,
    caller: MayReview,
    session: TheSession,
    require_recent_proof: RequireRecentProof,
    form: SignedForm,
    case_id: str,
    step: str,
) -> Response:
    """Write, release or defer a letter, or confirm a deferral; a refusal is shown on the page."""
    if step in ("release", "confirm"):
        # These are acts of the second of two people.
        require_recent_proof()
    read = services.as_read(revision_shown(form))
    try:
        _act(read, Reviewer.from_caller(caller), case_id, step, form)
    except (Conflict, PersonNeeded, Unprocessable) as refusal:
        refused = RefusedForm.of_error(refusal, step, form)
        return letters_page(services, caller, session, case_id, refused)
    return RedirectResponse(f"/console/cases/{case_id}/letter", 303)


def _act(
    services: Services, reviewer: Reviewer, case_id: str, step: str, form: dict[str, str]
) -> None:
    letters, now = services.letters, services.clock()
    if step == "write":
        body = read_form(LetterForm, form)
        letters.write(reviewer, case_id, now, body.audience, body.text)
    elif step == "release":
        body = read_form(LetterForm, form)
        letters.release(reviewer, case_id, now, body.audience, body.text)
    elif step == "defer":
        wait = read_form(DeferralForm, form)
        until = now + timedelta(days=wait.days)
        letters.defer(reviewer, case_id, now, wait.ground, until, wait.text)
    elif step == "confirm":
        letters.confirm(reviewer, case_id, now)
    else:
        raise NotFound("there is no such act")


def letters_page(
    services: Services,
    caller: Caller,
    session: Session,
    case_id: str,
    refused: RefusedForm | None = None,
) -> HTMLResponse:
    """Return the page of a case's letters, with a refusal if any, and record the read."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    # Read the revision first: changes made from here on then conflict with forms of this page.
    revision = services.cases.revision(case_id)
    row, case = services.cases.read(reviewer, case_id, now, "letter")
    decision = services.cases.decision(case_id)
    return page(
        "letters.html",
        status=200 if refused is None else refused.status,
        reader=caller,
        session=session,
        row=row,
        state=case,
        revision=revision,
        refused=refused,
        not_due=_why_not_due(case, decision, now),
        is_masked=services.cases.is_masked(row),
        is_deferred=case.deferral is not None and now < case.deferral.ends_at,
        languages=known_languages(services),
        audiences=("carrier",) if decision.subject_kind == "route" else AUDIENCES,
        grounds=[(ground, GROUNDS[ground]) for ground in get_args(DeferralGround)],
    )


def _why_not_due(case: Case, decision: Decision, now: datetime) -> str | None:
    """Return why no letter may be written now; None if one may."""
    try:
        require_letter_due(case, decision.lane_reason, now)
    except Conflict as refusal:
        return str(refusal)
    return None
