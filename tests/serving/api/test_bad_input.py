"""Input that one database takes and the other does not, or no code expects: refused by both.

What is refused with a 503 looks like a log that cannot be written: an alarm for anyone to raise.
"""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import SecretStr

from serving.app import RESOURCES, create_app
from serving.console.all_pages import PAGES
from serving.settings import Settings
from tests.counts import count
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service, services_of
from tests.serving.postgres import Server

TEXTS = ["\0", "a\0b", "\ud800", "\x1b[2J", "9" * 5_000, "1e400", "-1", ""]
VALUES: list[str] = [
    *(json.dumps(text) for text in TEXTS),
    *("1e400", "-1e400", "NaN", "9" * 5_000, "-0", "1e30", "null", "[]", "{}", "true"),
    *('"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59-23:59"', '"9999-12-31T23:59:59Z"'),
    "[" * 2_000,
    r'"\ud800"',
]
REFUSED = {*range(200, 429)}
MUST_WAIT = {429}  # whoever tries to sign in again and again


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, home: Path) -> Iterator[Service]:
    """A service over a database of either engine."""
    url = None
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        url = SecretStr(server.new_database())
    settings = Settings(home=home, database_url=url)
    with TestClient(create_app(settings, lambda: NOW), raise_server_exceptions=False) as client:
        yield Service(client, services_of(client), home)


def routes(method: str) -> list[APIRoute]:
    routers: list[Any] = [module.router for module in (*RESOURCES, *PAGES)]
    every = [route for router in routers for route in router.routes]
    return [r for r in every if isinstance(r, APIRoute) and method in r.methods]


def cursors() -> list[str]:
    places = [
        '[1e400, "2026-11-24T12:00:00+00:00", "a"]',
        f'[{"9" * 40}, "2026-11-24T12:00:00+00:00", "a"]',
        r'[1, "\ud800", "a"]',
        r'[1, "2026-11-24T12:00:00+00:00", "\ud800"]',
        r'[1, "2026-11-24T12:00:00+00:00", "a\u0000"]',
        '[1, "2026-99-24T12:00:00+00:00", "a"]',
        '[true, "2026-11-24T12:00:00+00:00", "a"]',
        *("[" * 200, "[" * 12_000, "[" * 6_000, '{"a": 1}', "[1, null, 3]", "NaN"),
    ]
    encoded = [base64.urlsafe_b64encode(place.encode()).decode() for place in places]
    return [*encoded, "é", "%", "=", "a", "\ufffd", "A" * 401]


def test_no_cursor_but_that_of_a_page_is_taken(service: Service) -> None:
    reviewer = service.key("review", "explain")
    for number in range(60):  # until two are drawn to be looked at
        service.score(shipment(shipment_id=f"S-{number}"), service.key("score"))
        page = service.client.get("/v1/queue", params={"limit": 1}, headers=reviewer).json()
        if page["next"]:
            break
    assert page["next"]
    cursor = {"cursor": page["next"], "limit": 1}
    assert service.client.get("/v1/queue", params=cursor, headers=reviewer).status_code == 200

    for cursor_of_none in cursors():
        query = {"cursor": cursor_of_none}
        answer = service.client.get("/v1/queue", params=query, headers=reviewer)
        assert answer.status_code in (422, 431), cursor_of_none


def test_no_address_and_no_parameter_makes_the_service_fail(service: Service) -> None:
    caller = service.key("score", "explain", "review", "ingest", "supervise", "audit", "switch")
    texts, step = (*TEXTS, "\ufffd", "a" * 10_000, "%00", "%ed%a0%80"), count(3, 1)
    for number, route in enumerate((*routes("GET"), *routes("POST"))):
        for text in texts[number % step :: step]:
            sent = text.encode("utf-8", "surrogatepass")
            path = re.sub(r"\{\w+\}", quote(sent, safe="%"), route.path)
            method = "GET" if "GET" in route.methods else "POST"
            answer = service.client.request(
                method, path, headers=caller, follow_redirects=False, content=b""
            )
            waits = MUST_WAIT if path.startswith("/console/sign-in") else set()
            assert answer.status_code in REFUSED | waits | {431, 503}, (path, answer.text)
            if answer.status_code == 503:
                assert answer.json()["type"] != "/problems/log-unavailable", path
    for name in ("office_id", "mode", "owner", "lane", "limit", "is_unowned", "to", "state"):
        for text in TEXTS:
            query = f"{name}={quote(text.encode('utf-8', 'surrogatepass'))}"
            sign_in = ("/console/sign-in", "/console/oidc") if name in ("to", "state") else ()
            for path in ("/v1/queue", "/console/queue", *sign_in):
                answer = service.client.get(f"{path}?{query}", headers=caller)
                assert answer.status_code in REFUSED, (path, query)


def fields_of(route: APIRoute) -> list[str]:
    """The fields of the body that a route takes by its signature."""
    assert route.body_field is not None
    body: Any = route.body_field.field_info.annotation
    return list((get_args(body) or (body,))[0].model_fields)  # `Model | None` where it may lack


def test_no_value_of_a_small_body_makes_the_service_fail(service: Service) -> None:
    case = service.score(shipment(), service.key("score")).json()["decision_id"]
    caller = service.key("review", "supervise", "switch", "explain")
    rescuer = service.key("rescue")
    for route in routes("POST"):
        if route.body_field is None:
            continue
        path = re.sub(r"\{\w+\}", case, route.path.replace("{audience}", "consignee"))
        usual = dict.fromkeys(fields_of(route), "because it is so")
        usual |= {"until": "2026-11-25T00:00:00Z", "code": "nothing_found"}
        usual |= {"kind": "inspect", "waiting_for": "documents"}
        usual |= {"reason": "other", "confidence": "high", "subject_kind": "all"}
        for name in fields_of(route):
            others = json.dumps(
                {n: v for n, v in usual.items() if n in fields_of(route) and n != name}
            )
            for value in VALUES:
                body = f'{others[:-1]}{", " if len(others) > 2 else ""}"{name}": {value}}}'
                who = rescuer if "rescue" in path else caller
                answer = service.client.post(
                    path, content=body, headers={**who, "Content-Type": "application/json"}
                )
                assert answer.status_code in REFUSED, (path, name, value[:40], answer.text)


def test_no_field_of_a_form_makes_the_service_fail(service: Service) -> None:
    for name in ("name", "password", "key", "to", "form_token", "x"):
        for text in (*TEXTS, "٣", "a" * 5_000):
            usual = {"name": "alpha", "password": "p" * 12}
            form = {**usual, name: text.encode("utf-8", "surrogatepass")}
            body = "&".join(f"{field}={quote(value)}" for field, value in form.items())
            answer = service.client.post(
                "/console/sign-in",
                content=body,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
            assert answer.status_code in REFUSED | MUST_WAIT, (name, text[:20])
    for fields in (12, 33):
        many = "&".join(f"a{number}=1" for number in range(fields))
        answer = service.client.post("/console/sign-in", content=many)
        assert answer.status_code in REFUSED | MUST_WAIT


@pytest.mark.parametrize("field", ["shipment_id", "office_id", "goods_description", "consignee_id"])
def test_no_text_of_a_subject_is_taken_by_one_database_alone(service: Service, field: str) -> None:
    caller = {**service.key("score"), "Content-Type": "application/json"}
    for text in (r"\u0000", r"a\u0000b", r"\ud800", r"\udc00\ud800"):
        body = json.dumps(shipment(**{field: "FILLED"})).replace("FILLED", text)
        headers = {**caller, "Idempotency-Key": str(abs(hash(text)))}
        answer = service.client.post("/v1/scores", content=body, headers=headers)
        assert answer.status_code == 400, (field, text, answer.text)
        batch = service.client.post("/v1/scores/batch", content=f"[{body}]", headers=headers)
        assert (batch.status_code, batch.json()[0]["status"]) == (200, 400)
    records = r'{"documents": [{"document_id": "\u0000"}]}'
    ingest = {**service.key("ingest"), "Content-Type": "application/json"}
    assert service.client.post("/v1/records", content=records, headers=ingest).status_code == 400
    assert service.client.get("/health/ready").json()["degraded"] == []
