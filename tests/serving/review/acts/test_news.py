"""What others found, and report by record, as it changes cases: alone, or for two persons."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from features.records import Outcome
from serving.errors import NotFound
from serving.history.received_records import ReceivedRecord
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.news import take_outcome, withdraw_outcome
from serving.review.acts.order import order_action
from serving.review.cases.case_opening_worker import open_due
from serving.review.cases.case_state import Case
from serving.review.cases.results import StatedInspection
from serving.storage.repositories.record_repository import RecordRepository
from tests.serving.review.cases.decisions import AT
from tests.serving.review.cases.stated import FOUND, INSPECT, NOTHING, RELEASE, agree_by, end_by
from tests.serving.review.cases.states import KEY, OPEN, ORDERED
from tests.serving.review.cases.test_cases import LATER, ONE, TWO, Office, claim, office

__all__ = ["office"]

MUCH_LATER = LATER + timedelta(hours=1)


def send(office: Office, subject: str, result: str, at: Any = LATER, **stated: Any) -> None:
    """An outcome that comes by record."""
    outcome = Outcome(
        subject_kind="shipment",
        subject_id=subject,
        selected_by="discretion",
        inspected_at=AT + timedelta(minutes=5),
        known_at=at,
        result=result,
        **stated,
    )
    row = ReceivedRecord(
        kind="outcomes",
        record_id=f"{subject} {at.isoformat()}",
        subject_kind="shipment",
        subject_id=subject,
        received_at=at.isoformat(),
        caller_id="key:border",
        body=outcome.model_dump_json(),
    )
    RecordRepository(office.engine).add_new([row])


def case_of(office: Office, case_id: str) -> Case:
    return office.reviewing.case(ONE, case_id)[1]


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ("not_confirmed", "nothing_found"),
        ("inconclusive", "inconclusive"),
        ("documents_in_order", "documents_in_order"),
        ("documents_irregular", "documents_irregular"),
    ],
)
def test_an_outcome_that_comes_by_record_and_is_not_adverse_closes_the_case(
    office: Office, result: str, code: str
) -> None:
    case_id = office.decide()
    claim(office, case_id)
    send(office, "S-1", result)

    assert open_due(office.reviewing, LATER) == 1

    case = case_of(office, case_id)
    assert (case.status, case.result and case.result.code) == ("closed", code)
    assert [e.action for e in office.reviewing.events(case_id)] == ["assign", "close"]
    assert len(office.labels()) == 1
    assert open_due(office.reviewing, LATER) == 0


def test_an_adverse_outcome_by_record_waits_for_two_persons_and_is_one_label(
    office: Office,
) -> None:
    case_id = office.decide()
    send(office, "S-1", "confirmed", offences="tobacco")
    open_due(office.reviewing, LATER)
    assert case_of(office, case_id).status == "result_in"

    once = agree_by(office.reviewing, ONE, case_id, LATER, FOUND)
    assert once.status == "result_in"
    twice = agree_by(office.reviewing, TWO, case_id, LATER, FOUND)

    assert (twice.status, twice.ended_by) == ("closed", (ONE.actor, TWO.actor))
    labels = office.labels()
    assert {label["result"] for label in labels} == {"confirmed"}
    assert len({label["inspected_at"] for label in labels}) == 1


def test_an_outcome_changes_no_case_that_ended_or_that_two_persons_judge(office: Office) -> None:
    for number in (1, 2):
        office.decide(number)
    claim(office, "d-1")
    order_action(ActRequest(office.reviewing, ONE, "d-1", LATER), RELEASE)
    end_by(office.reviewing, ONE, "d-2", LATER, FOUND)
    before = [case_of(office, case_id) for case_id in ("d-1", "d-2")]
    for number in (1, 2, 3):
        send(office, f"S-{number}", "not_confirmed")

    assert open_due(office.reviewing, LATER) == 3

    assert [case_of(office, case_id) for case_id in ("d-1", "d-2")] == before
    with pytest.raises(NotFound):
        case_of(office, "d-3")


def test_a_later_report_of_an_inspection_corrects_what_was_reported_before(office: Office) -> None:
    case_id = office.decide()
    send(office, "S-1", "not_confirmed")
    open_due(office.reviewing, LATER)
    assert case_of(office, case_id).status == "closed"

    send(office, "S-1", "confirmed", MUCH_LATER, offences="tobacco")
    open_due(office.reviewing, MUCH_LATER)

    found = case_of(office, case_id)
    assert (found.status, found.result, found.ended_by) == ("result_in", None, ())
    assert found.proposal is not None
    last = MUCH_LATER + timedelta(hours=1)
    send(office, "S-1", "not_confirmed", last)
    open_due(office.reviewing, last)
    assert case_of(office, case_id).status == "closed"


@pytest.mark.parametrize("result", ["not_confirmed", "confirmed"])
def test_an_outcome_that_was_withdrawn_ends_no_case_and_opens_the_one_that_it_ended(
    office: Office, result: str
) -> None:
    first, second = office.decide(1), office.decide(2)
    send(office, "S-1", result)
    open_due(office.reviewing, LATER)
    for number in (1, 2):
        send(office, f"S-{number}", result, MUCH_LATER, withdrawn=True)

    open_due(office.reviewing, MUCH_LATER)

    for case_id in (first, second):
        case = case_of(office, case_id)
        assert (case.status, case.result, case.proposal) == ("open", None, None)


def test_an_outcome_ends_every_case_of_a_subject_that_was_submitted_twice(office: Office) -> None:
    for number in (1, 2):
        office.decide(number, subject_id="S-1")
    send(office, "S-1", "not_confirmed")

    assert open_due(office.reviewing, LATER) == 1

    assert {case_of(office, case_id).status for case_id in ("d-1", "d-2")} == {"closed"}


def test_an_outcome_that_is_known_from_tomorrow_on_ends_no_case_today(office: Office) -> None:
    case_id = office.decide()
    send(office, "S-1", "not_confirmed", LATER + timedelta(days=1))

    assert open_due(office.reviewing, LATER) == 1

    assert case_of(office, case_id).status == "open"


def test_what_persons_ended_is_opened_again_by_no_record(office: Office) -> None:
    case_id = office.decide()
    end_by(office.reviewing, ONE, case_id, LATER, NOTHING)
    before = case_of(office, case_id)
    send(office, "S-1", "confirmed", MUCH_LATER)
    send(office, "S-1", "confirmed", MUCH_LATER + timedelta(hours=1), withdrawn=True)

    open_due(office.reviewing, MUCH_LATER + timedelta(hours=1))

    assert case_of(office, case_id) == before


def test_a_check_of_documents_ends_no_case_in_which_people_ordered_something_else(
    office: Office,
) -> None:
    case_id = office.decide()
    claim(office, case_id)
    order_action(ActRequest(office.reviewing, ONE, case_id, LATER), INSPECT)
    before = case_of(office, case_id)
    send(office, "S-1", "documents_in_order")

    open_due(office.reviewing, LATER)

    assert case_of(office, case_id).action == before.action
    assert case_of(office, case_id).status == before.status
    told = office.reviewing.events(case_id)[-1]
    assert (told.action, told.text) == ("note", "reported by record: the documents were in order")


@pytest.mark.parametrize("text", ["", "look under the floor"])
def test_what_an_officer_ordered_stands_once_a_report_is_withdrawn(text: str) -> None:
    ordered = replace(ORDERED, action=replace(INSPECT, text=text))
    result = replace(NOTHING, reason="reported")

    reported, _ = take_outcome(ordered, KEY, LATER, result, None)
    back, _ = withdraw_outcome(reported, KEY, MUCH_LATER, None)

    assert reported.status == "closed"
    assert (back.status, back.action) == ("action_ordered", ordered.action)


def test_what_nobody_ordered_is_gone_once_a_report_is_withdrawn() -> None:
    reported, _ = take_outcome(OPEN, KEY, LATER, replace(NOTHING, reason="reported"), None)

    back, _ = withdraw_outcome(reported, KEY, MUCH_LATER, None)

    assert reported.action is not None
    assert (back.status, back.action) == ("open", None)


def test_a_case_tells_no_more_of_an_inspection_whose_outcome_was_withdrawn(
    office: Office,
) -> None:
    case_id = office.decide()
    send(office, "S-1", "not_confirmed")
    send(office, "S-1", "not_confirmed", MUCH_LATER, withdrawn=True)
    open_due(office.reviewing, MUCH_LATER)
    assert case_of(office, case_id).newest_inspection is None

    later = MUCH_LATER + timedelta(hours=1)
    end_by(office.reviewing, ONE, case_id, later, NOTHING)

    reported, withdrawn, own = office.labels()
    assert own["inspected_at"] == later.isoformat().replace("+00:00", "Z")
    assert reported["inspected_at"] == withdrawn["inspected_at"] != own["inspected_at"]


def test_of_two_inspections_the_withdrawn_one_alone_is_forgotten() -> None:
    own = StatedInspection(AT, is_stated=True)
    known = replace(OPEN, inspection=own)
    told = StatedInspection(LATER, is_stated=False)
    result = replace(NOTHING, reason="reported")

    for before in (known, replace(known, action=RELEASE)):  # what is taken, and what is noted
        reported, _ = take_outcome(before, KEY, LATER, result, told)
        assert reported.newest_inspection == told
        stays, _ = withdraw_outcome(reported, KEY, MUCH_LATER, own)
        back, event = withdraw_outcome(reported, KEY, MUCH_LATER, told)
        assert back.newest_inspection == own
        assert event.changed["reported_inspection"] == (told, None)
        assert (stays.inspection, stays.newest_inspection) == (None, told)
