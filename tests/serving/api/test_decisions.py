"""`GET /v1/decisions`: what was decided about a subject, page by page, for those who may see it."""

from collections.abc import Iterator
from typing import Any

import pytest

from serving.audit.logged_decision import StoredAnswer
from serving.integrity.audit_log import EventFilter
from tests.serving.bodies import route, shipment
from tests.serving.conftest import Service
from tests.serving.console.test_pages import decided

HAMBURG, MUNICH = "DE004600", "DE002100"


def pages(service: Service, caller: dict[str, str], **query: Any) -> Iterator[list[dict[str, Any]]]:
    cursor = None
    while True:
        asked = {**query, **({"cursor": cursor} if cursor else {})}
        page = service.client.get("/v1/decisions", params=asked, headers=caller).json()
        yield page["decisions"]
        cursor = page["next"]
        if cursor is None:
            return


def ids(service: Service, caller: dict[str, str], **query: Any) -> list[str]:
    listed = pages(service, caller, **query)
    return [decision["decision_id"] for page in listed for decision in page]


def test_every_decision_is_listed_once_newest_first_however_long_pages_are(
    service: Service,
) -> None:
    caller = service.key("score")
    made = [service.score(shipment(shipment_id=f"S-{n}"), caller).json() for n in range(5)]
    made.append(service.score(route(), caller).json())
    newest_first = [decision["decision_id"] for decision in reversed(made)]

    for limit in (1, 2, 5, 6, 200):
        assert ids(service, caller, limit=limit) == newest_first
    assert ids(service, caller, subject_kind="route") == newest_first[:1]
    assert ids(service, caller, subject_kind="shipment", subject_id="S-3") == [newest_first[2]]
    assert ids(service, caller, subject_kind="shipment", subject_id="S-9") == []
    (page,) = pages(service, caller, subject_kind="shipment", subject_id="S-3")
    assert page == [service.client.get(f"/v1/decisions/{newest_first[2]}", headers=caller).json()]


def test_a_page_looks_at_so_many_and_says_that_there_are_more(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.storage.repositories.decision_repository.MAX_LOOKED_AT", 2)
    first, other = service.key("score"), service.key("score")
    mine = service.score(shipment(shipment_id="S-0"), first).json()["decision_id"]
    for number in range(1, 5):
        service.score(shipment(shipment_id=f"S-{number}"), other)

    listed = list(pages(service, first))

    assert [len(page) for page in listed] == [0, 0, 1]
    assert listed[-1][0]["decision_id"] == mine


def test_a_machine_lists_its_own_and_a_reviewer_those_of_the_office(service: Service) -> None:
    one, other = service.key("score"), service.key("score")
    hamburg = service.key("score", "review", offices=(HAMBURG,))
    of_hamburg = service.score(shipment(shipment_id="S-1", office_id=HAMBURG), one).json()
    of_munich = service.score(shipment(shipment_id="S-2", office_id=MUNICH), other).json()

    assert ids(service, one) == [of_hamburg["decision_id"]]
    assert ids(service, other) == [of_munich["decision_id"]]
    assert ids(service, hamburg) == [of_hamburg["decision_id"]]
    for scope in ("review", "audit"):
        assert ids(service, service.key(scope)) == [
            each["decision_id"] for each in (of_munich, of_hamburg)
        ]
    assert service.client.get("/v1/decisions", headers=service.key("ingest")).status_code == 403
    about = {"subject_kind": "shipment", "subject_id": "S-2"}
    assert ids(service, one, **about) == ids(service, hamburg, **about) == []


@pytest.mark.parametrize(
    "query", [{"cursor": "x"}, {"cursor": "LTE="}, {"subject_id": "S-1"}, {"limit": 0}, {"at": "x"}]
)
def test_what_cannot_be_listed_is_refused(service: Service, query: dict[str, Any]) -> None:
    answer = service.client.get("/v1/decisions", params=query, headers=service.key("score"))

    assert answer.status_code == 422


def test_whoever_lists_decisions_is_on_record_with_those_that_were_shown(service: Service) -> None:
    caller = service.key("score")
    decision_id = service.score(shipment(), caller).json()["decision_id"]

    assert ids(service, caller) == [decision_id]

    (event,) = service.services.audit_events.newest(EventFilter(object_kind="decisions"), 9)
    assert event.action == "read"
    assert decision_id in str(event.details)


def test_whoever_reviews_is_told_no_score_of_a_random_check_and_machines_and_auditors_are(
    service: Service,
) -> None:
    asking = service.key("score", "explain")
    scored = decided(service, shipment(), asking)
    changed = {"decision_id": "drawn", "lane": "control", "lane_reason": "random"}
    drawn = scored.model_copy(update=changed)
    answer = StoredAnswer(drawn.caller_id, "drawn", "-", "drawn", drawn.scored_at.isoformat(), b"")
    service.services.decisions.append([(drawn.logged(), answer)])

    def told(caller: dict[str, str]) -> tuple[Any, ...]:
        one = service.client.get("/v1/decisions/drawn", headers=caller).json()
        (listed,) = (p for p in next(pages(service, caller)) if p["decision_id"] == "drawn")
        assert listed == one
        explained = service.client.get("/v1/decisions/drawn/explanation", headers=caller)
        return one["lane"], one["probability"], one["percentile"], explained.status_code

    assert scored.score is not None
    scores = (scored.probability, scored.score.percentile)
    for scopes in (("review",), ("review", "explain"), ("review", "explain", "audit", "score")):
        assert told(service.key(*scopes)) == ("inspect", None, None, 403), scopes
    assert told(asking) == ("control", *scores, 200)
    assert told(service.key("audit", "explain")) == ("control", *scores, 200)
    listed = next(pages(service, service.key("review")))
    assert [one["probability"] for one in listed if one["decision_id"] != "drawn"] == [scores[0]]
