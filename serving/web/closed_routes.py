"""Routes that take the parameters that they describe, each once, and refuse an address with others.

A filter that is misspelt would else let everything through, and nobody would know.
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

MAX_SHOWN_NAME_LENGTH = 64


class ClosedRoute(APIRoute):
    """A route that refuses parameters that it does not describe."""

    def get_route_handler(self) -> Answer:
        """The handler, with a look at the address before it."""
        return with_described_parameters(self, super().get_route_handler())


def with_described_parameters(route: APIRoute, answer: Answer) -> Answer:
    """What answers the requests of a route; raises Unprocessable where it has other parameters."""
    described = dict(_parameters(route.dependant))

    async def answer_what_is_described(request: Request) -> Response:
        if request.scope["query_string"]:
            _refuse_others(request.query_params, described)
        return await answer(request)

    return answer_what_is_described


def _parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """The name of every parameter of an address, and whether it may be given several times."""
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
