"""`POST /v1/cases/{id}/…` for every declared act, `POST /v1/bulk-acts` and `GET /v1/tags`."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from serving.api.case_answers import CASE_PROBLEMS, CaseAnswer
from serving.api.case_revisions import ServicesAsRead
from serving.api.openapi import problems
from serving.review.acts.act_declaration import ActInput, ActRequest, CaseAct
from serving.review.acts.all_acts import ACTS
from serving.review.acts.bulk_acts import BulkActBody, act_together
from serving.review.acts.tag import tags_in_use
from serving.review.cases.reviewer import Reviewer
from serving.web.authentication import MayReviewOrRescue
from serving.web.caller_first import CallerFirst
from serving.web.services import TheServices

router = APIRouter(prefix="/v1", tags=["review"], route_class=CallerFirst)


class RefusedCase(BaseModel):
    """A case that was not changed, and why."""

    case_id: str
    detail: str


class BulkAnswer(BaseModel):
    """The cases that were changed, each by its own act, and those that were refused."""

    done: list[str]
    refused: list[RefusedCase]


class TagsInUse(BaseModel):
    """Tags of the newest cases that the caller may see, sorted."""

    tags: list[str]


@router.post("/bulk-acts", responses=problems(s422="The body is refused."))
def act_on_several(
    services: TheServices, caller: MayReviewOrRescue, body: BulkActBody
) -> BulkAnswer:
    """Assign, release, postpone or tag several cases at once.

    The response says for each case what happened; one that somebody else has taken is refused and
    does not stop the others. Final acts, such as an order or a result, take one case at a time.
    """
    reviewer, at = Reviewer.from_caller(caller), services.clock()
    acted = act_together(services.cases, reviewer, at, body.case_ids, body.chosen())
    refused = [RefusedCase(case_id=case_id, detail=why) for case_id, why in acted.refused]
    return BulkAnswer(done=list(acted.done), refused=refused)


def _handler_of(act: CaseAct) -> Callable[..., CaseAnswer]:
    """Return the handler for an act's call, whose body is the input of the act."""

    def perform(
        services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: ActInput | None
    ) -> CaseAnswer:
        at = services.clock()
        acting = ActRequest(services.cases, Reviewer.from_caller(caller), case_id, at)
        return CaseAnswer.from_case(act.perform(acting, body), at)

    def without_body(
        services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str
    ) -> CaseAnswer:
        return perform(services, caller, case_id, None)

    if act.input is None:
        return without_body
    # FastAPI reads the type of a body from the signature, so each act has a handler of its own.
    body_type: Any = act.input | None if act.is_input_optional else act.input
    if act.is_input_optional:

        def with_optional_body(
            services: ServicesAsRead,
            caller: MayReviewOrRescue,
            case_id: str,
            body: body_type = None,
        ) -> CaseAnswer:
            return perform(services, caller, case_id, body)

        return with_optional_body

    def with_body(
        services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: body_type
    ) -> CaseAnswer:
        return perform(services, caller, case_id, body)

    return with_body


for _act in ACTS.values():
    if _act.has_call:
        router.add_api_route(
            f"/cases/{{case_id}}/{_act.name}",
            _handler_of(_act),
            methods=["POST"],
            name=_act.operation,
            description=_act.description,
            responses=CASE_PROBLEMS,
        )


@router.get("/tags", responses=problems())
def list_tags(services: TheServices, caller: MayReviewOrRescue) -> TagsInUse:
    """List the tags in use, to suggest before someone invents another."""
    return TagsInUse(tags=tags_in_use(services.cases, Reviewer.from_caller(caller)))
