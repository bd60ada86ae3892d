"""Lanes: capacity, the draw, and lives before scores."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.lanes.capacity import Shares, Thresholds
from serving.lanes.draw import Draw
from serving.lanes.life_at_risk import life_at_risk
from serving.lanes.placement import Placement, place
from tests.serving.bodies import route, submission

SHARES = Shares(inspect=0.02, document_check=0.06, post_review=0.10)
THRESHOLDS = Thresholds(inspect=0.5, document_check=0.3, post_review=0.1)


def placed(
    probability: float, *, is_drawn: bool = False, is_life_at_risk: bool = False
) -> Placement:
    return place(
        probability,
        THRESHOLDS,
        is_drawn=is_drawn,
        control_probability=0.01,
        is_life_at_risk=is_life_at_risk,
    )


def test_lanes_fill_to_their_share_of_recent_scores() -> None:
    probabilities = np.random.default_rng(1).beta(1, 20, 10_000)
    steps = np.quantile(probabilities, np.linspace(0, 1, 201))

    thresholds = Thresholds.of(steps.tolist(), SHARES)

    assert np.mean(probabilities > thresholds.inspect) == pytest.approx(0.02, abs=0.001)
    assert np.mean(probabilities > thresholds.document_check) == pytest.approx(0.08, abs=0.001)
    assert np.mean(probabilities > thresholds.post_review) == pytest.approx(0.18, abs=0.001)


def test_one_score_shared_by_all_does_not_flood_the_inspectors() -> None:
    thresholds = Thresholds.of([0.25] * 201, SHARES)

    lane = place(
        0.25, thresholds, is_drawn=False, control_probability=0.01, is_life_at_risk=False
    ).lane

    assert lane == "release"


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
    assert placed(0.05, is_drawn=True) == Placement("control", "random", 0.01)
    assert placed(0.9, is_drawn=True) == Placement("inspect", "score", 1.0)


def test_a_life_at_risk_comes_before_every_score() -> None:
    for probability in (0.0, 0.9):
        rescued = placed(probability, is_drawn=True, is_life_at_risk=True)
        assert rescued == Placement("rescue", "life_at_risk", 1.0)


@given(st.floats(0, 1), st.booleans(), st.booleans())
def test_nobody_is_certain_to_escape_a_look(
    probability: float, is_drawn: bool, is_life_at_risk: bool
) -> None:
    placement = placed(probability, is_drawn=is_drawn, is_life_at_risk=is_life_at_risk)
    assert 0 < placement.selection_probability <= 1


def test_the_draw_takes_its_share_whatever_the_ids_look_like() -> None:
    draw = Draw(b"a seed for this test", probability=0.05)

    taken = sum(draw.takes("shipment", f"S-{i:06}") for i in range(20_000))

    assert taken == pytest.approx(1_000, abs=4 * (20_000 * 0.05 * 0.95) ** 0.5)


def test_asking_again_does_not_draw_again(tmp_path: Path) -> None:
    first = Draw.kept_in(tmp_path / "keys", 0.5)
    again = Draw.kept_in(tmp_path / "keys", 0.5)

    ids = [f"S-{i}" for i in range(200)]

    assert [first.takes("shipment", i) for i in ids] == [again.takes("shipment", i) for i in ids]
    assert [again.takes("route", i) for i in ids] != [again.takes("shipment", i) for i in ids]


def test_another_installation_draws_others(tmp_path: Path) -> None:
    here = Draw.kept_in(tmp_path / "here", 0.5)
    there = Draw.kept_in(tmp_path / "there", 0.5)

    ids = [f"S-{i}" for i in range(200)]

    assert [here.takes("route", i) for i in ids] != [there.takes("route", i) for i in ids]


def test_the_seed_of_the_draw_is_for_its_owner_only(tmp_path: Path) -> None:
    Draw.kept_in(tmp_path / "keys", 0.5)

    assert (tmp_path / "keys" / "draw.seed").stat().st_mode & 0o077 == 0


def test_more_persons_than_a_craft_is_certified_for_is_a_life_at_risk() -> None:
    overloaded = submission(route(certified_capacity=12, persons_on_board=41))
    within = submission(route(certified_capacity=12, persons_on_board=12))
    unknown = submission(route(certified_capacity=None, persons_on_board=41))

    assert life_at_risk(overloaded) == "41 persons on board of a conveyance certified for 12"
    assert life_at_risk(within) is None
    assert life_at_risk(unknown) is None
