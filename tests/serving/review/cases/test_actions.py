"""What may be ordered: every combination that can be, and every other one refused."""

from itertools import product
from typing import Any, get_args

import pytest

from serving.review.cases.actions import (
    ACTION_WORDS,
    REFERRED_WORDS,
    ActionKind,
    CaseAction,
    ReferredTo,
)
from tests.serving.refusals import refused_with

# Told apart here and in the code: what may be said together, with words or without.
WORDLESS = {("inspect", None, None), ("check_documents", None, None)}
WITH_WORDS = WORDLESS | {
    ("hold", None, None),
    ("release", None, None),
    ("refer", "rescue", None),
    ("refer", "protection", None),
    ("refer", "office", "DE004600"),
    ("refer", "agency", "DE004600"),
}
EVERY_ACTION = [CaseAction(kind, "why", to, where) for kind, to, where in WITH_WORDS]  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("text", "possible"), [("why", WITH_WORDS), ("", WORDLESS), (" ", WORDLESS)]
)
def test_every_combination_that_cannot_be_is_refused(text: str, possible: set[Any]) -> None:
    every = product(get_args(ActionKind), (None, *get_args(ReferredTo)), (None, "", "DE004600"))
    for kind, refer_to, destination in every:
        is_possible = (kind, refer_to, destination or None) in possible
        if is_possible:
            assert CaseAction(kind, text, refer_to, destination).kind == kind
        else:
            with refused_with("impossible-action"):
                CaseAction(kind, text, refer_to, destination)


def test_a_hold_and_a_referral_to_an_agency_take_two_persons_and_nothing_else() -> None:
    by_two = {(each.kind, each.refer_to) for each in EVERY_ACTION if each.takes_two_persons}

    assert by_two == {("hold", None), ("refer", "agency")}


def test_a_release_and_a_referral_to_protection_end_a_case_and_others_move_it() -> None:
    ends = {(each.kind, each.refer_to) for each in EVERY_ACTION if each.closes}
    moves = {(each.kind, each.refer_to) for each in EVERY_ACTION if each.moves}

    assert ends == {("release", None), ("refer", "protection")}
    assert moves == {("refer", "rescue"), ("refer", "office")}


def test_only_inspections_checks_and_agencies_find_something() -> None:
    found = {(each.kind, each.refer_to): each.finds for each in EVERY_ACTION if each.finds}

    assert found == {
        ("inspect", None): "inspect",
        ("check_documents", None): "check_documents",
        ("refer", "agency"): "refer",
    }


def test_every_action_has_words_of_its_own_with_the_place_it_names() -> None:
    words = [*ACTION_WORDS.values(), *REFERRED_WORDS.values()]
    assert len(set(words)) == len(words)

    assert CaseAction("inspect").in_words == "inspect the goods or the conveyance"
    to_police = CaseAction("refer", "why", "agency", "police")
    assert to_police.in_words == "refer it to another agency (police)"
