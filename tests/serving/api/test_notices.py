"""`GET /v1/notices` and `POST /v1/notices/read` as callers see them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.access.accounts import Account
from serving.access.claims import person_elsewhere
from serving.access.oidc import NO_PASSWORD
from serving.app import create_app
from serving.review.cases.notices import MAX_SHOWN
from serving.review.cases.reviewer import Reviewer
from serving.settings import Settings
from serving.storage.repositories.notice_repository import NoticeRepository
from tests.serving.bodies import shipment
from tests.serving.clock import Clock
from tests.serving.conftest import ISSUER, NOW, Service
from tests.serving.people import reviewer
from tests.serving.review.cases.stated import give_to
from tests.serving.review.cases.test_cases_served import PLAN

OFFICE = "DE1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def served(home: Path, clock: Clock, trusting: None) -> Iterator[Service]:
    """A service with an account whose holder, ana, brings tokens too."""
    (home / "lanes.toml").write_text(PLAN)
    with TestClient(create_app(Settings(home=home), clock=clock)) as client:
        service = Service(client, client.app.state.services, home)  # type: ignore[attr-defined]  # a FastAPI
        elsewhere = person_elsewhere(ISSUER, "ana")
        ana = Account("ana", NO_PASSWORD, "reviewer", (OFFICE,), NOW, subject=elsewhere)
        service.services.accounts.add_account(ana)
        yield service


def tell(service: Service, *, count: int = 1) -> list[str]:
    """Give ana so many cases, and return them."""
    account = service.services.accounts.find("ana")
    assert account is not None
    to, given = Reviewer.from_caller(account.caller()), []
    for number in range(count):
        body = shipment(shipment_id=f"S-{number}", office_id=OFFICE)
        given.append(service.score(body, service.key("score")).json()["decision_id"])
        give_to(service.services.cases, reviewer("chief"), given[-1], NOW, to)
    return given


def ask(service: Service, by: dict[str, str], **query: Any) -> Any:
    return service.client.get("/v1/notices", params=query, headers=by)


def read(service: Service, by: dict[str, str], **body: Any) -> Any:
    return service.client.post("/v1/notices/read", json=body, headers=by)


def test_a_person_with_a_token_reads_the_notices_of_their_account_and_nobody_else_does(
    served: Service,
) -> None:
    (case_id,) = tell(served)
    ana, other = served.person("ana", "review"), served.person("jan", "review")

    page = ask(served, ana).json()

    (notice,) = page["notices"]
    assert (notice["case_id"], notice["kind"], notice["by"]) == (case_id, "assigned", "chief")
    assert (notice["read_at"], page["unread"], page["next"]) == (None, 1, None)
    for by in (other, served.key("review"), served.person("ana", "review", offices=("DE2",))):
        assert ask(served, by).json() == {"notices": [], "unread": 0, "next": None}
    assert read(served, other, notice_ids=[notice["notice_id"]]).status_code == 404
    assert ask(served, ana).json()["unread"] == 1


def test_unread_ones_come_first_over_pages_and_each_once(served: Service) -> None:
    given, ana = tell(served, count=5), served.person("ana", "review")
    every = ask(served, ana).json()["notices"]
    assert {each["case_id"] for each in every} == {*given}
    seen = [every[0]["notice_id"], every[3]["notice_id"]]

    refused = read(served, ana, notice_ids=[*seen, "0" * 16])
    assert refused.status_code == 404
    assert ask(served, ana).json()["unread"] == 5
    assert read(served, ana, notice_ids=seen).json() == {"unread": 3}

    pages, cursor = [], None
    while not pages or cursor:
        page = ask(served, ana, limit=2, **({"cursor": cursor} if cursor else {})).json()
        pages += page["notices"]
        cursor = page["next"]
    order = [each["notice_id"] for each in every]
    unread = [each for each in order if each not in seen]
    assert [each["notice_id"] for each in pages] == [*unread, *seen]
    assert [each["read_at"] is None for each in pages] == [True] * 3 + [False] * 2
    assert read(served, ana).json() == {"unread": 0}
    assert ask(served, ana, cursor="nonsense").status_code == 422
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NoticeRepository, "count_unread", lambda *_: MAX_SHOWN)
        assert ask(served, ana).json()["unread"] == MAX_SHOWN  # of the token and of the account


def test_a_key_that_has_a_case_is_told_when_what_it_laid_aside_is_due(
    served: Service, clock: Clock
) -> None:
    body = shipment(office_id=OFFICE)
    case_id = served.score(body, served.key("score")).json()["decision_id"]
    key, later = served.key("review"), NOW + timedelta(hours=4)
    wait = {"until": later.isoformat(), "waiting_for": "reply", "text": "the agent is to answer"}
    for act, stated in (("claim", None), ("waits", wait)):
        address = f"/v1/cases/{case_id}/{act}"
        assert served.client.post(address, json=stated, headers=key).status_code == 200

    assert ask(served, key).json()["notices"] == []
    clock.now = later
    assert [each["kind"] for each in ask(served, key).json()["notices"]] == ["reminder"]
