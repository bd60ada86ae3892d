"""`/openapi.json`: every call in the format of OpenAPI, for all or for callers with a key."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse

from serving.web.authentication import caller_of
from serving.web.services import TheServices

router = APIRouter(include_in_schema=False)


async def require_description_reader(request: Request, services: TheServices) -> None:
    """Raise NotSignedIn for a stranger, where the settings keep the description to callers."""
    if not services.settings.docs_are_open:
        await caller_of(request, services)


@router.get("/openapi.json")
def describe_calls(
    request: Request, _: Annotated[None, Depends(require_description_reader)]
) -> JSONResponse:
    """The document that `serving/api/openapi.py` completes."""
    return JSONResponse(request.app.openapi())
