"""What may happen to a case, act by act: who may, what is true then, and what is written down."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.access.actors import SERVICE, Actor
from serving.errors import PersonNeeded, SameReviewer
from serving.review import case_rules as acts
from serving.review.actions import CaseAction
from serving.review.attachments import AttachedFile
from serving.review.case_rules import (
    LONGEST_WAIT,
    Case,
    CaseChange,
    CaseEvent,
    Reopening,
    Statement,
)
from serving.review.errors import (
    CaseClosed,
    CaseTaken,
    NoActionOrdered,
    NotYours,
    TooLong,
    UndoRefused,
    ViewNeeded,
)
from serving.review.results import CaseResult, Finding
from tests.serving.people import CHIEF, ONE, TWO, machine
from tests.serving.review.stated import (
    CHECK,
    FOUND,
    HOLD,
    INSPECT,
    NOTHING,
    OTHER,
    PROTECT,
    RELEASE,
    TO_AGENCY,
    result_of,
)

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=2)
TICK = timedelta(microseconds=1)
TO_OFFICE = CaseAction("refer", "it arrives there", "office", "DE004600")

OPEN = Case("c")
MINE = Case("c", "assigned", ONE)
ASIDE = Case("c", "waiting", ONE, waiting_until=LATER, waiting_for="documents")
ORDERED = Case("c", "action_ordered", ONE, action=INSPECT)
HOLDING = Case("c", "action_proposed", proposal=Statement(ONE, AT, HOLD))
PROPOSED = Case("c", "result_in", action=INSPECT, proposal=Statement(ONE, AT, result=FOUND))
SECOND = replace(PROPOSED, owner=TWO)
JUDGING = replace(SECOND, second_view=Statement(TWO, AT, result=FOUND))
HELD = replace(HOLDING, owner=TWO, second_view=Statement(TWO, AT, INSPECT))
CLOSED = Case("c", "closed", ONE, action=INSPECT, result=NOTHING, ended_by=(ONE,))
CONFIRMED = Case("c", "closed", TWO, action=INSPECT, result=FOUND, ended_by=(ONE, TWO))
TO_REOPEN = replace(CONFIRMED, reopening=Reopening(ONE, AT, "new facts"))
KEY = machine("desk")


def event(kind: Any, text: str = "", /, actor: Actor = ONE, **changed: Any) -> CaseEvent:
    return CaseEvent("c", AT, actor, kind, changed, text)


@pytest.mark.parametrize(
    ("acted", "after", "written"),
    [
        (
            acts.claim(OPEN, ONE, AT),
            MINE,
            event("assign", status=("open", "assigned"), owner=(None, ONE)),
        ),
        (acts.claim(MINE, ONE, AT), MINE, event("assign")),
        (
            acts.claim(ASIDE, ONE, AT),
            MINE,
            event(
                "assign",
                status=("waiting", "assigned"),
                waiting_until=(LATER, None),
                waiting_for=("documents", None),
            ),
        ),
        (acts.claim(PROPOSED, TWO, AT), SECOND, event("assign", actor=TWO, owner=(None, TWO))),
        (
            acts.give_back(MINE, ONE, AT),
            OPEN,
            event("give_back", status=("assigned", "open"), owner=(ONE, None)),
        ),
        (
            acts.give_back(ASIDE, ONE, AT),
            OPEN,
            event(
                "give_back",
                status=("waiting", "open"),
                owner=(ONE, None),
                waiting_until=(LATER, None),
                waiting_for=("documents", None),
            ),
        ),
        (
            acts.give_back(SECOND, TWO, AT),
            PROPOSED,
            event("give_back", actor=TWO, owner=(TWO, None)),
        ),
        (
            acts.give_back(ORDERED, ONE, AT),
            replace(ORDERED, owner=None),
            event("give_back", owner=(ONE, None)),
        ),
        (
            acts.assign(OPEN, CHIEF, AT, ONE),
            MINE,
            event("assign", actor=CHIEF, status=("open", "assigned"), owner=(None, ONE)),
        ),
        (
            acts.assign(MINE, ONE, AT, TWO),
            replace(MINE, owner=TWO),
            event("hand_over", owner=(ONE, TWO)),
        ),
        (
            acts.assign(ASIDE, CHIEF, AT, TWO, may_take=True),
            replace(MINE, owner=TWO),
            event(
                "hand_over",
                actor=CHIEF,
                status=("waiting", "assigned"),
                owner=(ONE, TWO),
                waiting_until=(LATER, None),
                waiting_for=("documents", None),
            ),
        ),
        (
            acts.wait(MINE, ONE, AT, LATER, "documents", "the invoice"),
            ASIDE,
            event(
                "wait",
                "the invoice",
                status=("assigned", "waiting"),
                waiting_until=(None, LATER),
                waiting_for=(None, "documents"),
            ),
        ),
        (acts.note(CLOSED, ONE, AT, "seen"), CLOSED, event("note", "seen")),
        (
            acts.mark_reason(MINE, ONE, AT, "D10", "wrong"),
            MINE,
            event("mark_reason", "D10: wrong"),
        ),
        (acts.reread(CLOSED, TWO, AT, "release"), CLOSED, event("reread", "release", actor=TWO)),
        (
            acts.order(MINE, ONE, AT, INSPECT),
            ORDERED,
            event("order_action", status=("assigned", "action_ordered"), action=(None, INSPECT)),
        ),
        (
            acts.order(ORDERED, ONE, AT, CHECK),
            replace(ORDERED, action=CHECK),
            event("order_action", action=(INSPECT, CHECK)),
        ),
        (
            acts.order(MINE, ONE, AT, RELEASE),
            Case("c", "closed", ONE, action=RELEASE, ended_by=(ONE,)),
            event(
                "order_action",
                RELEASE.text,
                status=("assigned", "closed"),
                action=(None, RELEASE),
                ended_by=((), (ONE,)),
            ),
        ),
        (
            acts.order(MINE, ONE, AT, TO_OFFICE),
            Case("c", "open", action=TO_OFFICE),
            event(
                "order_action",
                TO_OFFICE.text,
                status=("assigned", "open"),
                owner=(ONE, None),
                action=(None, TO_OFFICE),
            ),
        ),
        (
            acts.order(MINE, ONE, AT, HOLD),
            HOLDING,
            event(
                "propose_action",
                HOLD.text,
                status=("assigned", "action_proposed"),
                owner=(ONE, None),
                proposal=(None, HOLDING.proposal),
            ),
        ),
        (
            acts.order(replace(HOLDING, owner=TWO), TWO, AT, INSPECT),
            HELD,
            event("state_view", actor=TWO, second_view=(None, HELD.second_view)),
        ),
        (
            acts.agree(HELD, TWO, AT, "so do I"),
            Case("c", "action_ordered", ONE, action=HOLD),
            event(
                "agree",
                "so do I",
                actor=TWO,
                status=("action_proposed", "action_ordered"),
                owner=(TWO, ONE),
                action=(None, HOLD),
                proposal=(HOLDING.proposal, None),
                second_view=(HELD.second_view, None),
            ),
        ),
        (
            acts.disagree(HELD, TWO, AT, "a look is enough"),
            Case("c", "action_ordered", TWO, action=INSPECT),
            event(
                "disagree",
                "a look is enough",
                actor=TWO,
                status=("action_proposed", "action_ordered"),
                action=(None, INSPECT),
                proposal=(HOLDING.proposal, None),
                second_view=(HELD.second_view, None),
            ),
        ),
        (
            acts.state_result(ORDERED, ONE, AT, NOTHING),
            CLOSED,
            event(
                "state_result",
                NOTHING.text,
                status=("action_ordered", "closed"),
                result=(None, NOTHING),
                ended_by=((), (ONE,)),
            ),
        ),
        (
            acts.state_result(ORDERED, ONE, AT, FOUND),
            PROPOSED,
            event(
                "state_result",
                FOUND.text,
                status=("action_ordered", "result_in"),
                owner=(ONE, None),
                proposal=(None, PROPOSED.proposal),
            ),
        ),
        (
            acts.state_result(SECOND, TWO, AT, FOUND),
            JUDGING,
            event("state_view", FOUND.text, actor=TWO, second_view=(None, JUDGING.second_view)),
        ),
        (
            acts.agree(JUDGING, TWO, AT),
            CONFIRMED,
            event(
                "agree",
                actor=TWO,
                status=("result_in", "closed"),
                result=(None, FOUND),
                ended_by=((), (ONE, TWO)),
                proposal=(PROPOSED.proposal, None),
                second_view=(JUDGING.second_view, None),
            ),
        ),
        (
            acts.reopen(CLOSED, KEY, AT, "new facts"),
            OPEN,
            event(
                "reopen",
                "new facts",
                actor=KEY,
                status=("closed", "open"),
                owner=(ONE, None),
                action=(INSPECT, None),
                result=(NOTHING, None),
                ended_by=((ONE,), ()),
            ),
        ),
        (
            acts.reopen(CONFIRMED, ONE, AT, "new facts"),
            TO_REOPEN,
            event("propose_reopening", "new facts", reopening=(None, TO_REOPEN.reopening)),
        ),
        (
            acts.disagree(TO_REOPEN, CHIEF, AT, "nothing new"),
            CONFIRMED,
            event("disagree", "nothing new", actor=CHIEF, reopening=(TO_REOPEN.reopening, None)),
        ),
        (
            acts.reopen(TO_REOPEN, TWO, AT, "new facts"),
            OPEN,
            event(
                "reopen",
                "new facts",
                actor=TWO,
                reopening=(TO_REOPEN.reopening, None),
                status=("closed", "open"),
                owner=(TWO, None),
                action=(INSPECT, None),
                result=(FOUND, None),
                ended_by=((ONE, TWO), ()),
            ),
        ),
    ],
)
def test_an_act_changes_what_it_says_and_is_written_down_with_the_old_and_the_new(
    acted: CaseChange, after: Case, written: CaseEvent
) -> None:
    assert acted == (after, written)


@pytest.mark.parametrize("view", [NOTHING, result_of("inconclusive")])
def test_whoever_is_second_and_found_no_offence_ends_the_case_by_their_own_view(
    view: CaseResult,
) -> None:
    judging = replace(SECOND, second_view=Statement(TWO, AT, result=view))

    after, _ = acts.disagree(judging, TWO, AT, "no proof")

    assert (after.status, after.result, after.ended_by) == ("closed", view, (TWO,))
    assert after.proposal is None


@pytest.mark.parametrize("again", [INSPECT, CHECK, RELEASE])
def test_whoever_is_second_may_want_something_done_before_a_result_counts(
    again: CaseAction,
) -> None:
    viewed, _ = acts.order(SECOND, TWO, AT, again)

    after, _ = acts.disagree(viewed, TWO, AT, "look again")

    assert (after.action, after.result, after.proposal) == (again, None, None)
    assert after.status == ("closed" if again == RELEASE else "action_ordered")


@pytest.mark.parametrize("action", [HOLD, TO_AGENCY])
def test_of_what_takes_two_the_second_orders_what_the_first_proposed(action: CaseAction) -> None:
    proposed, _ = acts.order(MINE, ONE, AT, action)
    viewed, _ = acts.order(replace(proposed, owner=TWO), TWO, AT, CHECK)
    ordered, _ = acts.agree(viewed, TWO, AT)

    assert (proposed.status, proposed.action) == ("action_proposed", None)
    assert (ordered.status, ordered.action) == ("action_ordered", action)


@pytest.mark.parametrize("action", [INSPECT, CHECK, RELEASE, PROTECT, TO_OFFICE])
def test_an_officer_orders_at_once_what_takes_one(action: CaseAction) -> None:
    after, done = acts.order(MINE, ONE, AT, action)

    assert (after.action, after.proposal, done.action) == (action, None, "order_action")


def test_what_a_first_person_said_is_hidden_from_whoever_may_be_second_until_they_said_theirs() -> (
    None
):
    for proposed in (HOLDING, PROPOSED):
        assert not proposed.hides_proposal_from(ONE)
        for reader in (TWO, CHIEF, KEY):
            assert proposed.hides_proposal_from(reader)
    assert SECOND.hides_proposal_from(TWO)
    assert not JUDGING.hides_proposal_from(TWO)
    assert JUDGING.hides_proposal_from(CHIEF)
    assert not CONFIRMED.hides_proposal_from(CHIEF)


@pytest.mark.parametrize(
    ("act", "refusal", "words"),
    [
        (lambda: acts.claim(MINE, TWO, AT), CaseTaken, "another reviewer has this case"),
        (lambda: acts.claim(ASIDE, TWO, AT), CaseTaken, "another reviewer"),
        (lambda: acts.claim(CLOSED, ONE, AT), CaseClosed, "open it again first"),
        (lambda: acts.claim(PROPOSED, ONE, AT), SameReviewer, "what the first proposed"),
        (lambda: acts.claim(HOLDING, ONE, AT), SameReviewer, "what the first proposed"),
        (lambda: acts.claim(PROPOSED, KEY, AT), PersonNeeded, "takes a person"),
        (lambda: acts.assign(MINE, CHIEF, AT, TWO), CaseTaken, "a supervisor may give it"),
        (lambda: acts.assign(CLOSED, CHIEF, AT, TWO), CaseClosed, "closed"),
        (lambda: acts.assign(PROPOSED, CHIEF, AT, ONE), SameReviewer, "the first proposed"),
        (
            lambda: acts.assign(SECOND, CHIEF, AT, ONE, may_take=True),
            SameReviewer,
            "the first proposed",
        ),
        (lambda: acts.give_back(OPEN, ONE, AT), NotYours, "claim this case first"),
        (lambda: acts.give_back(MINE, TWO, AT), NotYours, "another reviewer has this case"),
        (lambda: acts.give_back(CLOSED, ONE, AT), CaseClosed, "closed"),
        (lambda: acts.wait(MINE, TWO, AT, LATER, "reply", "x"), NotYours, "another"),
        (lambda: acts.wait(CLOSED, ONE, AT, LATER, "reply", "x"), CaseClosed, "closed"),
        (lambda: acts.order(OPEN, ONE, AT, INSPECT), NotYours, "claim"),
        (lambda: acts.order(MINE, TWO, AT, RELEASE), NotYours, "another reviewer"),
        (lambda: acts.order(CLOSED, ONE, AT, INSPECT), CaseClosed, "closed"),
        (lambda: acts.order(replace(MINE, owner=KEY), KEY, AT, HOLD), PersonNeeded, "a person"),
        (lambda: acts.order(replace(HELD, owner=ONE), ONE, AT, HOLD), SameReviewer, "the first"),
        (lambda: acts.state_result(OPEN, ONE, AT, NOTHING), NotYours, "claim"),
        (lambda: acts.state_result(MINE, ONE, AT, NOTHING), NoActionOrdered, "order first"),
        (lambda: acts.state_result(ORDERED, TWO, AT, NOTHING), NotYours, "another"),
        (lambda: acts.state_result(CLOSED, ONE, AT, NOTHING), CaseClosed, "closed"),
        (lambda: acts.state_result(PROPOSED, TWO, AT, FOUND), NotYours, "claim"),
        (
            lambda: acts.state_result(replace(ORDERED, action=CHECK), ONE, AT, NOTHING),
            NoActionOrdered,
            "order first an inspection",
        ),
        (
            lambda: acts.state_result(replace(ORDERED, action=HOLD), ONE, AT, NOTHING),
            NoActionOrdered,
            "order first",
        ),
        (
            lambda: acts.state_result(replace(HELD, action=INSPECT), TWO, AT, NOTHING),
            NoActionOrdered,
            "say what you would do",
        ),
        (
            lambda: acts.state_result(replace(ORDERED, owner=KEY), KEY, AT, FOUND),
            PersonNeeded,
            "a person",
        ),
        (
            lambda: acts.state_result(replace(SECOND, owner=ONE), ONE, AT, NOTHING),
            SameReviewer,
            "the first proposed",
        ),
        (lambda: acts.agree(MINE, TWO, AT), NotYours, "nothing waits"),
        (lambda: acts.agree(CONFIRMED, TWO, AT), CaseClosed, "closed"),
        (lambda: acts.agree(SECOND, TWO, AT), ViewNeeded, "say first"),
        (lambda: acts.agree(PROPOSED, ONE, AT), SameReviewer, "a second person"),
        (lambda: acts.agree(PROPOSED, KEY, AT), PersonNeeded, "takes a person"),
        (lambda: acts.agree(JUDGING, CHIEF, AT), NotYours, "another"),
        (lambda: acts.agree(replace(JUDGING, owner=CHIEF), CHIEF, AT), ViewNeeded, "say first"),
        (lambda: acts.disagree(MINE, TWO, AT, "x"), NotYours, "nothing waits"),
        (lambda: acts.disagree(CONFIRMED, TWO, AT, "x"), CaseClosed, "closed"),
        (lambda: acts.disagree(SECOND, TWO, AT, "x"), ViewNeeded, "say first"),
        (lambda: acts.disagree(PROPOSED, ONE, AT, "x"), SameReviewer, "a second person"),
        (lambda: acts.disagree(TO_REOPEN, ONE, AT, "x"), SameReviewer, "another person"),
        (lambda: acts.disagree(TO_REOPEN, KEY, AT, "x"), PersonNeeded, "takes a person"),
        (lambda: acts.reopen(CONFIRMED, KEY, AT, "x"), PersonNeeded, "takes a person"),
        (lambda: acts.reopen(TO_REOPEN, KEY, AT, "x"), PersonNeeded, "takes a person"),
        (lambda: acts.reopen(TO_REOPEN, ONE, AT, "x"), SameReviewer, "must agree"),
        (lambda: acts.reopen(MINE, ONE, AT, "x"), NotYours, "can be opened again"),
        (lambda: acts.reopen(PROPOSED, ONE, AT, "x"), NotYours, "only a closed case"),
        (lambda: acts.reread(MINE, TWO, AT, "release"), NotYours, "closed case is read again"),
        (lambda: acts.reread(CLOSED, ONE, AT, "release"), SameReviewer, "what you ended"),
        (lambda: acts.reread(CONFIRMED, ONE, AT, "release"), SameReviewer, "you ended"),
        (lambda: acts.reread(CONFIRMED, TWO, AT, "release"), SameReviewer, "you ended"),
    ],
)
def test_an_act_of_somebody_who_may_not_is_refused(
    act: Callable[[], CaseChange], refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        act()


@pytest.mark.parametrize(
    "stated",
    [
        OTHER,
        replace(FOUND, finding=Finding(offences="tobacco")),
        replace(FOUND, finding=Finding(found_mass_kg=2.0)),
        replace(FOUND, is_protection=True),
    ],
)
def test_whoever_is_second_and_says_otherwise_proposes_and_the_first_may_agree(
    stated: CaseResult,
) -> None:
    viewed, _ = acts.state_result(SECOND, TWO, AT, stated)
    proposed, _ = acts.disagree(viewed, TWO, AT, "it was otherwise")
    with pytest.raises(SameReviewer):
        acts.claim(proposed, TWO, AT)
    back, _ = acts.claim(proposed, ONE, AT)
    viewed, _ = acts.state_result(back, ONE, AT, stated)
    ended, _ = acts.agree(viewed, ONE, AT)

    assert (proposed.status, proposed.proposal) == (
        "result_in",
        Statement(TWO, AT, result=stated),
    )
    assert proposed.second_view is None  # it was of another proposal
    assert (ended.status, ended.result, ended.ended_by) == ("closed", stated, (TWO, ONE))


TO_RESCUE = CaseAction("refer", "they are adrift", "rescue")


@pytest.mark.parametrize(
    "view", [NOTHING, result_of("inconclusive"), RELEASE, INSPECT, PROTECT, TO_OFFICE]
)
def test_whoever_disagrees_with_a_machine_is_the_first_of_two_persons(
    view: CaseResult | CaseAction,
) -> None:
    def state(case: Case, actor: Actor) -> Case:
        if isinstance(view, CaseAction):
            return acts.order(case, actor, AT, view)[0]
        return acts.state_result(case, actor, AT, view)[0]

    reported = replace(PROPOSED, proposal=Statement(SERVICE, AT, result=FOUND), owner=ONE)
    proposed, _ = acts.disagree(state(reported, ONE), ONE, AT, "it is flour")

    assert proposed.status in ("result_in", "action_proposed")
    assert (proposed.owner, proposed.second_view) == (None, None)
    with pytest.raises(SameReviewer):
        acts.claim(proposed, ONE, AT)
    agreed, _ = acts.agree(state(replace(proposed, owner=TWO), TWO), TWO, AT)
    assert agreed.proposal is None
    assert (agreed.result or agreed.action) == view
    assert agreed.ended_by == ((ONE, TWO) if agreed.status == "closed" else ())


def test_lives_at_risk_wait_for_no_second_person_also_where_a_machine_reported_an_offence() -> None:
    reported = replace(PROPOSED, proposal=Statement(SERVICE, AT, result=FOUND), owner=ONE)
    viewed, _ = acts.order(reported, ONE, AT, TO_RESCUE)

    assert acts.disagree(viewed, ONE, AT, "they drown")[0].action == TO_RESCUE


def test_people_whom_either_of_two_handed_to_protection_stay_protected() -> None:
    protected = replace(FOUND, is_protection=True)
    for first, second in ((protected, FOUND), (FOUND, protected), (protected, NOTHING)):
        case = replace(SECOND, proposal=Statement(ONE, AT, result=first))
        case = replace(case, second_view=Statement(TWO, AT, result=second))
        judged = acts.disagree if second == NOTHING else acts.agree

        after, _ = judged(case, TWO, AT, "as seen")

        assert after.result is not None
        assert after.result.is_protection


def test_what_an_older_release_kept_of_a_proposal_is_nobodys() -> None:
    former = replace(PROPOSED, proposal=Statement(Actor.stored("one", None), AT, result=FOUND))
    with pytest.raises(SameReviewer):
        acts.claim(former, ONE, AT)
    claimed, _ = acts.claim(former, TWO, AT)
    viewed, _ = acts.state_result(claimed, TWO, AT, FOUND)

    again, _ = acts.agree(viewed, TWO, AT)

    assert (again.status, again.owner) == ("result_in", None)
    assert again.proposal == Statement(TWO, AT, result=FOUND)


def test_whoever_held_a_case_under_a_name_alone_holds_it_still() -> None:
    held = replace(MINE, owner=Actor.stored("one", None))

    assert acts.give_back(held, ONE, AT)[0] == OPEN
    for other in (
        TWO,
        Actor("token:https://login.example|one", "one", "https://login.example one"),
    ):
        with pytest.raises(NotYours):
            acts.give_back(held, other, AT)


def test_a_case_waits_for_fourteen_days_at_most_and_not_for_the_past() -> None:
    assert timedelta(days=14) == LONGEST_WAIT
    for until in (AT + TICK, AT + LONGEST_WAIT):
        assert acts.wait(MINE, ONE, AT, until, "other", "why")[0].waiting_until == until
    for until in (AT - TICK, AT, AT + LONGEST_WAIT + TICK):
        with pytest.raises(TooLong, match="within 14 days"):
            acts.wait(MINE, ONE, AT, until, "other", "why")


@pytest.mark.parametrize("before", [MINE, ORDERED, replace(SECOND, owner=TWO)])
def test_what_waits_is_from_its_end_on_what_it_was_before(before: Case) -> None:
    assert before.owner is not None
    waiting, _ = acts.wait(before, before.owner, AT, LATER, "arrival", "why")

    assert acts.status_at(waiting, LATER - TICK) == "waiting"
    assert acts.status_at(waiting, LATER) == before.status
    assert acts.status_at(waiting, LATER + TICK) == before.status


@pytest.mark.parametrize("case", [OPEN, MINE, ORDERED, PROPOSED, CLOSED])
def test_no_time_changes_a_case_that_does_not_wait(case: Case) -> None:
    assert acts.status_at(case, LATER) == case.status
    assert acts.status_at(replace(case, waiting_until=AT), LATER) == case.status


def test_an_attached_file_is_written_down_and_changes_no_case() -> None:
    file = AttachedFile("0" * 64, "list.pdf", "application/pdf", 9)

    assert acts.attach(CLOSED, ONE, AT, file) == (
        CLOSED,
        event("attach", "list.pdf", attachment=(None, vars(file))),
    )


def undone(change: CaseChange, before: Case, by: Actor = ONE, at: datetime = AT) -> CaseChange:
    """The last act taken back by somebody, at an instant."""
    after, done = change
    return acts.undo(after, by, at, done, before)


@pytest.mark.parametrize(
    ("before", "change"),
    [
        (OPEN, acts.claim(OPEN, ONE, AT)),
        (MINE, acts.assign(MINE, ONE, AT, TWO)),
        (MINE, acts.give_back(MINE, ONE, AT)),
        (MINE, acts.wait(MINE, ONE, AT, LATER, "reply", "why")),
        (MINE, acts.order(MINE, ONE, AT, RELEASE)),
        (MINE, acts.order(MINE, ONE, AT, INSPECT)),
        (ORDERED, acts.order(ORDERED, ONE, AT, HOLD)),
        (ORDERED, acts.state_result(ORDERED, ONE, AT, FOUND)),
        (ORDERED, acts.state_result(ORDERED, ONE, AT, result_of("not_carried_out"))),
    ],
)
def test_what_one_did_is_undone_by_them_within_ten_seconds(
    before: Case, change: CaseChange
) -> None:
    for after in (timedelta(), timedelta(seconds=10)):
        back, written = undone(change, before, at=AT + after)
        assert (back, written.action) == (before, "undo")
        assert written.changed == {
            name: (new, old) for name, (old, new) in change[1].changed.items()
        }
    for by, at in ((TWO, AT), (ONE, AT + timedelta(seconds=10) + TICK)):
        with pytest.raises(UndoRefused):
            undone(change, before, by, at)


@pytest.mark.parametrize(
    ("before", "change", "by"),
    [
        (ORDERED, acts.state_result(ORDERED, ONE, AT, NOTHING), ONE),
        (JUDGING, acts.agree(JUDGING, TWO, AT), TWO),
        (HELD, acts.agree(HELD, TWO, AT), TWO),
        (MINE, acts.order(MINE, ONE, AT, TO_OFFICE), ONE),
        (CLOSED, acts.reopen(CLOSED, ONE, AT, "new facts"), ONE),
    ],
)
def test_what_is_on_record_elsewhere_or_of_two_persons_is_not_undone(
    before: Case, change: CaseChange, by: Actor
) -> None:
    with pytest.raises(UndoRefused):
        undone(change, before, by)
