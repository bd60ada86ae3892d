"""Names of `import tidegate as tg`: each does what its command does, on one small trained home."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import polars
import pytest
import shap
from matplotlib import pyplot
from typer.testing import CliRunner

import tidegate as tg
from features.errors import CatalogueMismatch, RecordsError, UnknownFeature
from serving.cli.gates import verdicts_on_registered
from serving.cli.main import app as commands
from tests.conftest import MadeOnce
from tests.serving.conftest import make_trained_home
from training.data.time_split import TimeSplit
from training.errors import TrainingError, WindowUnusable
from training.evaluation.reevaluation import scored_window
from training.model.model_home import ModelHome

CHAMPION = "tidegate-shipment@champion"
PARAMETERS = tg.TrainingParameters.model_validate(
    {"split": {"label_gap_days": 5, "minimum_labels": 2}, "evaluation": {"redraws": 10}}
)


@pytest.fixture(scope="module")
def home(made_once: MadeOnce) -> tg.Home:
    return tg.open(made_once("trained", make_trained_home) / "home")


@pytest.fixture(scope="module")
def data(home: tg.Home) -> tg.TrainingSet:
    return home.training_set("shipment")


def test_a_home_names_its_models_and_refuses_what_is_not_there(
    home: tg.Home, tmp_path: Path
) -> None:
    models = home.models()

    assert models["name"].tolist() == ["tidegate-route", "tidegate-shipment"]
    assert set(models["aliases"]) == {"champion"}
    assert home.model(CHAMPION).digest == models["digest"][1]
    with pytest.raises(tg.TidegateError, match="no such home"):
        tg.open(tmp_path / "none")


def test_a_training_set_is_the_same_table_in_every_form(data: tg.TrainingSet) -> None:
    rows, by_polars = data.to_pandas(), data.to_polars()

    assert list(rows) == ["subject_id", "declared_at", *data.inputs.names, "label"]
    assert rows["label"].notna().sum() == data.outcomes.is_labelled.sum()
    assert by_polars.columns == data.to_arrow().column_names == list(rows)
    name = next(f.name for f in data.inputs.features if not f.is_categorical)
    assert by_polars[name].null_count() == rows[name].isna().sum()
    assert len(tg.TrainingSet.read(str(data.folder))) == len(rows)


def test_scores_and_explanations_are_those_of_the_command(
    home: tg.Home, data: tg.TrainingSet
) -> None:
    records = polars.read_parquet(home.records / "shipments.parquet").tail(20)
    ids = records["shipment_id"].to_list()
    by_file = tg.score(home.records / "shipments.parquet", "shipment", home=home.path)
    by_rows = tg.score(records, "shipment", home.model(CHAMPION), home=home.path)
    explained = tg.explain(CHAMPION, data, ids, home=home.path)

    own = by_file.set_index("subject_id").loc[ids].reset_index()
    pd.testing.assert_frame_equal(by_rows, own)
    np.testing.assert_array_equal(by_rows["probability"], explained.probability)
    parts = by_rows[[f"contribution_{name}" for name in explained.contributions]]
    np.testing.assert_array_equal(parts, explained.contributions)
    interactions = explained.interaction_values()
    np.testing.assert_allclose(interactions.sum(axis=2), explained.contributions, atol=1e-9)
    places = {name: at for at, name in enumerate(explained.contributions)}
    for at, pairs in enumerate(explained.interactions(2)):
        for pair in pairs:
            first, second = (places[name] for name in pair.features)
            assert pair.log_odds == pytest.approx(2 * interactions[at, first, second], abs=1e-12)
            assert ", with: " in pair.words
    shapes = explained.to_shap()
    np.testing.assert_allclose(shapes.values.sum(axis=1) + shapes.base_values, by_rows["log_odds"])
    _draw_with_shap(explained)
    for language in ("en", "fr", "ar"):
        words = explained.in_words(language)
        assert [len(of_row) for of_row in words] == [len(r) for r in explained.reasons(language)]
        assert any(words)
    with pytest.raises(tg.TidegateError, match="'xx' is no language here"):
        explained.in_words("xx")
    with pytest.raises(tg.TidegateError, match=f"the nearest is '{ids[0]}'"):
        tg.explain(CHAMPION, data, [f"{ids[0]}0"], home=home.path)
    with pytest.raises(CatalogueMismatch, match="the model needs the feature"):
        tg.explain(CHAMPION, [{"subject_id": "S"}], home=home.path)


def _draw_with_shap(explained: tg.Explanation) -> None:
    """Draw what users draw, and read off the plots what adds up."""
    matplotlib.use("Agg")
    shapes, first = explained.to_shap(), explained.log_odds.iloc[0]
    shap.plots.waterfall(shapes[0], show=False)
    marks = [label.get_text() for axes in pyplot.gcf().axes for label in axes.get_xticklabels()]
    (told,) = [mark for mark, name in zip(marks[1:], marks, strict=False) if name == "$f(x)$"]
    assert float(told.strip("$= ").replace("\N{MINUS SIGN}", "-")) == pytest.approx(first, abs=6e-4)
    pyplot.close("all")
    named = explained.contributions.abs().mean().sort_values(ascending=False).index
    name = next(n for n in named if pd.api.types.is_numeric_dtype(explained.values[n]))
    axes = shap.plots.scatter(shapes[:, name], show=False)
    drawn = np.concatenate([np.asarray(c.get_offsets())[:, 1] for c in axes.collections])
    known = explained.contributions[name][explained.values[name].notna()]
    assert set(known) <= set(drawn)
    pyplot.close("all")


def test_gates_and_figures_are_those_of_the_commands(home: tg.Home, data: tg.TrainingSet) -> None:
    models, champion = ModelHome(home.path), home.model(CHAMPION)
    by_command = [*verdicts_on_registered(CHAMPION, models, data, None)]

    assert [*tg.gates(CHAMPION, data, home=home.path)] == by_command
    assert [*tg.gates(champion, data.folder, home=home.path)] == by_command[1:]
    excused = tg.gates(CHAMPION, data, profile="trial", home=home.path)
    assert all(verdict.is_open for verdict in excused if verdict.verdict == "undecided")
    compared = tg.compare([CHAMPION, champion], data, home=home.path)
    roc_auc = tg.evaluate(CHAMPION, data, home=home.path).inspected.roc_auc
    assert compared["inspected_roc_auc"].tolist() == [roc_auc.value] * 2
    assert compared["recall_gain"].tolist() == [0, 0]
    assert compared["recall_gain_low"].iloc[1] < 0 < compared["recall_gain_high"].iloc[1]

    run_id = models.registration_of(models.find(CHAMPION)).run_id
    words = [
        "compare",
        CHAMPION,
        run_id,
        CHAMPION,
        "--baselines",
        "--home",
        str(home.path),
        "--json",
    ]
    told = CliRunner().invoke(commands, words)
    assert told.exit_code == 0, told.output
    rows = json.loads(told.stdout)["models"]
    plain = ["logistic regression", "histogram boosting"]
    assert [row["model"] for row in rows] == [CHAMPION, run_id, CHAMPION, *plain]
    assert [row["inspected_roc_auc"] for row in rows[:3]] == [roc_auc.value] * 3
    assert all(0.5 < row["inspected_roc_auc"] < 1 for row in rows[3:])

    later = replace(data, declared_at=data.declared_at + np.timedelta64(3_650, "D"))
    with pytest.raises(WindowUnusable, match="0 confirmed and 0 cleared of then"):
        tg.compare([CHAMPION], later, with_baselines=True, home=home.path)


def test_scores_of_any_origin_are_judged(data: tg.TrainingSet, home: tg.Home) -> None:
    window = TimeSplit.from_training_set(data, PARAMETERS.split).evaluation
    scored = scored_window(home.model(CHAMPION), data, window)
    scores = [
        {"subject_id": each, "log_odds": float(log_odds)}
        for each, log_odds in zip(data.subject_ids[scored.rows], scored.log_odds, strict=True)
    ]

    given: dict[str, Any] = {"parameters": PARAMETERS, "home": home.path}
    by_model = tg.evaluate(CHAMPION, data, home=home.path).inspected.roc_auc.value
    assert tg.evaluate(scores, data, **given).inspected.roc_auc.value == by_model
    said = {each.gate: each.verdict for each in tg.gates(polars.DataFrame(scores), data, **given)}
    assert said["no worse than the champion"] == "undecided"
    with pytest.raises(TrainingError, match="the column 'log_odds' is missing"):
        tg.gates([{"subject_id": "S"}], data, **given)


def test_a_feature_is_shown_with_what_it_is_made_of(home: tg.Home, data: tg.TrainingSet) -> None:
    rows = data.to_pandas().set_index("subject_id")
    subject = rows["mass_per_package_kg"].dropna().index[0]
    shown = tg.show("mass_per_package_kg", subject, home=home.path)

    assert shown.value == rows["mass_per_package_kg"][subject]
    assert set(shown.declared) == {"gross_mass_kg", "packages"}
    assert shown.declared["gross_mass_kg"] / shown.declared["packages"] == shown.value
    assert shown.in_words().startswith("A package weighs")
    with pytest.raises(UnknownFeature, match="the nearest are mass_per_package_kg"):
        tg.show("mass_per_packages", subject, home=home.path)
    with pytest.raises(RecordsError, match="no journey or shipment 'none'"):
        tg.show("mass_per_package_kg", "none", home=home.path)
    with pytest.raises(ValueError, match="want a later `at`"):
        tg.show("mass_per_package_kg", subject, at=shown.at - timedelta(days=1), home=home.path)


@pytest.mark.parametrize(
    ("feature", "given", "expect"),
    [
        ("mass_per_package_kg", {"shipments": {"gross_mass_kg": 900.0, "packages": 30}}, 30.0),
        ("mass_per_package_kg", {"shipments": [{"gross_mass_kg": 900.0}]}, None),
        (
            "item_chapter_count",
            {"shipments": {}, "goods_items": [{}, {"commodity_code": "1006300000"}, {}]},
            2.0,
        ),
    ],
)
def test_a_feature_is_assured_in_one_line(feature: str, given: Any, expect: Any) -> None:
    tg.assure(feature, given=given, expect=expect)

    with pytest.raises(AssertionError, match=f"{feature} is {expect!r}, expected 31.0: "):
        tg.assure(feature, given=given, expect=31.0)
