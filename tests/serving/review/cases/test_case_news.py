"""What becomes known later reaches cases that were decided without it, and who worked on them."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from serving.audit.decision import Decision
from serving.audit.logged_decision import StoredAnswer
from serving.history.received_records import ReceivedRecord
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.agree import AGREE, Judgement
from serving.review.acts.claim import claim as claim_rule
from serving.review.acts.order import order_action
from serving.review.acts.state_result import record_result
from serving.review.acts.wait import wait
from serving.review.cases.case_opening_worker import open_due
from serving.review.cases.case_records import CaseRow
from serving.review.cases.case_redaction import amendment_shown
from serving.review.cases.case_state import Amendment
from serving.review.published_events import FeedAccess
from serving.storage.repositories.notice_repository import NoticeRepository
from serving.storage.repositories.published_event_repository import PublishedEventRepository
from serving.storage.repositories.record_repository import RecordRepository
from serving.storage.tables.review import pending_news
from serving.storage.tables.scoring import due_rescorings
from tests.serving.bodies import route, shipment
from tests.serving.review.acts.test_news import case_of, send
from tests.serving.review.cases.decisions import decision
from tests.serving.review.cases.stated import FOUND, NOTHING, RELEASE, end_by
from tests.serving.review.cases.test_cases import HERE, LATER, ONE, TWO, Office, claim, office

__all__ = ["office"]

KNOWN_AT = LATER - timedelta(minutes=1)
MUCH_LATER = LATER + timedelta(hours=1)
OVER = LATER + timedelta(days=30)


def decide(office: Office, body: dict[str, Any], **changed: Any) -> str:
    """Log a decision on what was submitted; its case opens at the next look."""
    made: Decision = decision(body, **changed)
    answer = StoredAnswer("c", made.decision_id, "digest", made.decision_id, "", b"")
    office.reviewing.decisions.append([(made.logged(), answer)])
    office.reviewing.open_new()
    return made.decision_id


def amend(
    office: Office, body: dict[str, Any], version: int = 2, at: datetime = LATER, **changed: Any
) -> None:
    """A later version of a declaration, which comes by record and is told to its cases."""
    kind = body["subject_kind"]
    field, files = ("shipment", "shipments") if kind == "shipment" else ("journey", "journeys")
    known = {"version": version, "known_at": KNOWN_AT.isoformat()}
    declared = body[field] | known | changed
    subject_id = declared[f"{field}_id"]
    row = ReceivedRecord(
        kind=files,
        record_id=f"{subject_id} {version}",
        subject_kind=kind,
        subject_id=subject_id,
        received_at=at.isoformat(),
        caller_id="key:border",
        body=json.dumps(declared),
    )
    RecordRepository(office.engine).add_new([row])
    open_due(office.reviewing, at)


def brought_by(journey_id: str) -> dict[str, Any]:
    """A shipment that travels by a journey."""
    body = shipment(shipment_id=f"S-{journey_id}", journey_id=journey_id)
    return body | {"journey": body["journey"] | {"journey_id": journey_id}, "legs": []}


def row_of(office: Office, case_id: str) -> CaseRow:
    return office.reviewing.case(ONE, case_id)[0]


def told(office: Office, case_id: str) -> list[str]:
    return [event.action for event in office.reviewing.events(case_id)]


def noticed(office: Office, at: datetime = LATER) -> list[str]:
    """What the first reviewer was told, the first thing first."""
    found = NoticeRepository(office.engine).of_holder(ONE.actor, HERE, at)
    return [each.kind for each in reversed(found)]


def published(office: Office) -> list[str]:
    page = PublishedEventRepository(office.engine).page(FeedAccess(HERE), None, 50)
    assert page is not None
    return [each.happening.type.removeprefix("tidegate.case.") for each in page.entries]


def test_an_amendment_is_told_once_by_the_case_its_list_its_owner_and_the_feed(
    office: Office,
) -> None:
    case_id = decide(office, shipment())
    claim(office, case_id)

    amend(office, shipment(), gross_mass_kg=10.0, net_mass_kg=9.0)
    amended = shipment(version=2, known_at=KNOWN_AT.isoformat()) | {"as_of": LATER.isoformat()}
    decide(office, amended, decision_id="d-2", rescores=case_id, lane_before="inspect")
    open_due(office.reviewing, LATER)

    assert told(office, case_id) == ["assign", "amend_declaration", "score_again"]
    assert case_of(office, case_id).amendment == Amendment(2, KNOWN_AT)
    assert case_of(office, case_id).owner == ONE.actor
    assert amendment_shown(row_of(office, case_id)) == Amendment(2, KNOWN_AT)
    assert noticed(office) == ["amended"]
    assert published(office) == ["opened", "assigned", "declaration_amended", "score_appended"]
    with office.engine.connect() as connection:
        assert connection.execute(select(pending_news)).all() == []


def test_a_withdrawal_wakes_a_case_that_waits_and_lists_of_masked_ones_say_nothing(
    office: Office,
) -> None:
    case_id = decide(office, shipment())
    claim(office, case_id)
    office.reviewing.act(
        ONE,
        case_id,
        lambda c: wait(c, ONE.actor, LATER, OVER - timedelta(days=20), "reply", ""),
    )

    amend(office, shipment(), withdrawn=True)

    case = case_of(office, case_id)
    assert (case.status, case.waiting_until) == ("assigned", None)
    assert case.amendment == Amendment(2, KNOWN_AT, is_withdrawn=True)
    assert noticed(office) == ["withdrawn"]
    assert published(office)[-1] == "declaration_withdrawn"
    masked = office.mask()
    assert amendment_shown(masked.case(ONE, case_id)[0]) is None
    assert masked.case(ONE, case_id)[1].amendment is None


def test_what_was_released_on_another_declaration_is_open_again_and_scored(office: Office) -> None:
    case_id = decide(office, shipment())
    claim(office, case_id)
    order_action(ActRequest(office.reviewing, ONE, case_id, LATER), RELEASE)

    amend(office, shipment(), gross_mass_kg=10.0, net_mass_kg=9.0)

    case = case_of(office, case_id)
    assert (case.status, case.owner, case.action) == ("open", None, None)
    assert case.amendment == Amendment(2, KNOWN_AT)
    assert told(office, case_id)[-1] == "reopen"
    assert noticed(office) == ["amended"]
    assert published(office)[-3:] == ["declaration_amended", "reopened", "given_back"]
    with office.engine.connect() as connection:
        assert connection.scalar(select(due_rescorings.c.subject_kind)) == "shipment"


@pytest.mark.parametrize(
    ("at", "changed"), [(OVER, {}), (LATER, {"withdrawn": True})], ids=["over", "withdrawn"]
)
def test_what_is_over_or_stands_no_more_stays_released_and_says_so(
    office: Office, at: datetime, changed: dict[str, Any]
) -> None:
    case_id = decide(office, shipment())
    claim(office, case_id)
    order_action(ActRequest(office.reviewing, ONE, case_id, LATER), RELEASE)

    amend(office, shipment(), at=at, **changed)

    case = case_of(office, case_id)
    assert (case.status, case.amendment is not None) == ("closed", True)


def test_an_end_by_what_was_found_stays_and_both_who_ended_it_are_told(office: Office) -> None:
    case_id = decide(office, shipment())
    end_by(office.reviewing, ONE, case_id, LATER, FOUND)
    office.reviewing.act(TWO, case_id, lambda c: claim_rule(c, TWO.actor, LATER))
    record_result(ActRequest(office.reviewing, TWO, case_id, LATER), lambda _: FOUND)
    AGREE.perform(ActRequest(office.reviewing, TWO, case_id, LATER), Judgement(text="so it was"))

    amend(office, shipment())

    assert case_of(office, case_id).result == FOUND
    assert noticed(office) == ["amended"]
    assert [n.kind for n in NoticeRepository(office.engine).of_holder(TWO.actor, HERE, LATER)] == [
        "amended"
    ]


def test_what_others_found_of_a_case_that_people_ended_is_written_down_and_told(
    office: Office,
) -> None:
    released, found = office.decide(1), office.decide(2)
    claim(office, released)
    order_action(ActRequest(office.reviewing, ONE, released, LATER), RELEASE)
    end_by(office.reviewing, ONE, found, LATER, NOTHING)
    before = [case_of(office, case_id) for case_id in (released, found)]

    send(office, "S-1", "confirmed", offences="tobacco")
    send(office, "S-2", "confirmed", offences="tobacco", withdrawn=True)
    open_due(office.reviewing, LATER)

    assert [case_of(office, case_id) for case_id in (released, found)] == before
    said = [office.reviewing.events(case_id)[-1].text for case_id in (released, found)]
    assert said[0].startswith("reported by record: ")
    assert said[1] == "the outcome that was reported by record was withdrawn"
    assert noticed(office) == ["result_in", "result_in"]


def test_a_journey_that_is_due_at_another_instant_moves_the_end_of_an_open_case_alone(
    office: Office,
) -> None:
    open_id = decide(office, route(journey_id="J-1"))
    ended = decide(office, route(journey_id="J-2"), decision_id="d-2")
    end_by(office.reviewing, TWO, ended, LATER, NOTHING)
    before, due_at = row_of(office, ended).due_at, LATER + timedelta(days=9)

    for journey in ("J-1", "J-2"):
        amend(office, route(journey_id=journey), due_at=due_at.isoformat())

    assert row_of(office, open_id).due_at == due_at
    assert (
        json.loads(office.reviewing.events(open_id)[-1].changed)["due_at"][1] == due_at.isoformat()
    )
    assert row_of(office, ended).due_at == before


def test_an_amended_journey_moves_the_end_of_the_goods_that_it_brings(office: Office) -> None:
    carried, other = brought_by("J-1000"), brought_by("J-1000-2")
    ids = [decide(office, carried), decide(office, other, decision_id="d-2")]
    before, due_at = row_of(office, ids[1]).due_at, LATER + timedelta(days=9)

    journey = {"subject_kind": "route", "journey": carried["journey"]}
    amend(office, journey, due_at=due_at.isoformat())

    assert [row_of(office, case_id).due_at for case_id in ids] == [due_at, before]
    assert told(office, ids[0]) == ["amend_journey"]


def test_an_older_version_of_a_journey_that_arrives_late_moves_nothing(office: Office) -> None:
    carried = brought_by("J-1000")
    case_id = decide(office, carried)
    journey = {"subject_kind": "route", "journey": carried["journey"]}
    due_at = LATER + timedelta(days=9)

    amend(office, journey, version=3, due_at=due_at.isoformat())
    amend(office, journey, version=2, due_at=(LATER + timedelta(days=2)).isoformat())

    assert row_of(office, case_id).due_at == due_at
    assert told(office, case_id) == ["amend_journey"]


def test_goods_that_were_declared_by_a_later_version_of_their_journey_stay_where_they_are(
    office: Office,
) -> None:
    carried = brought_by("J-1000")
    known = {"version": 3, "known_at": KNOWN_AT.isoformat()}
    case_id = decide(office, carried | {"journey": carried["journey"] | known})
    before = row_of(office, case_id).due_at

    journey = {"subject_kind": "route", "journey": carried["journey"]}
    amend(office, journey, version=2, due_at=(LATER + timedelta(days=2)).isoformat())

    assert row_of(office, case_id).due_at == before


def test_a_case_comes_back_when_papers_come_that_it_waits_for_and_tells_a_lower_score(
    office: Office,
) -> None:
    case_id = decide(office, shipment())
    claim(office, case_id)
    until = LATER + timedelta(days=3)
    office.reviewing.act(
        ONE,
        case_id,
        lambda c: wait(c, ONE.actor, LATER, until, "documents", "the invoice"),
    )
    again = {"rescores": case_id, "lane_before": "inspect", "scored_at": LATER}

    decide(office, shipment(), decision_id="d-2", lane="release", because=("events/E1",), **again)
    open_due(office.reviewing, LATER)
    assert case_of(office, case_id).status == "waiting"
    decide(
        office, shipment(), decision_id="d-3", lane="release", because=("documents/P1",), **again
    )
    open_due(office.reviewing, LATER)

    assert case_of(office, case_id).status == "assigned"
    assert told(office, case_id)[-3:] == ["score_again", "score_again", "come_back"]
    assert row_of(office, case_id).lane == "inspect"
    assert noticed(office) == ["reminder"]
