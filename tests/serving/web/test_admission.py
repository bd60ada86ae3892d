"""Which requests are turned away while too many are inside follows from marked endpoints."""

from fastapi import APIRouter

from serving.app import RESOURCES
from serving.web.admission import limited_in_flight, limited_paths


def test_the_routes_that_score_or_ingest_are_limited_and_no_other() -> None:
    routes = [route for resource in RESOURCES for route in resource.router.routes]

    assert limited_paths(routes) == (
        "/invocations",
        "/v1/records",
        "/v1/scores",
        "/v1/scores/batch",
        "/v2/models/",
    )


def test_a_path_is_limited_up_to_its_first_parameter() -> None:
    router = APIRouter(prefix="/things")

    @router.post("/{name}/weigh")
    @limited_in_flight
    def weigh(name: str) -> str:
        return name

    @router.get("/{name}")
    def read(name: str) -> str:
        return name

    assert limited_paths(router.routes) == ("/things/",)
