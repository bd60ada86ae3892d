"""A promotion: what it changes, what it refuses, and what is written down of it."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from features.errors import Tampered
from tests.training.planted import INPUTS
from tests.training.registry.promotions import (
    COMPARISONS,
    FIRST,
    GRACE,
    LEAVE,
    NAME,
    NOON,
    champion_in,
    gates_of,
    versions,
    with_a_champion_of_another_catalogue,
)
from training.data.training_set import TrainingSet
from training.errors import (
    ArtefactError,
    PromotionRefused,
    TrainingError,
)
from training.evaluation.evaluation_page import spelt
from training.gates.verdict import read_verdicts
from training.model.model_home import ModelHome
from training.model.model_pointer import ModelPointer
from training.model.risk_model import RiskModel
from training.registry.mlflow.store import TrackingStore
from training.registry.mlflow.versions import clear_alias
from training.registry.promotion import Approval, promote_version, roll_back
from training.train import Candidate


def test_a_version_that_passes_every_gate_becomes_champion_everywhere(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)

    done = promote_version(f"{NAME}@challenger", home, store, GRACE, data, INPUTS)

    assert {verdict.answer for verdict in done.verdicts} == {"passed"}
    assert home.pointer(NAME, "champion").version == second
    assert home.pointer(NAME, "champion").approver == "grace"
    assert champion_in(store) == second
    tags = store.client.get_model_version(NAME, second).tags
    assert tags["tidegate.verdict"] == "passed"
    assert tags["tidegate.gate.golden_vectors"].startswith("passed: 64 recorded rows")
    assert read_verdicts(home.folder_of(NAME, second)) == done.verdicts


def test_a_champion_has_a_card_beside_its_artefact_and_in_its_run(
    home: ModelHome, store: TrackingStore, data: TrainingSet, tmp_path: Path
) -> None:
    approval = Approval("grace | <b>hopper", NOON)
    champion = promote_version(
        f"{NAME}@challenger", home, store, approval, data, INPUTS, FIRST
    ).champion

    folder = home.folder_of(NAME, champion.version)
    card = (folder / "model_card.md").read_text()
    run_id = home.registration_of(folder).run_id
    kept = store.client.download_artifacts(run_id, "model_card.md", str(tmp_path))
    assert Path(kept).read_text() == card
    metrics = RiskModel.read(folder, home.public_key, INPUTS).manifest.metrics
    assert f"ROC-AUC {spelt(metrics['roc_auc'])}" in card
    assert "Approved by grace \\| &lt;b>hopper, who answers for its use" in card
    assert "Where every office inspects as many of its own as it did" in card
    curve = "| subjects | mean probability given | share that would be confirmed |\n| --- |"
    assert ("Calibration curve:" in card) == ("drawn with a probability to measure" not in card)
    assert (curve in card) == ("Calibration curve:" in card)
    for heading in ("What it is not for", "Data", "Groups", "Leakage", "Limits", "Gates"):
        assert f"\n## {heading}\n" in card


def test_a_refused_version_gets_no_card(home: ModelHome, store: TrackingStore) -> None:
    with pytest.raises(PromotionRefused):
        promote_version(f"{NAME}@challenger", home, store, Approval("ada", NOON), None, INPUTS)

    assert not list(home.home.rglob("model_card.md"))


def test_a_refusal_lists_every_reason_and_changes_no_champion(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)

    with pytest.raises(PromotionRefused) as refusal:
        promote_version(f"{NAME}/{second}", home, store, Approval("ADA", NOON), None, INPUTS)

    assert gates_of(refusal.value) == ["approver", *COMPARISONS]
    assert "trained by 'ada', approved by 'ADA'" in refusal.value.reasons[0]
    assert home.pointer(NAME, "champion").version == first
    assert champion_in(store) == first
    assert store.client.get_model_version(NAME, second).tags["tidegate.verdict"] == "refused"


def test_a_tampered_version_is_refused(home: ModelHome, store: TrackingStore) -> None:
    booster = home.find(f"{NAME}@challenger") / "booster.txt"
    booster.write_text(booster.read_text().replace("leaf_value=", "leaf_value=9", 1))

    with pytest.raises(PromotionRefused, match=r"artefact, refused: booster\.txt does not"):
        promote_version(f"{NAME}@challenger", home, store, GRACE, None, INPUTS)


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
        promote_version(f"{NAME}/{first}", home, store, GRACE, None, INPUTS)


def test_promoting_the_champion_again_does_not_make_it_its_own_predecessor(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    for _ in range(2):
        done = promote_version(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, FIRST)

    assert done.champion.previous == ()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (f"{NAME}/99999", "there is no .*; its versions are"),
        (f"{NAME}@latest", "want the alias champion, challenger or shadow"),
        (f"{NAME}@shadow", "has no shadow here"),
        (f"{NAME}@champion", "has no champion here"),
        ("tidegate-route@challenger", "train one first"),
        ("no such thing", "is no folder, no reference and no run"),
    ],
)
def test_a_reference_to_nothing_says_what_there_is(
    home: ModelHome, store: TrackingStore, reference: str, message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        promote_version(reference, home, store, GRACE, None, INPUTS)


def test_a_damaged_version_does_not_hide_that_a_reference_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "models" / NAME / "1").mkdir(parents=True)

    with pytest.raises(TrainingError, match="is no folder, no reference and no run"):
        ModelHome(tmp_path).find("no such thing")


def test_a_folder_that_was_never_registered_cannot_be_promoted(
    tmp_path: Path, home: ModelHome, store: TrackingStore, candidates: list[Candidate]
) -> None:
    candidates[0].model.write(tmp_path / "loose", home.signing_key)

    with pytest.raises(TrainingError, match="was never registered"):
        promote_version(str(tmp_path / "loose"), home, store, GRACE, None, INPUTS)


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
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    damage(home.folder_of(NAME, first), home.folder_of(NAME, second))

    with pytest.raises(PromotionRefused, match=reason) as refusal:
        promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS)

    (told,) = refusal.value.reasons
    assert told.startswith(f"champion, refused: {NAME} version {first}, the champion, cannot")
    assert home.pointer(NAME, "champion").version == first == champion_in(store)


def test_a_version_is_not_promoted_over_a_champion_of_another_catalogue(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    with_a_champion_of_another_catalogue(home, store, data, first)

    with pytest.raises(
        PromotionRefused, match=r"champion, refused: .* feature value_per_kg_ratio .* differently"
    ):
        promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS)

    assert home.pointer(NAME, "champion").version == first


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
        promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)

    def is_full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(ModelHome, "point", is_full)
    with pytest.raises(OSError, match="no space left"):
        promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, FIRST)

    if earlier:
        assert champion_in(store) == first == home.pointer(NAME, "champion").version
    else:
        assert home.pointer(NAME, "champion") is None
        with pytest.raises(MlflowException):
            champion_in(store)


def test_a_version_beside_the_home_is_not_promoted(
    tmp_path: Path, home: ModelHome, store: TrackingStore
) -> None:
    copied = shutil.copytree(home.find(f"{NAME}@challenger"), tmp_path / "copied")

    with pytest.raises(TrainingError, match="copied is not a version of this home; want"):
        promote_version(str(copied), home, store, GRACE, None, INPUTS)


def test_the_registry_says_who_decided_what_and_when(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    _, second = versions(home)
    done = promote_version(
        f"{NAME}/{second}", home, store, Approval("hedy", NOON), data, INPUTS, FIRST
    )

    tags = store.client.get_model_version(NAME, second).tags
    assert (tags["tidegate.verdict"], tags["tidegate.approver"]) == ("waived", "hedy")
    assert tags["tidegate.decided_at"] == "2026-01-02T12:00:00+00:00"
    for verdict in done.verdicts:
        tag = tags[f"tidegate.gate.{verdict.gate.replace(' ', '_')}"]
        assert tag.startswith(f"{verdict.answer}: {verdict.reason[:200]}")
    champion = home.pointer(NAME, "champion")
    registration = home.registration_of(home.folder_of(NAME, second))
    assert (champion.digest, champion.set_at) == (registration.digest, NOON)


def test_a_registration_that_cannot_be_read_is_not_one_that_never_was(
    home: ModelHome, store: TrackingStore
) -> None:
    (home.find(f"{NAME}@challenger") / "registration.json").write_text("{}")

    with pytest.raises(ArtefactError, match=r"registration\.json: .*Field required"):
        promote_version(f"{NAME}@challenger", home, store, GRACE, None, INPUTS)


def test_a_champion_whose_pointer_is_not_signed_is_followed_by_one_that_a_person_answers_for(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    file = home.home / "models" / NAME / "champion.json"
    earlier = json.loads(file.read_bytes())
    del earlier["signature"]
    file.write_text(json.dumps(earlier))

    with pytest.raises(Tampered, match="is not as the key of this home signed it"):
        home.pointer(NAME, "champion")
    with pytest.raises(Tampered, match="is not as the key of this home signed it"):
        roll_back(NAME, home, store, GRACE, INPUTS)
    with pytest.raises(
        PromotionRefused, match="is not as the key of this home signed it"
    ) as refusal:
        promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS)
    assert gates_of(refusal.value) == ["champion"]

    leave = replace(LEAVE, gates=("champion",))
    done = promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, leave)

    assert home.pointer(NAME, "champion") == done.champion
    assert (done.champion.version, done.champion.previous) == (first, ())


def test_a_pointer_says_what_gates_said_and_who_answered(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    done = promote_version(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, FIRST)

    pointer = home.pointer(NAME, "champion")
    assert pointer == done.champion
    assert [verdict.as_json for verdict in done.verdicts] == [
        verdict.model_dump(mode="json") for verdict in pointer.verdicts
    ]
    # There is nothing to compare with yet, but cases of the comparison are counted.
    cases = {verdict.gate: verdict.cases for verdict in pointer.verdicts}
    assert cases["no worse than the champion"].known > 0
    assert cases["control lane"].needed == 30
    assert [approver.name for approver in pointer.approvers] == ["grace"]
    assert (pointer.role, pointer.set_at) == ("champion", NOON)


def test_what_cannot_be_written_down_puts_nobody_in_the_seat(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    before = home.pointer(NAME, "champion")

    @contextmanager
    def failing(_: ModelPointer) -> Iterator[None]:
        yield
        raise TrainingError("the disk is full")

    with pytest.raises(TrainingError, match="the disk is full"):
        promote_version(
            f"{NAME}/{second}", home, store, replace(GRACE, recording=failing), data, INPUTS
        )

    assert home.pointer(NAME, "champion") == before
    assert champion_in(store) == first
