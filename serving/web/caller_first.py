"""Routes that admit their caller before they read and strictly parse a small JSON body."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.responses import Response

from serving.access.roles import Scope
from serving.errors import Unprocessable
from serving.request_parsing import read_json
from serving.web.admission import SMALL_BODY
from serving.web.authentication import WithScope, caller_of
from serving.web.bodies import JSON, refuse_declared_above, refuse_other_media
from serving.web.closed_routes import Answer, with_described_parameters

WITHOUT_BODY = {"GET", "HEAD"}


class CallerFirst(APIRoute):
    """Route that checks the caller and its scope before it reads or parses anything.

    FastAPI itself reads a body before it resolves dependencies, and ignores its media type.
    """

    def get_route_handler(self) -> Answer:
        """Return the handler, preceded by checks of the caller and of the body."""
        answer = super().get_route_handler()
        if (self.methods or WITHOUT_BODY) <= WITHOUT_BODY:
            return with_described_parameters(self, answer)
        answer = with_described_parameters(self, self._with_sound_body(answer))
        scopes = next(_scopes_in(self.dependant), ())

        async def answer_an_admitted_caller(request: Request) -> Response:
            caller = await caller_of(request, request.app.state.services)
            if scopes:
                caller.require(*scopes)
            return await answer(request)

        return answer_an_admitted_caller

    def _with_sound_body(self, answer: Answer) -> Answer:
        """Wrap a handler to accept only JSON, or no body if the route describes none."""
        is_described = self.body_field is not None
        is_needed = self.body_field is not None and self.body_field.field_info.is_required()

        async def answer_a_sound_body(request: Request) -> Response:
            # The declared length is checked before reading, so that an oversized body costs
            # nothing.
            refuse_declared_above(request, SMALL_BODY)
            if is_needed:
                refuse_other_media(request, JSON)
            if body := await request.body():
                refuse_other_media(request, JSON)
                # An empty object counts as no body.
                if read_json(body) != {} and not is_described:
                    raise Unprocessable("this call takes no body: send none, or `{}`")
            return await answer(request)

        return answer_a_sound_body


def _scopes_in(dependant: Dependant) -> Iterator[tuple[Scope, ...]]:
    """Yield the scopes that a route requires, of which a caller needs one."""
    for each in dependant.dependencies:
        if isinstance(each.call, WithScope):
            yield each.call.scopes
        yield from _scopes_in(each)
