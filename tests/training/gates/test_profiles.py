"""Verdicts that open a gate in a profile; the page says the same."""

from pathlib import Path
from typing import get_args

import pytest

from training.gates.profiles import PROFILES, REQUIRED, Profile, for_use
from training.gates.verdict import Answer, Verdict
from training.gates.waivable import WAIVABLE

PAGE = Path(__file__).parents[3] / "docs" / "retraining.md"


def is_open(gate: str, answer: Answer, profile: Profile) -> bool:
    return for_use(Verdict(gate, answer, "-"), profile).is_open


@pytest.mark.parametrize("gate", [*REQUIRED, "artefact", "approver"])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_refusal_stops_a_model_in_every_profile_and_nothing_that_passed_does(
    gate: str, profile: Profile
) -> None:
    assert not is_open(gate, "refused", profile)
    assert is_open(gate, "passed", profile)


def test_in_live_use_every_gate_must_be_decided_and_in_a_trial_none_that_may_be_waived() -> None:
    for gate in REQUIRED:
        assert not is_open(gate, "undecided", "live")
        assert is_open(gate, "undecided", "trial")
    for profile in PROFILES:
        assert not is_open("approver", "undecided", profile)


def test_a_pilot_needs_what_concerns_people_and_none_that_compares_with_a_champion() -> None:
    needed = {gate for gate in REQUIRED if not is_open(gate, "undecided", "pilot")}

    assert {"groups", "proxies", "leakage"} <= needed
    assert not needed & {"no worse than the champion", "canaries", "control lane", "live traffic"}


def test_every_gate_that_may_be_undecided_has_a_profile_and_a_law() -> None:
    assert REQUIRED.keys() == WAIVABLE - {"champion"}
    assert all(first in get_args(Profile) and law for first, law in REQUIRED.values())


def test_a_mark_opens_no_gate_that_refuses() -> None:
    assert not Verdict("groups", "refused", "-", not_required_in="trial").is_open


def test_an_answer_says_in_which_profile_it_is_not_required() -> None:
    verdict = for_use(Verdict("canaries", "undecided", "no champion"), "pilot")

    assert verdict.answer == "undecided, not required in a pilot"
    assert verdict.reason == "no champion"


def test_the_page_has_every_gate_with_its_profile_and_law() -> None:
    rows = {f"| `{gate}` | {first} | {law} |" for gate, (first, law) in REQUIRED.items()}

    assert rows <= {*PAGE.read_text().splitlines()}
