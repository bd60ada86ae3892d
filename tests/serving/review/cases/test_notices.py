"""Notices: each act tells whom it concerns, once; nobody reads one of a case they may not see."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from serving.access.accounts import new_account
from serving.access.actors import SERVICE, Actor
from serving.app import create_app
from serving.audit.erasure import ErasureLimits, RetainedUnits
from serving.audit.retention_log import RetentionAct
from serving.errors import NotFound, Unprocessable
from serving.review.acts import news
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.assign import Assignment, assign_case
from serving.review.acts.claim import claim
from serving.review.acts.give_back import give_back
from serving.review.acts.note import note_case
from serving.review.acts.order import order_action
from serving.review.acts.stored_acts import stored_change
from serving.review.acts.wait import take_and_wait
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.notices import NoticeKind
from serving.review.cases.reviewer import Reviewer
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.tables.review import notices
from tests.serving.bodies import shipment
from tests.serving.clock import Clock
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import CHIEF, person
from tests.serving.review.cases.stated import FOUND, HOLD, INSPECT, NOTHING, RELEASE, give_to
from tests.serving.review.cases.test_cases_served import PLAN
from tests.serving.review.cases.test_teams import TOBACCO, sign_in
from tests.serving.review.supervision.test_supervision_served import PASSWORD

OFFICE = "DE1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def served(home: Path, clock: Clock) -> Iterator[Service]:
    """A service with two reviewers of an office, one of another, and a supervisor."""
    (home / "lanes.toml").write_text(PLAN)
    with TestClient(create_app(Settings(home=home), clock=clock)) as client:
        service = Service(client, client.app.state.services, home)  # type: ignore[attr-defined]  # a FastAPI
        for name, office in (("ana", OFFICE), ("jan", OFFICE), ("abroad", "DE2")):
            account = new_account(name, PASSWORD, "reviewer", (office,), NOW)
            service.services.accounts.add_account(account)
        service.services.accounts.add_account(new_account("chief", PASSWORD, "supervisor", (), NOW))
        yield service


def by(name: str, *offices: str) -> Reviewer:
    access = CaseAccess(frozenset(offices), is_rescue=False)
    return Reviewer(person(name), access, supervises=name == "chief")


ANA, JAN, CHIEF_READS = by("ana", OFFICE), by("jan", OFFICE), by("chief")


def decide(service: Service, number: int = 1) -> str:
    body = shipment(shipment_id=f"S-{number}", office_id=OFFICE)
    return str(service.score(body, service.key("score")).json()["decision_id"])


def told(service: Service, reader: Reviewer, at: datetime = NOW) -> list[NoticeKind]:
    found = service.services.notices.of_holder(reader.actor, reader.access, at)
    return [each.kind for each in found]


def test_whoever_is_given_a_case_is_told_and_whoever_takes_one_is_not(served: Service) -> None:
    case_id, cases = decide(served), served.services.cases
    cases.act(ANA, case_id, lambda case: claim(case, ANA.actor, NOW))
    assert told(served, ANA) == []
    give_to(cases, ANA, case_id, NOW, JAN)
    assert told(served, JAN) == ["handed_over"]
    cases.act(JAN, case_id, lambda case: give_back(case, JAN.actor, NOW))
    give_to(cases, CHIEF_READS, case_id, NOW, ANA)
    assert told(served, ANA) == ["assigned"]
    assert told(served, CHIEF_READS) == []


def test_a_second_person_is_asked_for_of_the_team_or_of_the_supervisors(served: Service) -> None:
    first, second, cases = decide(served, 1), decide(served, 2), served.services.cases
    served.services.teams.add_team(replace(TOBACCO, members=("jan", "ana")), NOW, CHIEF)
    assign_case(ActRequest(cases, ANA, second, NOW), Assignment(inbox="Tobacco"))
    for case_id in (first, second):
        cases.act(ANA, case_id, lambda case: claim(case, ANA.actor, NOW))
        order_action(ActRequest(cases, ANA, case_id, NOW), HOLD)

    assert told(served, CHIEF_READS) == ["second_person"]
    assert told(served, JAN) == ["second_person"]
    assert told(served, ANA) == []
    give_to(cases, CHIEF_READS, first, NOW, JAN)
    assert told(served, JAN) == ["second_person", "second_person"]


def test_a_reminder_comes_when_it_is_due_and_not_once_nothing_waits(
    served: Service, clock: Clock
) -> None:
    cases, later = served.services.cases, NOW + timedelta(hours=4)
    waits, acted = decide(served, 1), decide(served, 2)
    for case_id in (waits, acted):
        cases.act(
            ANA,
            case_id,
            lambda case: take_and_wait(case, ANA.actor, NOW, later, "other", ""),
        )
    order_action(ActRequest(cases, ANA, acted, NOW + timedelta(hours=1)), RELEASE)

    assert told(served, ANA, later - timedelta(seconds=1)) == []
    assert told(served, ANA, later) == ["reminder"]
    (notice,) = served.services.notices.of_holder(ANA.actor, ANA.access, later)
    assert (notice.case_id, notice.at) == (waits, later)
    give_to(cases, ANA, waits, later, JAN)
    assert told(served, ANA, later) == ["reminder"]


def test_the_owner_is_told_of_a_result_that_came_from_elsewhere(served: Service) -> None:
    cases, store = served.services.cases, served.services.case_store
    for number, result, kinds in ((1, NOTHING, ["result_in"]), (2, FOUND, ["result_in"] * 2)):
        case_id = decide(served, number)
        cases.act(ANA, case_id, lambda case: claim(case, ANA.actor, NOW))
        order_action(ActRequest(cases, ANA, case_id, NOW), INSPECT)

        def take(row: Any, result: Any = result) -> Any:
            return stored_change(
                lambda case: news.take_outcome(case, SERVICE, NOW, result, None), row
            )

        store.change(case_id, take)
        assert told(served, ANA) == kinds
    assert told(served, CHIEF_READS) == ["second_person"]


def test_a_colleague_is_mentioned_who_may_see_the_case(served: Service) -> None:
    case_id, cases = decide(served), served.services.cases

    for wrong in ("@abroad look", "@nobody look", "@Jan look"):
        with pytest.raises(Unprocessable):
            note_case(ActRequest(cases, ANA, case_id, NOW), wrong)
    note_case(ActRequest(cases, ANA, case_id, NOW), "@jan and @ana: look at the seal")

    assert told(served, JAN) == ["mentioned"]
    assert told(served, ANA) == []
    assert [event.text for event in cases.events(case_id)] == ["@jan and @ana: look at the seal"]
    sign_in(served, "jan")
    page = served.client.get(f"/console/cases/{case_id}").text
    assert '<strong class="mention">@jan</strong> and' in page
    ana = served.person("ana", "review")
    refused = served.client.post(
        f"/v1/cases/{case_id}/notes", headers=ana, json={"text": "@abroad"}
    )
    assert refused.status_code == 422


def test_notices_of_cases_that_one_may_not_see_any_more_are_not_shown(served: Service) -> None:
    case_id, cases = decide(served), served.services.cases
    give_to(cases, CHIEF_READS, case_id, NOW, JAN)
    notices_of = served.services.notices

    for access in (by("jan", "DE2").access, CaseAccess(frozenset(), is_rescue=True)):
        assert notices_of.of_holder(JAN.actor, access, NOW) == []
        assert notices_of.count_unread(JAN.actor, access, NOW) == 0
    assert notices_of.count_unread(JAN.actor, JAN.access, NOW) == 1
    (own,) = notices_of.of_holder(JAN.actor, JAN.access, NOW)
    with pytest.raises(NotFound):
        notices_of.mark(ANA.actor, own.notice_id, NOW)
    assert notices_of.of_holder(Actor("key:jan", "jan"), JAN.access, NOW) == []
    served.services.accounts.disable("jan", NOW)
    assert notices_of.of_holder(JAN.actor, JAN.access, NOW) == []


def test_the_bell_counts_until_a_case_is_opened_or_marked(served: Service) -> None:
    first, second, cases = decide(served, 1), decide(served, 2), served.services.cases
    for case_id in (first, second):
        give_to(cases, CHIEF_READS, case_id, NOW, JAN)
    token = sign_in(served, "jan")

    def bell() -> str:
        return served.client.get("/console/notices/count").text

    assert '<span class="unread">2</span>' in served.client.get("/console/queue").text
    assert 'aria-label="Notices: 2 not read"' in bell()
    page = served.client.get("/console/notices").text
    assert page.count("chief assigned this case to you") == 2
    assert f'href="/console/cases/{first}?tab=mine"' in page
    assert "Shipment S-1" in page
    served.client.get(f"/console/cases/{first}")
    assert "Notices: 1 not read" in bell()

    def send(act: str, **form: str) -> int:
        address, data = f"/console/notices/{act}", {"form_token": token} | form
        return served.client.post(address, data=data, headers=ORIGIN).status_code

    notice_id = page.split('name="notice" value="')[1].split('"')[0]
    send("read")
    assert "none not read" in bell()
    assert send("unread", notice=notice_id) == 200
    assert "Notices: 1 not read" in bell()
    assert send("read", notice="of another") == 404


def test_notices_go_with_what_is_erased(served: Service) -> None:
    case_id, cases = decide(served), served.services.cases
    give_to(cases, CHIEF_READS, case_id, NOW, JAN)
    order_action(ActRequest(cases, JAN, case_id, NOW), RELEASE)
    settings = served.services.settings
    engine = open_database(settings.database, is_service=False, keys=settings.keys)
    erasure, limits = DatabaseErasure(engine), ErasureLimits(decisions="2030", records="2030")
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(notices)) == 1
    act = RetentionAct(NOW.isoformat(), "erase", "chief", "its time is over", {})
    erasure.erase(limits, lambda _: RetainedUnits(), act)
    erasure.sweep(limits)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(notices)) == 0
