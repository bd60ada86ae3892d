"""`GET /v1/offices`: the offices to which a case can be referred."""

from fastapi import APIRouter
from pydantic import BaseModel

from serving.api.openapi import problems
from serving.web.authentication import MayReviewOrRescue
from serving.web.caller_first import CallerFirst
from serving.web.services import TheServices

router = APIRouter(prefix="/v1", tags=["review"], route_class=CallerFirst)


class Offices(BaseModel):
    """The known offices, sorted."""

    offices: list[str]


@router.get("/offices", responses=problems())
def list_offices(services: TheServices, caller: MayReviewOrRescue) -> Offices:
    """List the offices of accounts, keys, decisions, cases and the lane plan.

    A case can be referred only to one of these.
    """
    return Offices(offices=sorted(services.cases.known_offices()))
