"""Bulk acts on the cases chosen in the list, with the outcome for each."""

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from serving.console.browser_session import TheSession
from serving.console.csrf import SignedForm
from serving.console.forms import read_form
from serving.console.page_scopes import MayReview
from serving.console.pages import PageRoute, is_part_asked, page
from serving.console.queue import TheFilters, list_content
from serving.container import Services
from serving.errors import Unprocessable
from serving.language import say, subject_named
from serving.review.acts.assign import ASSIGN, Assignment
from serving.review.acts.bulk_acts import BulkAct, ChosenAct, act_together, wait_together
from serving.review.acts.claim import CLAIM
from serving.review.acts.give_back import GIVE_BACK
from serving.review.acts.tag import TAG, Tagging, TaggingBody
from serving.review.acts.wait import MAX_CASE_WAIT
from serving.review.cases.results import MAX_TEXT
from serving.review.cases.reviewer import Reviewer
from serving.web.services import TheServices

router = APIRouter(prefix="/console/queue", include_in_schema=False, route_class=PageRoute)


# Prefix of the names of the boxes, followed by the id of a case.
BOX = "case_"

DONE_WORDS = {
    "claim": "assigned to you",
    "assign": "handed over",
    "give_back": "given back",
    "wait": "laid aside",
    "tag": "tagged",
    "untag": "without the tag now",
}


@router.post("/together")
def act_on_chosen(
    services: TheServices,
    caller: MayReview,
    session: TheSession,
    request: Request,
    filters: TheFilters,
    form: SignedForm,
) -> Response:
    """Carry out one act on all chosen cases, and show the list with the outcome."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    # Boxes have names of their own, because a form's fields keep only one value each.
    chosen = [name.removeprefix(BOX) for name in form if name.startswith(BOX)]
    told: dict[str, Any] = {}
    try:
        if not chosen:
            raise Unprocessable("choose one case or more")
        acted = act_together(services.cases, reviewer, now, chosen, _chosen_act(form, now))
        told = _outcome(services, reviewer, form["act"], acted)
    # Show the list again with the reason: the reader's filters stay.
    except Unprocessable as refusal:
        told = {"not_done": str(refusal)}
    content = list_content(services, caller, filters, now)
    template = "case_list.html" if is_part_asked(request) else "queue.html"
    return page(template, reader=caller, session=session, **content, **told)


def _chosen_act(form: dict[str, str], now: datetime) -> ChosenAct:
    """Return the act of a form with its input; raises Unprocessable before anything is changed."""
    act = form.get("act")
    if act == "claim":
        return CLAIM, None
    if act == "give_back":
        return GIVE_BACK, None
    if act == "assign":
        if not form.get("to"):
            raise Unprocessable("choose to whom, or to which inbox")
        return ASSIGN, read_form(Assignment, ASSIGN.form_fields(form, now))
    if act == "wait":
        return wait_together(now + _hours(form), form.get("text", "")[:MAX_TEXT])
    if act in ("tag", "untag"):
        tags = TAG.form_fields({"add" if act == "tag" else "remove": form.get("tag", "")}, now)
        Tagging.from_texts(**tags)
        return TAG, read_form(TaggingBody, tags)
    raise Unprocessable("choose an act")


def _hours(form: dict[str, str]) -> timedelta:
    hours = form.get("hours", "")
    is_number = hours.isdecimal() and len(hours) <= 5
    if not is_number or not 0 < int(hours) <= MAX_CASE_WAIT / timedelta(hours=1):
        raise Unprocessable(
            say("say in how many hours, at most {days} days", days=MAX_CASE_WAIT.days)
        )
    return timedelta(hours=int(hours))


def _outcome(services: Services, reviewer: Reviewer, act: str, acted: BulkAct) -> dict[str, Any]:
    """Return how many cases were changed, and each refused case with the reason."""
    rows = services.cases.rows_of(reviewer, [case_id for case_id, _ in acted.refused])
    names = {row.case_id: subject_named(row.subject_kind, row.subject_id) for row in rows}
    refused = [(case_id, names.get(case_id, say("A case")), why) for case_id, why in acted.refused]
    return {"done_words": DONE_WORDS[act], "done_count": len(acted.done), "refused": refused}
