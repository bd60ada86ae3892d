"""`/v1/cases/{id}/tags` and `/v1/tags`: words by which officers find cases again."""

from fastapi import APIRouter
from pydantic import BaseModel

from serving.api.case_answers import CASE_PROBLEMS, CaseAnswer
from serving.api.case_revisions import ServicesAsRead
from serving.api.openapi import problems
from serving.review.acts.tags import tag_case, tags_in_use
from serving.review.cases.reviewer import Reviewer
from serving.web.authentication import MayReviewOrRescue
from serving.web.caller_first import CallerFirst
from serving.web.case_bodies import TaggingBody
from serving.web.services import TheServices

router = APIRouter(prefix="/v1", tags=["review"], route_class=CallerFirst)


class TagsInUse(BaseModel):
    """Tags of the newest cases that the caller may see, in order."""

    tags: list[str]


@router.post("/cases/{case_id}/tags", responses=CASE_PROBLEMS)
def tag_one_case(
    services: ServicesAsRead, caller: MayReviewOrRescue, case_id: str, body: TaggingBody
) -> CaseAnswer:
    """Set and remove tags of a case, open or closed: at most 12, of 40 characters each.

    They are kept in small letters. One that would describe a person is refused.
    """
    reviewer, at, tagging = Reviewer.from_caller(caller), services.clock(), body.tagging()
    return CaseAnswer.from_case(tag_case(services.cases, reviewer, case_id, at, tagging), at)


@router.get("/tags", responses=problems())
def list_tags(services: TheServices, caller: MayReviewOrRescue) -> TagsInUse:
    """The tags in use, to offer before a new word is made up."""
    return TagsInUse(tags=tags_in_use(services.cases, Reviewer.from_caller(caller)))
