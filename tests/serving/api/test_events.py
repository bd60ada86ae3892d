"""`GET /v1/events`: who reads what became of which cases, and that it is written down."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from serving.integrity.audit_log import EventFilter
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.claim import claim
from serving.review.acts.order import order_action
from serving.review.cases.case_opening_worker import open_due
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.reviewer import Reviewer
from tests.docs.recipes import ROOT
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.people import person
from tests.serving.review.cases.stated import INSPECT
from tests.serving.review.cases.test_cases_served import reviewed

__all__ = ["reviewed"]

HAMBURG, MUNICH = "DE004600", "DE002100"
OFFICER = Reviewer(person("an officer by name"), CaseAccess(frozenset(), is_rescue=False))


def read(service: Service, by: dict[str, str], **query: Any) -> dict[str, Any]:
    """One page."""
    answer = service.client.get("/v1/events", headers=by, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def pages(service: Service, by: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every event that a caller may read, in pages of two."""
    after, has_more = {}, True
    while has_more:
        page = read(service, by, limit=2, **after)
        yield from page["events"]
        after, has_more = {"after": page["next"]}, page["has_more"]


def test_systems_learn_what_became_of_the_cases_that_are_theirs(reviewed: Service) -> None:
    submits, other = reviewed.key("score"), reviewed.key("score")
    everywhere, munich = reviewed.key("events"), reviewed.key("events", offices=(MUNICH,))
    reviews, rescues = reviewed.key("review"), reviewed.key("rescue", "events")
    empty = read(reviewed, everywhere)
    assert empty == {"events": [], "next": None, "has_more": False}
    subject = shipment(shipment_id="S-1", office_id=HAMBURG)
    case_id = reviewed.score(subject, submits).json()["decision_id"]
    crowd = {"certified_capacity": 12, "persons_on_board": 41, "imo_number": "9074729"}
    rescue = reviewed.score(route(journey_id="J-1", **crowd), submits).json()
    assert rescue["lane"] == "rescue"
    services = reviewed.services
    open_due(services.cases, NOW)
    services.cases.act(OFFICER, case_id, lambda case: claim(case, OFFICER.actor, NOW))
    order_action(ActRequest(services.cases, OFFICER, case_id, NOW), INSPECT)

    told = list(pages(reviewed, submits))

    assert [e["type"].removeprefix("tidegate.case.") for e in told] == [
        *("opened", "assigned", "action_ordered")
    ]
    assert {(e["case_id"], e["subject_id"], e["office_id"]) for e in told} == {
        (case_id, "S-1", HAMBURG)
    }
    assert told[-1]["action"] == {"kind": "inspect", "refer_to": None, "destination": None}
    assert told == list(pages(reviewed, everywhere)) == list(pages(reviewed, reviews))
    assert list(pages(reviewed, other)) == list(pages(reviewed, munich)) == []
    assert [e["case_id"] for e in pages(reviewed, rescues)] == [rescue["decision_id"]]
    assert "an officer by name" not in str(told)

    last = read(reviewed, submits)["next"]
    assert last == told[-1]["id"]
    assert read(reviewed, submits, after=last) == {"events": [], "next": last, "has_more": False}
    for scope in ("ingest", "explain", "switch", "monitor"):
        refused = reviewed.client.get("/v1/events", headers=reviewed.key(scope))
        assert refused.status_code == 403, scope
    written = services.audit_events.newest(EventFilter(object_kind="events"), 50)
    assert written
    assert {event.action for event in written} == {"read"}
    assert any(event.details.get("cases") == [case_id] for event in written)


@pytest.mark.parametrize(
    "query", [{"after": "evt_none"}, {"after": ""}, {"limit": 0}, {"limit": 201}, {"before": "x"}]
)
def test_what_no_page_gave_is_refused(service: Service, query: dict[str, Any]) -> None:
    answer = service.client.get("/v1/events", headers=service.key("events"), params=query)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "evt_none" not in answer.text


def test_what_was_found_is_sent_back_as_the_page_for_integrators_says(reviewed: Service) -> None:
    submits = reviewed.key("score", "ingest")
    reviewed.score(shipment(shipment_id="S-1"), submits)
    open_due(reviewed.services.cases, NOW)
    page = (ROOT / "docs/operations/integration.md").read_text(encoding="utf-8")
    (body,) = re.findall(r"```json\n(\{\"outcomes\".*?)```", page, re.DOTALL)
    body = json.loads(body.replace("2026-11-24T14", "2026-11-24T10").replace("T15:", "T11:"))

    sent = reviewed.client.post("/v1/records", json=body, headers=submits)
    open_due(reviewed.services.cases, NOW)

    assert sent.status_code == 200, sent.text
    last = list(pages(reviewed, submits))[-1]
    assert (last["type"], last["result"]) == ("tidegate.case.closed", "nothing_found")
