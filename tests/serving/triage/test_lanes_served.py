"""Lanes: capacity, lots, watch-lists and rules, and lives before scores."""

import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import binom, binomtest, ks_2samp

from features.errors import TidegateError
from serving.settings import Settings
from serving.triage.capacity import Shares, Workday
from serving.triage.control_draws import DrawGenerator
from serving.triage.control_probability import control_probability
from serving.triage.cutoffs import Cutoff
from serving.triage.lane_choice import Draws, LaneCutoffs, Placement, place, place_unscored
from serving.triage.lanes import Lanes, PlacementRequest
from serving.triage.life_at_risk import danger_signals, in_words
from serving.triage.triage_plan import OfficeCapacity, TriagePlan
from serving.triage.watch_list_hits import Hit, find_hits
from tests.serving.bodies import route, shipment, submission
from tests.serving.triage.plan_file import PLAN, read_plan

SHARES = Shares(inspect=0.02, document_check=0.06, post_review=0.10)
CUTS = LaneCutoffs(
    inspect=Cutoff(0.5, 0.0), document_check=Cutoff(0.3, 0.0), post_review=Cutoff(0.1, 0.0)
)
UNDRAWN = Draws(tie=0.5, control=0.99)
DRAWN = Draws(tie=0.5, control=0.001)
AT = datetime(2026, 3, 2, tzinfo=UTC)


def placed(
    probability: float,
    lots: Draws = UNDRAWN,
    *,
    is_life_at_risk: bool = False,
    spoken: tuple[Hit, ...] = (),
) -> Placement:
    return place(
        probability,
        CUTS,
        lots,
        control_probability=0.01,
        is_life_at_risk=is_life_at_risk,
        hits=spoken,
    )


# Few different scores, as trees give them.
SCORES = st.lists(st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5, 1.0]), min_size=1).map(sorted)


@given(SCORES, st.floats(0, 1))
def test_a_cut_takes_its_share_of_the_scores_ties_or_not(scores: list[float], share: float) -> None:
    cut = Cutoff.for_share(share, scores)

    assert np.mean([cut.probability(score) for score in scores]) == pytest.approx(share)


@given(SCORES, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_is_never_taken_with_a_lower_probability(
    scores: list[float], share: float, other: float
) -> None:
    cut = Cutoff.for_share(share, scores)

    assert cut.probability(min(share, other)) <= cut.probability(max(share, other))


def test_lanes_fill_to_their_shares_with_the_control_cases_taken_out() -> None:
    scores = sorted(np.round(np.random.default_rng(1).beta(1, 20, 40_000), 2).tolist())
    cuts = SHARES.cutoffs(scores, 0.05)
    draw = DrawGenerator(b"a seed for this test")

    lanes = Counter(
        place(
            score,
            cuts,
            draw.of_subject("shipment", f"S-{i}"),
            control_probability=0.05,
            is_life_at_risk=False,
        ).lane
        for i, score in enumerate(scores)
    )

    for lane, share in [("inspect", 0.02), ("document_check", 0.06), ("post_review", 0.10)]:
        assert lanes[lane] / len(scores) == pytest.approx(share, abs=0.004)
    assert lanes["control"] / len(scores) == pytest.approx(0.98 * 0.05, abs=0.004)


def test_shares_beyond_all_subjects_are_refused() -> None:
    with pytest.raises(ValueError, match="more than all"):
        Shares(0.5, 0.4, 0.2)


@pytest.mark.parametrize(
    ("probability", "lane"),
    [(0.51, "inspect"), (0.5, "document_check"), (0.2, "post_review"), (0.1, "release")],
)
def test_the_score_decides_the_lane(probability: float, lane: str) -> None:
    assert placed(probability).lane == lane


def test_a_drawn_subject_is_a_control_unless_its_score_selects_it() -> None:
    assert (placed(0.05, DRAWN).lane, placed(0.05, DRAWN).reason) == ("control", "random")
    assert placed(0.05, DRAWN).selection_probability == 0.01
    assert (placed(0.9, DRAWN).lane, placed(0.9, DRAWN).selection_probability) == ("inspect", 1.0)


def test_a_life_at_risk_comes_before_every_score_list_and_rule() -> None:
    listed = Hit("watch_list", "inspect", "container X")
    ruled = Hit("rule", "document_check", "rule")
    for spoken in ((), (listed,), (ruled,)):
        for lots in (DRAWN, UNDRAWN):
            unscored = place_unscored(
                lots, control_probability=0.01, is_life_at_risk=True, hits=spoken
            )
            scored = [placed(p, lots, is_life_at_risk=True, spoken=spoken) for p in (0.0, 0.9)]
            for rescued in (unscored, *scored):
                assert (rescued.lane, rescued.reason) == ("rescue", "life_at_risk")
                assert rescued.selection_probability == 1


def test_a_watch_list_selects_whatever_the_score_and_says_so() -> None:
    listed = Hit("watch_list", "inspect", "container X")

    assert placed(0.0, spoken=(listed,)).reason == "watch_list"
    assert placed(0.0, spoken=(listed,)).lane == "inspect"


def test_a_rule_for_documents_leaves_the_score_and_the_draw_their_say() -> None:
    ruled = (Hit("rule", "document_check", "rule"),)

    assert (placed(0.0, spoken=ruled).lane, placed(0.0, spoken=ruled).reason) == (
        "document_check",
        "rule",
    )
    assert placed(0.9, spoken=ruled).reason == "score"
    assert placed(0.0, DRAWN, spoken=ruled).lane == "control"


cut_values = st.tuples(st.floats(0, 1), st.floats(0, 1))


@given(
    st.floats(0, 1),
    st.lists(cut_values, min_size=3, max_size=3).map(lambda cuts: sorted(cuts, reverse=True)),
    st.floats(0.01, 0.5),
    st.booleans(),
    st.integers(0, 2**32),
)
@example(0.5, [(1.0, 0.0), (1.0, 0.0), (0.5, sys.float_info.min)], 0.1, False, 0)
def test_the_stored_probabilities_are_how_often_each_lane_comes_up(
    score: float,
    cuts: list[tuple[float, float]],
    control: float,
    is_life_at_risk: bool,
    seed: int,
) -> None:
    inspect, checked, reviewed = (Cutoff(*cut) for cut in cuts)
    face = LaneCutoffs(inspect, checked, reviewed)
    lots = np.random.default_rng(seed).random((400, 2))

    placements = [
        place(
            score,
            face,
            Draws(*pair),
            control_probability=control,
            is_life_at_risk=is_life_at_risk,
        )
        for pair in lots.tolist()
    ]

    probabilities = placements[0].probabilities
    assert sum(probabilities.values()) == pytest.approx(1)
    assert min(p.selection_probability for p in placements) > 0
    for lane, probability in probabilities.items():
        assert is_as_often(sum(p.lane == lane for p in placements), probability)
    assert_visits_are_as_stored(placements)


def is_as_often(count: int, probability: float) -> bool:
    """Of 400. Both tails hold for the smallest probability; `binomtest` overflows near it."""
    told = binom(400, min(probability, 1.0))
    return bool(min(told.cdf(count), told.sf(count - 1)) > 1e-7)


def assert_visits_are_as_stored(placements: list[Placement]) -> None:
    """One probability that someone goes and looks is stored of all, and it is how often they do."""
    (stored,) = {p.selection_probability for p in placements}
    visited = ("rescue", "inspect", "control")
    apart = sum(placements[0].probabilities.get(lane, 0.0) for lane in visited)  # type: ignore[call-overload]  # lanes
    assert 0 < stored <= 1
    assert stored == pytest.approx(apart)
    assert is_as_often(sum(p.lane in visited for p in placements), stored)


@pytest.mark.parametrize("control", [0.01, 0.2, 1.0])
@pytest.mark.parametrize("spoken", [(), (Hit("rule", "document_check", "rule"),)])
@pytest.mark.parametrize("has_score", [True, False])
def test_what_may_be_drawn_is_visited_as_often_as_its_stored_probability_says(
    control: float, spoken: tuple[Hit, ...], has_score: bool
) -> None:
    placements = []
    for pair in np.random.default_rng(7).random((400, 2)).tolist():
        asked = {"control_probability": control, "is_life_at_risk": False, "hits": spoken}
        lots = Draws(*pair)
        made = place(0.05, CUTS, lots, **asked) if has_score else place_unscored(lots, **asked)
        placements.append(made)

    assert placements[0].selection_probability == pytest.approx(control)
    assert_visits_are_as_stored(placements)


@pytest.mark.parametrize("probability", [0.0, -0.01, 1.01])
def test_no_installation_draws_nobody(probability: float) -> None:
    with pytest.raises(ValidationError, match="control_probability"):
        Settings(control_probability=probability)
    assert Settings(control_probability=1e-6).control_probability == 1e-6


def test_whatever_is_not_selected_for_sure_may_become_a_control_case() -> None:
    for score in np.linspace(0, 0.5, 11):
        assert placed(float(score)).probabilities["control"] > 0


def test_the_lots_are_uniform_and_independent_whatever_the_ids_look_like() -> None:
    draw = DrawGenerator(b"a seed for this test")

    lots = [draw.of_subject("shipment", f"S-{i:06}") for i in range(20_000)]
    ties, controls = (np.array(c) for c in zip(*((x.tie, x.control) for x in lots), strict=True))

    assert ks_2samp(ties, np.linspace(0, 1, 20_000)).pvalue > 1e-4
    assert np.mean(controls < 0.05) == pytest.approx(0.05, abs=0.0065)
    assert abs(np.corrcoef(ties, controls)[0, 1]) < 0.03


def test_asking_again_does_not_draw_again(tmp_path: Path) -> None:
    first = DrawGenerator.from_folder(tmp_path / "keys")
    again = DrawGenerator.from_folder(tmp_path / "keys")
    ids = [f"S-{i}" for i in range(200)]

    assert [first.of_subject("shipment", i) for i in ids] == [
        again.of_subject("shipment", i) for i in ids
    ]
    assert [again.of_subject("route", i) for i in ids] != [
        again.of_subject("shipment", i) for i in ids
    ]


def test_another_installation_draws_others(tmp_path: Path) -> None:
    here, there = (
        DrawGenerator.from_folder(tmp_path / "here"),
        DrawGenerator.from_folder(tmp_path / "there"),
    )

    assert here.of_subject("route", "J-1") != there.of_subject("route", "J-1")


def test_the_seed_of_the_draw_is_for_its_owner_only(tmp_path: Path) -> None:
    DrawGenerator.from_folder(tmp_path / "keys")

    assert (tmp_path / "keys" / "draw.seed").stat().st_mode & 0o077 == 0


OFFICES = {
    "A": (400, OfficeCapacity(inspect_per_day=12, document_check_per_day=30, control_per_day=6)),
    "B": (150, OfficeCapacity(inspect_per_day=15, document_check_per_day=20, control_per_day=3)),
    "C": (900, OfficeCapacity(inspect_per_day=9, document_check_per_day=60, control_per_day=9)),
}


@cache
def month() -> list[tuple[PlacementRequest, Placement]]:
    """A month at three offices: uneven days, scores that drift, and many that are equal."""
    chance = np.random.default_rng(20261124)
    lanes = Lanes(
        plan=TriagePlan(offices={name: capacity for name, (_, capacity) in OFFICES.items()}),
        shares=SHARES,
        draws=DrawGenerator(b"a seed for this test"),
        control_floor=0.005,
    )
    reference = np.linspace(0, 1, 201).tolist()
    said = []
    for day in range(35):
        arrivals = [
            (float(chance.random()), name)
            for name, (per_day, _) in OFFICES.items()
            for _ in range(chance.poisson(per_day * (1.2 if day % 7 < 5 else 0.5)))
        ]
        for moment, name in sorted(arrivals):
            score = round(float(chance.beta(1 + day / 35, 20)), 2)
            danger = bool(chance.random() < 0.002)
            at = AT + timedelta(days=day + moment)
            case = PlacementRequest("shipment", f"S-{len(said)}", name, at, score, danger)
            said.append((case, lanes.place(case, reference)))
    # The first days find the offices without scores of their own.
    return [(case, placement) for case, placement in said if case.at >= AT + timedelta(days=5)]


def test_a_month_at_three_offices_loads_them_to_their_capacity() -> None:
    said = month()

    for name, (_, office) in OFFICES.items():
        lanes = Counter(p.lane for case, p in said if case.office_id == name)
        assert lanes["inspect"] == pytest.approx(30 * office.inspect_per_day, rel=0.05)
        assert lanes["document_check"] == pytest.approx(
            30 * office.document_check_per_day, rel=0.05
        )


def test_in_that_month_control_keeps_to_its_probability_whatever_the_score() -> None:
    said = [(case, p) for case, p in month() if p.reason in ("score", "random")]
    offered = [(case, p) for case, p in said if p.lane != "inspect"]

    expected = sum(
        p.probabilities["control"] / (1 - p.probabilities["inspect"]) for _, p in offered
    )
    drawn = [case.probability for case, p in offered if p.lane == "control"]
    others = [case.probability for case, p in offered if p.lane != "control"]

    assert binomtest(len(drawn), len(offered), expected / len(offered)).pvalue > 0.01
    for name, (_, office) in OFFICES.items():
        count = sum(case.office_id == name and p.lane == "control" for case, p in offered)
        assert count >= 0.8 * 30 * office.control_per_day
    by_office = [c.probability for c, p in offered if p.lane == "control" and c.office_id == "A"]
    rest = [c.probability for c, p in offered if p.lane != "control" and c.office_id == "A"]
    assert ks_2samp(by_office, rest).pvalue > 0.01
    assert len(drawn) + len(others) == len(offered)


def test_in_that_month_rescue_waits_for_no_capacity() -> None:
    said = month()

    assert all((p.lane == "rescue") == case.is_life_at_risk for case, p in said)
    assert any(case.is_life_at_risk for case, _ in said)


def test_an_office_with_twice_its_fill_takes_no_more_by_the_score_that_day() -> None:
    workday = Workday(capacity=10, taken=0, usual_per_day=100, expected=100)

    assert replace(workday, taken=19).share() == workday.share() == pytest.approx(0.098)
    assert replace(workday, taken=20).share() == 0


def test_a_quiet_day_opens_the_lane_but_not_to_everything() -> None:
    quiet = Workday(capacity=10, taken=2, usual_per_day=100, expected=50)

    assert quiet.share() == pytest.approx(9.8 / 50)
    assert replace(quiet, expected=5).share() == pytest.approx(3 * 10 / 100)


def test_the_control_lane_is_sized_by_count_but_never_under_its_floor() -> None:
    assert control_probability(0.01, per_day=0, unselected_per_day=500) == 0.01
    assert control_probability(0.01, per_day=20, unselected_per_day=500) == pytest.approx(0.04)
    assert control_probability(0.01, per_day=20, unselected_per_day=5) == 1


def test_a_plan_speaks_of_what_it_lists_until_it_ends(tmp_path: Path) -> None:
    plan = read_plan(tmp_path, PLAN)
    listed = submission(shipment(container_number="CSQU3054383"))
    other = submission(shipment(container_number="MSKU0000000"))
    at = datetime(2026, 12, 1, tzinfo=UTC)

    (hit,) = find_hits(plan, listed, {"mass_kg": None}, at)
    assert "CSQU3054383" in hit.words
    assert "stolen containers" in hit.words
    assert find_hits(plan, other, {}, at) == []
    assert find_hits(plan, listed, {}, datetime(2027, 2, 1, tzinfo=UTC)) == []


def test_a_rule_speaks_above_its_bound_and_never_about_what_is_missing(tmp_path: Path) -> None:
    plan = read_plan(tmp_path, PLAN)
    subject = submission(shipment(container_number=None))

    assert [hit.source for hit in find_hits(plan, subject, {"mass_kg": 20_000.5}, AT)] == ["rule"]
    assert find_hits(plan, subject, {"mass_kg": 20_000.0}, AT) == []
    assert find_hits(plan, subject, {"mass_kg": None}, AT) == []


def test_a_plan_is_known_by_the_digest_of_its_file(tmp_path: Path) -> None:
    first = read_plan(tmp_path, PLAN).digest
    second = read_plan(tmp_path, PLAN.replace("20000.0", "20001.0")).digest

    assert first != second
    assert TriagePlan.read(tmp_path / "none.toml") == TriagePlan()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('kind = "container"', 'kind = "person"', "watched.0.kind"),
        ("inspect_per_day = 20", "inspect_per_day = -1", "offices.XX0001.inspect_per_day"),
        ("above = 20000.0", "", "either `above` or `below`"),
        ('feature = "mass_kg"', 'feature = "nationality"', "no feature 'nationality'"),
        ("inspect_per_day = 20", "inspected_per_day = 20", "offices.XX0001"),
        ("edition =", "edition", "not TOML"),
    ],
)
def test_a_plan_that_cannot_be_used_is_refused_with_the_place(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    with pytest.raises(TidegateError, match=named):
        read_plan(tmp_path, PLAN.replace(old, new, 1))


def test_more_persons_than_a_craft_is_certified_for_is_a_life_at_risk() -> None:
    def danger(**fields: Any) -> str | None:
        subject = submission(route(**fields))
        return in_words(danger_signals(subject, subject.declared_at))

    overloaded = "41 persons on board of a fishing vessel certified for 12"
    unknown = "41 persons on board of a fishing vessel that no certificate is known of"
    assert danger(certified_capacity=12, persons_on_board=41) == overloaded
    assert danger(certified_capacity=12, persons_on_board=13) is not None
    assert danger(certified_capacity=12, persons_on_board=12) is None
    assert danger(certified_capacity=None, persons_on_board=41) == unknown
