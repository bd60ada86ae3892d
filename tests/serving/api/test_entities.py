"""`GET /v1/entities/{kind}/{token}` as callers see it."""

from typing import Any

from serving.access.roles import Scope
from serving.integrity.audit_log import EventFilter
from tests.serving.bodies import shipment
from tests.serving.conftest import Service
from tests.serving.review.cases.test_cases_served import reviewed

__all__ = ["reviewed"]

OFFICE = "DE1"


def decide(service: Service, number: int, **fields: Any) -> str:
    body = shipment(shipment_id=f"S-{number}", office_id=OFFICE, **fields)
    return str(service.score(body, service.key("score")).json()["decision_id"])


def ask(service: Service, address: str, *scopes: Scope, office_id: str = OFFICE) -> Any:
    caller = service.key(*scopes, offices=(office_id,))
    return service.client.get(f"/v1/{address}", headers=caller)


def test_what_a_case_names_leads_to_what_other_cases_tell_of_it(reviewed: Service) -> None:
    first, second = decide(reviewed, 1), decide(reviewed, 2)

    named = ask(reviewed, f"cases/{first}", "review").json()["entities"]
    party = next(each for each in named if each["kind"] == "party")
    assert party["value"] not in party["token"]
    facts = ask(reviewed, f"entities/party/{party['token']}", "review").json()

    assert {name: facts[name] for name in party} == party
    assert [case["case_id"] for case in facts["cases"]] == [second, first]
    assert (facts["case_count"], facts["open_cases"], facts["confirmed"]) == (2, 2, 0)
    assert facts["is_whole"]
    assert sum(month["cases"] for month in facts["months"]) == 2
    assert facts["roles"][0]["cases"] == 2
    companion = facts["companions"][0]
    leads = ask(reviewed, f"entities/{companion['kind']}/{companion['token']}", "audit")
    assert leads.json()["value"] == companion["value"]
    told = reviewed.services.audit_events.newest(EventFilter(object_kind="entity"), 9)
    assert [event.object_id for event in told] == [companion["token"], party["token"]]
    assert {*told[1].details["cases"]} == {first, second}


def test_of_an_entity_that_only_others_see_there_is_nothing(reviewed: Service) -> None:
    case_id = decide(reviewed, 1)
    (party, *_) = ask(reviewed, f"cases/{case_id}", "review").json()["entities"]
    address = f"entities/{party['kind']}/{party['token']}"

    assert ask(reviewed, address, "review").status_code == 200
    hidden = ask(reviewed, address, "review", office_id="DE2")
    unknown = ask(reviewed, f"entities/party/{'0' * 32}", "review")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json()["detail"] == unknown.json()["detail"]
    assert ask(reviewed, address, "rescue").status_code == 403
    assert ask(reviewed, "entities/person/x", "review").status_code == 422
