"""What may happen to a case, act by act: who may, what is true then, and what is written down."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.access.actors import Actor
from serving.errors import CaseClosed, CaseTaken, NotYours, PersonNeeded, SameReviewer, TooLong
from serving.review import case_rules as acts
from serving.review.attachments import AttachedFile
from serving.review.case_rules import LONGEST_SNOOZE, Case, CaseChange, CaseEvent, Reopening
from serving.review.dispositions import Disposition, Finding
from tests.serving.people import CHIEF, ONE, TWO, machine

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=2)
TICK = timedelta(microseconds=1)
NOTHING = Disposition("no_finding_after_inspection", "nothing_found", "high", "all in order")
OTHER = Disposition("other_offence", "documents_false", "high", "forged papers")
FOUND = Disposition("confirmed_smuggling_goods", "goods_found", "high", "behind a false wall")

OPEN = Case("c")
MINE = Case("c", "claimed", ONE)
ASIDE = Case("c", "snoozed", ONE, snoozed_until=LATER)
PROPOSED = Case("c", "second_review", None, proposed=FOUND, proposed_by=ONE)
SECOND = replace(PROPOSED, status="claimed", owner=TWO)
CLOSED = Case("c", "closed", ONE, disposition=NOTHING)
CONFIRMED = replace(SECOND, status="closed", disposition=FOUND)
TO_REOPEN = replace(CONFIRMED, reopening=Reopening(ONE, AT, "new facts"))
KEY = machine("desk")


def event(action: Any, text: str = "", actor: Actor = ONE, **changed: Any) -> CaseEvent:
    return CaseEvent("c", AT, actor, action, changed, text)


@pytest.mark.parametrize(
    ("acted", "after", "written"),
    [
        (
            acts.claim(OPEN, ONE, AT),
            MINE,
            event("claim", status=("open", "claimed"), owner=(None, ONE)),
        ),
        (acts.claim(MINE, ONE, AT), MINE, event("claim")),
        (
            acts.claim(ASIDE, ONE, AT),
            MINE,
            event("claim", status=("snoozed", "claimed"), snoozed_until=(LATER, None)),
        ),
        (
            acts.claim(PROPOSED, TWO, AT),
            SECOND,
            event("claim", actor=TWO, status=("second_review", "claimed"), owner=(None, TWO)),
        ),
        (
            acts.release(MINE, ONE, AT),
            OPEN,
            event("release", status=("claimed", "open"), owner=(ONE, None)),
        ),
        (
            acts.release(ASIDE, ONE, AT),
            OPEN,
            event(
                "release",
                status=("snoozed", "open"),
                owner=(ONE, None),
                snoozed_until=(LATER, None),
            ),
        ),
        (
            acts.release(SECOND, TWO, AT),
            PROPOSED,
            event("release", actor=TWO, status=("claimed", "second_review"), owner=(TWO, None)),
        ),
        (
            acts.assign(OPEN, CHIEF, AT, ONE),
            MINE,
            event("assign", actor=CHIEF, status=("open", "claimed"), owner=(None, ONE)),
        ),
        (
            acts.assign(ASIDE, CHIEF, AT, TWO, may_take=True),
            replace(MINE, owner=TWO),
            event(
                "assign",
                actor=CHIEF,
                status=("snoozed", "claimed"),
                owner=(ONE, TWO),
                snoozed_until=(LATER, None),
            ),
        ),
        (
            acts.snooze(MINE, ONE, AT, LATER, "no lorry"),
            ASIDE,
            event(
                "snooze",
                "no lorry",
                status=("claimed", "snoozed"),
                snoozed_until=(None, LATER),
            ),
        ),
        (
            acts.request_documents(MINE, ONE, AT, LATER, "the invoice"),
            replace(ASIDE, status="waiting"),
            event(
                "request_documents",
                "the invoice",
                status=("claimed", "waiting"),
                snoozed_until=(None, LATER),
            ),
        ),
        (acts.note(CLOSED, ONE, AT, "seen"), CLOSED, event("note", "seen")),
        (
            acts.mark_reason(MINE, ONE, AT, "D10", "wrong"),
            MINE,
            event("mark_reason", "D10: wrong"),
        ),
        (
            acts.reread(CLOSED, TWO, AT, "duplicate"),
            CLOSED,
            event("reread", "duplicate", actor=TWO),
        ),
        (
            acts.dispose(MINE, ONE, AT, NOTHING),
            CLOSED,
            event(
                "dispose",
                "all in order",
                status=("claimed", "closed"),
                disposition=(None, NOTHING),
            ),
        ),
        (
            acts.dispose(MINE, ONE, AT, FOUND),
            PROPOSED,
            event(
                "dispose",
                "behind a false wall",
                status=("claimed", "second_review"),
                owner=(ONE, None),
                proposed=(None, FOUND),
                proposed_by=(None, ONE),
            ),
        ),
        (
            acts.dispose(SECOND, TWO, AT, FOUND),
            CONFIRMED,
            event(
                "dispose",
                "behind a false wall",
                actor=TWO,
                status=("claimed", "closed"),
                disposition=(None, FOUND),
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
                disposition=(NOTHING, None),
            ),
        ),
        (
            acts.reopen(CONFIRMED, ONE, AT, "new facts"),
            TO_REOPEN,
            event("propose_reopening", "new facts", reopening=(None, TO_REOPEN.reopening)),
        ),
        (
            acts.decline(TO_REOPEN, CHIEF, AT, "nothing new"),
            CONFIRMED,
            event("decline", "nothing new", actor=CHIEF, reopening=(TO_REOPEN.reopening, None)),
        ),
        (
            acts.decline(SECOND, TWO, AT, "no proof"),
            OPEN,
            event(
                "decline",
                "no proof",
                actor=TWO,
                status=("claimed", "open"),
                owner=(TWO, None),
                proposed=(FOUND, None),
                proposed_by=(ONE, None),
            ),
        ),
        (
            acts.dispose(SECOND, TWO, AT, OTHER),
            replace(PROPOSED, proposed=OTHER, proposed_by=TWO),
            event(
                "dispose",
                "forged papers",
                actor=TWO,
                status=("claimed", "second_review"),
                owner=(TWO, None),
                proposed=(FOUND, OTHER),
                proposed_by=(ONE, TWO),
            ),
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
                disposition=(FOUND, None),
                proposed=(FOUND, None),
                proposed_by=(ONE, None),
            ),
        ),
    ],
)
def test_an_act_changes_what_it_says_and_is_written_down_with_the_old_and_the_new(
    acted: CaseChange, after: Case, written: CaseEvent
) -> None:
    assert acted == (after, written)


def test_a_second_reviewer_overrules_what_was_proposed() -> None:
    after, _ = acts.dispose(SECOND, TWO, AT, NOTHING)

    assert (after.status, after.disposition, after.proposed) == ("closed", NOTHING, FOUND)


@pytest.mark.parametrize(
    ("act", "refusal", "words"),
    [
        (lambda: acts.claim(MINE, TWO, AT), CaseTaken, "another reviewer has this case"),
        (lambda: acts.claim(ASIDE, TWO, AT), CaseTaken, "another reviewer"),
        (lambda: acts.claim(CLOSED, ONE, AT), CaseClosed, "open it again first"),
        (lambda: acts.claim(PROPOSED, ONE, AT), SameReviewer, "what the first proposed"),
        (lambda: acts.claim(PROPOSED, KEY, AT), PersonNeeded, "takes a person"),
        (lambda: acts.assign(MINE, CHIEF, AT, TWO), CaseTaken, "a supervisor may give it"),
        (lambda: acts.dispose(replace(MINE, owner=KEY), KEY, AT, FOUND), PersonNeeded, "a person"),
        (lambda: acts.decline(PROPOSED, ONE, AT, "x"), SameReviewer, "another person"),
        (lambda: acts.decline(PROPOSED, KEY, AT, "x"), PersonNeeded, "takes a person"),
        (lambda: acts.decline(SECOND, CHIEF, AT, "x"), CaseTaken, "another reviewer"),
        (lambda: acts.decline(MINE, TWO, AT, "x"), NotYours, "nothing waits"),
        (lambda: acts.decline(CONFIRMED, TWO, AT, "x"), NotYours, "nothing waits"),
        (lambda: acts.decline(TO_REOPEN, ONE, AT, "x"), SameReviewer, "another person"),
        (lambda: acts.decline(TO_REOPEN, KEY, AT, "x"), PersonNeeded, "takes a person"),
        (lambda: acts.reopen(CONFIRMED, KEY, AT, "x"), PersonNeeded, "takes a person"),
        (lambda: acts.reopen(TO_REOPEN, KEY, AT, "x"), PersonNeeded, "takes a person"),
        (lambda: acts.reopen(TO_REOPEN, ONE, AT, "x"), SameReviewer, "must agree"),
        (lambda: acts.release(OPEN, ONE, AT), NotYours, "claim this case first"),
        (lambda: acts.release(MINE, TWO, AT), NotYours, "claim this case first"),
        (lambda: acts.release(CLOSED, ONE, AT), CaseClosed, "closed"),
        (lambda: acts.assign(CLOSED, CHIEF, AT, TWO), CaseClosed, "closed"),
        (lambda: acts.assign(PROPOSED, CHIEF, AT, ONE), SameReviewer, "the first proposed"),
        (
            lambda: acts.assign(SECOND, CHIEF, AT, ONE, may_take=True),
            SameReviewer,
            "the first proposed",
        ),
        (lambda: acts.snooze(MINE, TWO, AT, LATER, "x"), NotYours, "claim"),
        (lambda: acts.snooze(CLOSED, ONE, AT, LATER, "x"), CaseClosed, "closed"),
        (lambda: acts.request_documents(MINE, TWO, AT, LATER, "x"), NotYours, "claim"),
        (lambda: acts.request_documents(CLOSED, ONE, AT, LATER, "x"), CaseClosed, "closed"),
        (lambda: acts.dispose(OPEN, ONE, AT, NOTHING), NotYours, "claim"),
        (lambda: acts.dispose(MINE, TWO, AT, NOTHING), NotYours, "claim"),
        (lambda: acts.dispose(CLOSED, ONE, AT, NOTHING), CaseClosed, "closed"),
        (lambda: acts.dispose(PROPOSED, TWO, AT, FOUND), NotYours, "claim"),
        (
            lambda: acts.dispose(replace(SECOND, owner=ONE), ONE, AT, NOTHING),
            SameReviewer,
            "the first proposed",
        ),
        (lambda: acts.reopen(MINE, ONE, AT, "x"), NotYours, "can be opened again"),
        (lambda: acts.reopen(PROPOSED, ONE, AT, "x"), NotYours, "only a closed case"),
        (lambda: acts.reread(MINE, TWO, AT, "duplicate"), NotYours, "closed case is read again"),
        (lambda: acts.reread(CLOSED, ONE, AT, "duplicate"), SameReviewer, "what you ended"),
        (lambda: acts.reread(CONFIRMED, ONE, AT, "duplicate"), SameReviewer, "you ended"),
        (lambda: acts.reread(CONFIRMED, TWO, AT, "duplicate"), SameReviewer, "you ended"),
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
        replace(FOUND, code="other_offence"),
        replace(FOUND, finding=Finding(offences="tobacco")),
        replace(FOUND, finding=Finding(found_mass_kg=2.0)),
        replace(FOUND, is_protection=True),
    ],
)
def test_whoever_is_second_and_says_otherwise_proposes_and_the_first_may_agree(
    stated: Disposition,
) -> None:
    proposed, _ = acts.dispose(SECOND, TWO, AT, stated)
    with pytest.raises(SameReviewer):
        acts.claim(proposed, TWO, AT)
    back, _ = acts.claim(proposed, ONE, AT)
    ended, _ = acts.dispose(back, ONE, AT, stated)

    assert (proposed.status, proposed.proposed, proposed.proposed_by) == (
        "second_review",
        stated,
        TWO,
    )
    assert (ended.status, ended.disposition) == ("closed", stated)


def test_what_an_older_release_kept_of_a_proposal_is_nobodys() -> None:
    former = replace(PROPOSED, proposed_by=Actor.stored("one", None))
    with pytest.raises(SameReviewer):
        acts.claim(former, ONE, AT)
    claimed, _ = acts.claim(former, TWO, AT)

    again, _ = acts.dispose(claimed, TWO, AT, FOUND)

    assert (again.status, again.proposed_by) == ("second_review", TWO)


def test_whoever_held_a_case_under_a_name_alone_holds_it_still() -> None:
    held = replace(MINE, owner=Actor.stored("one", None))

    assert acts.release(held, ONE, AT)[0] == OPEN
    for other in (
        TWO,
        Actor("token:https://login.example|one", "one", "https://login.example one"),
    ):
        with pytest.raises(NotYours):
            acts.release(held, other, AT)


@pytest.mark.parametrize("lay_aside", [acts.snooze, acts.request_documents])
def test_a_case_is_laid_aside_for_fourteen_days_at_most_and_not_for_the_past(
    lay_aside: Callable[..., CaseChange],
) -> None:
    assert timedelta(days=14) == LONGEST_SNOOZE
    for until in (AT + TICK, AT + LONGEST_SNOOZE):
        assert lay_aside(MINE, ONE, AT, until, "why")[0].snoozed_until == until
    for until in (AT - TICK, AT, AT + LONGEST_SNOOZE + TICK):
        with pytest.raises(TooLong, match="within 14 days"):
            lay_aside(MINE, ONE, AT, until, "why")


@pytest.mark.parametrize("status", ["snoozed", "waiting"])
def test_what_is_laid_aside_counts_as_claimed_from_its_end_on(status: Any) -> None:
    aside = replace(ASIDE, status=status)

    assert acts.status_at(aside, LATER - TICK) == status
    assert acts.status_at(aside, LATER) == "claimed"
    assert acts.status_at(aside, LATER + TICK) == "claimed"


@pytest.mark.parametrize("case", [OPEN, MINE, PROPOSED, CLOSED])
def test_no_time_changes_a_case_that_is_not_laid_aside(case: Case) -> None:
    assert acts.status_at(case, LATER) == case.status
    assert acts.status_at(replace(case, snoozed_until=AT), LATER) == case.status


def test_an_attached_file_is_written_down_and_changes_no_case() -> None:
    file = AttachedFile("0" * 64, "list.pdf", "application/pdf", 9)

    assert acts.attach(CLOSED, ONE, AT, file) == (
        CLOSED,
        event("attach", "list.pdf", attachment=(None, vars(file))),
    )
