"""How reviewing goes, figure by figure, over real stored cases."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from serving.audit.erasure import ErasureLimits, RetainedUnits
from serving.audit.logged_decision import StoredAnswer
from serving.audit.retention_log import RetentionAct
from serving.review.cases.actions import ACTION_WORDS
from serving.review.cases.case_of_decision import case_of_decision
from serving.review.cases.case_records import CaseAccess, StoredEvent
from serving.review.cases.results import RESULT_MEANING
from serving.review.supervision.supervision import (
    OVERRIDES,
    WATCHED,
    LaneLoad,
    MarkedReason,
    ReviewerFigures,
    Supervision,
)
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.repositories.case_load_repository import CaseLoadRepository
from serving.storage.repositories.case_repository import CaseRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.tables.review import cases
from tests.serving.bodies import shipment
from tests.serving.databases import database
from tests.serving.review.cases.decisions import AT, decision

ALL = CaseAccess(frozenset(), is_rescue=False)
NOW = AT + timedelta(days=1)


class Office:
    """Cases in a real database, and acts on them, noted at any instant."""

    def __init__(self, folder: Path) -> None:
        engine = database(folder / "log.db")
        self.log, self.book = DecisionRepository(engine), CaseRepository(engine)
        self.load = CaseLoadRepository(engine)
        self.count = 0

    def open(self, lane: str = "inspect", at: datetime = AT) -> str:
        """A case in a lane, opened at an instant."""
        self.count += 1
        case_id = f"d-{self.count}"
        body = shipment(shipment_id=f"S-{self.count}")
        made = decision(body, decision_id=case_id, lane=lane, scored_at=at)
        answer = StoredAnswer("c", case_id, "digest", case_id, at.isoformat(), b"")
        self.log.append([(made.logged(), answer)])
        self.book.open_new(case_of_decision)
        return case_id

    def note(
        self, case_id: str, kind: str, by: str, at: datetime, text: str = "", /, **changed: Any
    ) -> None:
        written = json.dumps(changed)
        self.book.append_event(StoredEvent(case_id, at, f"account:{by}", kind, written, text, by))

    def claim(self, case_id: str, by: str, at: datetime) -> None:
        """An assignment to whoever acts."""
        owner = {"identity": f"account:{by}", "name": by}
        self.note(case_id, "assign", by, at, owner=[None, owner])

    def order(self, case_id: str, kind: str, by: str = "one", at: datetime = AT) -> None:
        """A claim, and five minutes later an action; a release ends the case."""
        self.claim(case_id, by, at - timedelta(minutes=5))
        changed = {"action": [None, {"kind": kind}]}
        if kind == "release":
            changed["status"] = ["assigned", "closed"]  # type: ignore[list-item]  # as stored
        self.note(case_id, "order_action", by, at, **changed)

    def end(self, case_id: str, code: str, by: str = "one", at: datetime = AT) -> None:
        """An action, and its result, adverse ones as a proposal."""
        if code == "release":
            return self.order(case_id, "release", by, at)
        self.order(case_id, "inspect", by, at)
        said: Any = {"code": code}
        if RESULT_MEANING[code].is_adverse:  # type: ignore[index]  # a code
            return self.note(case_id, "state_result", by, at, proposal=[None, {"result": said}])
        return self.note(case_id, "state_result", by, at, result=[None, said])

    def supervised(self, now: datetime = NOW, sight: CaseAccess = ALL) -> Supervision:
        return Supervision.from_cases(self.load, sight, now)

    def figures(self, name: str = "one") -> ReviewerFigures:
        (found,) = [each for each in self.supervised().reviewers if each.name == name]
        return found


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.log.close()


def test_a_lane_shows_how_many_wait_and_for_how_many_hours_the_oldest(office: Office) -> None:
    office.open("inspect", AT - timedelta(hours=6))
    office.open("inspect", AT)
    office.open("document_check", AT + timedelta(hours=12))
    office.open("rescue", AT + timedelta(hours=23))

    rescues = office.supervised(sight=replace(ALL, is_rescue=True))
    assert rescues.lanes == (LaneLoad("rescue", 1, 1.0),)
    assert office.supervised().lanes == (
        LaneLoad("inspect", 2, 30.0),
        LaneLoad("document_check", 1, 12.0),
    )


def test_no_rescue_is_counted_for_those_who_see_none(office: Office) -> None:
    office.open("rescue")

    assert office.supervised(sight=ALL).lanes == ()


LEFT_UNDONE = {
    ("inspect", "release"),
    ("inspect", "check_documents"),
    ("control", "release"),
    ("control", "check_documents"),
    ("document_check", "release"),
}


def test_what_leaves_undone_what_its_lane_proposed_is_an_override() -> None:
    lanes = ("rescue", "inspect", "control", "document_check", "post_review")
    pairs = {(lane, kind) for lane in lanes for kind in ACTION_WORDS}

    assert {pair for pair in pairs if pair[1] in OVERRIDES.get(pair[0], ())} == LEFT_UNDONE


def test_agreement_is_over_what_lanes_proposed_and_the_rest_counts_as_decided(
    office: Office,
) -> None:
    for lane, kind in (
        ("inspect", "inspect"),
        ("control", "check_documents"),
        ("document_check", "check_documents"),
        ("document_check", "release"),
        ("inspect", "hold"),
        ("post_review", "release"),
    ):
        office.order(office.open(lane), kind)

    figures = office.figures()

    assert (figures.decided, figures.overrides, figures.agreement) == (6, 2, 1 - 2 / 5)
    assert figures.median_minutes == 5


def test_where_no_lane_proposed_anything_there_is_no_agreement(office: Office) -> None:
    office.order(office.open("post_review"), "release")

    assert (office.figures().overrides, office.figures().agreement) == (0, None)


def test_a_proposed_action_is_a_decision_too(office: Office) -> None:
    case_id = office.open("document_check")
    proposal = {"action": {"kind": "hold"}, "result": None}
    office.note(case_id, "propose_action", "one", AT, proposal=[None, proposal])

    assert (office.figures().decided, office.figures().overrides) == (1, 0)


def test_time_on_a_case_runs_from_ones_own_last_claim(office: Office) -> None:
    one, two = office.open(), office.open()
    office.claim(one, "one", AT - timedelta(minutes=90))
    office.claim(one, "two", AT - timedelta(minutes=60))
    office.order(one, "release", at=AT)
    office.claim(two, "one", AT - timedelta(minutes=8))
    office.claim(two, "two", AT - timedelta(minutes=1))
    office.note(two, "order_action", "one", AT, action=[None, {"kind": "inspect"}])

    assert office.figures().median_minutes == 6.5


def test_time_on_a_case_that_was_not_claimed_is_unknown(office: Office) -> None:
    case_id = office.open()
    office.claim(case_id, "two", AT)
    office.note(case_id, "order_action", "one", AT, action=[None, {"kind": "inspect"}])

    figures = office.figures()

    assert (figures.decided, figures.median_minutes) == (1, None)


@pytest.mark.parametrize(
    ("code", "again", "is_same"),
    [
        ("release", "release", True),
        ("release", "not_carried_out", True),
        ("release", "nothing_found", False),
        ("goods_found", "persons_found", True),
        ("nothing_found", "documents_irregular", False),
        ("other_offence", "documents_irregular", False),
        ("other_offence", "goods_found", False),
        ("inconclusive", "nothing_found", False),
        ("nothing_found", "documents_in_order", False),
    ],
)
def test_a_second_reading_is_the_same_where_result_and_offence_are(
    office: Office, code: str, again: str, is_same: bool
) -> None:
    case_id = office.open()
    office.end(case_id, code)
    office.note(case_id, "reread", "two", AT, again)

    figures = office.figures()

    assert (figures.reread, figures.same_when_reread) == (1, int(is_same))
    assert [each.name for each in office.supervised().reviewers] == ["one"]


def test_a_second_reading_counts_for_whoever_ended_the_case_last(office: Office) -> None:
    case_id = office.open()
    office.end(case_id, "goods_found", "one")
    office.end(case_id, "release", "two")
    office.note(case_id, "reread", "three", AT, "release")
    office.note(case_id, "reread", "four", AT, "inconclusive")

    assert (office.figures("one").reread, office.figures("one").same_when_reread) == (0, 0)
    assert (office.figures("two").reread, office.figures("two").same_when_reread) == (2, 1)


def test_what_one_reader_saved_twice_counts_once(office: Office) -> None:
    case_id = office.open()
    office.end(case_id, "release", "one")
    for _ in range(2):
        office.note(case_id, "reread", "two", AT, "release")

    assert (office.figures("one").reread, office.figures("one").same_when_reread) == (1, 1)


def test_a_second_reading_of_what_ended_before_the_time_watched_counts_for_nobody(
    office: Office,
) -> None:
    case_id = office.open()
    office.end(case_id, "release", at=NOW - WATCHED - timedelta(days=1))
    office.note(case_id, "reread", "two", AT, "release")

    assert office.supervised().reviewers == ()


def test_thirty_days_are_watched(office: Office) -> None:
    assert timedelta(days=30) == WATCHED
    case_id = office.open()
    office.end(case_id, "release")
    office.note(case_id, "mark_reason", "one", AT, "D10: wrong")
    tick = timedelta(microseconds=1)

    assert len(office.supervised(AT + WATCHED).reviewers) == 1
    assert len(office.supervised(AT + WATCHED).reasons) == 1
    assert office.supervised(AT + WATCHED + tick).reviewers == ()
    assert office.supervised(AT + WATCHED + tick).reasons == ()


def test_reviewers_stand_in_the_order_of_their_names(office: Office) -> None:
    for name in ("two", "one", "three"):
        office.end(office.open(), "release", name)

    assert [each.name for each in office.supervised().reviewers] == ["one", "three", "two"]


def test_what_reviewers_say_of_reasons_is_counted_the_most_often_wrong_first(
    office: Office,
) -> None:
    one, two = office.open(), office.open()
    for case_id, by, said in (
        (one, "one", "A1: right"),
        (one, "two", "A1: right"),
        (two, "one", "A1: unclear"),
        (one, "one", "C3: wrong"),
        (one, "one", "B2: wrong"),
        (two, "one", "D4: right"),
        (one, "one", "D4: wrong"),
        (two, "two", "D4: wrong"),
        (two, "one", "D4: wrong"),
    ):
        office.note(case_id, "mark_reason", by, AT, said)

    assert office.supervised().reasons == (
        MarkedReason("D4", right=0, wrong=3, unclear=0, people=2),
        MarkedReason("B2", right=0, wrong=1, unclear=0, people=1),
        MarkedReason("C3", right=0, wrong=1, unclear=0, people=1),
        MarkedReason("A1", right=2, wrong=0, unclear=1, people=2),
    )


def test_finds_are_counted_where_a_reason_held_and_the_result_is_known(office: Office) -> None:
    ends = {"find": True, "no find": False, "inconclusive": None}
    cases_of = {name: office.open() for name in (*ends, "cleared")}
    for name, case_id in cases_of.items():
        for who in ("one", "two"):  # two who tick one case tell of one end
            said = "A1: wrong" if name == "cleared" else "A1: right"
            office.note(case_id, "mark_reason", who, AT, said)
    office.note(office.open(), "mark_reason", "three", AT, "A1: right")  # without a result
    for name, code in (
        ("find", "documents_irregular"),
        ("no find", "nothing_found"),
        ("inconclusive", "inconclusive"),
        ("cleared", "documents_irregular"),
    ):
        office.end(cases_of[name], code)

    (reason,) = office.supervised().reasons
    assert (reason.ended, reason.found, reason.people) == (2, 1, 3)


def test_what_erased_acts_said_counts_in_no_figure(office: Office) -> None:
    case_id = office.open()
    office.order(case_id, "release")
    office.note(case_id, "judge_blind", "two", AT, "let_go")
    office.note(case_id, "mark_reason", "two", AT, "A1: wrong")
    office.note(case_id, "reread", "two", AT, "nothing_found")
    engine = office.load._engine
    with engine.begin() as connection:
        connection.execute(update(cases).values(status="closed"))
    before = office.supervised()
    assert (office.figures().overrides, len(before.reasons)) == (1, 1)
    assert (len(before.judgements.given), before.reread) == (1, {case_id})

    ended = ErasureLimits("2027-01-01", "2027-01-01")
    act = RetentionAct(NOW.isoformat(), "erase", "grace", "it is time", {})
    DatabaseErasure(engine).erase(ended, lambda _: RetainedUnits(), act)
    office.load = CaseLoadRepository(engine)  # which has read no key before

    after = office.supervised()
    assert (after.reviewers, after.reasons, after.judgements.given, after.reread) == (
        *((), (), ()),
        frozenset(),
    )


TRUSTING = ReviewerFigures("one", 20, 1.9, 0, 0.96, reread=0, same_when_reread=0)


@pytest.mark.parametrize(
    ("changed", "may_trust_blindly"),
    [
        ({}, True),
        ({"decided": 21}, True),
        ({"decided": 19}, False),
        ({"agreement": 0.9501}, True),
        ({"agreement": 0.95}, False),
        ({"agreement": None}, False),
        ({"median_minutes": 1.9999}, True),
        ({"median_minutes": 2.0}, False),
        ({"median_minutes": None}, False),
    ],
)
def test_blind_trust_is_agreement_and_haste_over_enough_cases(
    changed: dict[str, Any], may_trust_blindly: bool
) -> None:
    assert replace(TRUSTING, **changed).may_trust_blindly is may_trust_blindly
