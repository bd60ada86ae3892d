"""Routes with a small JSON body, which is read when its caller was admitted, and strictly."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.responses import Response

from serving.access.roles import Scope
from serving.request_parsing import read_json
from serving.web.admission import SMALL_BODY
from serving.web.authentication import WithScope, caller_of
from serving.web.bodies import refuse_declared_above
from serving.web.closed_routes import with_described_parameters


class CallerFirst(APIRoute):
    """A route of whose caller nothing is read, and nothing parsed, before the scope is known.

    FastAPI reads a body before it asks any dependency.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the caller and the bounds of the body before it."""
        answer = with_described_parameters(self, super().get_route_handler())
        if self.body_field is None:
            return answer
        scopes = next(_scopes_in(self.dependant), ())

        async def answer_an_admitted_caller(request: Request) -> Response:
            caller = await caller_of(request, request.app.state.services)
            if scopes:
                caller.require(*scopes)
            refuse_declared_above(request, SMALL_BODY)
            if body := await request.body():
                read_json(body)
            return await answer(request)

        return answer_an_admitted_caller


def _scopes_in(dependant: Dependant) -> Iterator[tuple[Scope, ...]]:
    """The scopes of which a route asks its caller for one."""
    for each in dependant.dependencies:
        if isinstance(each.call, WithScope):
            yield each.call.scopes
        yield from _scopes_in(each)
