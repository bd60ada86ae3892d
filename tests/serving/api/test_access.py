"""Keys, scopes and offices: who may do and see what."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from serving.access.api_keys import PresentedKey, new_key
from serving.access.errors import NameTaken
from serving.access.roles import Scope
from serving.errors import NotFound
from serving.review.acts.all_acts import ACTS
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service, routes_of

HAMBURG, MUNICH = "DE004600", "DE002100"


def test_a_shown_key_is_read_back() -> None:
    _, shown = new_key("a", ("score",), (), NOW)

    assert PresentedKey.parse(str(shown)) == shown
    assert PresentedKey.parse(str(shown) + "x") is None


def test_of_a_secret_only_its_hash_is_kept() -> None:
    kept, shown = new_key("a", ("score",), (), NOW)

    assert shown.secret not in repr(kept)
    assert kept.admits(shown.secret, NOW)
    assert not kept.admits(shown.secret[:-1] + "_", NOW)


def test_a_key_ends_when_it_expires() -> None:
    kept, shown = new_key("a", ("score",), (), NOW, expires_at=NOW + timedelta(days=1))

    assert kept.admits(shown.secret, NOW + timedelta(hours=23))
    assert not kept.admits(shown.secret, NOW + timedelta(days=1))


def test_a_revoked_key_stops_at_once(service: Service) -> None:
    caller = service.key("score")
    before = service.client.get("/v1/models", headers=caller).status_code

    service.services.api_keys.revoke("caller-1", NOW)

    assert (before, service.client.get("/v1/models", headers=caller).status_code) == (200, 401)


def test_the_name_of_a_key_is_nobody_elses_when_it_is_revoked(service: Service) -> None:
    first, _ = new_key("post", ("score",), (), NOW)
    second, _ = new_key("post", ("score",), (), NOW)
    service.services.api_keys.add_key(first)
    with pytest.raises(NameTaken):
        service.services.api_keys.add_key(second)

    service.services.api_keys.revoke("post", NOW)

    with pytest.raises(NameTaken):
        service.services.api_keys.add_key(second)
    with pytest.raises(NotFound):
        service.services.api_keys.revoke("post", NOW)


def test_an_office_sees_its_own_decisions_only(service: Service) -> None:
    hamburg = service.key("score", "explain", offices=(HAMBURG,))
    munich = service.key("score", "explain", offices=(MUNICH,))
    both = service.key("score", "explain", offices=(HAMBURG, MUNICH))
    everyone = service.key("score", "explain")
    address = service.score(shipment(office_id=HAMBURG), hamburg).headers["Location"]

    def seen(caller: dict[str, str]) -> list[int]:
        return [
            service.client.get(address + suffix, headers=caller).status_code
            for suffix in ("", "/explanation")
        ]

    assert seen(hamburg) == seen(both) == seen(everyone) == [200, 200]
    assert seen(munich) == [404, 404]


def test_what_is_hidden_and_what_does_not_exist_look_the_same(service: Service) -> None:
    address = service.score(shipment(office_id=HAMBURG), service.key("score")).headers["Location"]
    munich = service.key("score", offices=(MUNICH,))

    hidden = service.client.get(address, headers=munich).json()
    absent = service.client.get("/v1/decisions/none", headers=munich).json()

    assert _without_ids(hidden) == _without_ids(absent)


def test_an_office_cannot_score_for_another(service: Service) -> None:
    munich = service.key("score", offices=(MUNICH,))

    assert service.score(shipment(office_id=HAMBURG), munich).status_code == 403


def test_a_subject_without_an_office_belongs_to_the_one_that_submits_it(service: Service) -> None:
    hamburg = service.key("score", offices=(HAMBURG,))
    colleague = service.key("score", offices=(HAMBURG,))
    munich = service.key("score", offices=(MUNICH,))
    address = service.score(route(), hamburg).headers["Location"]

    assert service.client.get(address, headers=colleague).status_code == 200
    assert service.client.get(address, headers=munich).status_code == 404


def test_a_caller_of_two_offices_sees_what_it_submitted_without_one(service: Service) -> None:
    both = service.key("score", offices=(HAMBURG, MUNICH))
    address = service.score(route(), both).headers["Location"]

    assert service.client.get(address, headers=both).status_code == 200


CASE_ACTS = [name for name, act in ACTS.items() if act.has_call]
LETTERS = (
    *("letters", "letters/{audience}", "letters/{audience}/release"),
    *("letter-deferrals", "letter-deferrals/confirm"),
)
NEEDED_SCOPE = {
    "/v1/scores": "score",
    "/v1/scores/batch": "score",
    "/v1/records": "ingest",
    "/v1/messages/{format}": "ingest",
    "/v1/stored_messages/{message_id}": ("review", "rescue", "audit"),
    "/v1/decisions": ("score", "review", "audit"),
    "/v1/decisions/{decision_id}": ("score", "review", "audit"),
    "/v1/decisions/{decision_id}/explanation": "explain",
    "/v1/features": None,
    "/v1/features/{name}": None,
    "/v1/models": None,
    "/v1/switches": "switch",
    "/v1/queue": ("review", "rescue"),
    "/v1/bulk-acts": ("review", "rescue"),
    "/v1/cases": ("review", "rescue"),
    "/v1/cases/{case_id}": ("review", "rescue"),
    "/v1/tags": ("review", "rescue"),
    "/v1/offices": ("review", "rescue"),
    "/v1/notices": "review",
    "/v1/notices/read": "review",
    "/v1/entities/{kind}/{token}": ("review", "audit"),
    "/v1/events": ("events", "score", "review", "rescue"),
    "/v1/rescue-calls/{case_id}": "rescue",
    "/v1/rescue-calls/{case_id}/acknowledgement": "rescue",
    **{f"/v1/cases/{{case_id}}/{act}": ("review", "rescue") for act in CASE_ACTS},
    "/v1/cases/{case_id}/attachments": ("review", "rescue"),
    "/v1/cases/{case_id}/attachments/{sha256}": ("review", "rescue"),
    **{f"/v1/cases/{{case_id}}/{letters}": "review" for letters in LETTERS},
    "/v1/cases/{case_id}/accounts": "supervise",
}


def test_no_call_is_left_out_of_the_description(service: Service) -> None:
    described = set(service.client.get("/openapi.json").json()["paths"])
    served = {path for route in routes_of(service.client) for path in _paths(route)}
    pages = {path for path in served if path.startswith(("/console", "/docs", "/problems"))}

    assert len(pages) > 10
    assert served - pages - described == {"/", "/openapi.json"}


def _paths(route: Any) -> list[str]:
    """The path of a route, or those of a router that was included."""
    if hasattr(route, "path"):
        return [route.path]
    return [path for inner in route.original_router.routes for path in _paths(inner)]


def test_every_call_answers_those_it_is_for_and_no_one_else(service: Service) -> None:
    described = service.client.get("/openapi.json").json()["paths"]
    open_to_all = {"/health/live", "/health/ready", "/metrics"}
    calls = {path: op for path, ops in described.items() for op in ops if path not in open_to_all}
    assert set(calls) == set(NEEDED_SCOPE)

    for path, needed in NEEDED_SCOPE.items():
        address = path.replace("{", "").replace("}", "")
        assert service.client.request(calls[path], address).status_code == 401
        for scope in get_args(Scope):
            caller = service.key(scope)
            status = service.client.request(calls[path], address, headers=caller).status_code
            is_let_in = status not in {401, 403}
            allowed = needed if isinstance(needed, tuple) else (needed,)
            assert is_let_in == (None in allowed or scope in allowed), (path, scope, status)


def test_no_call_tells_an_office_of_anothers_decision(service: Service) -> None:
    hamburg = service.key("score", offices=(HAMBURG,))
    scopes: tuple[Scope, ...] = get_args(Scope)
    munich = service.key(*(s for s in scopes if s != "rescue"), offices=(MUNICH,))
    body = shipment(shipment_id="S-secret", office_id=HAMBURG)
    decision_id = service.score(body, hamburg).json()["decision_id"]
    described = service.client.get("/openapi.json").json()["paths"]
    about_one = {p: op for p, ops in described.items() for op in ops if "_id}" in p}
    assert len(about_one) >= 10

    for path, method in about_one.items():
        address = path.replace("{decision_id}", decision_id).replace("{case_id}", decision_id)
        address = address.replace("{audience}", "consignee")
        given = {} if method == "get" else {"json": {}}
        answer = service.client.request(method, address, headers=munich, **given)
        hidden = {403} if "rescue" in path else {404, 422}
        assert answer.status_code in hidden, (path, answer.text)
        assert "S-secret" not in answer.text
    for path in ("/v1/queue", "/v1/models", "/v1/features"):
        assert "S-secret" not in service.client.get(path, headers=munich).text


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json"])
def test_health_metrics_and_description_need_no_key(service: Service, path: str) -> None:
    assert service.client.get(path).status_code == 200


def _without_ids(problem: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in problem.items() if k not in {"instance", "request_id"}}
