"""Searches over the planted world; each test has its own file of trials."""

from pathlib import Path

import pytest

from tests.training.planted import INPUTS
from training.data.training_set import TrainingSet
from training.errors import TrainingError
from training.parameters import (
    SearchParameters,
    SearchSpans,
    SplitParameters,
    TrainingParameters,
    TreeParameters,
)
from training.search import Search, search, search_name
from training.train import train_model


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


def asked(trials: int | None = None, minutes: float | None = None) -> TrainingParameters:
    return TrainingParameters(
        trees=TreeParameters(trees=150, leaves=2, learning_rate=0.011, early_stopping_rounds=20),
        search=SearchParameters(trials=trials, minutes=minutes, spans=SearchSpans(leaves=(2, 12))),
    )


@pytest.fixture(scope="module")
def whole(data: TrainingSet, tmp_path_factory: pytest.TempPathFactory) -> Search:
    return search(data, asked(trials=9), tmp_path_factory.mktemp("whole") / "searches.db")


def tried(found: Search) -> list[tuple[dict[str, float], float, bool]]:
    return [(trial.parameters, trial.loss, trial.is_given_up) for trial in found.trials]


def test_a_search_beats_the_poor_parameters_it_starts_from(whole: Search) -> None:
    assert whole.trials[0].parameters["leaves"] == 2
    assert whole.trials[0].parameters["learning_rate"] == 0.011
    best = min(whole.trials, key=lambda trial: trial.loss)
    assert best.loss < whole.trials[0].loss
    assert whole.parameters.trees.leaves == best.parameters["leaves"]


def test_trials_are_compared_by_the_folds_that_a_training_fits(
    data: TrainingSet, whole: Search
) -> None:
    trees = asked().trees.model_copy(update={"trees": max(whole.trials[0].losses)})
    parameters = TrainingParameters(trees=trees)

    losses = train_model(data, parameters).losses

    reported = whole.trials[0].losses
    assert reported
    for count in reported:
        least = min(loss for trees, loss in losses.items() if trees <= count)
        assert reported[count] == pytest.approx(least)


def test_every_trial_stays_within_the_spans(whole: Search) -> None:
    spans = asked().search.spans.model_dump()
    for trial in whole.trials:
        for name, (low, high) in spans.items():
            assert low <= trial.parameters[name] <= high


def test_trials_worse_than_most_are_given_up(data: TrainingSet, tmp_path: Path) -> None:
    trees = TreeParameters(trees=150, leaves=4, early_stopping_rounds=0)
    spans = SearchSpans(leaves=(2, 8), learning_rate=(0.0001, 0.1))
    limits = SearchParameters(trials=14, spans=spans)

    without_folds = SplitParameters(refit=False)
    parameters = TrainingParameters(trees=trees, search=limits, split=without_folds)
    found = search(data, parameters, tmp_path / "searches.db")

    given_up = [trial for trial in found.trials if trial.is_given_up]
    assert given_up
    assert all(100 <= max(trial.losses) < 150 for trial in given_up)
    assert all(trial.loss > min(t.loss for t in found.trials) for trial in given_up)


def test_a_search_interrupted_at_any_point_ends_as_if_it_had_not_been(
    data: TrainingSet, whole: Search, tmp_path: Path
) -> None:
    file = tmp_path / "searches.db"

    def interrupt(done: int, limit: int | None) -> None:
        raise KeyboardInterrupt

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            search(data, asked(trials=9), file, interrupt)
    assert len(search(data, asked(trials=4), file).trials) == 4

    assert tried(search(data, asked(trials=9), file)) == tried(whole)


def test_a_trial_broken_off_half_way_is_tried_again(
    data: TrainingSet, whole: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "searches.db"

    def broken(*given: object, **named: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("training.search.cross_fit_trees", broken)
        with pytest.raises(KeyboardInterrupt):
            search(data, asked(trials=2), file)

    assert tried(search(data, asked(trials=2), file)) == tried(whole)[:2]


def test_a_finished_search_asked_again_tries_nothing(data: TrainingSet, tmp_path: Path) -> None:
    file = tmp_path / "searches.db"
    search(data, asked(minutes=1e-9), file)
    steps: list[int] = []

    found = search(data, asked(minutes=1e-9), file, lambda done, limit: steps.append(done))

    assert steps == []
    assert len(found.trials) == 1


def test_the_best_parameters_as_toml_make_the_same_model(
    data: TrainingSet, whole: Search, tmp_path: Path
) -> None:
    file = tmp_path / "best.toml"
    file.write_text(whole.parameters.as_toml)

    again = TrainingParameters.read(file)

    assert again == whole.parameters
    models = [train_model(data, parameters).model for parameters in (again, whole.parameters)]
    assert models[0].digest == models[1].digest


def test_another_span_is_another_search_but_a_longer_one_is_not(data: TrainingSet) -> None:
    other = asked().model_copy(update={"search": SearchParameters()})

    assert search_name(data, asked(trials=3)) == search_name(data, asked(minutes=9))
    assert search_name(data, other) != search_name(data, asked())


def test_a_file_that_is_no_database_is_named(data: TrainingSet, tmp_path: Path) -> None:
    file = tmp_path / "searches.db"
    file.write_text("a letter to a friend\n" * 100)

    with pytest.raises(TrainingError, match=r"searches\.db cannot keep a search"):
        search(data, asked(trials=1), file)


def test_a_span_upside_down_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "parameters.toml"
    file.write_text("[search.spans]\nleaves = [9, 4]\n")

    with pytest.raises(TrainingError, match=r"leaves: .*want \[lowest, highest\], got \[9, 4\]"):
        TrainingParameters.read(file)
