"""Approvals, waivers and versions that promotions are tried with."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.training.planted import INPUTS
from training.confidence_intervals import Estimate
from training.data.training_set import TrainingSet
from training.errors import PromotionRefused
from training.evaluation.evaluation_report import EvaluationReport, ProxyFigures
from training.fit.label_influence import InfluenceFigures
from training.gates.verdict import Verdict
from training.gates.waivable import Waivable
from training.gates.waiver import WaiverRequest
from training.leakage.finding import LeakageFinding
from training.model.model_home import ModelHome
from training.model.risk_model import BOOSTER, PEERS, REPORT, RiskModel, sha256
from training.registry.mlflow.store import TrackingStore
from training.registry.promotion import Approval, promote_version

NAME = "tidegate-shipment"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
GRACE = Approval("grace", NOON)
COMPARISONS: tuple[Waivable, ...] = ("no worse than the champion", "canaries", "control lane")
FIRST = WaiverRequest(
    COMPARISONS,
    "There is no champion yet that it could be compared with.",
    NOON + timedelta(days=90),
    requested_by="joan",
)
LEAVE = WaiverRequest(
    ("groups",), "The office opened in May; its figures settle.", NOON + timedelta(days=90)
)
LEAVE_FIRST = replace(FIRST, gates=("groups", *COMPARISONS), because=LEAVE.because)


def champion_in(store: TrackingStore) -> str:
    return str(store.client.get_model_version_by_alias(NAME, "champion").version)


def versions(home: ModelHome) -> list[str]:
    return sorted((f.name for f in (home.home / "models" / NAME).glob("[0-9]*")), key=int)


def gates_of(refusal: PromotionRefused) -> list[str]:
    """The gates that stay shut."""
    return [reason.split(",")[0] for reason in refusal.reasons]


def put_in_place(
    home: ModelHome, version: str, manifest: dict[str, Any], report: dict[str, Any]
) -> None:
    """Change what a version says of itself, sealed and registered as if it had been trained so."""
    folder = home.folder_of(NAME, version)
    registration, model = home.registration_of(folder), RiskModel.read(folder, None, INPUTS)
    told = EvaluationReport.model_validate_json(model.report_json).model_copy(update=report)
    files = {
        BOOSTER: model.booster_text.encode(),
        REPORT: told.as_bytes,
        PEERS: model.peers.content,
    }
    digests = {name: sha256(content) for name, content in files.items()}
    changed = model.manifest.model_copy(update={"files": digests, **manifest})
    shutil.rmtree(folder)
    made = RiskModel.from_files(changed, files, INPUTS)
    home.add_version(made, registration.model_copy(update={"digest": made.digest}))


def refused_by_one(gate: str, model: RiskModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """What to change in a manifest and in a report so that one gate alone must refuse."""
    manifest, report = model.manifest, EvaluationReport.model_validate_json(model.report_json)
    population = report.population
    first, *others = manifest.golden
    other_answer = first.model_copy(update={"log_odds": first.log_odds + 1e-6})
    leak = LeakageFinding(
        check="single feature", is_refusal=True, features=("x",), evidence="x tells"
    )
    heavy = InfluenceFigures(by="office", groups=3, largest=0.4, largest_before=0.9, allowed=0.3)
    by_chance = replace(population.figures, roc_auc=Estimate(0.45, 0.4, 0.49))
    too_high = replace(population.calibration, slope=Estimate(9.0, 8.0, 10.0))
    far = population.groups[0].model_copy(update={"group": "far", "p_above": 0.99})
    changed = {
        "better than random": {"figures": by_chance},
        "calibration": {"calibration": too_high},
        "groups": {"groups": (*population.groups, far)},
    }
    if gate in changed:
        return {}, {"population": population.model_copy(update=changed[gate])}
    return {
        "golden vectors": ({"golden": (other_answer, *others)}, {}),
        "leakage": ({}, {"leakage": (leak,)}),
        "proxies": ({}, {"proxies": (ProxyFigures(feature="corridor", information_share=0.51),)}),
        "influence": ({}, {"influence": (heavy,)}),
    }[gate]


def with_unfair_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the report says, the gate finds a group referred too often."""
    shut = Verdict("groups", "refused", "office far-away: 0.4 of clean subjects are referred")
    monkeypatch.setattr("training.gates.score_gates.fair_to_groups", lambda report: shut)


def with_a_champion_of_another_catalogue(
    home: ModelHome, store: TrackingStore, data: TrainingSet, version: str
) -> None:
    """A release later: the catalogue computes a feature of the champion differently."""
    promote_version(f"{NAME}/{version}", home, store, GRACE, data, INPUTS, FIRST)
    folder = home.folder_of(NAME, version)
    model = RiskModel.read(folder, home.public_key, INPUTS)
    first, *rest = model.manifest.features
    other = first.model_copy(update={"computation": "sha256:" + "e" * 64})
    former = model.manifest.model_copy(update={"features": (other, *rest)})
    kept = {"registration.json": (folder / "registration.json").read_bytes()}
    replace(model, manifest=former).write(folder, home.signing_key, kept)
