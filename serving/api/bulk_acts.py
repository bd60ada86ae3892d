"""`POST /v1/bulk-acts`: the same done with several cases, each by an act of its own."""

from fastapi import APIRouter
from pydantic import BaseModel

from serving.api.openapi import problems
from serving.review.acts import owner_rules
from serving.review.acts.bulk_acts import act_together
from serving.review.acts.tags import tag_case
from serving.review.cases.reviewer import Reviewer
from serving.web.assignments import assign_as_asked
from serving.web.authentication import MayReviewOrRescue
from serving.web.caller_first import CallerFirst
from serving.web.case_bodies import BulkActBody
from serving.web.services import TheServices

router = APIRouter(prefix="/v1", tags=["review"], route_class=CallerFirst)


class RefusedCase(BaseModel):
    """A case with which nothing was done, and why."""

    case_id: str
    detail: str


class BulkAnswer(BaseModel):
    """With which cases it was done, each by an act of its own, and with which not."""

    done: list[str]
    refused: list[RefusedCase]


@router.post("/bulk-acts", responses=problems(s422="The body is refused."))
def act_on_several(
    services: TheServices, caller: MayReviewOrRescue, body: BulkActBody
) -> BulkAnswer:
    """Do the same with several cases: give them to somebody or back, let them wait, tag them.

    The answer says for each what happened; a case that another has by now is refused, and the
    others are not. What is final, as an order or a result, is for one case at a time.
    """
    reviewer, at = Reviewer.from_caller(caller), services.clock()
    tagging = None if body.tags is None else body.tags.tagging()

    def act(case_id: str) -> object:
        if tagging is not None:
            return tag_case(services.cases, reviewer, case_id, at, tagging)
        if body.assignment is not None:
            return assign_as_asked(services, reviewer, case_id, at, body.assignment)
        if body.until is None:
            return services.cases.act(
                reviewer, case_id, lambda c: owner_rules.give_back(c, caller.actor, at)
            )
        until = body.until
        return services.cases.act(
            reviewer,
            case_id,
            lambda c: owner_rules.take_and_wait(c, caller.actor, at, until, "other", body.text),
        )

    acted = act_together(body.case_ids, act)
    refused = [RefusedCase(case_id=case_id, detail=why) for case_id, why in acted.refused]
    return BulkAnswer(done=list(acted.done), refused=refused)
