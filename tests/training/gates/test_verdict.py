"""Three verdicts, what a waiver makes of each, and how they are kept beside a model."""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from pathlib import Path

import pytest

from training.errors import ArtefactError, PromotionRefused
from training.gates.promotion_verdicts import refuse_unless_open
from training.gates.verdict import VERDICTS, Verdict, passed_if, read_verdicts, write_verdicts

AT = datetime(2026, 11, 24, tzinfo=UTC)
PASSED, REFUSED, UNDECIDED = (
    Verdict("groups", "passed", "fair"),
    Verdict("groups", "refused", "unfair"),
    Verdict("groups", "undecided", "too few"),
)


def test_only_what_is_passed_or_waived_is_open() -> None:
    assert [v.is_open for v in (PASSED, REFUSED, UNDECIDED)] == [True, False, False]
    assert [v.waived("by grace").is_open for v in (REFUSED, UNDECIDED)] == [True, True]


def test_a_waiver_leaves_a_verdict_as_it_is_and_says_who_answers() -> None:
    assert PASSED.waived("by grace") == PASSED
    for verdict in (REFUSED, UNDECIDED):
        waived = verdict.waived("by grace")
        assert (waived.verdict, waived.is_waived) == (verdict.verdict, True)
        assert waived.reason == f"{verdict.reason}; by grace"
        assert waived.answer == f"{verdict.verdict}, waived"
    assert [v.answer for v in (PASSED, REFUSED)] == ["passed", "refused"]
    assert (passed_if(True), passed_if(False)) == ("passed", "refused")


@pytest.mark.parametrize(
    ("also", "proposed"),
    [
        ([], "--waive canaries"),
        ([Verdict("groups", "refused", "unequal")], "for groups a person may answer"),
        ([Verdict("leakage", "refused", "x")], "no waiver helps, since a gate of these"),
        ([Verdict("approver", "undecided", "x")], "no waiver helps, since a gate of these"),
        ([Verdict("leakage", "refused", "x"), Verdict("calibration", "refused", "x")],
         "no waiver helps, since 2 gates of these"),
    ],
)  # fmt: skip
def test_a_waiver_is_proposed_only_where_it_opens_all(also: list[Verdict], proposed: str) -> None:
    with pytest.raises(PromotionRefused) as refused:
        refuse_unless_open((Verdict("canaries", "undecided", "none"), *also), AT)

    assert proposed in str(refused.value)
    assert ("--waive" in str(refused.value)) is ("no waiver" not in proposed)


def test_what_a_gate_said_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        UNDECIDED.verdict = "passed"


def test_verdicts_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    assert read_verdicts(tmp_path) == ()
    write_verdicts(tmp_path, (PASSED, UNDECIDED.waived("by grace")))
    assert read_verdicts(tmp_path) == (PASSED, UNDECIDED.waived("by grace"))

    (tmp_path / VERDICTS).write_text('[{"gate": "groups", "verdict": "perhaps"}]')
    with pytest.raises(ArtefactError, match=r"verdicts\.json: Input should be 'passed', 'refused'"):
        read_verdicts(tmp_path)
