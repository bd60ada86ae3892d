"""What is done with the cases that were chosen in the list: each by itself, and each is told of."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from serving.console.browser_session import TheSession
from serving.console.case_assignments import assign_as_written
from serving.console.case_tags import read_tagging
from serving.console.csrf import SignedForm
from serving.console.pages import PageRoute, is_part_asked, page
from serving.console.queue import TheFilters, list_content
from serving.console.readers import MayReview
from serving.container import Services
from serving.errors import Unprocessable
from serving.language import say, subject_named
from serving.review.acts import owner_rules
from serving.review.acts.bulk_acts import BulkAct, act_together
from serving.review.acts.owner_rules import LONGEST_WAIT
from serving.review.acts.tags import tag_case
from serving.review.cases.results import LONGEST_TEXT
from serving.review.cases.reviewer import Reviewer
from serving.web.services import TheServices

router = APIRouter(prefix="/console/queue", include_in_schema=False, route_class=PageRoute)


BOX = "case_"
"""What the names of the boxes begin with that each stand for a case."""

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
    """Do with each chosen case what a button says, and show the list with what came of it."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    chosen = [name.removeprefix(BOX) for name in form if name.startswith(BOX)]
    told: dict[str, Any] = {}
    try:
        if not chosen:
            raise Unprocessable("choose one case or more")
        act = _act(services, reviewer, form, now)
        told = _told(services, reviewer, form["act"], act_together(chosen, act))
    except Unprocessable as refusal:
        told = {"not_done": str(refusal)}
    content = list_content(services, caller, filters, now)
    template = "case_list.html" if is_part_asked(request) else "queue.html"
    return page(template, reader=caller, session=session, **content, **told)


def _act(
    services: Services, reviewer: Reviewer, form: dict[str, str], now: datetime
) -> Callable[[str], object]:
    """What a form asks to be done with a case; raises Unprocessable before anything is done."""
    act, actor, cases = form.get("act"), reviewer.actor, services.cases
    if act == "claim":
        return lambda case_id: cases.act(
            reviewer, case_id, lambda case: owner_rules.claim(case, actor, now)
        )
    if act == "give_back":
        return lambda case_id: cases.act(
            reviewer, case_id, lambda case: owner_rules.give_back(case, actor, now)
        )
    if act == "assign":
        if not form.get("to"):
            raise Unprocessable("choose to whom, or to which inbox")
        return lambda case_id: assign_as_written(services, reviewer, case_id, form)
    if act == "wait":
        until, words = now + _hours(form), form.get("text", "")[:LONGEST_TEXT]
        return lambda case_id: cases.act(
            reviewer,
            case_id,
            lambda case: owner_rules.take_and_wait(case, actor, now, until, "other", words),
        )
    if act in ("tag", "untag"):
        tagging = read_tagging({"add" if act == "tag" else "remove": form.get("tag", "")})
        return lambda case_id: tag_case(cases, reviewer, case_id, now, tagging)
    raise Unprocessable("choose what is to be done")


def _hours(form: dict[str, str]) -> timedelta:
    hours = form.get("hours", "")
    is_number = hours.isdecimal() and len(hours) <= 5
    if not is_number or not 0 < int(hours) <= LONGEST_WAIT / timedelta(hours=1):
        raise Unprocessable(
            say("say in how many hours, at most {days} days", days=LONGEST_WAIT.days)
        )
    return timedelta(hours=int(hours))


def _told(services: Services, reviewer: Reviewer, act: str, acted: BulkAct) -> dict[str, Any]:
    """What came of it: how many were done, and each that was not, by name, with why."""
    rows = services.cases.rows_of(reviewer, [case_id for case_id, _ in acted.refused])
    names = {row.case_id: subject_named(row.subject_kind, row.subject_id) for row in rows}
    refused = [(case_id, names.get(case_id, say("A case")), why) for case_id, why in acted.refused]
    return {"done_words": DONE_WORDS[act], "done_count": len(acted.done), "refused": refused}
