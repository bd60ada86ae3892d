"""The same with several cases at once: each by itself, each told of, and nothing final."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient

from serving.access.accounts import new_account
from serving.app import create_app
from serving.errors import Conflict, NotFound
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.bulk_acts import MAX_BULK_CASES, BulkAct, act_together
from serving.review.acts.claim import CLAIM
from serving.review.cases.cases import Cases
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import CHIEF, reviewer
from tests.serving.review.cases.stated import post
from tests.serving.review.cases.test_cases_served import PLAN
from tests.serving.review.cases.test_teams import TOBACCO, sign_in
from tests.serving.review.supervision.test_supervision_served import PASSWORD

_EVERYONE = reviewer("anyone")
LATER = NOW + timedelta(hours=4)


def test_what_is_refused_stops_nothing_else_and_each_is_done_once() -> None:
    seen: list[str] = []

    def perform(acting: ActRequest, _: object) -> Any:
        if acting.case_id == "gone":
            raise NotFound("no case with this id can be seen by you")
        if acting.case_id == "taken":
            raise Conflict("another was faster")
        seen.append(acting.case_id)

    def act_on(case_ids: Iterable[str]) -> BulkAct:
        chosen = (replace(CLAIM, perform=perform), None)
        return act_together(cast("Cases", None), _EVERYONE, NOW, case_ids, chosen)

    acted = act_on(["a", "gone", "b", "a", "taken"])

    assert acted.done == ("a", "b") == tuple(seen)
    assert [case_id for case_id, _ in acted.refused] == ["gone", "taken"]
    assert len(act_on(map(str, range(499))).done) == 499  # none falls away


@pytest.fixture
def served(home: Path) -> Iterator[Service]:
    """A service with reviewers and a team."""
    (home / "lanes.toml").write_text(PLAN)
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        service = Service(client, client.app.state.services, home)  # type: ignore[attr-defined]  # a FastAPI
        for name in ("one", "two"):
            account = new_account(name, PASSWORD, "reviewer", (), NOW)
            service.services.accounts.add_account(account)
        service.services.teams.add_team(TOBACCO, NOW, CHIEF)
        yield service


def decide(service: Service, number: int) -> str:
    body = shipment(shipment_id=f"S-{number}", office_id="DE1")
    return str(service.score(body, service.key("score")).json()["decision_id"])


def state(service: Service, case_id: str) -> tuple[Any, ...]:
    row = service.services.cases.rows_of(_EVERYONE, [case_id])[0]
    return row.owner_name, row.team, row.status


def test_of_several_by_call_those_that_another_has_are_told(served: Service) -> None:
    cases = [decide(served, number) for number in range(4)]
    one, two = served.person("one", "review"), served.person("two", "review")
    post(served, cases[1], "claim", two)

    def act(**body: Any) -> Any:
        return served.client.post("/v1/bulk-acts", headers=one, json={"case_ids": cases} | body)

    answer = act(act="assign", assignment={"to": "one"}).json()
    assert answer["done"] == [cases[0], cases[2], cases[3]]
    (refused,) = answer["refused"]
    assert refused["case_id"] == cases[1]
    assert "another reviewer has this case" in refused["detail"]
    assert state(served, cases[1])[0] == "two"
    wrong: list[dict[str, Any]] = [
        {"act": "assign"},
        {"act": "wait"},
        {"act": "give_back", "until": LATER.isoformat()},
        {"act": "close"},
        {"act": "give_back", "case_ids": []},
        {"act": "give_back", "case_ids": ["c"] * (MAX_BULK_CASES + 1)},
    ]
    for body in wrong:
        assert act(**body).status_code == 422, body
    assert act(act="wait", until=NOW.isoformat()).json()["done"] == []


def test_chosen_rows_of_the_list_are_acted_on_by_a_plain_form(served: Service) -> None:
    cases = [decide(served, number) for number in range(3)]
    token = sign_in(served, "one")
    page = served.client.get("/console/queue").text
    for case_id in cases:
        assert f'form="together" name="case_{case_id}"' in page

    def send(act: str, *chosen: str, **form: str) -> str:
        boxes = {f"case_{case_id}": "true" for case_id in chosen}
        data = {"form_token": token, "act": act} | boxes | form
        address = "/console/queue/together?tab=unassigned"
        return served.client.post(address, data=data, headers=ORIGIN).text

    post(served, cases[2], "claim", served.person("two", "review"))
    told = send("claim", *cases)
    assert "2 cases assigned to you. 1 not:" in told
    assert "Shipment S-2</a>: another reviewer has this case" in told
    assert "1 case laid aside." in send("wait", cases[0], hours="5", text="the ship is late")
    assert state(served, cases[0]) == ("one", None, "waiting")
    assert "1 case given back." in send("give_back", cases[1])
    assert "1 case handed over." in send("assign", cases[1], to="inbox:Tobacco")
    assert state(served, cases[1]) == (None, "Tobacco", "open")
    assert "1 case handed over." in send("assign", cases[1], to="two")
    assert state(served, cases[1])[0] == "two"
    before = [len(served.services.cases.events(case_id)) for case_id in cases]
    for act, form in (
        ("wait", {"hours": "9999"}),
        ("wait", {}),
        ("assign", {}),
        ("close", {}),
        ("actions", {"kind": "release"}),
    ):
        assert "together-told" in send(act, *cases, **form)
    assert "Choose one case or more." in send("claim")
    assert [len(served.services.cases.events(case_id)) for case_id in cases] == before


def test_whoever_only_reads_chooses_nothing(served: Service) -> None:
    decide(served, 1)
    account = new_account("looks", PASSWORD, "auditor", (), NOW)
    served.services.accounts.add_account(account)
    token = sign_in(served, "looks")
    assert 'class="choose"' not in served.client.get("/console/queue").text
    form = {"form_token": token, "act": "claim"}
    answer = served.client.post("/console/queue/together", data=form, headers=ORIGIN)
    assert answer.status_code == 403
