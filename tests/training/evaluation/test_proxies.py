"""What a feature tells about where a subject is from is measured, whatever it was meant for."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from training.evaluation.evaluation_report import ProxyFigures
from training.evaluation.proxies import proxies, proxies_above

ORIGINS = ["DE", "CN", "MA", "US"]
ROWS = 4_000


def origins(seed: int = 3) -> "pd.Series[str]":
    return pd.Series(np.random.default_rng(seed).choice(ORIGINS, ROWS), dtype="str")


def information_share(values: object, of: "pd.Series[str] | None" = None) -> float:
    (only,) = proxies(pd.DataFrame({"feature": values}), origins() if of is None else of)
    return only.information_share


def test_the_origin_itself_tells_all_and_a_lot_tells_nothing() -> None:
    assert information_share(origins()) == pytest.approx(1, abs=0.01)
    assert information_share(np.random.default_rng(8).normal(size=ROWS)) < 0.01


def test_a_number_tells_as_much_as_its_bins() -> None:
    distance = origins().map({"DE": 0.0, "CN": 8_000.0, "MA": 2_000.0, "US": 6_000.0})
    noise = np.random.default_rng(4).normal(size=ROWS)
    assert information_share(distance + noise) > 0.9
    assert (
        information_share(distance + 4_000 * noise)
        < information_share(distance + 1_000 * noise)
        < 0.9
    )


def test_being_missing_is_told_too() -> None:
    assert information_share(np.where(origins() == "CN", np.nan, 1.0)) > 0.3


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**16), kinds=st.integers(2, 12), noise=st.floats(0, 1))
def test_it_is_the_mutual_information_that_others_count(
    seed: int, kinds: int, noise: float
) -> None:
    lots = np.random.default_rng(seed)
    codes = pd.factorize(origins())[0]
    mixed = np.where(lots.random(ROWS) < noise, lots.integers(0, kinds, ROWS), codes % kinds)
    labels = pd.Series(mixed.astype(str), dtype="str")
    regions = len(set(codes))
    by_chance = (labels.nunique() - 1) * (regions - 1) / (2 * ROWS)
    share = (mutual_info_score(labels, codes) - by_chance) / mutual_info_score(codes, codes)
    assert information_share(labels) == pytest.approx(np.clip(share, 0, 1), abs=1e-9)


def test_unknown_origins_say_nothing_and_one_region_leaves_nothing_to_tell() -> None:
    unknown = pd.Series([None] * ROWS, dtype="str")
    assert information_share(np.arange(ROWS, dtype=float), unknown) == 0
    assert (
        information_share(np.arange(ROWS, dtype=float), pd.Series(["DE"] * ROWS, dtype="str")) == 0
    )


def test_the_most_telling_comes_first() -> None:
    frame = pd.DataFrame({"lot": np.zeros(ROWS), "origin": origins()})
    figures = proxies(frame, origins())
    assert [each.feature for each in figures] == ["origin", "lot"]
    assert [each.feature for each in proxies_above(figures, 0.5)] == ["origin"]
    assert proxies_above(figures, figures[0].information_share) == []


def test_the_figures_of_a_former_report_are_read_under_their_name_of_now() -> None:
    former = ProxyFigures.model_validate_json('{"feature": "corridor", "told": 0.5}')

    assert former.information_share == 0.5
    assert ProxyFigures.model_validate_json(former.model_dump_json()) == former
