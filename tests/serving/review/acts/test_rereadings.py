"""A blind reading of a closed case counts once for each reader, until the case ends anew."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from serving.errors import Conflict
from serving.review.acts.reopen import reopen
from serving.review.acts.rereadings import has_reread, reread_case
from tests.serving.refusals import refused_with
from tests.serving.review.cases.stated import NOTHING, end_by
from tests.serving.review.cases.test_cases import LATER, ONE, TWO, Office, let_come_first


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.reviewing.decisions.close()


def test_a_reader_reads_a_case_blind_once_and_once_more_when_it_ended_anew(office: Office) -> None:
    cases, case_id = office.reviewing, office.decide()
    end_by(cases, ONE, case_id, LATER, NOTHING)
    assert not has_reread(cases, TWO, case_id)

    reread_case(cases, TWO, case_id, LATER, "nothing_found")

    assert has_reread(cases, TWO, case_id)
    assert not has_reread(cases, ONE, case_id)
    with pytest.raises(Conflict, match="counts once"):
        reread_case(cases, TWO, case_id, LATER, "inconclusive")
    cases.act(ONE, case_id, lambda case: reopen(case, ONE.actor, LATER, "look once more"))
    assert not has_reread(cases, TWO, case_id)
    end_by(cases, ONE, case_id, LATER + timedelta(hours=1), NOTHING)
    reread_case(cases, TWO, case_id, LATER + timedelta(hours=2), "nothing_found")
    assert [event.action for event in cases.events(case_id)].count("reread") == 2


def test_of_two_blind_readings_that_are_sent_at_once_one_counts(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, case_id = office.reviewing, office.decide()
    end_by(cases, ONE, case_id, LATER, NOTHING)
    let_come_first(monkeypatch, lambda: reread_case(cases, TWO, case_id, LATER, "nothing_found"))

    with refused_with("already-judged"):
        reread_case(cases, TWO, case_id, LATER, "inconclusive")

    assert [event.action for event in cases.events(case_id)].count("reread") == 1
