"""A release that computes a feature otherwise refuses models of before, and names the feature."""

import json
from pathlib import Path

import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner

from features.catalogue import features_of
from features.digests.computations import catalogue_fingerprint, computation_digests
from features.errors import CatalogueMismatch
from features.records import SubjectKind
from serving.cli.evaluate import evaluate
from serving.cli.features import features
from serving.cli.score import replay, score
from serving.doctor.all_checks import run_checks
from serving.models.errors import NoModel
from serving.models.model_pool import ModelPool
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.conftest import Service
from training.gates.promotion_verdicts import soundness
from training.model.model_home import ModelHome

app = typer.Typer()
for command in (score, replay, evaluate, features):
    app.command()(command)


def change_tare_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the code of `tare_ratio` were another from here on."""

    def digests(kind: SubjectKind) -> dict[str, str]:
        changed = {"tare_ratio": "sha256:" + "0" * 64} if kind == "shipment" else {}
        return {**computation_digests(kind), **changed}

    monkeypatch.setattr("training.model.model_inputs.computation_digests", digests)
    monkeypatch.setattr(
        "training.model.model_inputs.catalogue_fingerprint",
        lambda kind: catalogue_fingerprint(kind) + "x",
    )


@pytest.fixture(autouse=True)
def read_models() -> None:
    """Models are read anew by a release whose formula is another."""


@pytest.fixture
def changed(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose model of shipments was trained on another `tare_ratio`."""
    change_tare_ratio(monkeypatch)
    return home


def names_model_and_feature(text: str) -> bool:
    return "feature tare_ratio (sha256:0000" in text and "when tidegate-shipment was" in text


def test_the_service_refuses_the_model_and_its_log_names_the_feature(changed: Path) -> None:
    with capture_logs() as log:
        champions = ModelPool(changed / "models", changed / "keys" / "signing.pub")

    (refusal,) = [line for line in log if line.get("subject_kind") == "shipment"]
    assert (refusal["event"], refusal["role"]) == ("model_refused", "champion")
    assert names_model_and_feature(refusal["reason"])
    with pytest.raises(NoModel):
        champions.champion("shipment")


def test_the_doctor_names_the_model_and_the_feature(changed: Path) -> None:
    found = {finding.what: finding for finding in run_checks(Settings(home=changed))}

    assert found["tidegate-shipment@champion"].grade == "wrong"
    assert names_model_and_feature(found["tidegate-shipment@champion"].says)
    assert "`tidegate retrain --subject shipment`" in found["tidegate-shipment@champion"].says


def test_a_promotion_names_the_feature(changed: Path) -> None:
    home = ModelHome(changed)

    (verdict,) = soundness(home.folder_of("tidegate-shipment", "1"), "", home, None)

    assert verdict.verdict == "refused"
    assert names_model_and_feature(verdict.reason)


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "--model", "tidegate-shipment/1"],
        ["score", "submissions.ndjson", "--subject", "shipment", "--out", "scores.parquet"],
    ],
    ids=lambda words: words[0],
)
def test_commands_that_ask_the_model_refuse_and_name_the_feature(
    changed: Path, words: list[str]
) -> None:
    result = CliRunner().invoke(app, [*words, "--home", str(changed)])

    assert isinstance(result.exception, CatalogueMismatch)
    assert names_model_and_feature(str(result.exception))


def test_a_stored_decision_is_still_replayed_to_the_bit(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = service.score(shipment(), service.key("score")).json()
    change_tare_ratio(monkeypatch)

    words = ["replay", decision["decision_id"], "--home", str(service.home), "--json"]
    result = CliRunner().invoke(app, words)

    assert result.exit_code == 0
    assert json.loads(result.stdout)["identical"]


def test_the_catalogue_is_printed_by_kind_with_digests_and_nothing_else_on_stdout() -> None:
    result = CliRunner().invoke(app, ["features", "--json"])

    printed = json.loads(result.stdout)
    assert [*printed] == ["route", "shipment"]
    for kind in ("route", "shipment"):
        listed = {each["name"]: each["computation"] for each in printed[kind]["features"]}
        assert listed == computation_digests(kind)
        assert printed[kind]["fingerprint"] == catalogue_fingerprint(kind)
        assert printed[kind]["features"][0]["meaning"] == features_of(kind)[0].meaning


def test_a_feature_by_name_is_shown_with_a_digest_for_each_kind_of_subject() -> None:
    card = CliRunner().invoke(app, ["features", "document_count"]).stdout
    printed = json.loads(CliRunner().invoke(app, ["features", "document_count", "--json"]).stdout)

    assert printed["computation"] == {
        kind: computation_digests(kind)["document_count"] for kind in ("route", "shipment")
    }
    assert all(digest in card for digest in printed["computation"].values())
