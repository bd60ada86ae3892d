"""What other systems are told of cases: each thing once, in order, and nothing unconfirmed."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from serving.access.callers import Caller
from serving.access.pseudonyms import Pseudonyms
from serving.errors import Unprocessable
from serving.review.acts.act_declaration import ActRequest, Note
from serving.review.acts.agree import AGREE, Judgement
from serving.review.acts.claim import claim as claim_rule
from serving.review.acts.disagree import DISAGREE
from serving.review.acts.note import note
from serving.review.acts.order import order_action
from serving.review.acts.reopen import reopen
from serving.review.acts.state_result import record_result
from serving.review.acts.undo import undo_last_act
from serving.review.acts.wait import wait
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_opening_worker import open_due
from serving.review.cases.case_records import CaseAccess, CaseScore
from serving.review.cases.reviewer import Reviewer
from serving.review.published_events import (
    EVENT_TYPES,
    FeedAccess,
    PublishedEvent,
    PublishedEvents,
    further_score,
)
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories import published_event_repository
from serving.storage.repositories.published_event_repository import (
    PublishedEventRepository,
    publish,
)
from serving.storage.write_lock import write_transaction
from tests.serving.databases import database
from tests.serving.people import person
from tests.serving.review.cases.stated import CHECK, FOUND, HOLD, INSPECT, NOTHING, RELEASE, end_by
from tests.serving.review.cases.test_cases import HERE, LATER, ONE, TWO, Office

ALL = FeedAccess(CaseAccess(frozenset(), is_rescue=False))
RESCUE = FeedAccess(CaseAccess(frozenset(), is_rescue=True))
TO_OFFICE = CaseAction("refer", "it enters there", "office", "DE009999")
TO_RESCUE = CaseAction("refer", "the hull is cracked", "rescue")
SOON = LATER + timedelta(seconds=5)
WRITERS, CASES_EACH = 4, 3


class Border(Office):
    """Reviewing over either engine, and whoever reads what becomes of it."""

    def __init__(self, where: Path | str) -> None:
        self.engine, self.learnt = database(where), []
        self.names = Pseudonyms(b"a key for this test")
        self.reviewing = self.reopened()

    @property
    def feed(self) -> PublishedEvents:
        return PublishedEvents(PublishedEventRepository(self.engine), self.reviewing.masking)

    def told(self, access: FeedAccess = ALL) -> list[PublishedEvent]:
        """Everything, read in pages of two."""
        return list(_read(self.feed, access))

    def types(self, access: FeedAccess = ALL) -> list[str]:
        return [event.type.removeprefix("tidegate.case.") for event in self.told(access)]


def _read(feed: PublishedEvents, access: FeedAccess) -> Iterator[PublishedEvent]:
    after, has_more = None, True
    while has_more:
        events, page = feed.page(access, after, 2)
        yield from events
        after, has_more = page.reached, page.has_more


@pytest.fixture
def border(tmp_path: Path) -> Iterator[Border]:
    made = Border(tmp_path / "log.db")
    yield made
    made.reviewing.decisions.close()


def open_case(border: Border, number: int = 1, **changed: Any) -> str:
    case_id = border.decide(number, **changed)
    open_due(border.reviewing, LATER)
    return case_id


def claim(border: Border, case_id: str, by: Reviewer = ONE) -> None:
    border.reviewing.act(by, case_id, lambda case: claim_rule(case, by.actor, LATER))


def test_a_case_is_told_from_its_opening_to_its_end(border: Border) -> None:
    reviewing, case_id = border.reviewing, open_case(border)
    claim(border, case_id)
    reviewing.act(ONE, case_id, lambda c: note(c, ONE.actor, LATER, "by telephone"))
    until = LATER + timedelta(days=1)
    reviewing.act(ONE, case_id, lambda c: wait(c, ONE.actor, LATER, until, "documents", "asked"))
    order_action(ActRequest(reviewing, ONE, case_id, LATER), INSPECT)
    record_result(ActRequest(reviewing, ONE, case_id, LATER), lambda _: NOTHING)
    reviewing.act(ONE, case_id, lambda c: reopen(c, ONE.actor, LATER, "a new paper"))
    again = border.decide(2, rescores="d-1", lane="document_check", scored_at=LATER)
    open_due(reviewing, LATER)

    told = border.told()

    names = [event.type.removeprefix("tidegate.case.") for event in told]
    assert names == [
        *("opened", "assigned", "waiting", "action_ordered", "result_stated", "closed"),
        *("reopened", "given_back", "score_appended"),
    ]
    by_name = dict(zip(names, told, strict=True))
    assert {event.type for event in told} < set(EVENT_TYPES)
    assert {(e.case_id, e.subject_kind, e.subject_id, e.content) for e in told} == {
        ("d-1", "shipment", "S-1", "whole")
    }
    assert [event.decision_id for event in told] == ["d-1"] * 8 + [again]
    assert by_name["waiting"].waiting_until == until
    assert by_name["waiting"].waiting_for == "documents"
    assert by_name["opened"].lane == "inspect"
    ordered, closed = by_name["action_ordered"], by_name["closed"]
    assert ordered.action is not None
    assert (ordered.action.kind, ordered.result, closed.result) == (
        "inspect",
        None,
        "nothing_found",
    )
    assert len({event.id for event in told}) == len(told)
    for words in ("one", "by telephone", "asked", "as_declared", "a new paper"):
        assert not [e for e in told if words in (e.waiting_for, e.office_id, e.result)]


def test_what_waits_for_a_second_person_is_told_when_that_one_agreed(border: Border) -> None:
    reviewing, first, second = border.reviewing, open_case(border, 1), open_case(border, 2)
    claim(border, first)
    order_action(ActRequest(reviewing, ONE, first, LATER), HOLD)
    end_by(reviewing, ONE, second, LATER, FOUND)
    before = border.types()
    assert not {"result_stated", "closed"} & {*before}
    ordered = [e.action and e.action.kind for e in border.told() if "ordered" in e.type]
    assert ordered == ["inspect"], "the hold is not ordered yet"

    claim(border, first, TWO)
    order_action(ActRequest(reviewing, TWO, first, LATER), CHECK)
    AGREE.perform(ActRequest(reviewing, TWO, first, LATER), Judgement(text="rightly"))
    claim(border, second, TWO)
    record_result(ActRequest(reviewing, TWO, second, LATER), lambda _: FOUND)
    AGREE.perform(ActRequest(reviewing, TWO, second, LATER), Judgement(text="it was so"))

    after = border.told()[len(before) :]
    ordered = [e.action and e.action.kind for e in after if "ordered" in e.type]
    assert ordered == ["hold"], "the view of the second one was never ordered"
    assert [e.result for e in after if e.type == "tidegate.case.closed"] == ["goods_found"]


def test_a_view_that_takes_the_place_of_a_proposal_is_told(border: Border) -> None:
    reviewing, case_id = border.reviewing, open_case(border)
    claim(border, case_id)
    order_action(ActRequest(reviewing, ONE, case_id, LATER), HOLD)
    claim(border, case_id, TWO)
    order_action(ActRequest(reviewing, TWO, case_id, LATER), RELEASE)
    DISAGREE.perform(ActRequest(reviewing, TWO, case_id, LATER), Note(text="the papers do agree"))

    *_, ordered, closed = border.told()

    assert ordered.action is not None
    assert (ordered.type, ordered.action.kind) == ("tidegate.case.action_ordered", "release")
    assert (closed.type, closed.result) == ("tidegate.case.closed", None)


def test_what_is_taken_back_is_told_as_withdrawn(border: Border) -> None:
    reviewing, case_id = border.reviewing, open_case(border)
    claim(border, case_id)
    order_action(ActRequest(reviewing, ONE, case_id, LATER), INSPECT)
    order_action(ActRequest(reviewing, ONE, case_id, LATER), RELEASE)
    undo_last_act(ActRequest(reviewing, ONE, case_id, SOON))

    told = [
        (e.type.removeprefix("tidegate.case."), e.action and e.action.kind) for e in border.told()
    ]

    assert told[3:] == [
        *(("action_ordered", "release"), ("closed", "release")),
        *(("action_withdrawn", "release"), ("action_ordered", "inspect"), ("reopened", None)),
    ]
    order_action(ActRequest(reviewing, ONE, case_id, LATER), INSPECT)
    assert border.types()[-1] == "action_ordered", "the same order once more"


def test_offices_are_told_of_their_cases_and_of_one_that_leaves_them(border: Border) -> None:
    here = FeedAccess(HERE)
    there = FeedAccess(CaseAccess(frozenset({"DE009999"}), is_rescue=False))
    case_id = open_case(border)
    claim(border, case_id)
    order_action(ActRequest(border.reviewing, ONE, case_id, LATER), TO_OFFICE)
    elsewhere = Reviewer(person("three"), there.cases)
    claim(border, case_id, elsewhere)

    assert border.types(here) == ["action_ordered"], "whose case it is no more"
    assert (
        border.types(there)
        == border.types()
        == [*("opened", "assigned", "action_ordered", "given_back", "assigned")]
    )
    moved = border.told(here)[0]
    assert (moved.office_id, moved.action and moved.action.destination) == ("DE009999",) * 2


def test_a_rescue_is_told_to_rescue_alone_and_submissions_to_who_made_them(border: Border) -> None:
    own = FeedAccess.from_caller(Caller("c", "customs", frozenset({"score"}), frozenset({"x"})))
    other = FeedAccess.from_caller(Caller("d", "post", frozenset({"score"}), frozenset()))
    open_case(border, 1, lane="rescue")
    assert border.types() == border.types(own) == []
    assert border.types(RESCUE) == ["opened"]

    open_case(border, 2)
    assert border.types() == border.types(own) == ["opened"]
    assert border.types(other) == []
    rescuing = Caller("e", "centre", frozenset({"rescue", "events", "score"}), frozenset())
    assert [e.case_id for e in border.told(FeedAccess.from_caller(rescuing))] == ["d-1"]


def test_a_masked_case_is_told_without_its_subject_and_what_was_found(border: Border) -> None:
    end_by(border.reviewing, ONE, open_case(border), LATER, NOTHING)
    ids = [event.id for event in border.told()]
    border.reviewing = border.mask()

    told = border.told()

    assert [event.id for event in told] == ids
    assert {(e.content, e.lane, e.action, e.result) for e in told} == {("masked", None, None, None)}
    assert "S-1" not in {event.subject_id for event in told}
    assert told[-1].type == "tidegate.case.closed"


def test_a_cursor_of_another_log_is_refused(border: Border) -> None:
    open_case(border)

    with pytest.raises(Unprocessable):
        border.feed.page(ALL, "evt_none", 10)


def test_a_page_looks_at_so_many_events_of_others_and_goes_on_from_there(
    border: Border, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_event_repository, "MAX_LOOKED_AT", 2)
    for number in range(1, 6):
        open_case(border, number, office_id="DE004600" if number == 5 else "DE009999")
    here = FeedAccess(HERE)

    events, page = border.feed.page(here, None, 10)
    assert (events, page.has_more) == ([], True)
    assert [event.case_id for event in border.told(here)] == ["d-5"]
    _, last = border.feed.page(ALL, None, 200)
    assert border.feed.page(here, None, 200)[1].reached == last.reached


def test_what_was_told_cannot_be_changed(border: Border) -> None:
    open_case(border)

    for change in ("UPDATE published_events SET type = 'x'", "DELETE FROM published_events"):
        with (
            pytest.raises(DatabaseError, match="never changed"),
            border.engine.begin() as connection,
        ):
            connection.exec_driver_sql(change)


def test_no_event_appears_behind_one_that_a_reader_has_passed(where: Path | str) -> None:
    """A transaction in flight keeps its place: whoever comes later waits, and is told later."""
    border = Border(where)
    ids = [border.decide(number) for number in (1, 2)]
    open_due(border.reviewing, LATER)
    _, before = border.feed.page(ALL, None, 10)
    keys, wrote, may_end = DataKeys(border.engine), threading.Event(), threading.Event()

    def tell(connection: Connection, case_id: str) -> None:
        score = CaseScore(f"{case_id}-again", LATER, "inspect")
        publish(connection, keys, [further_score(score, case_id, None)])

    def slow() -> None:
        with write_transaction(border.engine) as connection:
            tell(connection, ids[0])
            wrote.set()
            assert may_end.wait(10)

    def fast() -> None:
        assert wrote.wait(10)
        with write_transaction(border.engine) as connection:
            tell(connection, ids[1])

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(slow), pool.submit(fast)
        try:
            assert wrote.wait(10)
            time.sleep(0.2)  # for one that would not wait to be through
            while_open = border.feed.page(ALL, before.reached, 10)
            assert not second.done()
        finally:
            may_end.set()
        first.result(10)
        second.result(10)

    assert while_open[0] == []
    told, _ = border.feed.page(ALL, while_open[1].reached, 10)
    assert [event.case_id for event in told] == ids
    border.reviewing.decisions.close()


def test_a_reader_beside_many_writers_sees_each_event_once_and_in_order(where: Path | str) -> None:
    border = Border(where)
    numbers = range(1, WRITERS * CASES_EACH + 1)
    ids = [border.decide(number) for number in numbers]
    open_due(border.reviewing, LATER)
    is_over = threading.Event()

    def write(mine: list[str], by: Reviewer) -> None:
        for case_id in mine:
            claim(border, case_id, by)
            order_action(ActRequest(border.reviewing, by, case_id, LATER), INSPECT)

    def read() -> list[PublishedEvent]:
        seen: list[PublishedEvent] = []
        after, was_over = None, False
        while True:
            was_over = is_over.is_set()
            events, page = border.feed.page(ALL, after, 7)
            seen += events
            after = page.reached
            if was_over and not page.has_more:
                return seen

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        reading = pool.submit(read)
        writers = [
            pool.submit(write, ids[n::WRITERS], Reviewer(person(f"officer {n}"), HERE))
            for n in range(WRITERS)
        ]
        try:
            for writer in writers:
                writer.result(30)
        finally:
            is_over.set()
        seen = reading.result(30)

    assert seen == border.told(), "what was read meanwhile is what is there"
    expected = ["opened", "assigned", "action_ordered"]
    for case_id in ids:
        of_case = [e.type.removeprefix("tidegate.case.") for e in seen if e.case_id == case_id]
        assert of_case == expected, case_id
    assert len({event.id for event in seen}) == len(ids) * len(expected)
    border.reviewing.decisions.close()
