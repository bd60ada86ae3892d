"""Whoever trained a model does not approve it."""

import pytest

from training.gates.second_approval import approved_by_another


@pytest.mark.parametrize(
    ("approver", "is_passed"),
    [
        ("grace", True),
        ("ad", True),
        ("ada", False),
        (" Ada ", False),
        ("  ", False),
        ("", False),
        ("a\u200bda.", False),
    ],
)
def test_nobody_approves_their_own_model(approver: str, is_passed: bool) -> None:
    for trainer in ("ada", "ADA", " ada "):
        assert (approved_by_another(trainer, approver).verdict == "passed") is is_passed
