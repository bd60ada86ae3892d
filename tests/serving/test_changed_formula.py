"""A release that computes a feature otherwise refuses models of before, and names the feature.

One that has other features in addition serves those models as before.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner

from features.catalogue import features_of
from features.digests.computations import catalogue_fingerprint, computation_digests
from features.errors import CatalogueMismatch
from features.records import SubjectKind
from features.vector import Vector
from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.cli.evaluate import evaluate
from serving.cli.features import features
from serving.cli.score import replay, score
from serving.doctor.all_checks import run_checks
from serving.models.errors import NoModel
from serving.models.model_pool import ModelPool
from serving.scoring.assessment import AssessmentRequest
from serving.scoring.shadow_scoring import ShadowRequest
from serving.settings import Settings
from tests.counts import count
from tests.docs.recipes import recipes
from tests.forked_pytest import copy_project
from tests.serving.assessed import answers
from tests.serving.bodies import shipment, submission
from tests.serving.conftest import NOW, Service
from training.gates.promotion_verdicts import soundness
from training.model.model_home import ModelHome
from training.model.model_inputs import ModelInputs

NEWER = "newer_ratio"

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


def with_a_newer_feature(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if from here on the catalogue had one feature more, and all in another order."""
    for_subject, vectors = ModelInputs.for_subject, service.services.history.vectors

    def later_inputs(kind: SubjectKind) -> ModelInputs:
        now = for_subject(kind)
        return replace(
            now,
            features=(replace(now.features[0], name=NEWER), *reversed(now.features)),
            computations={NEWER: "sha256:" + "0" * 64, **now.computations},
        )

    def later_vectors(submissions: Any) -> list[Vector]:
        return [
            Vector([(NEWER, 7.0), *reversed(each.items())], each.said_with)
            for each in vectors(submissions)
        ]

    monkeypatch.setattr(ModelInputs, "for_subject", later_inputs)
    monkeypatch.setattr(service.services.history, "vectors", later_vectors)


def test_a_newer_feature_and_another_order_change_no_bit_of_answers_and_replays(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps(shipment()).encode()
    caller = Caller("caller", "a caller", frozenset({"score", "explain"}), frozenset())
    asked = AssessmentRequest(caller, submission(shipment()), body, NOW)
    (before,) = service.services.assessor.assess([asked])
    stored = [service.score(shipment(shipment_id="S-old"), service.key("score")).json()]

    with_a_newer_feature(service, monkeypatch)
    models = ModelPool(service.home / "models", service.home / "keys" / "signing.pub")
    assert models.refused == {}
    monkeypatch.setattr(service.services.models, "champion", models.champion)
    (after,) = service.services.assessor.assess([asked])
    stored.append(service.score(shipment(shipment_id="S-new"), service.key("score")).json())

    assert isinstance(before, Decision)
    assert isinstance(after, Decision)
    own = {"decision_id": before.decision_id, "said_with": before.said_with, "unread": {}}
    assert after.model_copy(update=own).as_json() == before.as_json()
    # A challenger may read what the champion does not.
    assert ShadowRequest.about(after).vector == before.vector | {NEWER: 7.0}
    change_tare_ratio(monkeypatch)
    for decision in stored:
        words = ["replay", decision["decision_id"], "--home", str(service.home), "--json"]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0
        assert json.loads(result.stdout)["identical"]


OVER_HISTORY = """

@shipment_feature(
    distinct("shipments", "destination_country", by="consignee_id", days=180),
    unit=Unit.COUNT,
    when_missing="never; a new consignee has 0",
    indicator=None,
    source=PRACTICE,
    sentence="its consignee received goods in {value} countries in 180 days",
)
def consignee_countries_180d() -> None:
    \"\"\"Different countries in which the same consignee received goods in 180 days.\"\"\"
"""


@pytest.mark.faults
@pytest.mark.skipif(not count(0, 1), reason="traces every feature anew: `make faults`")
def test_an_older_model_answers_and_replays_to_the_bit_once_features_were_added_by_the_recipe(
    service: Service, tmp_path: Path
) -> None:
    copy, later = copy_project(tmp_path / "copy"), tmp_path / "later"
    (recipe,) = [each for each in recipes() if each.name == "A feature"]
    for edit in recipe.edits:
        edit.apply(copy)
    partners, catalogue = (
        copy / "features" / each for each in ("families/partners.py", "catalogue.py")
    )
    partners.write_text(partners.read_text() + OVER_HISTORY)
    line = "    partners.consignee_consignors_180d,\n"
    added = f"    partners.consignee_countries_180d,\n{line}"
    catalogue.write_text(catalogue.read_text().replace(line, added))

    def run(*words: str) -> str:
        """What the later release prints."""
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{copy / 'data'}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    # The state is made anew while the older release serves, which goes on.
    run("serving.cli", "state", "rebuild", "--home", str(service.home))
    stored = service.score(shipment(shipment_id="S-old"), service.key("score"))
    assert stored.status_code == 200
    before = answers(service.services)
    shutil.copytree(service.home, later)

    told = json.loads(run("tests.serving.assessed", str(later)))

    assert all(each["score"] for each in before)
    for each in told:
        assert each.pop("unread").keys() == {"net_mass_per_package_kg", "consignee_countries_180d"}
    assert told == [{name: each[name] for name in each if name != "unread"} for each in before]
    replayed = run(
        "serving.cli", "replay", stored.json()["decision_id"], "--home", str(later), "--json"
    )
    assert json.loads(replayed)["identical"]


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
