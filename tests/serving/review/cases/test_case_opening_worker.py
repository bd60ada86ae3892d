"""Cases are opened by the service itself, keep every score, and are listed in order."""

import json
import re
import time
from datetime import timedelta
from typing import Any

import pytest

from serving.explanation.explained_score import Inspected, Score
from serving.review.cases.case_of_decision import case_of_decision
from serving.review.cases.case_opening_worker import CaseOpening, open_due
from serving.review.cases.case_records import CaseFilter, CaseRow, OpenedCase, QueueFilter
from serving.storage.repositories.case_inserts import OPENED_TOGETHER
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.review.cases.decisions import AT
from tests.serving.review.cases.stated import NOTHING, body_of, end, end_by
from tests.serving.review.cases.test_cases import LATER, ONE, TWO, Office, claim, office
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import sign_in_as

__all__ = ["office", "reviewed"]

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
        rows = office.reviewing.list_cases(ONE, CaseFilter(**wanted), 10).found
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
            monkeypatch.setattr("serving.review.cases.cases.case_of_decision", read)
            office.decide(3 * OPENED_TOGETHER)
            other.open_new()
        return read(seq, record, *places)

    monkeypatch.setattr("serving.review.cases.cases.case_of_decision", reading)
    office.reviewing.open_new()

    opened = office.reviewing.list_cases(ONE, CaseFilter(), 4 * OPENED_TOGETHER).found
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

    def queue(after: Any = None, limit: int = 9, **wanted: Any) -> list[CaseRow]:
        asked = QueueFilter(now=LATER, **wanted)
        return office.reviewing.queue(ONE, asked, after, limit)

    rows = queue()
    names = [row.case_id for row in rows if row.case_id != "d-6"]
    assert names == ["d-3", "d-4", "d-1", "d-5", "d-2"]
    (control,) = [row for row in rows if row.case_id == "d-6"]
    assert control.risk in [row.risk for row in rows if row.lane == "inspect"]
    assert [row.case_id for row in queue(is_in_time=False)] == ["d-2"]
    paged: list[CaseRow] = []
    while page := queue(paged[-1].queue_position(LATER) if paged else None, 2):
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
