"""What a colleague never proposed is no proposal, and is agreed to by nobody."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from serving.access.actors import Actor
from serving.models.kill_switch import decline_switching_on, record_switch, switch_on_by_two
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.claim import claim
from serving.review.acts.order import order_action
from serving.review.acts.reopen import reopen
from serving.review.acts.stored_acts import CHANGED_FIELDS
from serving.review.acts.undo import undo_last_act
from serving.review.cases.case_change import CaseChange
from serving.review.cases.case_of_decision import CASE
from serving.review.cases.case_state import Case, Reopening, Statement
from serving.storage.encrypted_cases import unit_of
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.kill_switch_repository import KillSwitchRepository
from serving.storage.verification.audit_verification import verify_audit_log
from tests.serving.access.trusted import NOW
from tests.serving.databases import database
from tests.serving.people import person
from tests.serving.refusals import refused_with
from tests.serving.review.cases.decisions import AT
from tests.serving.review.cases.stated import FOUND, HOLD, agree_by, end_by
from tests.serving.review.cases.test_cases import LATER, ONE, TWO, Office
from tests.serving.storage.test_covered_tables import unguarded

WHY = "a model that was wrong"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.reviewing.decisions.close()


def behind(office: Office, statement: str, **values: Any) -> None:
    """As somebody who has the database, behind the service's back."""
    with office.engine.begin() as connection:
        connection.execute(text(statement), values)


def state(office: Office) -> str:
    with office.engine.connect() as connection:
        return str(connection.scalar(text("SELECT state FROM cases")))


def forge(office: Office, **changed: Any) -> None:
    """Write a state in which the first reviewer made a statement, as one who has the keys too."""
    _, case = office.reviewing.case(ONE, "d-1")
    forged = CASE.dump_json(replace(case, owner=None, **changed)).decode()
    with office.engine.begin() as connection:
        unit = unit_of(connection, "d-1")
        encrypted = DataKeys(office.engine).encrypt_text(unit, "case state", forged, connection)
    behind(office, "UPDATE cases SET state = :state, owner = NULL", state=encrypted)


def claimed(case: Case) -> CaseChange:
    return claim(case, TWO.actor, LATER)


FORGED = {
    "a hold": {"proposal": Statement(ONE.actor, AT, action=HOLD)},
    "an adverse end": {"proposal": Statement(ONE.actor, AT, result=FOUND)},
}


@pytest.mark.parametrize("changed", FORGED.values(), ids=FORGED)
def test_nobody_acts_on_what_a_colleague_never_proposed(
    office: Office, changed: dict[str, Any]
) -> None:
    office.decide()
    office.reviewing.case(ONE, "d-1")
    before = state(office)

    forge(office, **changed)

    with refused_with("not-as-audited", match="verify-log"):
        office.reviewing.act(TWO, "d-1", claimed)
    (finding,) = verify_audit_log(office.engine).findings
    assert (finding.table, finding.key) == ("cases", ("d-1",))
    behind(office, "UPDATE cases SET state = :state", state=before)
    assert office.reviewing.act(TWO, "d-1", claimed).owner == TWO.actor
    assert verify_audit_log(office.engine).is_whole


def test_a_case_is_opened_again_by_two_who_both_said_so(office: Office) -> None:
    office.decide()
    end_by(office.reviewing, ONE, "d-1", AT, FOUND)
    agree_by(office.reviewing, TWO, "d-1", AT, FOUND)
    forge(office, reopening=Reopening(ONE.actor, AT, "an error"))

    with refused_with("not-as-audited"):
        office.reviewing.act(TWO, "d-1", lambda case: reopen(case, TWO.actor, LATER, "an error"))


def test_what_was_proposed_once_and_taken_back_is_not_agreed_to(office: Office) -> None:
    office.decide()
    office.reviewing.act(ONE, "d-1", lambda case: claim(case, ONE.actor, AT))
    order_action(ActRequest(office.reviewing, ONE, "d-1", AT), HOLD)
    proposed = state(office)
    undo_last_act(ActRequest(office.reviewing, ONE, "d-1", AT))

    behind(office, "UPDATE cases SET state = :state", state=proposed)

    with refused_with("not-as-audited"):
        office.reviewing.act(TWO, "d-1", claimed)


def test_nothing_is_undone_that_the_log_does_not_tell(office: Office) -> None:
    office.decide()
    office.reviewing.act(TWO, "d-1", lambda case: claim(case, TWO.actor, AT))
    proposal = CASE.dump_python(
        Case("d-1", proposal=Statement(ONE.actor, AT, action=HOLD)), mode="json"
    )["proposal"]
    behind(
        office,
        "INSERT INTO case_events (seq, case_id, at, actor, action, changed, text, actor_name) "
        "SELECT seq + 1, case_id, at, actor, 'state_view', :changed, '', actor_name "
        "FROM case_events ORDER BY seq DESC LIMIT 1",
        changed=CHANGED_FIELDS.dump_json({"proposal": (proposal, None)}).decode(),
    )

    with refused_with("not-as-audited"):
        undo_last_act(ActRequest(office.reviewing, TWO, "d-1", AT))
    (finding,) = verify_audit_log(office.engine).findings
    assert finding.table == "case_events"


def test_a_later_score_covers_nothing_up(office: Office) -> None:
    office.decide()
    office.reviewing.case(ONE, "d-1")
    forge(office, proposal=Statement(ONE.actor, AT, action=HOLD))

    office.decide(2, rescores="d-1", lane_before="document_check", lane="inspect")
    office.reviewing.case(ONE, "d-1")

    with refused_with("not-as-audited"):
        office.reviewing.act(TWO, "d-1", claimed)


ADA, BO = person("ada"), person("bo")


@pytest.fixture
def switches(where: Path | str) -> KillSwitchRepository:
    """Switches of a database; the models are off."""
    register = KillSwitchRepository(database(where))
    record_switch(register, "all", is_on=False, by=ADA, because=WHY, at=NOW)
    return register


def insert_proposal(register: KillSwitchRepository, by: Actor) -> None:
    with register._engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO switch_proposals (seq, subject_kind, step, at, actor, actor_name, "
                "person, because, after_seq) SELECT 1, 'route', 'propose', :at, :actor, :name, "
                ":person, 'it is right again', max(seq) FROM switches WHERE subject_kind = 'route'"
            ),
            {
                "at": NOW.isoformat(),
                "actor": by.identity,
                "name": by.name,
                "person": by.person,
            },
        )


def test_no_model_is_switched_on_by_one_and_a_proposal_that_nobody_made(
    switches: KillSwitchRepository,
) -> None:
    insert_proposal(switches, ADA)

    assert switches.proposals() == {}
    switch_on_by_two(switches, "route", BO, "it is right again", NOW + timedelta(minutes=1))

    assert not switches.latest_by_kind()["route"].is_on
    assert switches.proposals()["route"].by == BO
    (finding,) = verify_audit_log(switches._engine).findings
    assert (finding.table, finding.key) == ("switch_proposals", (1,))


def test_two_persons_switch_on_and_one_declines_as_the_log_tells(
    switches: KillSwitchRepository,
) -> None:
    at = NOW + timedelta(minutes=1)
    switch_on_by_two(switches, "all", BO, "it is right again", at)
    decline_switching_on(switches, "shipment", ADA, "not this one yet", at)
    assert [*switches.proposals()] == ["route"]

    switch_on_by_two(switches, "route", ADA, "it is right again", at)

    latest = switches.latest_by_kind()
    assert {kind: event.is_on for kind, event in latest.items()} == {
        "route": True,
        "shipment": False,
    }
    assert switches.proposals() == {}
    assert verify_audit_log(switches._engine).is_whole


def test_whoever_proposed_it_is_the_one_that_the_log_tells(
    switches: KillSwitchRepository,
) -> None:
    switch_on_by_two(switches, "route", BO, "it is right again", NOW + timedelta(minutes=1))
    with unguarded(switches._engine) as connection:
        renamed = "UPDATE switch_proposals SET actor = :actor, actor_name = :name, person = :person"
        connection.execute(
            text(renamed), {"actor": ADA.identity, "name": ADA.name, "person": ADA.person}
        )

    switch_on_by_two(switches, "route", BO, "it is right again", NOW + timedelta(minutes=2))

    assert not switches.latest_by_kind()["route"].is_on


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM switches",
        "UPDATE switches SET is_on = 1",
        "INSERT INTO switches (seq, subject_kind, is_on, switched_at, switched_by, because) "
        "SELECT seq + 9, subject_kind, 1, switched_at, switched_by, because FROM switches",
    ],
)
def test_models_stay_off_whatever_the_table_says(
    switches: KillSwitchRepository, statement: str
) -> None:
    with unguarded(switches._engine) as connection:
        connection.execute(text(statement))

    latest = switches.latest_by_kind()

    told = {kind: (event.is_on, event.switched_at) for kind, event in latest.items()}
    assert told == dict.fromkeys(("route", "shipment"), (False, NOW))
