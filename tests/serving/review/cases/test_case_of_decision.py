"""The case that a decision opens: its place in the queue, and what it shares with others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from serving.review.cases.case_of_decision import CASE, case_of_decision
from serving.review.cases.case_records import CaseLink, CaseRow
from serving.review.cases.case_state import Case
from serving.review.cases.case_summary import describe_lane, describe_subject
from serving.triage.lane_declarations import QUEUE_RANK, Lane
from tests.serving.bodies import route, shipment, submission
from tests.serving.review.cases.decisions import AT, decision


def case_of(body: dict[str, Any], **changed: Any) -> tuple[CaseRow, list[CaseLink]]:
    found = case_of_decision(7, decision(body, **changed).as_json().decode())
    assert found is not None
    return found.case, found.links


@pytest.mark.parametrize("lane", get_args(Lane))
def test_whatever_is_not_released_or_left_to_the_manual_procedure_opens_a_case(
    lane: Lane,
) -> None:
    found = case_of_decision(7, decision(lane=lane).as_json().decode())

    assert (found is None) == (lane in ("release", "manual"))
    if found is not None:
        assert (found[0].lane, found[0].rank) == (lane, QUEUE_RANK[lane])


def test_a_case_opens_unowned_with_all_that_the_queue_orders_and_shows() -> None:
    body = shipment()
    made = decision(body)

    case, _ = case_of(body)

    assert case == CaseRow(
        case_id="d-1",
        seq=7,
        subject_kind="shipment",
        subject_id="S-1",
        office_id="DE004600",
        lane="inspect",
        mode="sea",
        rank=1,
        due_at=datetime(2026, 11, 28, 10, tzinfo=UTC),
        opened_at=AT,
        status="open",
        owner=None,
        waiting_until=None,
        what=describe_subject(submission(body)),
        why=describe_lane(made),
        state=CASE.dump_json(Case("d-1")).decode(),
        risk=1.0,
    )
    assert CASE.validate_json(case.state) == Case("d-1")


def test_a_shipment_is_linked_by_its_parties_container_goods_conveyance_and_way() -> None:
    body = shipment(container_number="CSQU3054383", notify_party_id="c-0099")
    body["transactions"][0]["payer_id"] = "c-0500"

    _, links = case_of(body)

    assert links == [
        CaseLink("d-1", 7, *link)
        for link in (
            ("container", "CSQU3054383", "container"),
            ("conveyance", "v-9", "vessel"),
            ("goods", "890310", ""),
            ("party", "c-0007", "consignor,payee"),
            ("party", "c-0012", "consignee"),
            ("party", "c-0099", "notify_party"),
            ("party", "c-0500", "payer"),
            ("party", "k-3", "carrier"),
            ("way", "TRIST to DEHAM", ""),
        )
    ]


def test_a_route_is_linked_by_its_conveyance_carrier_and_way_and_nothing_missing() -> None:
    case, links = case_of(route())

    assert (case.subject_kind, case.subject_id) == ("route", "J-2")
    assert [(link.kind, link.value) for link in links] == [
        ("conveyance", "v-10"),
        ("party", "k-3"),
        ("way", "TRIZM to GRPIR"),
    ]


def case_in(lane: Lane, **changed: Any) -> CaseRow:
    case, _ = case_of(shipment(), lane=lane)
    return replace(case, **changed)


def again_in(lane: Lane) -> CaseRow:
    case, _ = case_of(shipment(), lane=lane, decision_id="d-2", rescores="d-1", lane_before=lane)
    return case


def test_a_subject_that_is_scored_again_has_the_case_of_its_first_decision() -> None:
    again = again_in("inspect")

    assert (again.case_id, again.decision_id) == ("d-1", "d-2")
    assert CASE.validate_json(again.state) == Case("d-1")


@pytest.mark.parametrize(
    ("before", "again", "after"),
    [
        (case_in("document_check"), "inspect", "inspect"),
        (case_in("document_check", status="assigned", owner="ann"), "inspect", "inspect"),
        (case_in("document_check"), "post_review", "post_review"),
        (case_in("document_check", status="assigned", owner="ann"), "post_review", None),
        (case_in("document_check", status="waiting"), "post_review", None),
        (case_in("inspect"), "document_check", None),
        (case_in("control"), "post_review", None),
        (case_in("rescue"), "inspect", None),
        (case_in("post_review", status="closed", owner="ann"), "inspect", None),
        (case_in("inspect", status="assigned", owner="ann"), "inspect", "inspect"),
    ],
)
def test_a_later_decision_raises_a_case_and_lowers_none_that_somebody_works_on_or_visits(
    before: CaseRow, again: Lane, after: Lane | None
) -> None:
    changed = before.scored_again(again_in(again))

    assert (changed and changed.lane) == after
    if changed is not None:
        assert changed.decision_id == "d-2"
        assert (changed.case_id, changed.owner, changed.status, changed.state) == (
            before.case_id,
            before.owner,
            before.status,
            before.state,
        )


@pytest.mark.parametrize(
    ("places", "office"),
    [
        ({}, None),
        ({"XXXXX": "here"}, None),
        ({"GRPIR": "port"}, "port"),
        ({"GRPIR": "port", "XXXXX": "here"}, "port"),
    ],
)
def test_a_route_belongs_to_the_office_of_its_place_of_entry(
    places: dict[str, str], office: str | None
) -> None:
    body = route()
    made = decision(body, office_id=None)

    found = case_of_decision(1, made.model_dump_json(), places)

    assert found is not None
    assert found[0].office_id == office
    named = case_of_decision(1, decision(body, office_id="named").model_dump_json(), places)
    assert named is not None
    assert named[0].office_id == "named"


def test_a_consignment_of_which_no_journey_is_known_can_be_stopped_for_two_weeks() -> None:
    body = shipment()
    body["journey"], body["legs"] = None, []

    case, links = case_of(body)

    in_time, over = (AT + timedelta(days=days) for days in (13.9, 14))
    assert case.is_in_time(in_time)
    assert not case.is_in_time(over)
    assert case.mode is None
    assert {link.kind for link in links} == {"party", "goods"}
