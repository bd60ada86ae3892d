"""A HEAD of the API is the GET that it stands for, without its content and never unseen."""

import re
from http.client import HTTPConnection

import pytest
from starlette.routing import Route

from serving.access.rate_limits import RateLimits
from serving.access.roles import Scope
from tests.serving.api.test_rate_limits import listening
from tests.serving.bodies import shipment
from tests.serving.conftest import Service, app_of, routes_of
from tests.serving.web.test_audit_trail import calls_of, events_of, who_did_what

OF_THE_MOMENT = {"date", "x-request-id", "content-length", "ratelimit"}
"""Headers that differ from one GET to the next too, as the length of figures that are counted."""

SCOPES: tuple[Scope, ...] = ("score", "review", "explain", "monitor", "audit")


def test_whatever_is_told_to_a_get_has_a_head(service: Service) -> None:
    caller, client = service.key(*SCOPES), service.client
    decision_id = service.score(shipment(), caller).json()["decision_id"]
    routes = [route for route in routes_of(client) if isinstance(route, Route)]
    calls = {call for route in routes for call in calls_of(route)}
    paths = {call.removeprefix("GET ") for call in calls if call.startswith("GET ")}
    of_api = sorted(path for path in paths if not path.startswith("/console"))
    assert {"/v1/queue", "/v1/cases/{case_id}", "/metrics", "/health/live"} <= {*of_api}

    for path in of_api:
        address = re.sub(r"\{[a-z_]+\}", decision_id, path)
        got, headed = (
            client.request(method, address, headers=caller, follow_redirects=False)
            for method in ("GET", "HEAD")
        )

        assert (headed.status_code, headed.content) == (got.status_code, b""), path
        told = ({*answer.headers.items()} for answer in (got, headed))
        differing = {name for name, _ in set.symmetric_difference(*told)}
        assert differing <= OF_THE_MOMENT, path
        assert ("content-length" in headed.headers) == ("content-length" in got.headers), path


def test_a_head_is_written_down_counted_and_refused_like_its_get(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, other = service.key("score", "explain"), service.key("monitor")
    decision_id = service.score(shipment(), caller).json()["decision_id"]
    address = f"/v1/decisions/{decision_id}"

    taken: list[int] = []
    take = RateLimits.take

    def noted(self: RateLimits, caller_id: str, permits: int) -> object:
        taken.append(permits)
        return take(self, caller_id, permits)

    monkeypatch.setattr(RateLimits, "take", noted)
    headed = service.client.head(address, headers=caller)
    refused = service.client.head(address, headers=other)

    assert taken == [1, 1]
    assert (headed.status_code, refused.status_code) == (200, 403)
    (read,) = events_of(service, "read")
    assert who_did_what(read) == ("key", "read", "decision", decision_id)
    assert len(events_of(service, "refuse")) == 1
    told = service.client.get("/metrics").text
    assert 'method="HEAD",route="/v1/decisions/{decision_id}",status="200"' in told


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/queue", "GET, HEAD"),
        ("/v1/scores", "POST"),
        ("/v1/messages/ubl", "POST"),
        ("/v1/stored_messages/x", "GET, HEAD"),
        ("/v1/switches", "GET, HEAD, POST"),
        ("/v1/cases/x/attachments", "GET, HEAD, POST"),
        ("/console/sign-in", "GET, POST"),
        ("/console/static/style.css", "GET, HEAD"),
    ],
)
@pytest.mark.parametrize("method", ["DELETE", "OPTIONS"])
def test_an_address_tells_which_methods_it_takes(
    service: Service, method: str, path: str, allowed: str
) -> None:
    answer = service.client.request(method, path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    if "HEAD" not in allowed and not path.startswith("/console"):
        assert service.client.head(path).status_code == 405


def test_a_server_that_told_a_head_goes_on_with_the_next_request(service: Service) -> None:
    with listening(app_of(service.client)) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        told = []
        for method in ("HEAD", "GET", "HEAD"):
            connection.request(method, "/v1/nothing")
            answer = connection.getresponse()
            told.append((answer.status, answer.getheader("Content-Length"), len(answer.read())))
        connection.close()

    length = told[1][2]
    assert told == [(404, str(length), size) for size in (0, length, 0)]
