"""Routes that refuse query parameters which they do not describe or which are repeated.

Otherwise a misspelt filter would silently match everything.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from difflib import get_close_matches
from typing import Any, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.responses import Response

from serving.errors import RequestFault, Unprocessable

Answer = Callable[[Request], Coroutine[Any, Any, Response]]

# Characters of an unknown parameter name that an answer repeats; the caller chose the text.
MAX_SHOWN_NAME_LENGTH = 64


class ClosedRoute(APIRoute):
    """Route that refuses query parameters which it does not describe."""

    def get_route_handler(self) -> Answer:
        """Return the handler, preceded by a check of the query parameters."""
        return with_described_parameters(self, super().get_route_handler())


def with_described_parameters(route: APIRoute, answer: Answer) -> Answer:
    """Wrap the handler of a route; raises Unprocessable for parameters it does not describe."""
    described = dict(_parameters(route.dependant))

    async def answer_what_is_described(request: Request) -> Response:
        if request.scope["query_string"]:
            _refuse_others(request.query_params, described)
        return await answer(request)

    return answer_what_is_described


def _parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Yield the name of each query parameter and whether it may be repeated."""
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, part in kind.model_fields.items():
                yield part.alias or name, _is_list(part.annotation)
        else:
            yield field.alias, _is_list(kind)
    for each in dependant.dependencies:
        yield from _parameters(each)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) in (list, tuple, set, frozenset)


def _refuse_others(given: QueryParams, described: dict[str, bool]) -> None:
    times = Counter(name for name, _ in given.multi_items())
    if unknown := [name for name in times if name not in described]:
        name = unknown[0][:MAX_SHOWN_NAME_LENGTH]
        near = get_close_matches(name, described, 1) or sorted(described)
        nearest = f"want {', '.join(f'`{each}`' for each in near)}" if near else "there is none"
        says = f"no such parameter here: {nearest}"
        raise _refusal(RequestFault(f"/{name}", "unknown_parameter", says))
    if twice := [name for name, count in times.items() if count > 1 and not described[name]]:
        says = "is given more than once: want it once"
        raise _refusal(RequestFault(f"/{twice[0]}", "repeated_parameter", says))


def _refusal(fault: RequestFault) -> Unprocessable:
    return Unprocessable("a field or a parameter of the request is refused", (fault,))
