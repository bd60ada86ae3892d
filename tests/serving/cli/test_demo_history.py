"""A month before the demonstration is made by live acts at their own times, and in order."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlalchemy import Engine

from features.submission import Submission
from serving.access.actors import Actor
from serving.audit.decision import Decision
from serving.cli import demo_history
from serving.cli.demo_history import OFFICERS, SITTINGS, play_month
from serving.cli.demo_people import PEOPLE, RESCUER
from serving.cli.demo_world import Month
from serving.review.cases.case_records import CaseAccess, CaseFilter, StoredEvent
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.case_repository import CaseRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log
from tests.serving.bodies import route, shipment, submission

BEGIN = datetime(2026, 10, 26, 3, tzinfo=UTC)
UNTIL = BEGIN + timedelta(days=5)
DECLARED = 36
OFFICE = "office-A-1"


def month() -> Month:
    """Routes and shipments in turn, every two hours; one in three is smuggled."""
    submissions = [declared(number) for number in range(DECLARED)]
    ids = [each.subject_id for each in submissions]
    return Month(submissions, dict.fromkeys(ids, OFFICE), dict.fromkeys(ids[::3], "undervaluation"))


def declared(number: int) -> Submission:
    at = BEGIN + number * timedelta(hours=2)
    if number % 2:
        due_at = (at + timedelta(days=1)).isoformat()
        body = route(journey_id=f"J-{number}", declared_at=at.isoformat(), due_at=due_at)
        return submission({name: body[name] for name in ("subject_kind", "journey")})
    own = {"shipment_id": f"S-{number}", "journey_id": None, "gross_mass_kg": 900.0 + 10 * number}
    body = shipment(**own, declared_at=at.isoformat(), office_id=OFFICE)
    return submission({name: body[name] for name in ("subject_kind", "shipment")})


@pytest.fixture(scope="module")
def home(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Path(copytree(trained_home, tmp_path_factory.mktemp("month") / "home"))
    shares = {"inspect_share": 0.3, "control_probability": 0.3}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(demo_history, "LOOKED_AT", shares)
        passwords = play_month(Settings(home=home), month(), UNTIL)
    assert passwords.keys() == PEOPLE.keys()
    return home


@pytest.fixture
def database(home: Path) -> Iterator[Engine]:
    engine = open_database(home / "tidegate.db", is_service=False, keys=home / "keys")
    yield engine
    engine.dispose()


def events_of(database: Engine) -> list[tuple[Any, StoredEvent]]:
    cases = CaseRepository(database)
    rows = [
        row
        for is_rescue in (False, True)
        for row in cases.list_cases(CaseAccess(frozenset(), is_rescue), CaseFilter(), 200)
    ]
    return [(row, event) for row in rows for event in cases.events(row.case_id)]


def test_each_subject_was_decided_about_when_it_was_declared(database: Engine) -> None:
    records = DecisionRepository(database).records()
    decisions = [Decision.model_validate_json(record) for record in records if record]

    assert [d.subject_id for d in decisions] == [s.subject_id for s in month().submissions]
    assert {d.scored_at - d.submission.declared_at for d in decisions} == {timedelta(seconds=1)}
    assert {d.office_id for d in decisions} == {OFFICE}


def test_people_acted_on_the_cases_after_these_were_opened_and_when_they_work(
    database: Engine,
) -> None:
    events = events_of(database)
    assert {"judge", "order_action", "state_result", "agree"} <= {e.action for _, e in events}
    for row, event in events:
        assert row.opened_at < event.at < UNTIL
        if event.action in ("state_result", "agree", "reread") and event.by.name != RESCUER:
            assert any(begin <= event.at.hour <= end for begin, end in SITTINGS)
    named = {event.by.name for _, event in events}
    assert {*OFFICERS} <= named <= {*OFFICERS, RESCUER}


def test_nobody_is_second_to_themselves_and_finds_are_confirmed_by_two(database: Engine) -> None:
    events = events_of(database)
    agreed = {row.case_id: event.actor for row, event in events if event.action == "agree"}
    stated = {
        row.case_id: event.actor
        for row, event in events
        if event.action == "state_result" and row.case_id in agreed
    }
    assert agreed
    assert all(agreed[each] != stated[each] for each in agreed)


def test_the_log_is_whole_and_knows_who_made_each_change(database: Engine) -> None:
    accounts = AccountRepository(database)

    assert verify_decision_log(database).is_whole
    assert verify_audit_log(database).is_whole
    actors = {event.by for _, event in events_of(database)}
    assert actors == {Actor(f"account:{by.name}", by.name) for by in actors}
    made_at = {account.created_at for name in PEOPLE if (account := accounts.find(name))}
    assert made_at == {BEGIN - timedelta(hours=1)}
