"""Escalation: by an officer, or by time where nobody acts; it ends when somebody does."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.access.accounts import new_account
from serving.access.actors import SERVICE
from serving.app import create_app
from serving.review.acts.claim import claim
from serving.review.acts.note import note
from serving.review.cases.escalations import EscalationRule, Escalations
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.clock import Clock
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import ONE, reviewer
from tests.serving.review.cases.stated import form_of, give_to
from tests.serving.review.cases.test_cases_served import PLAN
from tests.serving.review.cases.test_teams import sign_in
from tests.serving.review.supervision.test_supervision_served import PASSWORD

RULE = EscalationRule(0.25, timedelta(hours=4))
WORDS = "the master refuses to open the hold"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def served(home: Path, clock: Clock) -> Iterator[Service]:
    """A service with a reviewer and a supervisor of an office, and one of another."""
    (home / "lanes.toml").write_text(PLAN)
    with TestClient(create_app(Settings(home=home), clock=clock)) as client:
        service = Service(client, client.app.state.services, home)  # type: ignore[attr-defined]  # a FastAPI
        for name, office in (("chief", "DE1"), ("other", "DE2")):
            account = new_account(name, PASSWORD, "supervisor", (office,), NOW)
            service.services.accounts.add_account(account)
        service.services.accounts.add_account(new_account("one", PASSWORD, "reviewer", (), NOW))
        yield service


def decide(service: Service, number: int, hours_left: float) -> str:
    body = shipment(shipment_id=f"S-{number}", office_id="DE1")
    body["journey"]["due_at"] = (NOW + timedelta(hours=hours_left)).isoformat()
    return str(service.score(body, service.key("score")).json()["decision_id"])


def told(service: Service, name: str) -> int:
    reads = reviewer(name)
    return service.services.notices.count_unread(reads.actor, reads.access, NOW + timedelta(days=9))


def test_what_runs_out_of_time_without_an_act_is_escalated_once(
    served: Service, clock: Clock
) -> None:
    cases, one = served.services.cases, reviewer("one")
    nobody, taken, acted, late = (decide(served, n, hours) for n, hours in enumerate((8, 8, 8, 80)))
    cases.act(one, taken, lambda case: claim(case, ONE, NOW))
    escalations = Escalations(cases, RULE, clock)

    cases.open_new()
    assert escalations.escalate_due(NOW + timedelta(hours=5.9)) == 0
    at = NOW + timedelta(hours=6.1)  # 1.9 of 8 hours are left
    cases.act(one, acted, lambda case: note(case, ONE, at, "I telephone with the agent"))
    assert escalations.escalate_due(at) == 2
    assert escalations.escalate_due(at) == 0

    for case_id in (nobody, taken):
        (*_, event) = cases.events(case_id)
        assert (event.action, event.actor) == ("escalate", SERVICE.identity)
    assert told(served, "chief") == 2
    assert told(served, "other") == 0
    events = served.client.get("/v1/events?limit=200", headers=served.key("events")).json()
    types = [event["case_id"] for event in events["events"] if event["type"].endswith("escalated")]
    assert sorted(types) == sorted([nobody, taken])
    give_to(cases, reviewer("chief"), nobody, at, one)
    assert escalations.escalate_due(at + timedelta(hours=1)) == 0
    assert escalations.escalate_due(NOW + timedelta(hours=9)) == 0
    assert [event.action for event in cases.events(late)] == []


def test_of_a_long_time_the_most_hours_count_and_without_a_rule_nothing_does(
    served: Service, clock: Clock
) -> None:
    cases, late = served.services.cases, decide(served, 1, 80)
    cases.open_new()
    escalations = Escalations(cases, RULE, clock)

    assert escalations.escalate_due(NOW + timedelta(hours=75)) == 0
    assert escalations.escalate_due(NOW + timedelta(hours=76.5)) == 1
    assert cases.events(late)[-1].action == "escalate"
    never = EscalationRule(0.0, timedelta(0))
    assert Escalations(cases, never, clock).escalate_due(NOW) == 0


def test_an_officer_escalates_and_the_supervisor_finds_it(served: Service) -> None:
    case_id, one = decide(served, 1, 40), served.person("one", "review")
    answer = served.client.post(
        f"/v1/cases/{case_id}/escalations", headers=one, json={"text": WORDS}
    )
    assert answer.json()["is_escalated"]
    token = sign_in(served, "chief")
    page: Any = served.client.get("/console/queue?tab=escalated").text
    assert f'data-case="{case_id}"' in page
    assert ">escalated</strong>" in page
    page = served.client.get(f"/console/cases/{case_id}").text
    assert WORDS in page
    form = {"form_token": token}
    served.client.post(f"/console/cases/{case_id}/claim", data=form, headers=ORIGIN)
    assert f'data-case="{case_id}"' not in served.client.get("/console/queue?tab=escalated").text
    other = decide(served, 2, 40)
    form = form_of(served, other, token, text="two languages are needed")
    address = f"/console/cases/{other}/escalations?tab=unassigned"
    done = served.client.post(address, data=form, headers=ORIGIN).text
    assert "escalated." in done
    assert 'data-key="u"' in done
