"""Dates and words of the cases that a gate needs."""

from datetime import UTC, datetime, timedelta

import pytest

from training.gates.verdict import Verdict
from training.model.counted_cases import Case, CountedCases

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = datetime(2026, 4, 11, tzinfo=UTC)
KIND: Case = "confirmed subjects"
LATER = ENDS + timedelta(days=90)


@pytest.mark.parametrize(
    ("known", "needed", "at", "said"),
    [
        # Ten in a hundred days: twelve a hundred and twenty days after the first.
        (10, 12, ENDS, "10 are known, about 12 are needed; expected by 2026-05-01 at the present"),
        (10, 12, LATER, "10 are known, about 12 are needed; at their rate newer records hold them"),
        (10, 46, ENDS, "about 46 are needed; expected by 2027-04-06"),
        (10, 47, ENDS, "about 47 are needed; not within a year at the present rate"),
        (10, 1_000_000, ENDS, "about 1,000,000 are needed; not within a year"),
        (0, 12, ENDS, "0 are known, about 12 are needed; no rate tells when"),
        (12, 12, ENDS, "12 are known; about 12 are enough"),
        (12, None, ENDS, "12 are known; how many are needed cannot be said yet"),
    ],
)
def test_an_open_question_says_how_many_cases_it_needs_and_by_when(
    known: int, needed: int | None, at: datetime, said: str
) -> None:
    cases = CountedCases(KIND, known, needed, BEGINS, ENDS)

    assert said in cases.in_words("undecided", at)


@pytest.mark.parametrize(
    ("needed", "said"),
    [
        (8, "open; confirmed subjects: 10 are known; about 8 are enough"),
        (12, "open; confirmed subjects: 10 are known, which is enough"),
        (None, "open; confirmed subjects: 10 are known, which is enough"),
    ],
)
def test_a_decided_gate_needs_no_more_cases(needed: int | None, said: str) -> None:
    verdict = Verdict("x", "refused", "open", cases=CountedCases(KIND, 10, needed, BEGINS, ENDS))

    assert verdict.in_words(ENDS) == said
    assert Verdict("x", "refused", "open").in_words(ENDS) == "open"


def test_cases_without_a_period_have_no_date() -> None:
    cases = CountedCases("canaries in the training set", 3, 9)

    assert cases.expected_at is None
    assert cases.in_words("undecided", ENDS).endswith("; no rate tells when")
