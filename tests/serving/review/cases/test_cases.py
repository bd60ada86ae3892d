"""What reviewers do over a real database: who sees what, what is kept, and what is masked."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any, get_args

import pytest

from features.records import Outcome
from features.submission import Submission
from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.access.pseudonyms import Pseudonyms
from serving.audit.logged_decision import StoredAnswer
from serving.audit.masking import MASKED, MASKED_CASE, Masking
from serving.audit.retention_log import RetentionAct
from serving.errors import Conflict, Forbidden, NotFound, Unprocessable
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.assign import Assignment, assign_case
from serving.review.acts.attachments import MAX_TO_A_CASE, AttachedFile
from serving.review.acts.claim import claim as claim_rule
from serving.review.acts.escalate import escalate
from serving.review.acts.judge import judge_case
from serving.review.acts.mark_reason import mark_reason
from serving.review.acts.note import note, note_case
from serving.review.acts.order import order_action
from serving.review.acts.rereadings import reread
from serving.review.acts.state_result import record_result
from serving.review.acts.undo import undo_last_act
from serving.review.acts.wait import wait
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_links import CaseLinks
from serving.review.cases.case_records import (
    CaseAccess,
    CaseFilter,
    CaseRow,
    QueueFilter,
    QueueOrder,
)
from serving.review.cases.cases import Cases
from serving.review.cases.results import CaseResult, Finding
from serving.review.cases.reviewer import Reviewer
from serving.review.cases.teams import Team
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.case_file_repository import CaseFileRepository
from serving.storage.repositories.case_load_repository import CaseLoadRepository
from serving.storage.repositories.case_repository import CaseRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.record_repository import RecordRepository
from serving.storage.repositories.retention_repository import RetentionRepository
from serving.triage.lane_declarations import QUEUE_RANK
from tests.serving.bodies import shipment
from tests.serving.databases import database
from tests.serving.people import person, stored
from tests.serving.refusals import refused_with
from tests.serving.review.cases.decisions import AT, decision
from tests.serving.review.cases.stated import (
    FOUND,
    INSPECT,
    NOTHING,
    RELEASE,
    agree_by,
    end_by,
    result_of,
)

LATER = AT + timedelta(hours=1)
HERE = CaseAccess(frozenset({"DE004600"}), is_rescue=False)
ONE, TWO = Reviewer(person("one"), HERE), Reviewer(person("two"), HERE)
ELSEWHERE = Reviewer(person("three"), CaseAccess(frozenset({"DE009999"}), is_rescue=False))
CONTENT = b"a list"
FILE = AttachedFile.from_upload("list.txt", CONTENT, 100)


class Office:
    """Reviewing over a database of its own; `learnt` is what was heard of outcomes."""

    def __init__(self, folder: Path) -> None:
        self.engine = database(folder / "log.db")
        self.learnt: list[tuple[Submission, Outcome]] = []
        self.names = Pseudonyms(b"a key for this test")
        self.reviewing = self.reopened()

    def reopened(self) -> Cases:
        """The same, as it is after a restart."""
        masking = Masking(RetentionRepository(self.engine), DataKeys(self.engine), self.names)
        return Cases(
            CaseRepository(self.engine),
            CaseFileRepository(self.engine),
            DecisionRepository(self.engine),
            lambda *heard: self.learnt.append(heard),
            masking,
        )

    def decide(self, number: int = 1, subject_id: str | None = None, **changed: Any) -> str:
        body = shipment(shipment_id=subject_id or f"S-{number}")
        made = decision(body, decision_id=f"d-{number}", **changed)
        answer = StoredAnswer("c", made.decision_id, "digest", made.decision_id, "", b"")
        self.reviewing.decisions.append([(made.logged(), answer)])
        return made.decision_id

    def labels(self) -> list[Any]:
        return [json.loads(row.body) for row in RecordRepository(self.engine).all()]

    def mask(self) -> Cases:
        """End the first period of everything."""
        before = (AT + timedelta(days=1)).date().isoformat()
        act = RetentionAct(LATER.isoformat(), "mask", "chief", "it is time", {"before": before})
        RetentionRepository(self.engine).append(act)
        return self.reopened()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.reviewing.decisions.close()


def actions(office: Office, case_id: str) -> list[tuple[str, str, str]]:
    return [(e.action, e.by.name, e.text) for e in office.reviewing.events(case_id)]


def test_a_queue_has_the_cases_of_all_decisions_up_to_now(office: Office) -> None:
    wanted = QueueFilter(now=LATER)
    office.decide(1)
    office.decide(2, lane="release")
    office.decide(3, lane="document_check")

    page = office.reviewing.queue(ONE, wanted, None, 10)

    assert [row.case_id for row in page] == ["d-1", "d-3"]
    assert office.reviewing.queue(ELSEWHERE, wanted, None, 10) == []
    assert [row.case_id for row in office.reviewing.queue(ONE, wanted, None, 1)] == ["d-1"]
    place = page[0].queue_position(wanted.now)
    assert [row.case_id for row in office.reviewing.queue(ONE, wanted, place, 9)] == ["d-3"]
    load = CaseLoadRepository(office.engine)
    counts = load.count_waiting(QUEUE_RANK, HERE, LATER)
    assert counts == {"inspect": 1, "control": 0, "document_check": 1, "post_review": 0}


@pytest.mark.parametrize("order", get_args(QueueOrder))
def test_a_queue_in_the_order_of_a_column_is_read_page_by_page(
    office: Office, order: QueueOrder
) -> None:
    for number in range(1, 5):
        office.decide(number, scored_at=AT + timedelta(minutes=number % 3))
    claim(office, "d-1", TWO)
    claim(office, "d-3")
    keys: dict[str, Callable[[CaseRow], Any]] = {
        "due": attrgetter("due_at"),
        "opened": attrgetter("opened_at"),
        "owner": lambda row: row.owner_name or "",
    }
    wanted, key = QueueFilter(now=LATER), keys[order.removeprefix("-")]
    rows = office.reviewing.queue(ONE, wanted, None, 10)
    expected = sorted(rows, key=lambda row: (key(row), row.case_id), reverse=order[0] == "-")

    found: list[CaseRow] = []
    while page := office.reviewing.queue_in_order(
        ONE, wanted, order, found[-1].case_id if found else None, 1
    ):
        found += page

    assert [row.case_id for row in found] == [row.case_id for row in expected]


def test_a_case_is_there_for_those_who_may_see_it(office: Office) -> None:
    case_id = office.decide()

    row, case = office.reviewing.case(ONE, case_id)

    assert (row.case_id, case.case_id, case.status) == ("d-1", "d-1", "open")
    assert row.subject_id == "S-1"
    for reviewer, other in ((ELSEWHERE, case_id), (ONE, "d-9")):
        for look in (office.reviewing.case, office.reviewing.act):
            with pytest.raises(NotFound, match="no case with this id can be seen by you"):
                look(reviewer, other, *([None] if look == office.reviewing.act else []))  # type: ignore[operator]  # either of two signatures


def test_a_reviewer_is_the_caller_with_its_offices_and_rescues_only_by_scope() -> None:
    caller = Caller(
        "account:one", "one", frozenset({"review"}), frozenset({"DE004600"}), person="account:one"
    )
    helper = replace(caller, scopes=frozenset({"review", "rescue"}), offices=frozenset())

    assert Reviewer.from_caller(caller) == ONE
    assert Reviewer.from_caller(helper) == Reviewer(
        caller.actor, CaseAccess(frozenset(), is_rescue=True)
    )


def test_reading_a_case_is_written_down_and_looking_it_up_is_not(office: Office) -> None:
    case_id = office.decide()

    assert office.reviewing.read(ONE, case_id, LATER) == office.reviewing.case(ONE, case_id)

    (event,) = office.reviewing.events(case_id)
    assert (event.action, event.by, event.at) == (
        "read",
        Actor("account:one", "one"),
        LATER,
    )
    assert (event.changed, event.text) == ("{}", "queue")
    with pytest.raises(NotFound):
        office.reviewing.read(ELSEWHERE, case_id, LATER)
    assert len(office.reviewing.events(case_id)) == 1


def test_an_act_is_kept_with_its_event_and_seen_by_the_next(office: Office) -> None:
    case_id = office.decide()

    whoever = ONE.actor.with_possible_persons(frozenset({"account:two"}))  # kept nowhere
    taken = office.reviewing.act(ONE, case_id, lambda case: claim_rule(case, whoever, LATER))
    aside = office.reviewing.act(
        ONE,
        case_id,
        lambda case: wait(case, ONE.actor, LATER, LATER + timedelta(1), "reply", "wait"),
    )

    assert (taken.status, taken.owner) == ("assigned", ONE.actor)
    row, case = office.reviewing.case(ONE, case_id)
    assert case == aside
    assert (row.status, row.owner, row.owner_name) == ("waiting", "account:one", "one")
    assert row.waiting_until == LATER + timedelta(1)
    assert actions(office, case_id) == [("assign", "one", ""), ("wait", "one", "wait")]
    first = json.loads(office.reviewing.events(case_id)[0].changed)
    assert first == {"status": ["open", "assigned"], "owner": [None, stored(ONE.actor)]}
    with refused_with("case-taken"):
        office.reviewing.act(TWO, case_id, lambda case: claim_rule(case, TWO.actor, LATER))
    office.reviewing.act(ONE, case_id, lambda case: claim_rule(case, ONE.actor, LATER))
    assert office.reviewing.case(ONE, case_id)[0].waiting_until is None


def claim(office: Office, case_id: str, by: Reviewer = ONE) -> None:
    office.reviewing.act(ONE, case_id, lambda case: claim_rule(case, by.actor, LATER))


def test_a_result_becomes_an_outcome_that_is_kept_and_heard_of(office: Office) -> None:
    case_id = office.decide()

    ended = end_by(office.reviewing, ONE, case_id, LATER, NOTHING)

    assert (ended.status, ended.result) == ("closed", NOTHING)
    (label,) = office.labels()
    assert (label["subject_id"], label["result"]) == ("S-1", "not_confirmed")
    ((submission, outcome),) = office.learnt
    assert submission.shipment is not None
    assert (submission.shipment.shipment_id, outcome.result) == ("S-1", "not_confirmed")
    assert actions(office, case_id)[-1] == ("state_result", "one", NOTHING.text)
    row, _ = office.reviewing.case(ONE, case_id)
    assert office.reviewing.result_of(row) == NOTHING


def test_an_adverse_result_is_no_outcome_until_another_person_agrees(office: Office) -> None:
    case_id = office.decide()
    proposed = end_by(office.reviewing, ONE, case_id, LATER, FOUND)
    assert proposed.status == "result_in"
    assert proposed.proposal is not None
    assert proposed.proposal.result == FOUND
    assert (office.labels(), office.learnt) == ([], [])
    assert office.reviewing.result_of(office.reviewing.case(ONE, case_id)[0]) is None

    ended = agree_by(office.reviewing, TWO, case_id, LATER, FOUND)

    assert ended.result == FOUND
    assert [label["result"] for label in office.labels()] == ["confirmed"]
    assert len(office.learnt) == 1


def test_the_second_person_sees_what_was_proposed_after_a_view_of_their_own(
    office: Office,
) -> None:
    case_id = office.decide()
    end_by(office.reviewing, ONE, case_id, LATER, FOUND)

    def seen() -> tuple[CaseResult | None, str]:
        row, case = office.reviewing.case(TWO, case_id)
        assert case.proposal is not None
        told = [e.changed + e.text for e in office.reviewing.history(TWO, row)]
        return case.proposal.result, " ".join(told)

    hidden = office.reviewing.act(TWO, case_id, lambda c: claim_rule(c, TWO.actor, LATER))
    assert hidden.proposal is not None
    assert (hidden.proposal.by, hidden.proposal.result) == (ONE.actor, None)
    result, told = seen()
    assert (result, FOUND.code in told, FOUND.text in told) == (None, False, False)
    viewed = record_result(ActRequest(office.reviewing, TWO, case_id, LATER), lambda _: NOTHING)
    assert viewed.proposal is not None
    assert viewed.proposal.result == FOUND
    result, told = seen()
    assert (result, FOUND.code in told, FOUND.text in told) == (FOUND, True, True)


def test_what_nobody_looked_into_ends_without_an_outcome(office: Office) -> None:
    case_id = office.decide()
    claim(office, case_id)

    assert (
        order_action(ActRequest(office.reviewing, ONE, case_id, LATER), RELEASE).status == "closed"
    )

    assert (office.labels(), office.learnt) == ([], [])


def test_nobody_ends_a_case_of_others_or_one_they_may_not_see(office: Office) -> None:
    case_id = office.decide()
    claim(office, case_id)
    order_action(ActRequest(office.reviewing, ONE, case_id, LATER), INSPECT)

    with refused_with("not-yours"):
        record_result(ActRequest(office.reviewing, TWO, case_id, LATER), lambda _: NOTHING)
    with pytest.raises(NotFound, match="can be seen by you"):
        record_result(ActRequest(office.reviewing, ELSEWHERE, case_id, LATER), lambda _: NOTHING)
    for nobody in (TWO, ELSEWHERE):
        with pytest.raises((Conflict, NotFound)):
            order_action(ActRequest(office.reviewing, nobody, case_id, LATER), RELEASE)
    assert (office.labels(), office.learnt) == ([], [])
    assert office.reviewing.case(ONE, case_id)[1].status == "action_ordered"


def test_a_referral_moves_the_case_to_those_it_is_referred_to(office: Office) -> None:
    to_office = CaseAction("refer", "it arrives there", "office", "DE009999")
    to_rescue = CaseAction("refer", "the boat takes water", "rescue")
    rescuer = Reviewer(person("r"), CaseAccess(frozenset(), is_rescue=True))
    for number, action, by in ((1, to_office, ELSEWHERE), (2, to_rescue, rescuer)):
        case_id = office.decide(number)
        claim(office, case_id)
        moved = order_action(ActRequest(office.reviewing, ONE, case_id, LATER), action)

        assert (moved.status, moved.owner) == ("open", None)
        with pytest.raises(NotFound):
            office.reviewing.case(ONE, case_id)
        row, case = office.reviewing.case(by, case_id)
        assert case.action == action
        claimed = office.reviewing.act(by, case_id, lambda c, w=by: claim_rule(c, w.actor, LATER))  # type: ignore[misc]  # mypy infers no default
        assert claimed.status == "assigned"
    assert (row.lane, row.rank) == ("rescue", 0)
    helped = record_result(
        ActRequest(office.reviewing, rescuer, case_id, LATER),
        lambda _: result_of("people_helped", "rescue"),
    )
    assert (helped.status, office.labels()) == ("closed", [])


def test_the_decision_behind_a_case_is_there_or_its_absence_is_told(office: Office) -> None:
    case_id = office.decide()

    assert office.reviewing.decision(case_id).subject_id == "S-1"
    with pytest.raises(NotFound, match="the decision behind this case is gone"):
        office.reviewing.decision("d-9")


def test_a_file_is_kept_with_its_event_and_handed_out_with_another(office: Office) -> None:
    case_id = office.decide()

    row = office.reviewing.attach(ONE, case_id, LATER, FILE, CONTENT)

    assert (row.case_id, row.name, row.size_bytes) == (case_id, "list.txt", len(CONTENT))
    assert (row.attached_at, row.attacher.name) == (LATER, "one")
    kept, _ = office.reviewing.case(ONE, case_id)
    assert office.reviewing.attached(kept) == [row]
    assert office.reviewing.download(TWO, case_id, FILE.sha256, LATER) == (row, CONTENT)
    assert actions(office, case_id) == [
        ("attach", "one", "list.txt"),
        ("download", "two", "list.txt"),
    ]
    told = office.reviewing.events(case_id)[1]
    assert (told.at, told.changed) == (LATER, "{}")


def test_a_file_that_is_not_there_or_not_for_the_reader_is_not_found(office: Office) -> None:
    case_id = office.decide()
    office.reviewing.attach(ONE, case_id, LATER, FILE, CONTENT)

    with pytest.raises(NotFound, match="no such file"):
        office.reviewing.download(ONE, case_id, hashlib.sha256(b"x").hexdigest(), LATER)
    with pytest.raises(NotFound, match="can be seen by you"):
        office.reviewing.download(ELSEWHERE, case_id, FILE.sha256, LATER)
    with pytest.raises(NotFound, match="can be seen by you"):
        office.reviewing.attach(ELSEWHERE, case_id, LATER, FILE, CONTENT)
    assert [action for action, _, _ in actions(office, case_id)] == ["attach"]


def test_one_person_writes_so_many_notes_on_a_case_and_another_still_may(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.review.acts.note.MAX_NOTES", 3)
    case_id = office.decide()
    for number in range(3):
        note_case(ActRequest(office.reviewing, ONE, case_id, LATER), f"note {number}")

    with pytest.raises(Unprocessable, match="one may write 3 notes"):
        note_case(ActRequest(office.reviewing, ONE, case_id, LATER), "one more")
    note_case(ActRequest(office.reviewing, TWO, case_id, LATER), "another's")


def test_a_case_has_fifty_files_and_no_more(office: Office) -> None:
    assert MAX_TO_A_CASE == 50
    case_id = office.decide()
    for number in range(51):
        content = b"%d" % number
        file = AttachedFile.from_upload(f"{number}.txt", content, 100)
        if number < 50:
            office.reviewing.attach(ONE, case_id, LATER, file, content)
        else:
            with pytest.raises(Unprocessable):
                office.reviewing.attach(ONE, case_id, LATER, file, content)


def test_linked_cases_are_others_that_share_something_of_the_kinds_asked_for(
    office: Office,
) -> None:
    for number in (1, 2, 3):
        office.decide(number)
    office.reviewing.case(ONE, "d-1")

    links = CaseLinks(office.reviewing)

    found = links.linked(ONE, "d-1", ("goods",), 9)

    assert [(each.case.case_id, each.shared) for each in found] == [
        ("d-3", (("goods", "890310"),)),
        ("d-2", (("goods", "890310"),)),
    ]
    assert len(links.linked(ONE, "d-1", ("goods",), 1)) == 1
    assert links.linked(ELSEWHERE, "d-1", ("goods",), 9) == []
    assert links.linked(ONE, "d-1", ("container",), 9) == []


@pytest.fixture
def masked(office: Office) -> Cases:
    """Two cases, on which something was said, done and attached; then masked."""
    for number in (1, 2):
        office.decide(number)
    claim(office, "d-1")
    office.reviewing.attach(ONE, "d-1", LATER, FILE, CONTENT)
    office.reviewing.read(ONE, "d-1", LATER)
    office.reviewing.act(ONE, "d-1", lambda c: mark_reason(c, ONE.actor, LATER, "D1", "wrong"))
    end_by(office.reviewing, ONE, "d-1", LATER, FOUND)
    agree_by(office.reviewing, TWO, "d-1", LATER, FOUND)
    office.reviewing.act(ONE, "d-1", lambda c: reread(c, person("three"), LATER, "release"))
    return office.mask()


def test_a_second_reviewer_who_agrees_keeps_what_the_first_found(office: Office) -> None:
    case_id = office.decide()
    found = replace(FOUND, finding=Finding(offences="tobacco", examination="scan"))
    end_by(office.reviewing, ONE, case_id, LATER, found)
    agree_by(office.reviewing, TWO, case_id, LATER, FOUND)

    (label,) = office.labels()
    assert (label["offences"], label["examination"]) == ("tobacco", "scan")


def test_people_whom_one_of_two_reviewers_handed_to_protection_stay_protected(
    office: Office,
) -> None:
    protected = replace(FOUND, is_protection=True)
    for number, first, second in ((1, protected, FOUND), (2, FOUND, protected)):
        case_id = office.decide(number)
        end_by(office.reviewing, ONE, case_id, LATER, first)
        case = agree_by(office.reviewing, TWO, case_id, LATER, second)

        assert (case.status, case.result and case.result.is_protection) == ("closed", True)
    assert office.labels() == office.learnt == []


@pytest.mark.parametrize("inspected_at", [LATER + timedelta(seconds=1), LATER - timedelta(366)])
def test_an_inspection_in_the_future_or_long_ago_is_refused_when_proposed_and_nothing_is_kept(
    office: Office, inspected_at: datetime
) -> None:
    case_id = office.decide()
    claim(office, case_id)
    order_action(ActRequest(office.reviewing, ONE, case_id, LATER), INSPECT)
    before = actions(office, case_id)
    impossible = Finding(inspected_at=inspected_at)

    with refused_with("contradictory-finding"):
        record_result(
            ActRequest(office.reviewing, ONE, case_id, LATER),
            lambda _: replace(FOUND, finding=impossible),
        )

    _, case = office.reviewing.case(ONE, case_id)
    assert (case.status, case.proposal) == ("action_ordered", None)
    assert (actions(office, case_id), office.labels()) == (before, [])


def test_a_masked_case_shows_short_names_and_nobodys_words(office: Office, masked: Cases) -> None:
    row, case = masked.case(ONE, "d-1")

    assert (row.subject_id, row.what, row.why) == (office.names.of("S-1", MASKED), MASKED_CASE, "")
    assert case.result is not None
    assert case.action is not None
    assert (case.result.code, case.result.text) == (FOUND.code, MASKED)
    assert (case.action.kind, case.action.text) == ("inspect", MASKED)
    assert case.owner == TWO.actor
    queue = masked.queue(ONE, QueueFilter(now=LATER), None, 9)
    assert [(each.case_id, each.what) for each in queue] == [("d-2", MASKED_CASE)]
    assert masked.case(ONE, "d-2")[1].result is None
    assert "S-1" not in masked.decision("d-1").request


def test_a_masked_case_is_not_found_by_the_id_of_its_subject(office: Office, masked: Cases) -> None:
    def found(cases: Cases) -> list[str]:
        return [row.case_id for row in cases.list_cases(ONE, CaseFilter(subject_id="S-1"), 9).found]

    assert found(office.reviewing) == ["d-1"]
    assert found(masked) == []
    assert len(masked.list_cases(ONE, CaseFilter(), 9).found) == 2  # by a short name


def test_a_page_that_masked_cases_fell_out_of_leads_on_to_the_next(
    office: Office, masked: Cases
) -> None:
    seen, before, pages = [], None, 0
    while pages == 0 or before is not None:
        page = masked.list_cases(ONE, CaseFilter(subject_id="S-1", before=before), 1)
        seen += page.found
        before, pages = page.next, pages + 1

    assert (seen, pages) == ([], 2)  # of one case, whose page was full
    every = office.reviewing.list_cases(ONE, CaseFilter(), 1)
    assert every.next == (-every.found[-1].seq, every.found[-1].case_id)
    assert office.reviewing.list_cases(ONE, CaseFilter(before=every.next), 9).next is None


def test_a_case_about_a_subject_under_legal_hold_is_shown_as_it_was(office: Office) -> None:
    for number in (1, 2):
        office.decide(number)
    tokens = {"subject": DataKeys(office.engine).token("shipment", "S-1")}
    hold = RetentionAct(LATER.isoformat(), "hold", "chief", "a court asks", tokens)
    RetentionRepository(office.engine).append(hold)

    masked = office.mask()

    assert masked.case(ONE, "d-1")[0].subject_id == "S-1"
    assert masked.case(ONE, "d-2")[0].subject_id == office.names.of("S-2", MASKED)


def test_the_history_of_a_masked_case_has_acts_and_no_words(office: Office, masked: Cases) -> None:
    row, _ = masked.case(ONE, "d-1")

    told = [(event.action, event.text) for event in masked.history(ONE, row)]

    assert told == [
        ("assign", MASKED),
        ("attach", MASKED),
        ("read", "own_case"),
        ("mark_reason", "D1: wrong"),
        ("assign", MASKED),
        ("order_action", MASKED),
        ("state_result", MASKED),
        ("assign", MASKED),
        ("state_view", MASKED),
        ("agree", MASKED),
        ("reread", "release"),
    ]
    assert {event.changed for event in masked.history(ONE, row)} == {"{}"}
    unmasked, _ = office.reviewing.case(ONE, "d-1")
    assert office.reviewing.history(ONE, unmasked) == office.reviewing.events("d-1")


def test_files_of_a_masked_case_have_no_names_and_are_not_handed_out(masked: Cases) -> None:
    row, _ = masked.case(ONE, "d-1")

    assert [(file.name, file.sha256) for file in masked.attached(row)] == [(MASKED, FILE.sha256)]
    with pytest.raises(Forbidden, match="masked by now"):
        masked.download(ONE, "d-1", FILE.sha256, LATER)
    assert "download" not in [event.action for event in masked.events("d-1")]


def test_what_links_masked_cases_has_short_names(office: Office, masked: Cases) -> None:
    (link,) = CaseLinks(masked).linked(ONE, "d-1", ("party",), 9)

    assert link.case.subject_id == office.names.of("S-2", MASKED)
    assert {kind for kind, _ in link.shared} == {"party"}
    assert {name for _, name in link.shared} == {
        office.names.of(party, MASKED) for party in ("c-0007", "c-0012", "k-3")
    }


def test_ones_own_last_act_is_undone_until_anybody_acts_or_ten_seconds_are_over(
    office: Office,
) -> None:
    case_id = office.decide()
    claim(office, case_id)
    order_action(ActRequest(office.reviewing, ONE, case_id, LATER), RELEASE)
    office.reviewing.read(ONE, case_id, LATER)

    back = undo_last_act(ActRequest(office.reviewing, ONE, case_id, LATER + timedelta(seconds=9)))

    assert (back.status, back.owner, back.action) == ("assigned", ONE.actor, None)
    assert actions(office, case_id)[-1] == ("undo", "one", "order action")
    order_action(ActRequest(office.reviewing, ONE, case_id, LATER), INSPECT)
    with pytest.raises(Conflict, match="10 seconds"):
        undo_last_act(ActRequest(office.reviewing, ONE, case_id, LATER + timedelta(seconds=11)))
    office.reviewing.act(TWO, case_id, lambda case: note(case, TWO.actor, LATER, "seen"))
    with pytest.raises(Conflict, match="somebody else"):
        undo_last_act(ActRequest(office.reviewing, ONE, case_id, LATER))


def let_come_first(
    patch: pytest.MonkeyPatch,
    other: Callable[[], object],
    store: type = CaseRepository,
    turn: str = "change",
) -> None:
    """Let another act come between what the next one looked at and its turn."""
    change = getattr(store, turn)

    def come_second(*asked: Any) -> Any:
        patch.undo()
        other()
        return change(*asked)

    patch.setattr(store, turn, come_second)


def test_of_two_first_judgements_that_are_sent_at_once_one_counts(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, case_id = office.reviewing, office.decide()
    let_come_first(monkeypatch, lambda: judge_case(ActRequest(cases, ONE, case_id, LATER), "look"))

    with refused_with("already-judged"):
        judge_case(ActRequest(cases, ONE, case_id, LATER), "let_go")

    assert actions(office, case_id) == [("judge", "one", "look")]


@pytest.mark.parametrize("is_end", [True, False])
def test_what_becomes_a_rescue_meanwhile_is_ended_by_no_inspection(
    office: Office, monkeypatch: pytest.MonkeyPatch, *, is_end: bool
) -> None:
    cases, case_id = office.reviewing, office.decide()
    cases.act(ONE, case_id, lambda case: claim_rule(case, ONE.actor, AT))
    order_action(ActRequest(cases, ONE, case_id, AT), INSPECT)

    def call_rescue() -> None:
        office.decide(2, "S-1", rescores=case_id, lane_before="inspect", lane="rescue")
        cases.open_new()

    def act() -> None:
        if is_end:
            record_result(ActRequest(cases, ONE, case_id, LATER), lambda _: NOTHING)
        else:
            note_case(ActRequest(cases, ONE, case_id, LATER), "nothing was in it")

    let_come_first(monkeypatch, call_rescue)
    with pytest.raises(NotFound):
        act()

    row = cases.store.case(case_id, CaseAccess(frozenset(), is_rescue=True))
    assert row is not None
    assert row.status == "action_ordered"


EVERYWHERE = CaseAccess(frozenset(), is_rescue=False)
ALL_SEEING = Reviewer(person("four"), EVERYWHERE)
TO_ANOTHER_OFFICE = CaseAction("refer", "it arrives there", "office", "DE009999")


def test_whoever_saw_a_case_at_one_office_gives_it_to_nobody_once_it_is_at_another(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team("Tobacco", "DE004600")
    office.reviewing = replace(office.reviewing, teams=lambda: [team], colleagues=lambda: [TWO])
    cases = office.reviewing
    acts: tuple[Callable[[str], object], ...] = (
        lambda case_id: assign_case(
            ActRequest(cases, ALL_SEEING, case_id, LATER), Assignment(to="two")
        ),
        lambda case_id: assign_case(
            ActRequest(cases, ALL_SEEING, case_id, LATER), Assignment(inbox="Tobacco")
        ),
        lambda case_id: assign_case(
            ActRequest(cases, ALL_SEEING, case_id, LATER), Assignment(inbox="DE004600")
        ),
    )
    for number, act in enumerate(acts):
        case_id = office.decide(number)
        claim(office, case_id)
        let_come_first(
            monkeypatch,
            lambda of=case_id: order_action(ActRequest(cases, ONE, of, LATER), TO_ANOTHER_OFFICE),
        )

        with pytest.raises(Unprocessable):
            act(case_id)

        row, _ = cases.case(ALL_SEEING, case_id)
        assert (row.office_id, row.owner, row.team) == ("DE009999", None, None)

    case_id = office.decide(9)
    claim(office, case_id)
    let_come_first(
        monkeypatch, lambda: order_action(ActRequest(cases, ONE, case_id, LATER), TO_ANOTHER_OFFICE)
    )
    with pytest.raises(Unprocessable, match="two"):
        note_case(ActRequest(cases, ALL_SEEING, case_id, LATER), "ask @two")


def test_no_file_is_put_to_a_case_that_came_to_others_meanwhile(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, case_id = office.reviewing, office.decide()
    claim(office, case_id)
    let_come_first(
        monkeypatch,
        lambda: order_action(ActRequest(cases, ONE, case_id, LATER), TO_ANOTHER_OFFICE),
        CaseFileRepository,
        "attach",
    )

    with pytest.raises(NotFound):
        cases.attach(ONE, case_id, LATER, FILE, CONTENT)

    assert cases.files.of_case(case_id) == []


def test_what_is_undone_is_the_newest_act_and_none_before_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, case_id = office.reviewing, office.decide()
    claim(office, case_id)
    newest = CaseRepository.newest_event

    def look_and_be_overtaken(*asked: Any) -> Any:
        monkeypatch.undo()
        found = newest(*asked)
        cases.act(ONE, case_id, lambda case: escalate(case, ONE.actor, LATER, "help"))
        return found

    monkeypatch.setattr(CaseRepository, "newest_event", look_and_be_overtaken)
    with pytest.raises(Conflict, match="since"):
        undo_last_act(ActRequest(cases, ONE, case_id, AT))

    assert cases.case(ONE, case_id)[1].owner == ONE.actor
