"""Promotions with one real store; each test has its own copy of the home."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from scipy.stats import rankdata

from tests.training.planted import INPUTS, planted_world, write_training_set
from training.confidence_intervals import Estimate
from training.data.training_set import TrainingSet
from training.errors import ArtefactError, PromotionRefused, UnknownModel, WaiverError
from training.evaluation.evaluation_page import spelt
from training.evaluation.evaluation_report import EvaluationReport, ProxyFigures
from training.evaluation.reevaluation import scored_window, unseen_window
from training.fit.label_influence import InfluenceFigures
from training.gates.canaries import Canaries
from training.gates.promotion_verdicts import promotion_verdicts, waiver_in_force
from training.gates.verdict import Verdict, passed_if, read_verdicts
from training.gates.waiver import Waivable, Waiver, WaiverRequest
from training.leakage.finding import LeakageFinding
from training.model.model_home import ModelHome
from training.model.risk_model import BOOSTER, PEERS, REPORT, RiskModel, sha256
from training.parameters import TrainingParameters, TreeParameters
from training.registry.mlflow.store import TrackingStore
from training.registry.mlflow.versions import clear_alias
from training.registry.promotion import Approval, promote, roll_back, run_as_shadow
from training.registry.registration import register
from training.registry.training_origin import TrainingOrigin
from training.train import Candidate, train

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


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    """So many subjects that every gate can decide, once there is a champion to compare with."""
    world = planted_world(20_000, seed=3)
    folder = write_training_set(tmp_path_factory.mktemp("planted"), *world)
    return TrainingSet.read(folder, "shipment", INPUTS)


@pytest.fixture(scope="module")
def candidates(data: TrainingSet) -> list[Candidate]:
    """Trained where groups may be referred four times as often: so few subjects decide no 1.5."""
    bound = "training.evaluation.group_referrals.LARGEST_FALSE_REFERRAL_RATIO"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bound, 4.0)
        return [
            train(
                data,
                TrainingParameters(
                    threads=1,
                    seed=seed,
                    trees=TreeParameters(trees=60, leaves=6, early_stopping_rounds=0),
                ),
            )
            for seed in (1, 2)
        ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TrackingStore:
    return TrackingStore.open(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory,
    store: TrackingStore,
    candidates: list[Candidate],
    data: TrainingSet,
) -> ModelHome:
    home = ModelHome(tmp_path_factory.mktemp("trained"))
    Canaries.chosen(data, np.datetime64("2025-06-01"), 1).write(home.home, "shipment", NOON)
    for candidate in candidates:
        register(candidate, data, home, store, TrainingOrigin("ada", NOON, None))
    return home


@pytest.fixture
def home(tmp_path: Path, trained: ModelHome) -> ModelHome:
    """Two versions, trained by ada, canaries, and no champion yet."""
    shutil.copytree(trained.home, tmp_path / "home")
    return ModelHome(tmp_path / "home")


def champion_in(store: TrackingStore) -> str:
    return str(store.client.get_model_version_by_alias(NAME, "champion").version)


def versions(home: ModelHome) -> list[str]:
    return sorted((f.name for f in (home.home / "models" / NAME).glob("[0-9]*")), key=int)


def test_a_version_that_passes_every_gate_becomes_champion_everywhere(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)

    done = promote(f"{NAME}@challenger", home, store, GRACE, data, INPUTS)

    assert {verdict.answer for verdict in done.verdicts} == {"passed"}
    assert home.pointer(NAME, "champion").version == second
    assert home.pointer(NAME, "champion").approver == "grace"
    assert champion_in(store) == second
    tags = store.client.get_model_version(NAME, second).tags
    assert tags["tidegate.verdict"] == "passed"
    assert tags["tidegate.gate.golden_vectors"].startswith("passed: 64 recorded rows")
    assert read_verdicts(home.folder_of(NAME, second)) == done.verdicts


def test_a_first_champion_has_nothing_to_be_compared_with_and_two_people_answer_for_it(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    version = versions(home)[-1]
    with pytest.raises(PromotionRefused) as refusal:
        promote(f"{NAME}@challenger", home, store, GRACE, data, INPUTS)

    assert refusal.value.undecided == COMPARISONS
    assert "--waive canaries --waive 'control lane' --requested-by NAME" in str(refusal.value)
    assert store.client.get_model_version(NAME, version).tags["tidegate.verdict"] == "undecided"
    assert home.pointer(NAME, "champion") is None
    assert read_verdicts(home.folder_of(NAME, version)) == ()

    done = promote(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, FIRST)

    waived = tuple(v for v in done.verdicts if v.is_waived)
    assert tuple(v.gate for v in waived) == COMPARISONS
    assert {v.answer for v in waived} == {"undecided, waived"}
    said = "waived by grace, asked by joan, until 2026-04-02: There is no champion yet"
    tags = store.client.get_model_version(NAME, version).tags
    assert tags["tidegate.verdict"] == "waived"
    assert tags["tidegate.gate.canaries"].startswith("undecided, waived: there is no champion")
    assert said in tags["tidegate.gate.canaries"]
    folder = home.folder_of(NAME, version)
    assert said in (folder / "model_card.md").read_text()
    assert read_verdicts(folder) == done.verdicts
    kept = Waiver.read(folder, home.public_key)
    assert (kept.requested_by, kept.given_by) == ("joan", "grace")


@pytest.mark.parametrize("asks", ["ada", "grace"])
def test_neither_the_trainer_alone_nor_the_approver_alone_waives_what_is_undecided(
    home: ModelHome, store: TrackingStore, data: TrainingSet, asks: str
) -> None:
    alone = Approval(asks, NOON)
    for requested_by, wanted in ((asks, "want two different"), (None, "want who asks beside")):
        leave = replace(FIRST, requested_by=requested_by)
        with pytest.raises(WaiverError, match=wanted):
            promote(f"{NAME}@challenger", home, store, alone, data, INPUTS, leave)

    assert home.pointer(NAME, "champion") is None


def test_a_waiver_of_a_gate_that_refuses_is_no_use_where_only_undecided_ones_may_be_waived(
    home: ModelHome, store: TrackingStore, data: TrainingSet, candidates: list[Candidate]
) -> None:
    _, version = versions(home)
    put_in_place(home, version, *refused_by_one("calibration", candidates[1].model))
    leave = replace(FIRST, gates=("calibration", *COMPARISONS))

    with pytest.raises(PromotionRefused) as refusal:
        promote(f"{NAME}/{version}", home, store, GRACE, data, INPUTS, leave)

    assert gates_of(refusal.value) == ["calibration"]
    assert refusal.value.undecided == ()
    assert store.client.get_model_version(NAME, version).tags["tidegate.verdict"] == "refused"


def gates_of(refusal: PromotionRefused) -> list[str]:
    """The gates that stay shut."""
    return [reason.split(",")[0] for reason in refusal.reasons]


def test_a_champion_has_a_card_beside_its_artefact_and_in_its_run(
    home: ModelHome, store: TrackingStore, data: TrainingSet, tmp_path: Path
) -> None:
    approval = Approval("grace | <b>hopper", NOON)
    champion = promote(f"{NAME}@challenger", home, store, approval, data, INPUTS, FIRST).champion

    folder = home.folder_of(NAME, champion.version)
    card = (folder / "model_card.md").read_text()
    run_id = home.registration_of(folder).run_id
    kept = store.client.download_artifacts(run_id, "model_card.md", str(tmp_path))
    assert Path(kept).read_text() == card
    metrics = RiskModel.read(folder, home.public_key, INPUTS).manifest.metrics
    assert f"ROC-AUC {spelt(metrics['roc_auc'])}" in card
    assert "Approved by grace \\| &lt;b>hopper, who answers for its use" in card
    assert "Where every office inspects as many of its own as it did" in card
    for heading in ("What it is not for", "Data", "Groups", "Leakage", "Limits", "Gates"):
        assert f"\n## {heading}\n" in card


def test_a_refused_version_gets_no_card(home: ModelHome, store: TrackingStore) -> None:
    with pytest.raises(PromotionRefused):
        promote(f"{NAME}@challenger", home, store, Approval("ada", NOON), None, INPUTS)

    assert not list(home.home.rglob("model_card.md"))


def test_a_refusal_lists_every_reason_and_changes_no_champion(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)

    with pytest.raises(PromotionRefused) as refusal:
        promote(f"{NAME}/{second}", home, store, Approval("ADA", NOON), None, INPUTS)

    assert gates_of(refusal.value) == ["approver", *COMPARISONS]
    assert "trained by 'ada', approved by 'ADA'" in refusal.value.reasons[0]
    assert home.pointer(NAME, "champion").version == first
    assert champion_in(store) == first
    assert store.client.get_model_version(NAME, second).tags["tidegate.verdict"] == "refused"


def test_a_tampered_version_is_refused(home: ModelHome, store: TrackingStore) -> None:
    booster = home.find(f"{NAME}@challenger") / "booster.txt"
    booster.write_text(booster.read_text().replace("leaf_value=", "leaf_value=9", 1))

    with pytest.raises(PromotionRefused, match=r"artefact, refused: booster\.txt does not"):
        promote(f"{NAME}@challenger", home, store, GRACE, None, INPUTS)


def test_a_sound_artefact_in_the_place_of_another_is_refused(
    home: ModelHome, store: TrackingStore, candidates: list[Candidate]
) -> None:
    first, _ = versions(home)
    folder = home.folder_of(NAME, first)
    kept = {"registration.json": (folder / "registration.json").read_bytes()}
    candidates[1].model.write(folder, home.signing_key, kept)

    with pytest.raises(
        PromotionRefused, match=r"artefact, refused: its digest is .* registered was"
    ):
        promote(f"{NAME}/{first}", home, store, GRACE, None, INPUTS)


def test_a_rollback_names_the_former_champion_again(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    promote(f"{NAME}/{second}", home, store, GRACE, data, INPUTS)
    later = Approval("joan", NOON + timedelta(hours=1))

    roll_back(f"{NAME}@champion", home, store, later, INPUTS)

    champion = home.pointer(NAME, "champion")
    assert (champion.version, champion.approver, champion.previous) == (first, "joan", ())
    assert champion_in(store) == first
    tags = store.client.get_model_version(NAME, second).tags
    assert tags["tidegate.rolled_back_by"] == "joan"
    assert tags["tidegate.rolled_back_at"] == "2026-01-02T13:00:00+00:00"


def test_there_is_nothing_to_roll_back_to_before_the_second_champion(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    with pytest.raises(UnknownModel, match="has no champion"):
        roll_back(NAME, home, store, GRACE, INPUTS)
    promote(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, FIRST)

    with pytest.raises(PromotionRefused, match="is the first champion"):
        roll_back(NAME, home, store, GRACE, INPUTS)


def test_promoting_the_champion_again_does_not_make_it_its_own_predecessor(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    for _ in range(2):
        done = promote(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, FIRST)

    assert done.champion.previous == ()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (f"{NAME}/99999", "there is no .*; its versions are"),
        (f"{NAME}@latest", "want the alias champion, challenger or shadow"),
        (f"{NAME}@shadow", "has no shadow here"),
        (f"{NAME}@champion", "has no champion here"),
        ("tidegate-route@challenger", "train one first"),
        ("no such thing", "is no folder and no reference"),
    ],
)
def test_a_reference_to_nothing_says_what_there_is(
    home: ModelHome, store: TrackingStore, reference: str, message: str
) -> None:
    with pytest.raises(UnknownModel, match=message):
        promote(reference, home, store, GRACE, None, INPUTS)


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
    far = population.groups[0].model_copy(update={"group": "far", "p_within": 1.0, "p_above": 0.0})
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


GATES_OF_THE_MODEL = (
    "golden vectors",
    "better than random",
    "calibration",
    "leakage",
    "groups",
    "proxies",
    "influence",
)


GATES_OF_A_SUCCESSOR = (
    "approver",
    "no worse than the champion",
    "canaries",
    "control lane",
    "live traffic",
)


def test_every_gate_is_asked_and_is_one_that_is_tried_below(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    live = Verdict("live traffic", "passed", "as much was found")

    done = promote(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, FIRST, live)

    asked = [verdict.gate for verdict in done.verdicts]
    assert sorted(asked) == sorted({"artefact", *GATES_OF_THE_MODEL, *GATES_OF_A_SUCCESSOR})


@pytest.mark.parametrize("gate", GATES_OF_THE_MODEL)
def test_a_promotion_that_one_gate_alone_would_refuse_is_refused(
    home: ModelHome,
    store: TrackingStore,
    data: TrainingSet,
    candidates: list[Candidate],
    gate: str,
) -> None:
    _, version = versions(home)
    put_in_place(home, version, *refused_by_one(gate, candidates[1].model))

    with pytest.raises(PromotionRefused) as refusal:
        promote(f"{NAME}/{version}", home, store, GRACE, data, INPUTS, FIRST)

    assert gates_of(refusal.value) == [gate]
    assert home.pointer(NAME, "champion") is None


def against(gate: str, data: TrainingSet, models: tuple[RiskModel, RiskModel]) -> TrainingSet:
    """Later inspections that speak against the second model beside the first, in one respect."""
    window = unseen_window(models[1], data)
    log_odds = [scored_window(m, data, window).subjects(labelled_only=True) for m in models]
    rows = log_odds[0].rows
    champion, other = (rankdata(each.probability) for each in log_odds)
    label = data.outcomes.label.copy()
    selected_by = np.where(np.isnan(label), None, "rule").astype(object)  # type: ignore[arg-type]  # numpy types no objects
    if gate == "control lane":
        is_worse = np.where(label[rows] == 1, other < champion, other > champion)
        selected_by[rows[is_worse]] = "random"
    else:
        top = [each > 0.95 * len(rows) for each in (champion, other)]
        label[rows] = np.where(top[0] & ~top[1], 1, np.where(champion < len(rows) / 4, 1, 0))
    return replace(data, outcomes=replace(data.outcomes, label=label, selected_by=selected_by))


@pytest.mark.parametrize("gate", GATES_OF_A_SUCCESSOR)
def test_a_successor_that_one_comparison_alone_would_refuse_is_refused(
    home: ModelHome,
    store: TrackingStore,
    data: TrainingSet,
    candidates: list[Candidate],
    gate: str,
) -> None:
    """A waiver of what is undecided is no use to it: what refuses it refuses."""
    first, second = versions(home)
    promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    approval = Approval(" Ada", NOON) if gate == "approver" else GRACE
    live = Verdict(gate, "refused", "it found less") if gate == "live traffic" else None
    if gate == "canaries":
        Canaries(("gone-1", "gone-2"), ("gone-3",)).write(home.home, "shipment", NOON)
    elif gate in ("no worse than the champion", "control lane"):
        data = against(gate, data, (candidates[0].model, candidates[1].model))

    with pytest.raises(PromotionRefused) as refusal:
        promote(f"{NAME}/{second}", home, store, approval, data, INPUTS, FIRST, live)

    assert gates_of(refusal.value) == [gate]
    assert home.pointer(NAME, "champion").version == first == champion_in(store)


@pytest.mark.parametrize("given", ["none", "another"])
def test_another_training_set_than_the_one_it_is_from_compares_nothing(
    home: ModelHome, store: TrackingStore, data: TrainingSet, given: str
) -> None:
    first, second = versions(home)
    promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    other = replace(data, digest="sha256:another") if given == "another" else None

    with pytest.raises(PromotionRefused, match="give --training-set") as refusal:
        promote(f"{NAME}/{second}", home, store, GRACE, other, INPUTS)

    assert refusal.value.undecided == COMPARISONS


def with_unfair_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the report says, the gate finds a group referred too often."""
    shut = Verdict("groups", "refused", "office far-away: 0.4 of clean subjects are referred")
    monkeypatch.setattr("training.gates.score_gates.fair_to_groups", lambda report: shut)


def test_a_waiver_opens_the_groups_gate_and_is_told_of_everywhere(
    home: ModelHome, store: TrackingStore, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_unfair_groups(monkeypatch)

    with pytest.raises(PromotionRefused, match="groups, refused: office far-away"):
        promote(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, FIRST)
    done = promote(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, LEAVE_FIRST)

    version = done.champion.version
    folder = home.folder_of(NAME, version)
    said = "waived by grace, asked by joan, until 2026-04-02: The office opened in May"
    waiver = Waiver.read(folder, home.public_key)
    assert waiver.digest == done.champion.digest
    tag = store.client.get_model_version(NAME, version).tags["tidegate.gate.groups"]
    assert tag.startswith("refused, waived: office far-away")
    assert said in tag
    assert said in (folder / "model_card.md").read_text()


def test_a_waiver_opens_no_other_gate_and_is_not_kept_where_none_was_needed(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    with pytest.raises(PromotionRefused, match="approver, refused: trained by"):
        promote(f"{NAME}/{first}", home, store, Approval("ada", NOON), data, INPUTS, LEAVE_FIRST)
    promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    done = promote(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, LEAVE_FIRST)

    assert not any(verdict.is_waived for verdict in done.verdicts)
    assert not list(home.folder_of(NAME, second).glob("waiver.*"))


def test_a_waiver_names_the_gates_that_it_opens(
    home: ModelHome, store: TrackingStore, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.gates.gates.LARGEST_PROXY_SHARE", 0.0)

    with pytest.raises(PromotionRefused, match=r"proxies, refused: .*corridor carries 0\.\d+"):
        promote(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, LEAVE_FIRST)
    both = replace(FIRST, gates=("groups", "proxies", *COMPARISONS))
    done = promote(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, both)

    assert [verdict.gate for verdict in done.verdicts if verdict.is_waived] == [
        "proxies",
        *COMPARISONS,
    ]


def test_nobody_returns_to_a_champion_whose_waiver_has_ended(
    home: ModelHome, store: TrackingStore, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = versions(home)
    with monkeypatch.context() as patch:
        with_unfair_groups(patch)
        promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, LEAVE_FIRST)
    promote(f"{NAME}/{second}", home, store, GRACE, data, INPUTS)

    with pytest.raises(
        PromotionRefused,
        match=r"waiver, refused: groups, .* waived by grace, asked by joan, until 2026-04-02",
    ):
        roll_back(NAME, home, store, Approval("joan", NOON + timedelta(days=91)), INPUTS)
    roll_back(NAME, home, store, Approval("joan", NOON + timedelta(days=89)), INPUTS)

    assert home.pointer(NAME, "champion").version == first


def test_nobody_returns_to_a_champion_by_the_waiver_of_another_version(
    home: ModelHome, store: TrackingStore, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = versions(home)
    longer = replace(LEAVE, until=NOON + timedelta(days=120))
    with_unfair_groups(monkeypatch)
    promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, LEAVE_FIRST)
    promote(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, longer)
    for name in ("waiver.json", "waiver.sig"):
        shutil.copy(home.folder_of(NAME, second) / name, home.folder_of(NAME, first) / name)

    with pytest.raises(PromotionRefused, match="waiver, refused: it was signed for sha256:"):
        roll_back(NAME, home, store, Approval("joan", NOON + timedelta(days=91)), INPUTS)

    assert home.pointer(NAME, "champion").version == second == champion_in(store)


def test_a_shadow_is_named_in_both_places_and_leaves_the_champion_alone(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)

    run_as_shadow(f"{NAME}/{second}", home, store, GRACE, INPUTS)

    assert str(store.client.get_model_version_by_alias(NAME, "shadow").version) == second
    shadow = home.pointer(NAME, "shadow")
    registration = home.registration_of(home.folder_of(NAME, second))
    assert (shadow.digest, shadow.approver, shadow.set_at) == (registration.digest, "grace", NOON)
    assert home.find(f"{NAME}@shadow") == home.folder_of(NAME, second)
    assert home.pointer(NAME, "champion").version == first == champion_in(store)


def test_a_damaged_version_casts_no_shadow(home: ModelHome, store: TrackingStore) -> None:
    (home.find(f"{NAME}@challenger") / "manifest.json").unlink()

    with pytest.raises(PromotionRefused, match=r"artefact, refused: .*manifest\.json is missing"):
        run_as_shadow(f"{NAME}@challenger", home, store, GRACE, INPUTS)

    assert home.pointer(NAME, "shadow") is None


def test_a_folder_that_was_never_registered_cannot_be_promoted(
    tmp_path: Path, home: ModelHome, store: TrackingStore, candidates: list[Candidate]
) -> None:
    candidates[0].model.write(tmp_path / "loose", home.signing_key)

    with pytest.raises(UnknownModel, match="was never registered"):
        promote(str(tmp_path / "loose"), home, store, GRACE, None, INPUTS)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda folder, _: (folder / "manifest.json").unlink(), r"manifest\.json is missing"),
        (lambda folder, _: (folder / "booster.txt").write_text(""), "does not have the digest"),
        (lambda folder, other: shutil.copytree(other, folder, dirs_exist_ok=True), "promoted was"),
    ],
    ids=["a file is missing", "a file was changed", "another model lies in its place"],
)
def test_a_version_is_not_promoted_over_a_champion_that_is_damaged(
    home: ModelHome,
    store: TrackingStore,
    data: TrainingSet,
    damage: Callable[[Path, Path], None],
    reason: str,
) -> None:
    first, second = versions(home)
    promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    damage(home.folder_of(NAME, first), home.folder_of(NAME, second))

    with pytest.raises(PromotionRefused, match=reason) as refusal:
        promote(f"{NAME}/{second}", home, store, GRACE, data, INPUTS)

    (told,) = refusal.value.reasons
    assert told.startswith(f"champion, refused: {NAME} version {first}, the champion, cannot")
    assert home.pointer(NAME, "champion").version == first == champion_in(store)


def with_a_champion_of_another_catalogue(
    home: ModelHome, store: TrackingStore, data: TrainingSet, version: str
) -> None:
    """A release later: what the champion reads is no longer what the catalogue has."""
    promote(f"{NAME}/{version}", home, store, GRACE, data, INPUTS, FIRST)
    folder = home.folder_of(NAME, version)
    model = RiskModel.read(folder, home.public_key, INPUTS)
    former = model.manifest.model_copy(update={"catalogue": "an earlier one"})
    kept = {"registration.json": (folder / "registration.json").read_bytes()}
    replace(model, manifest=former).write(folder, home.signing_key, kept)


def test_a_version_is_not_promoted_over_a_champion_of_another_catalogue(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    with_a_champion_of_another_catalogue(home, store, data, first)

    with pytest.raises(
        PromotionRefused, match=r"champion, refused: .* fitted on catalogue an earlier"
    ):
        promote(f"{NAME}/{second}", home, store, GRACE, data, INPUTS)

    assert home.pointer(NAME, "champion").version == first


def test_a_person_may_answer_for_going_without_the_comparison(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    with_a_champion_of_another_catalogue(home, store, data, first)
    leave = replace(LEAVE, gates=("champion",))

    done = promote(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, leave)

    assert done.champion.version == second
    assert [verdict.gate for verdict in done.verdicts if verdict.is_waived] == ["champion"]
    assert not {"no worse than the champion", "canaries"} & {v.gate for v in done.verdicts}
    assert Waiver.read(home.folder_of(NAME, second), home.public_key).gates == ("champion",)


def test_the_line_of_champions_is_kept_from_the_latest_to_the_first(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    oldest = promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST).champion
    before = oldest.model_copy(update={"approver": "joan"})
    home.point("champion", oldest.model_copy(update={"previous": (before,)}))
    for _ in range(2):
        promote(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, FIRST)

    line = home.pointer(NAME, "champion").previous
    assert line == (oldest, before)

    done = roll_back(NAME, home, store, Approval("joan", NOON + timedelta(hours=1)), INPUTS)

    champion = home.pointer(NAME, "champion")
    assert (champion, champion.version) == (done.champion, first)
    assert champion.set_at == NOON + timedelta(hours=1)
    assert champion.previous == (before,)
    assert [verdict.gate for verdict in done.verdicts] == [
        "artefact",
        "golden vectors",
        "waiver",
    ]


@pytest.mark.parametrize("earlier", [False, True], ids=["the first champion", "a later one"])
def test_where_the_pointer_cannot_be_written_the_registry_names_who_it_named_before(
    home: ModelHome,
    store: TrackingStore,
    data: TrainingSet,
    monkeypatch: pytest.MonkeyPatch,
    earlier: bool,
) -> None:
    first, second = versions(home)
    clear_alias(store, NAME, "champion")
    if earlier:
        promote(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)

    def is_full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(ModelHome, "point", is_full)
    with pytest.raises(OSError, match="no space left"):
        promote(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, FIRST)

    if earlier:
        assert champion_in(store) == first == home.pointer(NAME, "champion").version
    else:
        assert home.pointer(NAME, "champion") is None
        with pytest.raises(MlflowException):
            champion_in(store)


def test_an_artefact_that_does_not_answer_its_rows_is_asked_nothing_else(
    home: ModelHome, data: TrainingSet, candidates: list[Candidate]
) -> None:
    _, version = versions(home)
    put_in_place(home, version, *refused_by_one("golden vectors", candidates[1].model))
    registration = home.registration_of(home.folder_of(NAME, version))

    verdicts = [*promotion_verdicts(registration, home, "grace", data, INPUTS)]

    assert [(v.gate, v.verdict) for v in verdicts] == [
        ("approver", "passed"),
        ("artefact", "passed"),
        ("golden vectors", "refused"),
    ]


def test_a_version_beside_the_home_is_not_promoted(
    tmp_path: Path, home: ModelHome, store: TrackingStore
) -> None:
    copied = shutil.copytree(home.find(f"{NAME}@challenger"), tmp_path / "copied")

    with pytest.raises(UnknownModel, match="copied is no version of this home; want"):
        promote(str(copied), home, store, GRACE, None, INPUTS)


def test_the_registry_says_who_decided_what_and_when(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    _, second = versions(home)
    done = promote(f"{NAME}/{second}", home, store, Approval("hedy", NOON), data, INPUTS, FIRST)

    tags = store.client.get_model_version(NAME, second).tags
    assert (tags["tidegate.verdict"], tags["tidegate.approver"]) == ("waived", "hedy")
    assert tags["tidegate.decided_at"] == "2026-01-02T12:00:00+00:00"
    for verdict in done.verdicts:
        tag = tags[f"tidegate.gate.{verdict.gate.replace(' ', '_')}"]
        assert tag.startswith(f"{verdict.answer}: {verdict.reason[:200]}")
    champion = home.pointer(NAME, "champion")
    registration = home.registration_of(home.folder_of(NAME, second))
    assert (champion.digest, champion.set_at) == (registration.digest, NOON)


def test_a_champion_that_became_unsound_does_not_return(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    with_a_champion_of_another_catalogue(home, store, data, first)
    leave = replace(LEAVE, gates=("champion",))
    promote(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, leave)

    with pytest.raises(
        PromotionRefused, match=r"artefact, refused: .* fitted on catalogue an earlier"
    ):
        roll_back(NAME, home, store, GRACE, INPUTS)

    assert home.pointer(NAME, "champion").version == second == champion_in(store)


def test_a_waiver_is_in_force_until_its_last_instant_and_as_long_as_it_is_whole(
    home: ModelHome,
) -> None:
    folder = home.find(f"{NAME}@challenger")
    assert not [*waiver_in_force(folder, "sha256:", home, NOON)]
    until = NOON + timedelta(days=90)
    digest = home.registration_of(folder).digest
    waiver = Waiver.from_request(LEAVE, digest, "grace", NOON)
    waiver.write(folder, home.signing_key)

    for at, is_in_force in ((until - timedelta(seconds=1), True), (until, False)):
        (verdict,) = waiver_in_force(folder, digest, home, at)
        assert verdict == Verdict("waiver", passed_if(is_in_force), f"groups {waiver.in_words}")
    (of_another,) = waiver_in_force(folder, "sha256:another", home, NOON)
    assert (of_another.verdict, digest in of_another.reason) == ("refused", True)
    too_long = waiver.model_copy(update={"until": NOON + timedelta(days=400)})
    too_long.write(folder, home.signing_key)
    (endless,) = waiver_in_force(folder, digest, home, NOON)
    assert (endless.verdict, "want an end within" in endless.reason) == ("refused", True)
    (folder / "waiver.sig").unlink()
    (unsigned,) = waiver_in_force(folder, digest, home, NOON)
    assert (unsigned.verdict, "is not signed" in unsigned.reason) == ("refused", True)


def test_a_registration_that_cannot_be_read_is_not_one_that_never_was(
    home: ModelHome, store: TrackingStore
) -> None:
    (home.find(f"{NAME}@challenger") / "registration.json").write_text("{}")

    with pytest.raises(ArtefactError, match=r"registration\.json: .*Field required"):
        promote(f"{NAME}@challenger", home, store, GRACE, None, INPUTS)
