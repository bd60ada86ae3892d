"""Routes that the first request for one of them imports."""

import asyncio

import httpx2
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from serving.web.routes_on_demand import RoutesOnDemand


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.url.path)


class Application:
    """One route that is there from the start and one on demand; counts how often it was loaded."""

    def __init__(self) -> None:
        self.loads = 0
        self.app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        self.app.router.routes = [Route("/early", answer), RoutesOnDemand(self._load)]

    def _load(self) -> list[BaseRoute]:
        self.loads += 1
        return [Route("/late", answer)]

    def answers(self, *calls: tuple[str, str]) -> list[tuple[int, str]]:
        """Status and methods of each answer, all asked for at the same time."""

        async def ask() -> list[httpx2.Response]:
            transport = httpx2.ASGITransport(self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://site") as client:
                return await asyncio.gather(*(client.request(*call) for call in calls))

        given = asyncio.run(ask())
        return [(each.status_code, each.headers.get("allow", "")) for each in given]


def test_routes_are_loaded_by_the_first_request_that_no_other_route_answers() -> None:
    application = Application()

    assert application.answers(("GET", "/early")) == [(200, "")]
    assert application.loads == 0
    assert application.answers(("GET", "/late"), ("GET", "/late")) == [(200, "")] * 2
    loads = application.loads
    assert application.answers(("GET", "/late"), ("GET", "/none")) == [(200, ""), (404, "")]
    assert application.loads == loads
    assert [getattr(route, "path", None) for route in application.app.routes] == ["/early", "/late"]


def test_routes_below_a_path_are_loaded_by_a_request_below_it() -> None:
    application = Application()
    placeholder = RoutesOnDemand(application._load, below="/late")
    application.app.router.routes = [Route("/early", answer), placeholder]

    assert application.answers(("GET", "/none")) == [(404, "")]
    assert application.loads == 0
    assert application.answers(("GET", "/late")) == [(200, "")]
    assert application.loads == 1


def test_an_unknown_address_or_method_is_refused_as_if_the_routes_had_been_there() -> None:
    for call, refusal in (
        (("GET", "/none"), (404, "")),
        (("POST", "/early"), (405, "GET, HEAD")),
        (("POST", "/late"), (405, "GET, HEAD")),
    ):
        application = Application()
        first, second = application.answers(call), application.answers(call)
        assert [(status, sorted(allow)) for status, allow in (*first, *second)] == [
            (refusal[0], sorted(refusal[1]))
        ] * 2
