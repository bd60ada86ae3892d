"""How reviewing goes, figure by figure, over a real case book."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serving.audit.logged_decision import StoredAnswer
from serving.db.repositories.case_repository import CaseRepository
from serving.db.repositories.decision_repository import DecisionRepository
from serving.review.case_records import CaseAccess, StoredEvent
from serving.review.dispositions import MEANING
from serving.review.opening import case_of_decision
from serving.review.supervision import (
    OVERRIDES,
    WATCHED,
    LaneLoad,
    MarkedReason,
    ReviewerFigures,
    Supervision,
)
from tests.serving.bodies import shipment
from tests.serving.databases import database
from tests.serving.review.decisions import AT, decision

ALL = CaseAccess(frozenset(), is_rescue=False)
NOW = AT + timedelta(days=1)


class Office:
    """Cases in a real database, and acts on them, noted at any instant."""

    def __init__(self, folder: Path) -> None:
        engine = database(folder / "log.db")
        self.log, self.book = DecisionRepository(engine), CaseRepository(engine)
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
        self, case_id: str, action: str, by: str, at: datetime, text: str = "", **changed: Any
    ) -> None:
        written = json.dumps(changed)
        self.book.append_event(
            StoredEvent(case_id, at.isoformat(), f"account:{by}", action, written, text, by)
        )

    def end(self, case_id: str, code: str, by: str = "one", at: datetime = AT) -> None:
        """A claim, and five minutes later an end, adverse ones as a proposal."""
        name = "proposed" if MEANING[code].is_adverse else "disposition"  # type: ignore[index]  # a code
        self.note(case_id, "claim", by, at - timedelta(minutes=5))
        self.note(case_id, "dispose", by, at, **{name: [None, {"code": code}]})

    def supervised(self, now: datetime = NOW, sight: CaseAccess = ALL) -> Supervision:
        return Supervision.from_cases(self.book, sight, now)

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
    ("inspect", "released_without_check"),
    ("inspect", "no_finding_after_document_check"),
    ("control", "released_without_check"),
    ("control", "no_finding_after_document_check"),
    ("document_check", "released_without_check"),
}


def test_what_leaves_undone_what_its_lane_proposed_is_an_override() -> None:
    lanes = ("rescue", "inspect", "control", "document_check", "post_review")
    pairs = {(lane, code) for lane in lanes for code in MEANING}

    assert {pair for pair in pairs if pair[1] in OVERRIDES.get(pair[0], ())} == LEFT_UNDONE


def test_agreement_is_over_what_lanes_proposed_and_the_rest_counts_as_disposed(
    office: Office,
) -> None:
    for lane, code in (
        ("inspect", "no_finding_after_inspection"),
        ("control", "no_finding_after_document_check"),
        ("document_check", "no_finding_after_document_check"),
        ("document_check", "released_without_check"),
        ("inspect", "confirmed_smuggling_goods"),
        ("post_review", "released_without_check"),
    ):
        office.end(office.open(lane), code)

    figures = office.figures()

    assert (figures.disposed, figures.overrides, figures.agreement) == (6, 2, 1 - 2 / 5)
    assert figures.median_minutes == 5


def test_where_no_lane_proposed_anything_there_is_no_agreement(office: Office) -> None:
    office.end(office.open("post_review"), "released_without_check")

    assert (office.figures().overrides, office.figures().agreement) == (0, None)


def test_time_on_a_case_runs_from_ones_own_last_claim(office: Office) -> None:
    one, two = office.open(), office.open()
    office.note(one, "claim", "one", AT - timedelta(minutes=90))
    office.note(one, "claim", "two", AT - timedelta(minutes=60))
    office.end(one, "duplicate", at=AT)
    office.note(two, "claim", "one", AT - timedelta(minutes=8))
    office.note(two, "claim", "two", AT - timedelta(minutes=1))
    office.note(two, "dispose", "one", AT, disposition=[None, {"code": "duplicate"}])

    assert office.figures().median_minutes == 6.5


def test_time_on_a_case_that_was_not_claimed_is_unknown(office: Office) -> None:
    case_id = office.open()
    office.note(case_id, "claim", "two", AT)
    office.note(case_id, "dispose", "one", AT, disposition=[None, {"code": "duplicate"}])

    figures = office.figures()

    assert (figures.disposed, figures.median_minutes) == (1, None)


@pytest.mark.parametrize(
    ("code", "again", "is_same"),
    [
        ("duplicate", "released_without_check", True),
        ("duplicate", "referred_protection", True),
        ("confirmed_smuggling_goods", "confirmed_migrant_smuggling", True),
        ("no_finding_after_inspection", "document_irregularity", False),
        ("other_offence", "document_irregularity", False),
        ("other_offence", "confirmed_smuggling_goods", False),
        ("inconclusive", "no_finding_after_inspection", False),
        ("no_finding_after_inspection", "no_finding_after_document_check", False),
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
    office.end(case_id, "confirmed_smuggling_goods", "one")
    office.end(case_id, "duplicate", "two")
    office.note(case_id, "reread", "three", AT, "duplicate")
    office.note(case_id, "reread", "four", AT, "inconclusive")

    assert (office.figures("one").reread, office.figures("one").same_when_reread) == (0, 0)
    assert (office.figures("two").reread, office.figures("two").same_when_reread) == (2, 1)


def test_a_second_reading_of_what_ended_before_the_time_watched_counts_for_nobody(
    office: Office,
) -> None:
    case_id = office.open()
    office.end(case_id, "duplicate", at=NOW - WATCHED - timedelta(days=1))
    office.note(case_id, "reread", "two", AT, "duplicate")

    assert office.supervised().reviewers == ()


def test_thirty_days_are_watched(office: Office) -> None:
    assert timedelta(days=30) == WATCHED
    case_id = office.open()
    office.end(case_id, "duplicate")
    office.note(case_id, "mark_reason", "one", AT, "D10: wrong")
    tick = timedelta(microseconds=1)

    assert len(office.supervised(AT + WATCHED).reviewers) == 1
    assert len(office.supervised(AT + WATCHED).reasons) == 1
    assert office.supervised(AT + WATCHED + tick).reviewers == ()
    assert office.supervised(AT + WATCHED + tick).reasons == ()


def test_reviewers_stand_in_the_order_of_their_names(office: Office) -> None:
    for name in ("two", "one", "three"):
        office.end(office.open(), "duplicate", name)

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
        MarkedReason("D4", right=0, wrong=3, unclear=0),
        MarkedReason("B2", right=0, wrong=1, unclear=0),
        MarkedReason("C3", right=0, wrong=1, unclear=0),
        MarkedReason("A1", right=2, wrong=0, unclear=1),
    )


TRUSTING = ReviewerFigures("one", 20, 1.9, 0, 0.96, reread=0, same_when_reread=0)


@pytest.mark.parametrize(
    ("changed", "may_trust_blindly"),
    [
        ({}, True),
        ({"disposed": 21}, True),
        ({"disposed": 19}, False),
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
