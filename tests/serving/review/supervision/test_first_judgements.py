"""First judgements are compared with the score, of cases that have ended, and never of a person."""

from datetime import UTC, datetime

import pytest

from serving.access.actors import Actor
from serving.review.cases.case_records import ActOnCase, StoredEvent
from serving.review.supervision.first_judgements import FirstJudgements

ANNA, BO, CY = (Actor(f"account:{name}", name) for name in ("anna", "bo", "cy"))


def judged(
    case_id: str,
    by: Actor,
    as_: str,
    lane: str = "inspect",
    office: str | None = "DE1",
    *,
    is_closed: bool = True,
) -> ActOnCase:
    event = StoredEvent(
        case_id,
        datetime(2026, 11, 24, 10, tzinfo=UTC),
        by.identity,
        "judge_blind",
        "{}",
        as_,
        by.name,
    )
    return ActOnCase(event, lane, office, is_closed)


@pytest.mark.parametrize(
    ("lane", "as_", "agreement"),
    [
        ("inspect", "look", "agreed"),
        ("inspect", "let_go", "differed"),
        ("document_check", "look", "agreed"),
        ("control", "let_go", "agreed"),
        ("control", "look", "differed"),
        ("control", "unsure", "unsure"),
    ],
)
def test_the_score_asks_for_a_look_at_what_it_selected_alone(
    lane: str, as_: str, agreement: str
) -> None:
    (one,) = FirstJudgements.from_acts([judged("C-1", ANNA, as_, lane)]).given

    assert one.agreement == agreement


def test_open_cases_rescues_and_second_words_count_for_nothing() -> None:
    given = FirstJudgements.from_acts(
        [
            judged("C-1", ANNA, "look"),
            judged("C-1", ANNA, "let_go"),
            judged("C-2", ANNA, "look", is_closed=False),
            judged("C-3", ANNA, "look", "rescue"),
            judged("C-4", ANNA, ""),  # of an erased case no word is left
        ]
    )

    assert [(each.case_id, each.judged_as) for each in given.given] == [("C-1", "look")]


def test_shares_leave_out_the_unsure_and_have_an_interval() -> None:
    acts = [judged(f"C-{n}", ANNA, "look") for n in range(6)]
    acts += [judged(f"D-{n}", BO, "let_go") for n in range(2)]
    acts += [judged("E-1", CY, "unsure"), judged("F-1", CY, "look", "control")]

    figures = FirstJudgements.from_acts(acts).figures()

    assert (figures.judged, figures.agreed, figures.differed, figures.unsure) == (10, 6, 3, 1)
    assert figures.agreement.value == pytest.approx(6 / 9)
    assert figures.selected.value == pytest.approx(6 / 8)
    assert figures.drawn.value == 0
    low, high = figures.agreement.low, figures.agreement.high
    assert low is not None and high is not None and low < 6 / 9 < high  # noqa: PT018 - so that types are narrowed


def test_an_office_where_two_judged_is_counted_in_all_alone() -> None:
    many = [judged(f"C-{who.name}", who, "look", office="DE1") for who in (ANNA, BO, CY)]
    few = [judged(f"D-{who.name}", who, "look", office="NL1") for who in (ANNA, BO)]
    given = FirstJudgements.from_acts([*many, *few])

    assert given.figures().judged == 5
    assert [each.group for each in given.by_office()] == ["DE1"]
    assert given.of_office("NL1") == FirstJudgements()
    assert FirstJudgements.from_acts(few).of_many() == FirstJudgements()
    assert len(given.of_office("DE1").behind("agreed")) == 3
