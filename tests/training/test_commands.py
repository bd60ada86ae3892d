"""The three commands over a real catalogue, as a person or a script calls them."""

import json
import multiprocessing
import os
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner, Result

from features.catalogue import features_of
from features.definition import Unit
from features.digests.computations import catalogue_fingerprint, computation_digests
from serving.cli.evaluate import evaluate
from serving.cli.fit_worker import fit_worker
from serving.cli.gates import gates
from serving.cli.promote import promote
from serving.cli.train import train
from tests.ports import free_port
from tests.training.planted import planted_world, write_training_set
from training.data.training_set import TrainingSet
from training.errors import TrainingError, TrainingSetError, WindowUnusable
from training.evaluation.reevaluation import scored_window, unseen_window
from training.model.model_home import ModelHome
from training.model.risk_model import RiskModel
from training.registry.mlflow.store import TrackingStore


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a training set of shipments in every feature of the catalogue."""
    home = tmp_path_factory.mktemp("home")
    planted, outcomes, subjects = planted_world(4_000, seed=7)
    lots = np.random.default_rng(1)
    columns: dict[str, object] = {name: planted[name] for name in ("subject_id", "declared_at")}
    for place, feature in enumerate(features_of("shipment")):
        if feature.is_categorical:
            columns[feature.name] = planted["corridor"]
        elif feature.unit is Unit.YES_NO:
            columns[feature.name] = (planted["late_payments_30d"] > 1).astype(float)
        elif feature.direction.value:
            columns[feature.name] = planted["late_payments_30d"] * feature.direction.value
        elif place % 2:
            columns[feature.name] = planted["value_per_kg_ratio"]
        else:
            columns[feature.name] = lots.normal(size=len(planted))
    features = pd.DataFrame(columns)
    write_training_set(
        home / "training_sets" / "shipment",
        features,
        outcomes,
        subjects,
        catalogue=catalogue_fingerprint("shipment"),
        computations=computation_digests("shipment"),
    )
    return home


@pytest.fixture(scope="module")
def tidegate() -> typer.Typer:
    app = typer.Typer()
    for command in (train, evaluate, promote, gates):
        app.command()(command)
    return app


UNDECIDED = (
    "better than random",
    "calibration",
    "groups",
    "proxies",
    "no worse than the champion",
    "canaries",
    "control lane",
)
# The leakage checks of so many columns take longer than all else.
HURRIED = "[leakage]\nis_checked = false\n[evaluation]\nredraws = 20\n"


def in_a_month() -> str:
    return f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"


def call(tidegate: typer.Typer, home: Path, *words: str) -> Result:
    return CliRunner().invoke(tidegate, [*words, "--home", str(home)])


def test_a_model_is_trained_judged_and_promoted_from_the_command_line(
    tidegate: typer.Typer, home: Path, tmp_path: Path
) -> None:
    experiment = tmp_path / "parameters.toml"
    experiment.write_text("threads = 1\n[trees]\ntrees = 20\n[evaluation]\nredraws = 20\n")

    words = ["--subject", "shipment", "--trainer", "ada", "--experiment", str(experiment), "--json"]
    trained = call(tidegate, home, "train", *words)
    assert trained.exit_code == 0, trained.exception
    version = json.loads(trained.stdout)
    assert version["name"] == "tidegate-shipment"
    assert version["trainer"] == "ada"

    judged = call(tidegate, home, "evaluate", "--model", "tidegate-shipment@challenger", "--json")
    assert judged.exit_code == 0, judged.exception
    report = json.loads(judged.stdout)
    auc = version["metrics"]["roc_auc"]["value"]
    assert report["inspected"]["roc_auc"]["value"] == pytest.approx(auc, abs=1e-12)
    assert (home / "evaluations/tidegate-shipment/1/report.html").exists()

    words = ["promote", "--model", "tidegate-shipment/1"]
    own = call(tidegate, home, *words, "--approver", "ada")
    assert "approver, refused: trained by 'ada', approved by 'ada'" in str(own.exception)
    assert own.stdout == ""

    pilot = [*words, "--profile", "pilot"]
    alone = call(tidegate, home, *pilot, "--approver", "grace")
    assert alone.exit_code == 1
    assert "proxies, undecided: " in str(alone.exception)
    assert "canaries" not in str(alone.exception)
    assert "two people may answer for what is undecided: --waive" in str(alone.exception)
    in_json = call(tidegate, home, *pilot, "--approver", "grace", "--json")
    told = json.loads(in_json.stdout)
    assert "proxies" in told["undecided"]
    assert any(reason.startswith("proxies, undecided: ") for reason in told["refused"])

    waived = [word for gate in UNDECIDED for word in ("--waive", gate)]
    why = ["--because", "The first champion of a trial.", "--until", in_a_month()]
    lonely = call(tidegate, home, *pilot, "--approver", "grace", *waived, *why)
    assert "want a requester who is not the signer" in str(lonely.exception)
    asked = ["--approver", "grace", "--requested-by", "ada", *waived, *why]
    other = call(tidegate, home, *pilot, *asked, "--json")
    assert other.exit_code == 0, other.exception
    promoted = json.loads(other.stdout)
    assert promoted["champion"]["version"] == "1"
    verdicts = {v["gate"]: (v["verdict"], v["is_waived"]) for v in promoted["verdicts"]}
    assert verdicts["canaries"] == ("undecided", True)
    assert verdicts["leakage"] == ("passed", False)
    trial = call(tidegate, home, *words, "--approver", "grace", "--json")
    answers = {v["gate"]: v["not_required_in"] for v in json.loads(trial.stdout)["verdicts"]}
    assert (answers["proxies"], answers["leakage"]) == ("trial", None)
    assert "mlflow" not in (trained.stderr + judged.stderr + other.stderr).lower()

    another = shutil.copytree(home / "training_sets/shipment", tmp_path / "another")
    subjects = pq.read_table(another / "subjects.parquet")
    (another / "subjects.parquet").unlink()
    pq.write_table(subjects, another / "subjects.parquet", compression="none")
    misled = call(tidegate, home, *words, *asked, "--training-set", str(another))
    assert "version 1 is from another training set; leave --training-set out" in str(
        misled.exception
    )


def test_a_search_leaves_its_best_parameters_and_its_trials_inside_the_run(
    tidegate: typer.Typer, home: Path, tmp_path: Path
) -> None:
    experiment = tmp_path / "parameters.toml"
    experiment.write_text(f"threads = 1\n[trees]\ntrees = 10\n{HURRIED}")
    words = ["train", "--subject", "shipment", "--json"]

    searched = call(tidegate, home, *words, "--experiment", str(experiment), "--search", "2")
    assert searched.exit_code == 0, searched.exception
    [best] = (home / "searches").glob("shipment-*.toml")
    again = call(tidegate, home, *words, "--experiment", str(best))

    version = json.loads(searched.stdout)
    assert json.loads(again.stdout)["digest"] == version["digest"]
    client = TrackingStore.open(home).client
    experiment_id = client.get_run(version["run_id"]).info.experiment_id
    inside = client.search_runs(
        [experiment_id], f"tags.`mlflow.parentRunId` = '{version['run_id']}'"
    )
    assert sorted(run.info.run_name for run in inside) == ["trial 0", "trial 1"]
    assert all(run.data.metrics["best_ranking_loss"] < 0.5 for run in inside)
    assert all("trees.leaves" in run.data.params for run in inside)


def test_a_wrong_parameter_and_an_absent_set_end_with_a_reason(
    tidegate: typer.Typer, home: Path, tmp_path: Path
) -> None:
    experiment = tmp_path / "parameters.toml"
    experiment.write_text("[trees]\nleafs = 3\n")

    wrong = call(tidegate, home, "train", "--subject", "shipment", "--experiment", str(experiment))
    absent = call(tidegate, home, "train", "--subject", "route")

    assert isinstance(wrong.exception, TrainingError)
    assert "did you mean 'leaves'" in str(wrong.exception)
    assert isinstance(absent.exception, TrainingSetError)
    assert "features.parquet is missing" in str(absent.exception)


@pytest.fixture(scope="module")
def version(tidegate: typer.Typer, home: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registered model of few trees, as a reference."""
    experiment = tmp_path_factory.mktemp("experiment") / "parameters.toml"
    experiment.write_text(f"threads = 1\n[trees]\ntrees = 20\n{HURRIED}")
    words = ["--subject", "shipment", "--experiment", str(experiment), "--json"]
    trained = json.loads(call(tidegate, home, "train", *words).stdout)
    return f"tidegate-shipment/{trained['version']}"


@pytest.fixture(scope="module")
def scores(home: Path, version: str) -> pd.DataFrame:
    """What that model says of its evaluation window."""
    models = ModelHome(home)
    model = RiskModel.read(models.find(version), models.public_key)
    data = TrainingSet.read(home / "training_sets" / "shipment", "shipment")
    scored = scored_window(model, data, unseen_window(model, data))
    return pd.DataFrame({"subject_id": data.subject_ids[scored.rows], "log_odds": scored.log_odds})


def asked(tidegate: typer.Typer, home: Path, *words: str) -> Result:
    return call(
        tidegate, home, "gates", "--training-set", str(home / "training_sets/shipment"), *words
    )


def test_gates_say_the_same_of_a_model_and_of_its_scores(
    tidegate: typer.Typer, home: Path, version: str, scores: pd.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / "scores.csv"
    scores.sample(frac=1, random_state=1).to_csv(file, index=False)

    of_model = asked(tidegate, home, "--model", version, "--champion", version, "--json")
    of_scores = asked(tidegate, home, "--scores", str(file), "--champion", version, "--json")
    in_words = asked(tidegate, home, "--scores", str(file), "--profile", "pilot")

    assert of_model.exit_code == of_scores.exit_code == in_words.exit_code == 0
    model_gates = {gate["name"]: gate for gate in json.loads(of_model.stdout)["gates"]}
    score_gates = {gate["name"]: gate for gate in json.loads(of_scores.stdout)["gates"]}
    assert set(model_gates) - set(score_gates) == {
        *("artefact", "golden vectors", "leakage", "proxies", "influence", "canaries")
    }
    for name, gate in score_gates.items():
        assert gate == model_gates[name]
        assert gate["verdict"] in ("passed", "refused", "undecided")
        assert gate["says"]
    assert model_gates["leakage"]["verdict"] == "refused"
    assert score_gates["no worse than the champion"]["verdict"] == "passed"
    said = " ".join(in_words.stderr.split())
    assert "undecided, not required in a pilot no worse than the champion: there is no" in said
    assert all(gate["not_required_in"] is None for gate in model_gates.values())
    assert re.search(r"; confirmed subjects: \d+ are known[;,] about 68 are", said)
    counted = {name for name, gate in model_gates.items() if gate["cases"]}
    # A version compared with itself ranks alike, which needs no case.
    assert counted > {"better than random", "calibration", "proxies"}
    assert in_words.stdout == ""


def test_scores_that_say_nothing_do_not_pass(
    tidegate: typer.Typer, home: Path, version: str, scores: pd.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / "scores.parquet"
    scores.assign(log_odds=-20.0).to_parquet(file)

    words = ("--scores", str(file), "--champion", version, "--json")
    answers = json.loads(asked(tidegate, home, *words).stdout)["gates"]

    by_name = {gate["name"]: gate["verdict"] for gate in answers}
    assert by_name["calibration"] != "passed"
    assert by_name["better than random"] != "passed"
    assert by_name["no worse than the champion"] == "refused"


def test_a_champion_that_has_learnt_from_the_window_is_refused_with_both_periods(
    tidegate: typer.Typer, home: Path, version: str, scores: pd.DataFrame, tmp_path: Path
) -> None:
    file, experiment = tmp_path / "scores.csv", tmp_path / "parameters.toml"
    scores.to_csv(file, index=False)
    later = "[split]\nfit_share = 0.6\ncalibration_share = 0.35\nlabel_gap_days = 1\n"
    experiment.write_text(f"threads = 1\n{later}{HURRIED}[trees]\ntrees = 5\n")
    words = ["--subject", "shipment", "--experiment", str(experiment), "--json"]
    trained = call(tidegate, home, "train", *words)
    assert trained.exit_code == 0, trained.exception
    newer = f"tidegate-shipment/{json.loads(trained.stdout)['version']}"

    for judged in (["--model", version], ["--scores", str(file)]):
        refused = asked(tidegate, home, *judged, "--champion", newer, "--json")
        assert isinstance(refused.exception, WindowUnusable), refused.exception
        assert refused.exit_code == 1
        assert refused.stdout == ""
        models = ModelHome(home)
        seen, judged_on = (
            RiskModel.read(models.find(name), models.public_key).manifest.training_window
            for name in (newer, version)
        )
        assert f"until before {seen.evaluation.begins:%Y-%m-%d}" in str(refused.exception)
        assert f"goes from {judged_on.evaluation.begins:%Y-%m-%d}" in str(refused.exception)
    allowed = asked(tidegate, home, "--model", newer, "--champion", version, "--json")
    assert allowed.exit_code == 0, allowed.exception


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda scores: scores.iloc[1:], "of the evaluation window is missing"),
        (lambda scores: pd.concat([scores, scores.iloc[:1]]), "appears twice"),
        (lambda scores: scores.assign(log_odds=np.nan), "has no finite number"),
        (lambda scores: scores.assign(subject_id="S-0"), "appears twice"),
    ],
)
def test_a_file_of_scores_that_cannot_be_judged_is_named(
    tidegate: typer.Typer,
    home: Path,
    scores: pd.DataFrame,
    tmp_path: Path,
    spoil: Callable[[pd.DataFrame], pd.DataFrame],
    says: str,
) -> None:
    file = tmp_path / "scores.csv"
    spoil(scores).to_csv(file, index=False)

    refused = asked(tidegate, home, "--scores", str(file), "--json")

    assert isinstance(refused.exception, TrainingError)
    assert says in str(refused.exception)
    assert refused.stdout == ""


def test_either_a_model_or_scores_are_judged(
    tidegate: typer.Typer, home: Path, version: str, tmp_path: Path
) -> None:
    neither = asked(tidegate, home)
    both = asked(tidegate, home, "--model", version, "--scores", str(tmp_path / "scores.csv"))

    assert neither.exit_code == both.exit_code == 2


def called_worker(where: str, key: str) -> None:
    os.environ["TIDEGATE_WORKERS_KEY"] = key
    fit_worker(where)


def test_workers_that_others_start_train_a_model_that_says_so(
    tidegate: typer.Typer, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, where = "only this test knows it", f"127.0.0.1:{free_port()}"
    experiment = tmp_path / "parameters.toml"
    experiment.write_text(f"threads = 1\n[trees]\ntrees = 10\n{HURRIED}")
    words = ["train", "--subject", "shipment", "--experiment", str(experiment), "--json"]
    words += ["--workers", "2", "--listen", where]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["training.fit.workers.worker"])
    processes = [context.Process(target=called_worker, args=(where, key)) for _ in range(2)]
    for process in processes:
        process.start()
    monkeypatch.setenv("TIDEGATE_WORKERS_KEY", key)

    trained = call(tidegate, home, *words)

    assert trained.exit_code == 0, trained.exception
    version = json.loads(trained.stdout)
    model = ModelHome(home).folder_of(version["name"], version["version"])
    learnt = json.loads((model / "manifest.json").read_text())["parameters"]["trees"]
    assert (learnt["learner"], learnt["monotone"]) == ("data_parallel", "basic")
    for process in processes:
        process.join(20)
        assert process.exitcode == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--listen", "127.0.0.1:7400"], "goes with --workers"),
        (["--engine", "spark"], "goes with --workers"),
        (["--workers", "1"], "greater than or equal to 2"),
        (["--workers", "2", "--listen", "7400"], "want HOST:PORT"),
        (["--workers", "2", "--listen", "127.0.0.1:7400"], "need a secret of 16 or more letters"),
        (["--workers", "2", "--engine", "spark"], "say where Spark is"),
        (["--workers", "2", "--master", "local"], "goes with --engine spark"),
        (["--workers", "2", "--search", "3"], "a search needs one machine"),
    ],
)
def test_options_of_workers_that_do_not_go_together_are_wrong_usage(
    words: list[str], reason: str, tidegate: typer.Typer, home: Path
) -> None:
    refused = call(tidegate, home, "train", "--subject", "shipment", *words)

    assert refused.exit_code == 2
    assert reason in " ".join(refused.stderr.replace("│", " ").split())


def test_what_only_one_machine_can_is_refused_before_a_worker_is_asked(
    tidegate: typer.Typer, home: Path, tmp_path: Path
) -> None:
    experiment = tmp_path / "parameters.toml"
    words = ["train", "--subject", "shipment", "--experiment", str(experiment), "--workers", "2"]
    for trees, reason in (
        ('monotone = "advanced"', "several workers cannot keep monotone = 'advanced'"),
        ("row_share = 0.5", "want row_share = 1"),
    ):
        experiment.write_text(f"[trees]\n{trees}\n")

        refused = call(tidegate, home, *words)

        assert isinstance(refused.exception, TrainingError)
        assert reason in str(refused.exception)

    experiment.write_text('[trees]\nmonotone = "off"\nlearner = "data_parallel"\n')
    alone = call(tidegate, home, *words[:-2])
    assert isinstance(alone.exception, TrainingError)
    assert "`tidegate train --workers N` has several workers" in str(alone.exception)
