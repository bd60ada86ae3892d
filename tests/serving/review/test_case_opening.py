"""Cases are opened by the service itself, keep every score, and end with what others found."""

import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from features.records import Outcome
from serving.db.repositories.new_cases import OPENED_TOGETHER
from serving.db.repositories.record_repository import RecordRepository
from serving.errors import NotFound
from serving.explanation.explained_score import Inspected, Score
from serving.history.received_records import ReceivedRecord
from serving.review.case_opening import CaseOpening, open_due
from serving.review.case_records import CaseFilter, CaseRecord, OpenedCase, QueueFilter
from serving.review.case_rules import Case
from serving.review.opening import case_of_decision
from serving.review.results import reported_result
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.review.decisions import AT
from tests.serving.review.stated import (
    FOUND,
    INSPECT,
    NOTHING,
    RELEASE,
    agree_by,
    body_of,
    end,
    end_by,
)
from tests.serving.review.test_cases import LATER, ONE, TWO, Office, claim
from tests.serving.review.test_cases_served import open_case, reviewed
from tests.serving.review.test_supervision_served import sign_in_as

__all__ = ["reviewed"]

WITHIN_S = 30.0
SCORE = Score(
    log_odds=0.0,
    base_log_odds=0.0,
    probability=0.5,
    percentile=50.0,
    contributions=(),
    inspected=Inspected(least=0.4, most=0.6, subjects=2, confirmed=1, low=0.1, high=0.9),
    outside=(),
    is_unlike_training=False,
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.reviewing.decisions.close()


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
    office.reviewing.order(ONE, "d-1", LATER, RELEASE)
    end_by(office.reviewing, ONE, "d-2", LATER, FOUND)
    before = [case_of(office, case_id) for case_id in ("d-1", "d-2")]
    for number in (1, 2, 3):
        send(office, f"S-{number}", "not_confirmed")

    assert open_due(office.reviewing, LATER) == 3

    assert [case_of(office, case_id) for case_id in ("d-1", "d-2")] == before
    with pytest.raises(NotFound):
        case_of(office, "d-3")


MUCH_LATER = LATER + timedelta(hours=1)


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
    office.reviewing.order(ONE, case_id, LATER, INSPECT)
    before = case_of(office, case_id)
    send(office, "S-1", "documents_in_order")

    open_due(office.reviewing, LATER)

    assert case_of(office, case_id).action == before.action
    assert case_of(office, case_id).status == before.status
    told = office.reviewing.events(case_id)[-1]
    assert (told.action, told.text) == ("note", "reported by record: the documents were in order")


@pytest.mark.parametrize(
    ("offences", "code"),
    [
        (None, "goods_found"),
        ("tobacco", "goods_found"),
        ("migrant_smuggling", "persons_found"),
        ("migrant_smuggling document_fraud", "persons_found"),
        ("migrant_smuggling tobacco", "goods_found"),
    ],
)
def test_what_was_confirmed_elsewhere_is_of_goods_or_of_people(
    offences: str | None, code: str
) -> None:
    outcome = Outcome(
        subject_kind="shipment",
        subject_id="S-1",
        selected_by="discretion",
        inspected_at=AT,
        known_at=AT,
        result="confirmed",
        offences=offences,
    )

    result = reported_result(outcome)

    assert (result.code, result.label, result.reason) == (code, "confirmed", "reported")


def test_every_score_of_a_subject_is_kept_and_the_newest_counts(office: Office) -> None:
    office.decide(1, lane="document_check")
    again = office.decide(2, rescores="d-1", lane_before="document_check", lane="inspect")
    open_due(office.reviewing, LATER)

    row, _ = office.reviewing.case(ONE, "d-1")

    assert (row.lane, row.decision_id) == ("inspect", again)
    scores = [(score.decision_id, score.lane) for score in office.reviewing.scores(row)]
    assert scores == [("d-1", "document_check"), ("d-2", "inspect")]


def test_a_list_has_closed_cases_too_by_subject_status_and_owner(office: Office) -> None:
    for number in (1, 2, 3):
        office.decide(number)
    end_by(office.reviewing, ONE, "d-1", LATER, NOTHING)
    claim(office, "d-2", TWO)

    def found(**wanted: Any) -> list[str]:
        rows = office.reviewing.list_cases(ONE, CaseFilter(**wanted), 10)
        return [row.case_id for row in rows]

    assert found() == ["d-3", "d-2", "d-1"]
    assert found(before=(-2, "d-2")) == ["d-1"]
    assert found(statuses=("closed", "assigned")) == ["d-2", "d-1"]
    assert found(subject_id="S-1") == found(subject_id="S-1", subject_kind="shipment") == ["d-1"]
    assert found(subject_id="S-1", subject_kind="route") == found(subject_id="S-9") == []
    assert found(owner="two") == found(owner="account:two") == ["d-2"]


def test_cases_are_opened_by_the_service_itself(office: Office) -> None:
    office.decide()
    opening = CaseOpening(office.reviewing, lambda: LATER)
    assert office.reviewing.store.count_unopened() == 1

    opening.start()
    until = time.monotonic() + WITHIN_S
    while office.reviewing.store.count_unopened() and time.monotonic() < until:
        time.sleep(0.05)
    opening.stop()

    assert office.reviewing.store.count_unopened() == 0
    assert len(office.reviewing.store.scores("d-1")) == 1


def test_decisions_are_logged_and_others_open_cases_while_one_reads_what_they_say(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 3 * OPENED_TOGETHER):
        office.decide(number)
    other, read = office.reopened(), case_of_decision

    def reading(seq: int, record: str, *places: Any) -> OpenedCase | None:
        if seq == 2:
            monkeypatch.setattr("serving.review.cases.case_of_decision", read)
            office.decide(3 * OPENED_TOGETHER)
            other.open_new()
        return read(seq, record, *places)

    monkeypatch.setattr("serving.review.cases.case_of_decision", reading)
    office.reviewing.open_new()

    opened = office.reviewing.list_cases(ONE, CaseFilter(), 4 * OPENED_TOGETHER)
    assert [row.case_id for row in reversed(opened)] == [
        f"d-{number}" for number in range(1, 3 * OPENED_TOGETHER + 1)
    ]
    assert all(len(office.reviewing.scores(row)) == 1 for row in opened)


def test_a_case_is_read_and_found_by_call_with_its_scores(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    by = reviewed.key("review")
    end(reviewed, case_id, by, **body_of(NOTHING))
    answer = reviewed.score(route(journey_id="J-9"), reviewed.key("score")).json()
    waits = answer["lane"] not in ("release", "manual")
    assert answer["case_id"] == (answer["decision_id"] if waits else None)

    case = reviewed.client.get(f"/v1/cases/{case_id}", headers=by).json()
    assert (case["status"], case["result"], case["subject_id"]) == (
        "closed",
        "nothing_found",
        "S-1",
    )
    assert [(s["decision_id"], s["lane"]) for s in case["scores"]] == [(case_id, "inspect")]

    def listed(**asked: Any) -> Any:
        return reviewed.client.get("/v1/cases", headers=by, params=asked)

    assert [each["case_id"] for each in listed(subject_id="S-1").json()["cases"]] == [case_id]
    assert listed(subject_id="S-1", status="open").json()["cases"] == []
    page = listed(limit=1, status=["open", "closed"]).json()
    rest = listed(limit=50, cursor=page["next"]).json()["cases"] if page["next"] else []
    assert case_id in [each["case_id"] for each in (*page["cases"], *rest)]
    assert listed(cursor="x").status_code == listed(status="guilty").status_code == 422
    elsewhere = reviewed.key("review", offices=("DE009999",))
    assert reviewed.client.get(f"/v1/cases/{case_id}", headers=elsewhere).status_code == 404
    assert reviewed.client.get("/v1/cases", headers=elsewhere).json()["cases"] == []
    told = reviewed.client.get("/metrics").text
    assert 'tidegate_cases{lane="",state="unopened"}' in told


def test_the_riskiest_that_can_still_be_stopped_come_first_and_what_is_over_last(
    office: Office,
) -> None:
    over = AT + timedelta(minutes=1)
    for number, probability, lane, due_at in (
        (1, 0.2, "inspect", None),
        (2, 0.9, "inspect", over),
        (3, 0.8, "document_check", None),
        (4, 0.7, "inspect", None),
        (5, 0.1, "post_review", over),
        (6, 0.001, "control", None),
    ):
        body = shipment(shipment_id=f"S-{number}")
        body["journey"] = body["journey"] | ({"due_at": over.isoformat()} if due_at else {})
        scored = SCORE.model_copy(update={"probability": probability})
        office.decide(number, lane=lane, score=scored, request=json.dumps(body))

    def queue(after: Any = None, limit: int = 9, **wanted: Any) -> list[CaseRecord]:
        asked = QueueFilter(now=LATER.isoformat(), **wanted)
        return office.reviewing.queue(ONE, asked, after, limit)

    rows = queue()
    names = [row.case_id for row in rows if row.case_id != "d-6"]
    assert names == ["d-3", "d-4", "d-1", "d-5", "d-2"]
    (control,) = [row for row in rows if row.case_id == "d-6"]
    assert control.risk in [row.risk for row in rows if row.lane == "inspect"]
    assert [row.case_id for row in queue(is_in_time=False)] == ["d-2"]
    paged: list[CaseRecord] = []
    while page := queue(paged[-1].queue_position(LATER.isoformat()) if paged else None, 2):
        paged += page
    assert paged == rows


def test_what_is_too_late_to_be_stopped_is_a_group_of_its_own(reviewed: Service) -> None:
    submitted = shipment(shipment_id="S-late")
    submitted["journey"]["due_at"] = (NOW - timedelta(hours=1)).isoformat()
    reviewed.score(submitted, reviewed.key("score"))
    open_case(reviewed)

    answer = reviewed.client.get("/v1/queue", headers=reviewed.key("review"))

    waiting = [(each["subject_id"], each["is_in_time"]) for each in answer.json()["cases"]]
    assert waiting == [("S-1", True), ("S-late", False)]
    sign_in_as(reviewed, "reviewer")
    in_time, late = (each["case_id"] for each in answer.json()["cases"])
    for tab, listed in {"unassigned": in_time, "expired": late}.items():
        page = reviewed.client.get(f"/console/queue?tab={tab}").text
        assert re.findall(r'<tr[^>]* data-case="([^"]+)"', page) == [listed]
