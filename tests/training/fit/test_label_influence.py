"""No author, office or place of arrival weighs more in what a model learns than it may."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.planted import INPUTS
from training.data.label_authors import add_authors
from training.data.training_set import TrainingSet
from training.fit.label_influence import bound_influence, influence_figures
from training.gates.gates import bounded_influence
from training.parameters import SelectionParameters, TrainingParameters, TreeParameters
from training.train import train_model


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


def with_groups(
    data: TrainingSet, authors: Any, offices: Any, corridors: Any = None
) -> TrainingSet:
    outcomes = replace(data.outcomes, author=np.array(authors, dtype=object))
    subjects = data.subjects.assign(office_id=offices, corridor=corridors)
    return replace(data, outcomes=outcomes, subjects=subjects)


def shares(weights: Any, names: Any) -> dict[str, float]:
    known = [name for name in set(names) if name is not None]
    return {name: float(weights[names == name].sum() / weights.sum()) for name in known}


@given(
    sizes=st.lists(st.integers(1, 400), min_size=3, max_size=12),
    unsigned=st.integers(0, 300),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 2**20),
)
def test_no_author_exceeds_its_share_and_the_others_keep_their_weights(
    data: TrainingSet, sizes: list[int], unsigned: int, share: float, seed: int
) -> None:
    names = [f"a{n}" for n, size in enumerate(sizes) for _ in range(size)] + [None] * unsigned
    names = names[: len(data)]
    rows = np.arange(len(names))
    authors = np.array([*names, *[None] * (len(data) - len(names))], dtype=object)
    signed = with_groups(data, authors, None)
    before = np.random.default_rng(seed).uniform(0.5, 20.0, len(rows))
    asked = SelectionParameters(largest_author_share=share)

    weights = bound_influence(before, signed, rows, asked)

    allowed = max(share, 2 / len(set(names) - {None}))
    told = shares(weights, authors[rows])
    assert max(told.values()) <= allowed + 1e-6
    assert (weights <= before + 1e-9).all()
    under = [name for name, part in shares(before, authors[rows]).items() if part < allowed / 3]
    for name in under:
        if told[name] < allowed - 1e-6:
            assert (weights[authors[rows] == name] == before[authors[rows] == name]).all()
    unknown = authors[rows] == None  # noqa: E711 - of each
    assert (weights[unknown] == before[unknown]).all()


def test_where_nobody_exceeds_it_no_bit_changes(data: TrainingSet) -> None:
    rows = np.arange(len(data))
    names = np.array([f"a{row % 10}" for row in rows], dtype=object)
    weights = np.random.default_rng(1).uniform(1, 2, len(rows))
    spread = with_groups(data, names, names)
    assert bound_influence(weights, spread, rows, SelectionParameters()) is weights


def test_an_office_of_half_of_all_labels_is_held_to_its_share_in_the_fit(
    data: TrainingSet,
) -> None:
    lots = np.random.default_rng(3)
    offices = np.where(
        lots.random(len(data)) < 0.5, "big", lots.choice([f"o{n}" for n in range(9)], len(data))
    )
    crowded = with_groups(data, [None] * len(data), offices)
    trees = TreeParameters(trees=5, leaves=4, early_stopping_rounds=0)
    candidate = train_model(crowded, TrainingParameters(threads=1, trees=trees))

    (office,) = candidate.report.influence

    assert (office.by, office.groups, office.allowed) == ("office", 10, 0.3)
    assert office.largest_before > 0.45
    assert office.largest == pytest.approx(0.3, abs=1e-6)
    assert bounded_influence(candidate.report).verdict == "passed"
    unbounded = office.model_copy(update={"largest": office.largest_before})
    shut = bounded_influence(candidate.report.model_copy(update={"influence": (unbounded,)}))
    assert shut.verdict != "passed"
    assert "heaviest office of 10" in shut.reason


def test_authors_are_read_where_a_set_has_them_and_only_there(
    planted: Path, data: TrainingSet, tmp_path: Path
) -> None:
    import shutil

    import pyarrow.parquet as pq

    assert set(data.outcomes.author) == {None}
    folder = Path(shutil.copytree(planted, tmp_path / "signed"))
    table = pq.read_table(folder / "outcomes.parquet")
    first, second = table.slice(0, 2).to_pylist()
    key = ("shipment", first["subject_id"], first["inspected_at"], first["known_at"])

    assert add_authors(folder, "shipment", {key: "a-1"}) == 1

    signed = TrainingSet.read(folder, "shipment", INPUTS)
    by_id = dict(zip(signed.subject_ids, signed.outcomes.author, strict=True))
    assert (by_id[first["subject_id"]], by_id[second["subject_id"]]) == ("a-1", None)
    assert signed.digest != data.digest


def test_influence_names_the_heaviest_only(data: TrainingSet) -> None:
    rows = np.arange(100)
    names = np.array(["a"] * 60 + ["b"] * 40 + [None] * (len(data) - 100), dtype=object)
    weights = np.ones(100)
    told = influence_figures(
        weights, weights, with_groups(data, names, None), rows, SelectionParameters()
    )
    assert [(each.by, each.largest) for each in told] == [("author", 0.6)]


def test_where_no_office_is_named_a_place_of_arrival_is_held_to_the_share_of_an_office(
    data: TrainingSet,
) -> None:
    """As for routes, whose corridors end where they are inspected."""
    rows = np.arange(1_000)
    ends = np.array(["GRPIR"] * 600 + [f"DE{n:03}" for n in range(40)] * 10)
    corridors = [f"TR{row % 7} > {end}" for row, end in enumerate(ends)]
    corridors += ["TR1 > ITGOA"] * (len(data) - 1_000)
    nobody = [None] * len(data)
    routes = with_groups(data, nobody, None, corridors)
    before = np.ones(len(rows))

    weights = bound_influence(before, routes, rows, SelectionParameters())
    (place,) = influence_figures(before, weights, routes, rows, SelectionParameters())

    assert shares(weights, ends)["GRPIR"] == pytest.approx(0.3, abs=1e-6)
    assert (weights[600:] == 1.0).all()
    assert (place.by, place.groups, place.largest_before) == ("place of arrival", 41, 0.6)
    assert place.largest == pytest.approx(place.allowed, abs=1e-6)


def test_a_subject_that_names_an_office_counts_for_it_alone(data: TrainingSet) -> None:
    rows = np.arange(len(data))
    same_end = ["TR1 > GRPIR"] * len(data)
    offices = [f"o{row % 10}" for row in rows]
    spread = with_groups(data, [None] * len(data), offices, same_end)
    weights = np.ones(len(rows))

    told = influence_figures(weights, weights, spread, rows, SelectionParameters())

    assert [figures.by for figures in told] == ["office"]
    assert bound_influence(weights, spread, rows, SelectionParameters()) is weights


def test_a_training_set_that_names_no_corridor_bounds_no_place(data: TrainingSet) -> None:
    bare = with_groups(data, [None] * len(data), None)
    bare = replace(bare, subjects=bare.subjects.drop(columns="corridor"))
    rows, weights = np.arange(100), np.ones(100)

    assert influence_figures(weights, weights, bare, rows, SelectionParameters()) == ()
