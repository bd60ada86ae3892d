"""What may happen to a case, act by act: who may, what is true then, and what is written down."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.errors import CaseClosed, CaseTaken, NotYours, SameReviewer, TooLong
from serving.review import case_rules as acts
from serving.review.attachments import AttachedFile
from serving.review.case_rules import LONGEST_SNOOZE, Case, CaseChange, CaseEvent
from serving.review.dispositions import Disposition

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=2)
TICK = timedelta(microseconds=1)
NOTHING = Disposition("no_finding_after_inspection", "nothing_found", "high", "all in order")
FOUND = Disposition("confirmed_smuggling_goods", "goods_found", "high", "behind a false wall")

OPEN = Case("c")
MINE = Case("c", "claimed", "one")
ASIDE = Case("c", "snoozed", "one", snoozed_until=LATER)
PROPOSED = Case("c", "second_review", None, proposed=FOUND, proposed_by="one")
SECOND = replace(PROPOSED, status="claimed", owner="two")
CLOSED = Case("c", "closed", "one", disposition=NOTHING)
CONFIRMED = replace(SECOND, status="closed", disposition=FOUND)


def event(action: Any, text: str = "", actor: str = "one", **changed: Any) -> CaseEvent:
    return CaseEvent("c", AT, actor, action, changed, text)


@pytest.mark.parametrize(
    ("acted", "after", "written"),
    [
        (
            acts.claim(OPEN, "one", AT),
            MINE,
            event("claim", status=("open", "claimed"), owner=(None, "one")),
        ),
        (acts.claim(MINE, "one", AT), MINE, event("claim")),
        (
            acts.claim(ASIDE, "one", AT),
            MINE,
            event("claim", status=("snoozed", "claimed"), snoozed_until=(LATER, None)),
        ),
        (
            acts.claim(PROPOSED, "two", AT),
            SECOND,
            event("claim", actor="two", status=("second_review", "claimed"), owner=(None, "two")),
        ),
        (
            acts.release(MINE, "one", AT),
            OPEN,
            event("release", status=("claimed", "open"), owner=("one", None)),
        ),
        (
            acts.release(ASIDE, "one", AT),
            OPEN,
            event(
                "release",
                status=("snoozed", "open"),
                owner=("one", None),
                snoozed_until=(LATER, None),
            ),
        ),
        (
            acts.release(SECOND, "two", AT),
            PROPOSED,
            event("release", actor="two", status=("claimed", "second_review"), owner=("two", None)),
        ),
        (
            acts.assign(OPEN, "chief", AT, "one"),
            MINE,
            event("assign", actor="chief", status=("open", "claimed"), owner=(None, "one")),
        ),
        (
            acts.assign(ASIDE, "chief", AT, "two"),
            replace(MINE, owner="two"),
            event(
                "assign",
                actor="chief",
                status=("snoozed", "claimed"),
                owner=("one", "two"),
                snoozed_until=(LATER, None),
            ),
        ),
        (
            acts.snooze(MINE, "one", AT, LATER, "no lorry"),
            ASIDE,
            event(
                "snooze",
                "no lorry",
                status=("claimed", "snoozed"),
                snoozed_until=(None, LATER),
            ),
        ),
        (
            acts.request_documents(MINE, "one", AT, LATER, "the invoice"),
            replace(ASIDE, status="waiting"),
            event(
                "request_documents",
                "the invoice",
                status=("claimed", "waiting"),
                snoozed_until=(None, LATER),
            ),
        ),
        (acts.note(CLOSED, "one", AT, "seen"), CLOSED, event("note", "seen")),
        (
            acts.mark_reason(MINE, "one", AT, "D10", "wrong"),
            MINE,
            event("mark_reason", "D10: wrong"),
        ),
        (
            acts.reread(CLOSED, "two", AT, "duplicate"),
            CLOSED,
            event("reread", "duplicate", actor="two"),
        ),
        (
            acts.dispose(MINE, "one", AT, NOTHING),
            CLOSED,
            event(
                "dispose",
                "all in order",
                status=("claimed", "closed"),
                disposition=(None, NOTHING),
            ),
        ),
        (
            acts.dispose(MINE, "one", AT, FOUND),
            PROPOSED,
            event(
                "dispose",
                "behind a false wall",
                status=("claimed", "second_review"),
                owner=("one", None),
                proposed=(None, FOUND),
                proposed_by=(None, "one"),
            ),
        ),
        (
            acts.dispose(SECOND, "two", AT, FOUND),
            CONFIRMED,
            event(
                "dispose",
                "behind a false wall",
                actor="two",
                status=("claimed", "closed"),
                disposition=(None, FOUND),
            ),
        ),
        (
            acts.reopen(CONFIRMED, "one", AT, "new facts"),
            OPEN,
            event(
                "reopen",
                "new facts",
                status=("closed", "open"),
                owner=("two", None),
                disposition=(FOUND, None),
                proposed=(FOUND, None),
                proposed_by=("one", None),
            ),
        ),
    ],
)
def test_an_act_changes_what_it_says_and_is_written_down_with_the_old_and_the_new(
    acted: CaseChange, after: Case, written: CaseEvent
) -> None:
    assert acted == (after, written)


def test_a_second_reviewer_overrules_what_was_proposed() -> None:
    after, _ = acts.dispose(SECOND, "two", AT, NOTHING)

    assert (after.status, after.disposition, after.proposed) == ("closed", NOTHING, FOUND)


@pytest.mark.parametrize(
    ("act", "refusal", "words"),
    [
        (lambda: acts.claim(MINE, "two", AT), CaseTaken, "another reviewer has this case"),
        (lambda: acts.claim(ASIDE, "two", AT), CaseTaken, "another reviewer"),
        (lambda: acts.claim(CLOSED, "one", AT), CaseClosed, "open it again first"),
        (lambda: acts.claim(PROPOSED, "one", AT), SameReviewer, "what you proposed"),
        (lambda: acts.release(OPEN, "one", AT), NotYours, "claim this case first"),
        (lambda: acts.release(MINE, "two", AT), NotYours, "claim this case first"),
        (lambda: acts.release(CLOSED, "one", AT), CaseClosed, "closed"),
        (lambda: acts.assign(CLOSED, "chief", AT, "two"), CaseClosed, "closed"),
        (lambda: acts.assign(PROPOSED, "chief", AT, "one"), SameReviewer, "the first proposed"),
        (lambda: acts.assign(SECOND, "chief", AT, "one"), SameReviewer, "the first proposed"),
        (lambda: acts.snooze(MINE, "two", AT, LATER, "x"), NotYours, "claim"),
        (lambda: acts.snooze(CLOSED, "one", AT, LATER, "x"), CaseClosed, "closed"),
        (lambda: acts.request_documents(MINE, "two", AT, LATER, "x"), NotYours, "claim"),
        (lambda: acts.request_documents(CLOSED, "one", AT, LATER, "x"), CaseClosed, "closed"),
        (lambda: acts.dispose(OPEN, "one", AT, NOTHING), NotYours, "claim"),
        (lambda: acts.dispose(MINE, "two", AT, NOTHING), NotYours, "claim"),
        (lambda: acts.dispose(CLOSED, "one", AT, NOTHING), CaseClosed, "closed"),
        (lambda: acts.dispose(PROPOSED, "two", AT, FOUND), NotYours, "claim"),
        (
            lambda: acts.dispose(replace(SECOND, owner="one"), "one", AT, NOTHING),
            SameReviewer,
            "what you proposed",
        ),
        (lambda: acts.reopen(MINE, "one", AT, "x"), NotYours, "can be opened again"),
        (lambda: acts.reopen(PROPOSED, "one", AT, "x"), NotYours, "only a closed case"),
        (lambda: acts.reread(MINE, "two", AT, "duplicate"), NotYours, "closed case is read again"),
        (lambda: acts.reread(CLOSED, "one", AT, "duplicate"), SameReviewer, "what you ended"),
        (lambda: acts.reread(CONFIRMED, "one", AT, "duplicate"), SameReviewer, "you ended"),
        (lambda: acts.reread(CONFIRMED, "two", AT, "duplicate"), SameReviewer, "you ended"),
    ],
)
def test_an_act_of_somebody_who_may_not_is_refused(
    act: Callable[[], CaseChange], refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        act()


@pytest.mark.parametrize("lay_aside", [acts.snooze, acts.request_documents])
def test_a_case_is_laid_aside_for_fourteen_days_at_most_and_not_for_the_past(
    lay_aside: Callable[..., CaseChange],
) -> None:
    assert timedelta(days=14) == LONGEST_SNOOZE
    for until in (AT + TICK, AT + LONGEST_SNOOZE):
        assert lay_aside(MINE, "one", AT, until, "why")[0].snoozed_until == until
    for until in (AT - TICK, AT, AT + LONGEST_SNOOZE + TICK):
        with pytest.raises(TooLong, match="within 14 days"):
            lay_aside(MINE, "one", AT, until, "why")


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

    assert acts.attach(CLOSED, "one", AT, file) == (
        CLOSED,
        event("attach", "list.pdf", attachment=(None, vars(file))),
    )
