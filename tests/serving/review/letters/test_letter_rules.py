"""When a letter may be written, who lets it go, and who holds it back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from serving.errors import Conflict, PersonNeeded
from serving.review.acts.reopen import reopen
from serving.review.cases.case_of_decision import CASE
from serving.review.cases.case_state import Case
from serving.review.letters.case_letters import MAX_DEFERRAL, UNCONFIRMED_FOR, CaseLetter
from serving.review.letters.letter_rules import (
    confirm_deferral,
    defer_letter,
    release_letter,
    require_letter_due,
    write_letter,
)
from serving.triage.lane_declarations import LaneReason
from tests.serving.people import ONE, THREE, TWO, machine
from tests.serving.refusals import refused_with
from tests.serving.review.cases.stated import INSPECT, NOTHING, PROTECT

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
SOON = AT + timedelta(days=30)
ENDED = Case(
    "c",
    "closed",
    ONE,
    action=INSPECT,
    result=NOTHING,
)
LETTER = CaseLetter("consignee", "c-0012", "as they asked", "{}", "sha256:0", ONE, AT)
REASONS: tuple[LaneReason, ...] = get_args(LaneReason)


def deferred(case: Case = ENDED, until: datetime = SOON) -> Case:
    held, _ = defer_letter(case, ONE, AT, "criminal_investigation", until, "an inquiry runs")
    return held


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("status", ["open", "assigned", "waiting", "action_ordered", "result_in"])
def test_no_letter_is_due_before_the_case_ended(status: Any, reason: LaneReason) -> None:
    with refused_with("letter-not-due"):
        require_letter_due(Case("c", status), reason, AT)


def test_where_life_was_at_risk_there_is_no_letter_however_it_ended() -> None:
    with pytest.raises(Conflict, match="danger to life"):
        require_letter_due(ENDED, "life_at_risk", AT)
    with pytest.raises(Conflict, match="protect"):
        require_letter_due(replace(ENDED, action=PROTECT, result=None), "score", AT)


@pytest.mark.parametrize("reason", ["random", "rule", "score", "no_score"])
def test_a_letter_is_due_of_an_ended_case(reason: LaneReason) -> None:
    require_letter_due(ENDED, reason, AT)


def test_what_a_watch_list_selected_is_told_only_after_two_deferred_it_and_that_is_over() -> None:
    held = deferred()
    agreed, _ = confirm_deferral(held, TWO, AT)

    for case, at in ((ENDED, AT), (held, AT), (held, SOON), (agreed, AT)):
        with refused_with("letter-deferred"):
            require_letter_due(case, "watch_list", at)
    require_letter_due(agreed, "watch_list", SOON)


def test_a_deferral_holds_any_letter_back_until_its_end() -> None:
    agreed, _ = confirm_deferral(deferred(), TWO, AT)

    for reason in ("random", "rule", "score", "no_score"):
        with pytest.raises(Conflict, match="24 December 2026"):
            require_letter_due(agreed, reason, SOON - timedelta(seconds=1))
        require_letter_due(agreed, reason, SOON)


def test_one_person_alone_holds_a_letter_back_for_three_days() -> None:
    held = deferred()

    with refused_with("letter-deferred"):
        require_letter_due(held, "score", AT + UNCONFIRMED_FOR - timedelta(seconds=1))
    require_letter_due(held, "score", AT + UNCONFIRMED_FOR)
    with refused_with("letter-not-due"):
        confirm_deferral(held, TWO, AT + UNCONFIRMED_FOR)
    with refused_with("same-reviewer"):
        confirm_deferral(held, ONE, AT)


@pytest.mark.parametrize("until", [AT, AT - timedelta(days=1), AT + MAX_DEFERRAL * 1.001])
def test_no_deferral_ends_in_the_past_or_after_more_than_a_year(until: datetime) -> None:
    with refused_with("too-long"):
        deferred(until=until)


def test_nobody_releases_what_they_wrote() -> None:
    written, _ = write_letter(ENDED, LETTER)

    with refused_with("same-reviewer"):
        release_letter(written, ONE, AT, "consignee", "nobody is harmed")
    released, event = release_letter(written, TWO, AT, "consignee", "nobody is harmed")
    assert released.letters == (replace(LETTER, released_by=TWO, released_at=AT),)
    assert (event.action, event.actor, event.at) == ("letter", TWO, AT)
    with refused_with("letter-not-due"):
        release_letter(released, TWO, AT, "consignee", "once more")
    with refused_with("letter-not-due"):
        release_letter(written, TWO, AT, "carrier", "never written")


def test_both_events_have_the_recipient_and_the_purpose_and_nothing_of_the_text() -> None:
    written, one = write_letter(ENDED, replace(LETTER, content="secret words"))
    _, two = release_letter(written, TWO, AT, "consignee", "nobody is harmed")

    for event in (one, two):
        _, told = event.changed["letter"]
        assert told == {
            "audience": "consignee",
            "recipient": "c-0012",
            "purpose": "as they asked",
            "digest": "sha256:0",
        }
        assert "secret words" not in repr(event)
    assert two.text == "nobody is harmed"


def test_a_new_letter_replaces_one_that_waits_and_none_that_went() -> None:
    written, _ = write_letter(ENDED, LETTER)
    again, _ = write_letter(written, replace(LETTER, written_by=TWO))
    released, _ = release_letter(again, THREE, AT, "consignee", "nobody is harmed")
    later, _ = write_letter(released, LETTER)

    assert [letter.written_by for letter in again.letters] == [TWO]
    assert [letter.released_by for letter in later.letters] == [THREE, None]


def test_a_case_that_is_opened_again_keeps_what_went_and_no_draft() -> None:
    written, _ = write_letter(ENDED, LETTER)
    reopened, _ = reopen(written, TWO, AT, "new papers came")
    released, _ = release_letter(written, TWO, AT, "consignee", "nobody is harmed")
    kept, _ = reopen(released, TWO, AT, "new papers came")

    assert reopened.letters == ()
    assert kept.letters == released.letters


def test_letters_and_deferral_are_stored_with_the_case_and_older_cases_have_none() -> None:
    written, _ = write_letter(deferred(), LETTER)

    assert CASE.validate_json(CASE.dump_json(written)) == written
    assert CASE.validate_json(b'{"case_id": "c"}') == Case("c")


KEY = machine("desk")


def test_no_machine_is_one_of_two() -> None:
    with pytest.raises(PersonNeeded):
        write_letter(ENDED, replace(LETTER, written_by=KEY))
    written, _ = write_letter(ENDED, LETTER)
    with pytest.raises(PersonNeeded):
        release_letter(written, KEY, AT, "consignee", "nobody is harmed")

    with pytest.raises(PersonNeeded):
        defer_letter(ENDED, KEY, AT, "security", SOON, "a reason")
    with pytest.raises(PersonNeeded):
        confirm_deferral(deferred(), KEY, AT)


def test_one_person_does_not_shorten_what_two_hold_back() -> None:
    agreed, _ = confirm_deferral(deferred(), TWO, AT)

    for actor in (ONE, TWO, THREE):
        with pytest.raises(Conflict, match="two persons hold"):
            defer_letter(agreed, actor, AT, "security", AT + timedelta(minutes=1), "no need now")
    again, _ = defer_letter(agreed, ONE, SOON, "security", SOON + timedelta(days=1), "more time")
    assert again.deferral is not None
    assert again.deferral.confirmed_by is None
