"""That nobody was in danger: seen on the scene, or said by two persons where life was at risk."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.access.accounts import new_account
from serving.access.roles import ROLE_SCOPES
from serving.app import create_app
from serving.errors import PersonNeeded
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.agree import agree
from serving.review.acts.claim import claim
from serving.review.acts.disagree import disagree
from serving.review.acts.order import order_action
from serving.review.acts.reopen import reopen
from serving.review.acts.state_result import record_result, state_result
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_state import Case, Status
from serving.review.cases.results import CaseResult, ReasonCode, ResultCode
from serving.settings import Settings
from tests.serving.bodies import route
from tests.serving.clock import Clock
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import ONE, TWO, machine, reviewer
from tests.serving.refusals import refused_with
from tests.serving.review.cases.stated import post
from tests.serving.review.cases.test_cases_served import reviewed
from tests.serving.review.rescue.test_distress_alerts import AtSea, at_sea
from tests.serving.review.supervision.test_supervision_served import PASSWORD, sign_in_as
from tests.serving.scoring.test_ships import CALLS, hear, sentence

__all__ = ["at_sea", "reviewed"]

ANA, JAN = reviewer("ana", is_rescue=True), reviewer("jan", is_rescue=True)
MINE = Case("c", "assigned", ONE)
UNCERTIFIED = {"conveyance_kind": "small_craft", "certified_capacity": None, "persons_on_board": 47}
SHUT_IN = {
    "conveyance_kind": "truck",
    "cargo_unit": "reefer",
    "persons_on_board": 31,
    "mode": "road",
}
FEW_ABOVE = {"conveyance_kind": "container_ship", "certified_capacity": 28, "persons_on_board": 60}
FORM = {"code": "nobody_in_danger", "confidence": "medium", "text": "they said ok over radio"}


def no_danger(reason: ReasonCode, code: ResultCode = "nobody_in_danger") -> CaseResult:
    return CaseResult("rescue", code, reason, "medium", "they said ok over radio")


def opened(service: Service, body: dict[str, Any]) -> str:
    answer = service.score(body, service.key("score")).json()
    assert answer["lane"] == "rescue", answer
    return str(answer["decision_id"])


def end(service: Service, case_id: str, reason: ReasonCode) -> Status:
    """How a case stands after one person said that nobody was in danger."""
    cases = service.services.cases
    cases.act(ANA, case_id, lambda case: claim(case, ANA.actor, NOW))
    return record_result(ActRequest(cases, ANA, case_id, NOW), lambda _: no_danger(reason)).status


@pytest.mark.parametrize("code", ["nobody_in_danger", "nobody_found"])
@pytest.mark.parametrize("reason", ["heard_by_call", "reported", "other"])
def test_where_life_was_at_risk_hearsay_ends_nothing_until_a_second_person_agrees(
    reason: ReasonCode, code: ResultCode
) -> None:
    said, _ = state_result(MINE, ONE, NOW, no_danger(reason, code))
    assert (said.status, said.owner, said.result) == ("result_in", None, None)

    taken, _ = claim(said, TWO, NOW)
    with refused_with("view-needed"):
        agree(taken, TWO, NOW, "")
    with refused_with("same-reviewer"):
        claim(said, ONE, NOW)
    judging, _ = state_result(taken, TWO, NOW, no_danger(reason, code))
    ended, _ = agree(judging, TWO, NOW, "the harbour says so too")

    assert (ended.status, ended.ended_by) == ("closed", (ONE, TWO))
    again, _ = reopen(ended, TWO, NOW, "it called again")
    assert again.status == "open", "what may save lives takes one person"


def test_whoever_was_there_or_knows_of_no_grave_sign_ends_it_alone() -> None:
    seen, _ = state_result(MINE, ONE, NOW, no_danger("seen_on_scene"))
    harmless, _ = state_result(MINE, ONE, NOW, no_danger("heard_by_call"), is_life_at_risk=False)

    assert (seen.status, harmless.status) == ("closed", "closed")


def test_a_second_person_who_has_hearsay_of_their_own_instead_proposes_it() -> None:
    helped = CaseResult("rescue", "people_helped", "seen_on_scene", "high", "all are on shore")
    said, _ = state_result(MINE, ONE, NOW, no_danger("heard_by_call"))
    taken, _ = claim(said, TWO, NOW)
    other_view, _ = state_result(taken, TWO, NOW, no_danger("reported"))
    proposed, _ = disagree(other_view, TWO, NOW, "I heard it otherwise")
    seen_view, _ = state_result(taken, TWO, NOW, helped)
    ended, _ = disagree(seen_view, TWO, NOW, "I was there")

    assert (proposed.status, proposed.proposal and proposed.proposal.by) == ("result_in", TWO)
    assert (ended.status, ended.result) == ("closed", helped)


def test_no_machine_says_that_nobody_was_in_danger_of_what_it_has_not_seen() -> None:
    key = machine("desk")
    with pytest.raises(PersonNeeded, match="a report from the scene"):
        state_result(replace(MINE, owner=key), key, NOW, no_danger("heard_by_call"))


@pytest.mark.parametrize(
    ("journey", "alone"),
    [(UNCERTIFIED, "result_in"), (SHUT_IN, "result_in"), (FEW_ABOVE, "closed")],
)
def test_signs_of_the_records_say_who_must_agree(
    reviewed: Service, journey: dict[str, Any], alone: Status
) -> None:
    assert end(reviewed, opened(reviewed, route(**journey)), "heard_by_call") == alone


def test_forty_seven_on_an_uncertified_craft_are_not_ended_by_a_call_through_any_door(
    reviewed: Service,
) -> None:
    case_id = opened(reviewed, route(**UNCERTIFIED))
    said = {**FORM, "reason": "heard_by_call"}
    key = reviewed.key("rescue")
    assert post(reviewed, case_id, "claim", key).status_code == 200
    refused = post(reviewed, case_id, "results", key, **said)
    assert (refused.status_code, "report from the scene" in refused.text) == (403, True)
    assert post(reviewed, case_id, "release", key).status_code == 200
    token = sign_in_as(reviewed, "rescue")
    for act, form in (("claim", {}), ("results", said)):
        sent = {"form_token": token, **form}
        address = f"/console/rescues/{case_id}/{act}"
        reviewed.client.post(address, data=sent, headers=ORIGIN)

    page = reviewed.client.get(f"/console/rescues/{case_id}").text

    _, case = reviewed.services.cases.case(ANA, case_id)
    assert case.status == "result_in"
    assert "A second person must agree, since there were signs of danger to life" in page


def test_a_call_for_help_that_came_later_and_what_an_officer_saw_count_as_signs(
    reviewed: Service,
) -> None:
    called = opened(reviewed, route(journey_id="J-called", **FEW_ABOVE))
    heard = {"journey_id": "J-called", "latitude": 38.0, "longitude": 25.0, "is_distress": True}
    headers = reviewed.key("ingest") | {"Idempotency-Key": "later"}
    body = {"positions": [heard | {"observed_at": NOW.isoformat()}]}
    assert reviewed.client.post("/v1/records", json=body, headers=headers).status_code == 200
    assert end(reviewed, called, "heard_by_call") == "result_in"

    seen = reviewed.score(
        route(journey_id="J-seen", carrier_id="c-0012"), reviewed.key("score")
    ).json()["decision_id"]
    officer, cases = reviewer("officer"), reviewed.services.cases
    refer = CaseAction("refer", "there are voices inside", "rescue")
    order_action(ActRequest(cases, officer, seen, NOW, takes=True), refer)
    assert end(reviewed, seen, "heard_by_call") == "result_in"


@dataclass
class Alerted:
    """A service with a distress alert, and two rescuers who sign in to its console."""

    at_sea: AtSea
    alert_id: str
    token: str = ""

    def sign_in(self, name: str) -> None:
        client = self.at_sea.service.client
        client.cookies.clear()
        accounts = self.at_sea.service.services.accounts
        if accounts.find(name) is None:
            accounts.add_account(new_account(name, PASSWORD, "rescue", (), NOW))
        form = {"name": name, "password": PASSWORD}
        page = client.post("/console/sign-in", data=form, headers=ORIGIN).text
        self.token = page.split('name="form_token" value="')[1].split('"')[0]

    def act(self, name: str, **form: str) -> Any:
        address = f"/console/rescues/alerts/{self.alert_id}/{name}"
        sent = {"form_token": self.token, **form}
        client = self.at_sea.service.client
        return client.post(address, data=sent, headers=ORIGIN, follow_redirects=False)

    @property
    def status(self) -> Status:
        found = self.at_sea.service.services.distress_alerts.find(self.alert_id)
        assert found is not None
        assert found.state is not None
        return found.state.status

    @property
    def page(self) -> str:
        return str(self.at_sea.service.client.get(f"/console/rescues/alerts/{self.alert_id}").text)


@pytest.fixture
def alerted(at_sea: AtSea) -> Alerted:
    hear(at_sea, sentence(status=CALLS))
    (told,) = at_sea.told()
    return Alerted(at_sea, told["case_id"])


def test_a_distress_call_is_ended_as_a_false_alarm_by_two_and_their_words_are_kept(
    alerted: Alerted,
) -> None:
    alerted.sign_in("watch one")
    assert alerted.act("results", **FORM, reason="heard_by_call").status_code == 303
    assert alerted.status == "result_in"
    assert alerted.act("claim").status_code == 409, "the first is not the second"
    alerted.sign_in("watch two")
    assert "they said ok" not in alerted.page, "the second has no view of their own yet"
    assert alerted.act("agreements").status_code == 409
    assert alerted.act("claim").status_code == 303
    assert alerted.act("results", **FORM, reason="heard_by_call").status_code == 303
    assert "they said ok over radio" in alerted.page
    assert alerted.status == "result_in"
    assert alerted.at_sea.told()[-1]["case_id"] == alerted.alert_id
    assert alerted.act("agreements", text="so says the harbour").status_code == 303

    assert alerted.status == "closed"
    assert "Nobody was in danger" in alerted.page
    assert "Nobody acts</strong>" not in alerted.at_sea.service.client.get("/console/rescues").text
    assert not alerted.at_sea.service.services.distress_alerts.unacknowledged()


def test_one_who_was_at_the_scene_ends_a_distress_call_and_a_new_call_is_a_new_alert(
    alerted: Alerted,
) -> None:
    alerted.sign_in("watch one")
    assert alerted.act("results", **FORM, reason="seen_on_scene").status_code == 303
    assert alerted.status == "closed"

    at_sea = alerted.at_sea
    at_sea.at(NOW + timedelta(hours=1))
    hear(at_sea, sentence(NOW + timedelta(hours=1), status=CALLS), key="again")

    (waiting,) = at_sea.service.services.distress_alerts.unacknowledged()
    assert waiting.decision_id != alerted.alert_id
    alerted.sign_in("watch one")
    assert alerted.act("reopen", text="it called again").status_code == 303
    assert alerted.status == "open"


def test_nobody_but_rescuers_reads_or_ends_a_distress_call(alerted: Alerted) -> None:
    service = alerted.at_sea.service
    for role in ROLE_SCOPES:
        alerted.token = sign_in_as(service, role)
        page = service.client.get(f"/console/rescues/alerts/{alerted.alert_id}")
        assert (page.status_code == 200) == (role == "rescue"), role
        assert ("255805587" in page.text) == (role == "rescue"), role
        status = alerted.act("results", **FORM, reason="seen_on_scene").status_code
        assert (status == 303) == (role == "rescue"), role


def test_a_false_alarm_takes_a_recent_proof_of_who_says_so(home: Path) -> None:
    clock = Clock(NOW)
    with TestClient(create_app(Settings(home=home), clock=clock)) as client:
        service = Service(client, client.app.state.services, home)  # type: ignore[attr-defined]  # a FastAPI
        case_id = opened(service, route(**UNCERTIFIED))
        token = sign_in_as(service, "rescue")
        clock.now = NOW + timedelta(minutes=service.services.settings.confirm_minutes + 1)
        address = f"/console/rescues/{case_id}/results"
        form = {"form_token": token, **FORM, "reason": "heard_by_call"}
        answer = client.post(address, data=form, headers=ORIGIN, follow_redirects=False)

        assert (answer.status_code, "they said ok over radio" in answer.text) == (401, True)
