"""`/openapi.json`: the OpenAPI document, for everyone or for callers with a key."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse

from serving.web.authentication import require_known_caller
from serving.web.services import TheServices

router = APIRouter(include_in_schema=False)


async def require_description_reader(request: Request, services: TheServices) -> None:
    """Raise NotSignedIn for a stranger, in live use or if the settings require it."""
    if not services.settings.are_docs_for_all:
        await require_known_caller(request, services)


@router.get("/openapi.json")
def describe_calls(
    request: Request, _: Annotated[None, Depends(require_description_reader)]
) -> JSONResponse:
    """Return the document that `serving/api/openapi_document.py` completes."""
    return JSONResponse(request.app.openapi())
