"""A case in two sentences, word for word."""

from types import SimpleNamespace
from typing import Any, get_args

import pytest

from serving.review.cases.case_summary import (
    SELECTED_AT_RANDOM,
    UNFITTING_DESCRIPTION,
    describe_lane,
    describe_selection,
    describe_subject,
)
from serving.triage.lane_declarations import LANE_NAMES, Lane
from tests.serving.bodies import route, shipment, submission
from tests.serving.review.cases.decisions import decision

BOATS = "890310 (yachts and other vessels; for pleasure or sports, rowing boats and …)"
SCORED = "Proposed for inspection"


def test_a_route_is_told_by_its_way_and_when_it_was_declared() -> None:
    told = describe_subject(submission(route(mode="inland_waterway")))

    assert told == (
        "Journey by inland waterway from Izmir (TRIZM) to Piraeus (GRPIR), "
        "declared on 24 November 2026 at 10:00 UTC."
    )


def test_a_shipment_is_told_by_its_goods_and_its_way_where_it_has_one() -> None:
    body = shipment()
    assert describe_subject(submission(body)) == (
        f"Shipment of inflatable boats, code {BOATS}, from Türkiye (TR) to Germany (DE), "
        "by sea from Istanbul (TRIST) to Hamburg (DEHAM), "
        "declared on 24 November 2026 at 10:00 UTC."
    )
    body["shipment"]["goods_description"] = None
    body["journey"], body["legs"] = None, []
    assert describe_subject(submission(body)) == (
        f"Shipment of goods under code {BOATS} from Türkiye (TR) to Germany (DE), "
        "declared on 24 November 2026 at 10:00 UTC."
    )


def test_a_life_at_risk_is_why_whatever_else_was_said() -> None:
    told = describe_lane(decision(life_at_risk="41 persons on board"))

    assert told == "Lives may be at risk: 41 persons on board."


@pytest.mark.parametrize("reason", ["watch_list", "rule"])
def test_the_first_list_or_rule_is_why_where_it_decided(reason: Any) -> None:
    told = describe_lane(decision(lane_reason=reason, hits=("rule “one”", "rule “two”")))

    assert told == f"{SCORED}: rule “one”."


def test_without_a_score_the_lane_is_all_there_is_to_say() -> None:
    manual = decision(lane="manual", lane_reason="no_score", hits=())
    hit_but_drawn = decision(lane="control", lane_reason="random")

    assert describe_lane(manual) == "No score could be made: the manual procedure decides."
    assert describe_lane(hit_but_drawn) == SELECTED_AT_RANDOM


def reason(effect: str, log_odds: float, *evidence: tuple[str, float]) -> Any:
    seen = [SimpleNamespace(sentence=words, contribution=part) for words, part in evidence]
    return SimpleNamespace(effect=effect, log_odds=log_odds, evidence=seen)


def strongest(reasons: tuple[Any, ...]) -> dict[str, Any]:
    return {each.effect: each for each in reversed(reasons)}


STRONG = reason("for", 0.9, ("It weighs 9 kg", 1.0), ("Nothing much", 0.1), ("Less", -0.2))
WEAK = reason("for", 0.2, ("It is small", 0.2))
AGAINST = reason("against", -0.8, ("Its papers agree", -1.1), ("It is early", 0.3))
FOR_WORDS = "main reason: it weighs 9 kg"
AGAINST_WORDS = "against: its papers agree"


@pytest.mark.parametrize(
    ("reasons", "lane", "told"),
    [
        ((STRONG, WEAK, AGAINST), "inspect", f"{SCORED}; {FOR_WORDS}; {AGAINST_WORDS}."),
        ((AGAINST, STRONG), "control", f"{SCORED}; {FOR_WORDS}; {AGAINST_WORDS}."),
        ((STRONG, WEAK), "inspect", f"{SCORED}; {FOR_WORDS}."),
        ((AGAINST,), "inspect", f"{SCORED}; {AGAINST_WORDS}."),
        ((), "inspect", f"{SCORED}."),
        ((STRONG,), "release", f"Nothing calls for a closer look now; {FOR_WORDS}."),
    ],
)
def test_a_score_is_told_by_the_strongest_evidence_on_either_side(
    reasons: tuple[Any, ...], lane: str, told: str
) -> None:
    decided: Any = SimpleNamespace(
        lane=lane,
        is_drawn=False,
        lane_reason="score",
        reasons=reasons,
        life_at_risk=None,
        strongest_reasons_in=lambda *_: strongest(reasons),
        harm_ratio=None,
    )

    assert describe_lane(decided) == told


def test_a_control_case_stands_among_inspections_and_gives_no_reason() -> None:
    assert LANE_NAMES.keys() == set(get_args(Lane))
    assert LANE_NAMES["control"] == LANE_NAMES["inspect"]
    drawn: Any = SimpleNamespace(
        lane="control",
        is_drawn=True,
        life_at_risk=None,
        strongest_reasons_in=lambda *_: strongest((STRONG, AGAINST)),
        harm_ratio=2.0,
    )

    assert describe_lane(drawn) == SELECTED_AT_RANDOM


def test_a_description_of_other_goods_is_marked() -> None:
    body = shipment(goods_description="Cartons of corrugated paper")

    assert describe_subject(submission(body)).endswith(f"; {UNFITTING_DESCRIPTION}.")
    assert UNFITTING_DESCRIPTION not in describe_subject(submission(body), is_marked=False)
    assert UNFITTING_DESCRIPTION not in describe_subject(submission(shipment()))


@pytest.mark.parametrize("reasons", [(), (STRONG, AGAINST), (WEAK,)])
def test_nothing_of_why_it_is_here_tells_a_drawn_case_from_a_scored_one(
    reasons: tuple[Any, ...],
) -> None:
    for lane, lane_reason in (("control", "random"), ("inspect", "score"), ("inspect", "random")):
        decided: Any = SimpleNamespace(
            lane=lane,
            lane_reason=lane_reason,
            life_at_risk=None,
            strongest_reasons_in=lambda *_: strongest(reasons),
            harm_ratio=None,
        )
        assert describe_selection(decided) == f"{SCORED}."


def test_what_a_list_looks_for_or_puts_lives_at_risk_is_why_a_case_is_here() -> None:
    for decided in (
        decision(lane_reason="watch_list"),
        decision(life_at_risk="41 persons", lane="rescue", lane_reason="life_at_risk"),
        decision(lane="document_check", lane_reason="score"),
    ):
        assert describe_selection(decided) == describe_lane(decided)
