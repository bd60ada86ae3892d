"""Countries are exchanged within their class, and what scores move by is told honestly."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.reference.geography import country_of, place_kinds, place_table, region_of
from features.reference.geography.stand_ins import across_regions, class_of, nearest_in
from features.submission import Submission
from tests.serving.bodies import route, shipment, submission
from training.evaluation import counterfactual_swaps
from training.evaluation.counterfactual_swaps import COUNTRIES, PLACES, Swap, shifts, swaps_of
from training.model.manifest import Calibration

PORTS = {row["country"] for row in place_table().to_pylist() if row["kind"] == "port"}
KNOWN = [code for code in place_table()["country"].unique().to_pylist() if code]


def records_of(submitted: Submission) -> list[Any]:
    linked = (*submitted.linked("goods_items"), *submitted.legs, *submitted.transactions)
    parts = (submitted.shipment, submitted.journey, *linked)
    return [part for part in parts if part is not None]


def some_swaps(count: int = 60) -> list[Swap]:
    item = {"number": 1, "commodity_code": "8903100000", "origin_country": "CN"}
    bodies = [submission(shipment(items=[item])), submission(route())] * (count // 2)
    return [swap for swap in swaps_of(bodies, seed=5) if swap is not None]


def test_payers_and_payees_move_with_the_country() -> None:
    body = shipment()
    body["transactions"][0] |= {"payer_country": "CN", "payee_country": "DE"}
    moved = [
        (swap, before, after)
        for swap in filter(None, swaps_of([submission(body)] * 40, seed=5))
        for before, after in zip(swap.before.transactions, swap.after.transactions, strict=True)
        if swap.country in (before.payer_country, before.payee_country)
    ]

    assert moved
    for swap, before, after in moved:
        for name in ("payer_country", "payee_country"):
            was = getattr(before, name)
            assert getattr(after, name) == (swap.stand_in if was == swap.country else was)


@given(country=st.sampled_from(KNOWN))
def test_across_regions_nothing_but_the_sea_is_kept(country: str) -> None:
    for other in across_regions(country):
        assert region_of([other])[0] != region_of([country])[0]
        assert (other in PORTS) == (country in PORTS)


def test_a_subject_can_be_put_into_another_region() -> None:
    bodies = [submission(shipment()), submission(route())] * 20

    made = [swap for swap in swaps_of(bodies, 5, across_regions) if swap is not None]

    assert len(made) > 10
    for swap in made:
        assert region_of([swap.country])[0] != region_of([swap.stand_in])[0]


@given(country=st.sampled_from(KNOWN))
def test_a_class_is_one_region_with_or_without_the_sea(country: str) -> None:
    for other in class_of(country):
        assert region_of([other])[0] == region_of([country])[0]
        assert (other in PORTS) == (country in PORTS)
        assert country in class_of(other)
        assert other != country


def test_a_place_moves_to_the_nearest_of_its_kind() -> None:
    assert country_of([nearest_in("BE", "NLRTM")])[0] == "BE"
    assert place_kinds([nearest_in("BE", "NLRTM")])[0] == "port"
    assert nearest_in(min(set(KNOWN) - PORTS), "NLRTM") is None
    assert nearest_in("RO", "BG-TR/KAPIKULE") is None


def test_nothing_but_countries_and_places_changes_and_none_of_the_old_is_left() -> None:
    made = some_swaps()
    assert len(made) > 20
    assert len({swap.stand_in for swap in made}) > 3
    for swap in made:
        for before, after in zip(records_of(swap.before), records_of(swap.after), strict=True):
            fields = set(type(before).model_fields)
            same = fields - set(COUNTRIES) - set(PLACES) - {"items"}
            assert before.model_dump(include=same) == after.model_dump(include=same)
            for name in fields & set(COUNTRIES):
                was = getattr(before, name)
                assert getattr(after, name) == (swap.stand_in if was == swap.country else was)
            for name in fields & set(PLACES):
                old, new = getattr(before, name), getattr(after, name)
                if old is None or country_of([old])[0] != swap.country:
                    assert new == old
                else:
                    assert country_of([new])[0] == swap.stand_in
                    assert place_kinds([new])[0] == place_kinds([old])[0]
        assert swap.before.documents == swap.after.documents


def test_the_same_seed_makes_the_same_swaps() -> None:
    assert some_swaps() == some_swaps()


def test_a_model_blind_to_countries_moves_no_score_and_one_that_sees_them_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def seeing(weight: float) -> Any:
        def log_odds(model: object, margins: object, asked: list[Submission], past: object) -> Any:
            return np.array([weight * (first_country(each) < "M") for each in asked])

        return log_odds

    def first_country(submitted: Submission) -> str:
        held = records_of(submitted)[0]
        return str(getattr(held, "origin_country", None) or country_of([held.origin])[0])

    class Blind:
        booster_text = ""

    monkeypatch.setattr(counterfactual_swaps.Margins, "from_text", lambda text, threads: None)
    bodies = [submission(shipment())] * 100
    for weight in (0.0, 2.0):
        monkeypatch.setattr(counterfactual_swaps, "_log_odds", seeing(weight))
        told = shifts(Blind(), swaps_of(bodies, seed=5), history=None)  # type: ignore[arg-type]  # a stand-in
        assert told.largest == weight
        assert told.swaps + told.left == 100
        assert sum(region.swaps for region in told.regions) == told.swaps
        for region in told.regions:
            assert region.mean.value is not None
            assert abs(region.mean.value) <= weight


def test_ninety_five_in_a_hundred_moved_no_further_than_the_bound_and_half_than_the_median(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 101 swaps the first moves by nothing, the last by a hundred, up and down in turn."""
    swap = some_swaps()[0]
    made: list[Swap | None] = [replace(swap, country=c) for c in ["CN"] * 51 + ["DE"] * 50]
    moves = np.arange(101.0) * np.where(np.arange(101) % 2, -1, 1)
    answers = iter([np.full(101, 7.0), 7.0 + moves])
    monkeypatch.setattr(counterfactual_swaps.Margins, "from_text", lambda text, threads: None)
    monkeypatch.setattr(counterfactual_swaps, "_log_odds", lambda *asked: next(answers))

    class Model:
        booster_text = ""

    told = shifts(Model(), [*made, None, None], history=None)  # type: ignore[arg-type]  # a stand-in

    assert (told.median, told.bound, told.largest) == pytest.approx((50, 95, 100))
    assert (told.swaps, told.left) == (101, 2)
    here, there = told.regions
    assert {here.region, there.region} == set(region_of(["CN", "DE"]))
    eastern, western = (
        next(each for each in told.regions if each.region == region_of([code])[0])
        for code in ("CN", "DE")
    )
    assert (eastern.swaps, western.swaps) == (51, 50)
    assert eastern.bound == pytest.approx(np.quantile(np.arange(51), 0.95))
    assert western.bound == pytest.approx(np.quantile(np.arange(51, 101), 0.95))
    assert eastern.mean.value == pytest.approx(moves[:51].mean())
    assert western.mean.value == pytest.approx(moves[51:].mean())


def test_a_score_is_computed_of_the_subject_as_it_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vector of each side is asked of the model, and its calibrated log-odds are told."""
    asked: list[Submission] = []

    def vector_of(submitted: Submission, past: object) -> Submission:
        asked.append(submitted)
        return submitted

    class Model:
        booster_text = ""
        manifest = SimpleNamespace(calibration=Calibration(slope=2.0, intercept=1.0))

        def encode(self, submitted: Submission) -> tuple[np.ndarray, list[str]]:
            ends = submitted.shipment
            assert ends is not None
            return np.array([float(ends.origin_country == "CN")]), []

    class Sees:
        def predict(self, rows: np.ndarray) -> np.ndarray:
            return 3 * rows[:, 0]

    monkeypatch.setattr(counterfactual_swaps, "feature_vector", vector_of)
    monkeypatch.setattr(counterfactual_swaps.Margins, "from_text", lambda text, threads: Sees())
    made = [swap for swap in swaps_of([submission(shipment())] * 40, 5) if swap is not None]

    told = shifts(Model(), made, history=None)  # type: ignore[arg-type]  # a stand-in

    moved = [swap for swap in made if swap.country == "CN"]
    assert 0 < len(moved) < len(made)
    assert asked == [swap.before for swap in made] + [swap.after for swap in made]
    assert told.largest == pytest.approx(6)
    (region,) = (each for each in told.regions if each.region == region_of(["CN"])[0])
    assert (region.swaps, region.bound) == (len(moved), pytest.approx(6))
