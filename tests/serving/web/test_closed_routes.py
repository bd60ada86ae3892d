"""No call passes over a parameter that it does not know."""

import re
from typing import Any

import pytest
from fastapi.routing import APIRoute

from serving.app import RESOURCES
from tests.serving.bodies import shipment
from tests.serving.conftest import Service

CALLS = sorted(
    (method, route.path)
    for resource in RESOURCES
    for route in resource.router.routes
    if isinstance(route, APIRoute) and route.path.startswith("/v1/")
    for method in route.methods
)


def asked(service: Service, method: str, address: str) -> Any:
    scopes = ("score", "explain", "ingest", "events", "review", "switch", "monitor", "supervise")
    caller = service.key(*(("rescue",) if "rescue" in address else scopes))
    body = shipment() if method == "POST" else None
    headers = caller | {"Idempotency-Key": "k"}
    return service.client.request(method, address, json=body, headers=headers)


def faults(answer: Any) -> list[tuple[str, str]]:
    return [(fault["pointer"], fault["code"]) for fault in answer.json().get("errors", ())]


def test_every_call_refuses_an_unknown_parameter(service: Service) -> None:
    addresses = [(method, re.sub(r"[{}]", "", path) + "?as_off=1") for method, path in CALLS]
    answers = {each: asked(service, *each) for each in addresses}
    refused = (422, [("/as_off", "unknown_parameter")])

    assert len(answers) > 40
    assert [
        each for each, said in answers.items() if (said.status_code, faults(said)) != refused
    ] == []


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/v1/decisions?limt=2", "/limt unknown_parameter: no such parameter here: want `limit`"),
        ("/v1/features?x=1", "/x unknown_parameter: no such parameter here: there is none"),
        (
            "/v1/decisions?limit=1&limit=2",
            "/limit repeated_parameter: is given more than once: want it once",
        ),
    ],
)
def test_what_is_refused_is_named_with_the_nearest_that_there_is(
    service: Service, address: str, says: str
) -> None:
    (fault,) = asked(service, "GET", address).json()["errors"]

    assert f"{fault['pointer']} {fault['code']}: {fault['detail']}" == says
