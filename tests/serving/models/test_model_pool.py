"""Champions: swapped whole on promotion, and refused where anything does not fit."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.home_keys import public_pem
from serving.doctor.all_checks import run_checks
from serving.models.errors import NoModel
from serving.models.model_pool import LoadedModel, ModelPool
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.conftest import Service
from tests.serving.world import SOUND, pointer_to, promote, train_and_promote
from training.errors import ArtefactError
from training.model.counted_cases import CountedCases
from training.model.model_home import ModelHome
from training.model.model_pointer import GateVerdict
from training.model.risk_model import RiskModel, manifest_bytes


def champions(home: Path) -> ModelPool:
    return ModelPool(home / "models", home / "keys" / "signing.pub")


def noticed(service: Service) -> None:
    """What the watch does twice a second."""
    service.services.models.refresh()


def test_a_promotion_is_noticed_without_a_restart(service: Service) -> None:
    caller = service.key("score")
    before = service.score(shipment(), caller).json()["model"]

    train_and_promote(service.home, "shipment", "2", seed=8)
    noticed(service)
    after = service.score(shipment(), caller).json()["model"]

    assert (before["version"], after["version"]) == ("1", "2")
    assert before["digest"] != after["digest"]


def test_a_roll_back_is_noticed_too(service: Service) -> None:
    caller = service.key("score")
    first = service.services.models.champion("shipment")
    train_and_promote(service.home, "shipment", "2", seed=8)
    noticed(service)

    promote(service.home, "shipment", "1", first.model)
    noticed(service)

    assert service.score(shipment(), caller).json()["model"]["version"] == "1"


def test_no_answer_mixes_two_models_while_they_are_swapped(home: Path) -> None:
    held = champions(home)
    first = held.champion("shipment").model
    second = train_and_promote(home, "shipment", "2", seed=8)
    seen: set[tuple[str, str]] = set()
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            champion = held.champion("shipment")
            seen.add((champion.version, champion.model.digest))

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for _ in range(5):
        promote(home, "shipment", "1", first)
        held.refresh()
        promote(home, "shipment", "2", second)
        held.refresh()
    is_over.set()
    for asker in askers:
        asker.join()

    assert seen == {("1", first.digest), ("2", second.digest)}


@pytest.mark.parametrize("file", ["booster.txt", "manifest.json", "manifest.sig"])
def test_a_damaged_version_is_refused_and_the_old_one_keeps_answering(
    service: Service, file: str
) -> None:
    caller = service.key("score")
    service.score(shipment(), caller)
    model = train_and_promote(service.home, "shipment", "2", seed=8)
    damaged = service.home / "models" / "tidegate-shipment" / "2" / file
    damaged.write_bytes(bytes([damaged.read_bytes()[0] ^ 1]) + damaged.read_bytes()[1:])
    promote(service.home, "shipment", "2", model)
    noticed(service)

    answer = service.score(shipment(), caller)

    assert (answer.status_code, answer.json()["model"]["version"]) == (200, "1")


def test_a_model_signed_with_another_key_is_refused(home: Path, tmp_path: Path) -> None:
    stranger = ModelHome(tmp_path / "stranger").signing_key
    folder = home / "models" / "tidegate-shipment" / "1"
    model = RiskModel.read(folder, None)
    model.write(folder, stranger)

    with pytest.raises(NoModel):
        champions(home).champion("shipment")


def test_a_model_that_forgot_its_golden_answers_is_refused(home: Path) -> None:
    folder = home / "models" / "tidegate-shipment" / "1"
    manifest = RiskModel.read(folder, None).manifest
    golden = manifest.golden[0].model_copy(update={"log_odds": manifest.golden[0].log_odds + 1e-6})
    changed = manifest.model_copy(update={"golden": (golden, *manifest.golden[1:])})
    key = ModelHome(home).signing_key
    (folder / "manifest.json").write_bytes(manifest_bytes(changed))
    (folder / "manifest.sig").write_bytes(key.sign(manifest_bytes(changed)))

    with pytest.raises(ArtefactError, match="golden"):
        LoadedModel.read(folder, public_pem(key.public_key()))


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"version": "../../etc"}'])
def test_a_pointer_to_nothing_is_no_model(home: Path, content: str) -> None:
    (home / "models" / "tidegate-route" / "champion.json").write_text(content)

    with pytest.raises(NoModel):
        champions(home).champion("route")


def test_a_pointer_that_cannot_be_read_is_not_taken_for_none(home: Path) -> None:
    """As where its folder is closed to whoever serves."""
    folder = home / "models" / "tidegate-shipment"
    folder.rename(home / "elsewhere")
    folder.write_text("no folder")

    (refusal,) = [r for seat, r in champions(home).refused.items() if seat[0] == "champion"]

    assert "Not a directory" in refusal


def test_one_row_scores_the_same_alone_and_among_others(home: Path) -> None:
    champion = champions(home).champion("shipment")
    lots = np.random.default_rng(3)
    rows = lots.normal(size=(64, len(champion.model.encoding.names)))
    rows[lots.random(rows.shape) < 0.2] = np.nan

    together = champion.scorer.score(rows)
    alone = [champion.scorer.score(row.reshape(1, -1)) for row in rows]

    assert np.array_equal(together.log_odds, [each.log_odds[0] for each in alone])
    assert np.array_equal(
        together.contributions, np.stack([each.contributions[0] for each in alone])
    )


def test_models_are_described_by_what_they_learnt(service: Service) -> None:
    described = service.client.get("/v1/models", headers=service.key("score")).json()["models"]

    assert [m["subject_kind"] for m in described] == ["route", "shipment"]
    for model in described:
        assert model["role"] == "champion"
        assert model["trained_on"]["fit"]["labelled"] > 0
        assert 0 < model["metrics"]["roc_auc"]["value"] <= 1


def test_models_are_described_with_what_every_gate_said_at_their_promotion(
    service: Service,
) -> None:
    undecided = GateVerdict(
        gate="canaries",
        verdict="undecided",
        reason="there are none; waived by grace",
        is_waived=True,
        cases=CountedCases("canaries in the training set", 2, 8),
    )
    passed = GateVerdict(gate="leakage", verdict="passed", reason="no check refuses")
    model = train_and_promote(service.home, "shipment", "2", seed=8)
    pointer = pointer_to("shipment", "2", model)
    ModelHome(service.home).point(
        "champion", pointer.model_copy(update={"verdicts": (passed, undecided)})
    )
    noticed(service)

    described = service.client.get("/v1/models", headers=service.key("score")).json()["models"]

    told = {model["subject_kind"]: model["verdicts"] for model in described}
    assert told == {
        "route": [SOUND.model_dump()],
        "shipment": [
            {
                "gate": "leakage",
                "verdict": "passed",
                "reason": "no check refuses",
                "is_waived": False,
                "not_required_in": None,
                "cases": None,
            },
            {
                "gate": "canaries",
                "verdict": "undecided",
                "reason": "there are none; waived by grace",
                "is_waived": True,
                "not_required_in": None,
                "cases": {
                    "kind": "canaries in the training set",
                    "known": 2,
                    "needed": 8,
                    "begins": None,
                    "ends": None,
                },
            },
        ],
    }


def seat(home: Path, role: str = "champion", kind: str = "shipment") -> Path:
    """The file of a pointer."""
    return home / "models" / f"tidegate-{kind}" / f"{role}.json"


def edited(home: Path, **said: Any) -> None:
    """The signed pointer with a few words changed by hand, and its signature left."""
    file = seat(home)
    file.write_text(json.dumps({**json.loads(file.read_bytes()), **said}))


def signed(home: Path, **said: Any) -> None:
    """The pointer changed and signed with the key of the home."""
    models = ModelHome(home)
    pointer = models.pointer("tidegate-shipment", "champion")
    assert pointer is not None
    models.point("champion", pointer.model_copy(update=said))


def signed_elsewhere(home: Path) -> None:
    """The pointer, signed by the key of another home."""
    pointer = ModelHome(home).pointer("tidegate-shipment", "champion")
    assert pointer is not None
    stranger = ModelHome(home / "elsewhere").signing_key
    seat(home).write_text(pointer.signed_for("champion", stranger).model_dump_json())


def with_a_route_model_in_the_folder(home: Path) -> None:
    """A sound model of another kind, signed by this home, in the folder and under the seat."""
    version = seat(home).parent / "7"
    shutil.copytree(home / "models" / "tidegate-route" / "1", version)
    signed(home, version="7", digest=RiskModel.read(version, None).digest)


TAMPERINGS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "by hand": (lambda home: seat(home).write_text('{"version": "1"}'), "key of this home signed"),
    "unsigned": (lambda home: edited(home, signature=""), "key of this home signed"),
    "another version": (lambda home: edited(home, version="2"), "key of this home signed"),
    "another approver": (lambda home: edited(home, approver="mallory"), "key of this home signed"),
    "another instant": (lambda home: edited(home, set_at="2026-01-02T00:00:00Z"), "key of this"),
    "a word more": (lambda home: edited(home, more=1), "key of this home signed"),
    "no signature": (lambda home: edited(home, signature="zz"), "key of this home signed"),
    "a foreign key": (signed_elsewhere, "key of this home signed"),
    "no gate": (lambda home: signed(home, verdicts=()), "no gate let"),
    "a shut gate": (
        lambda home: signed(
            home, verdicts=(SOUND, SOUND.model_copy(update={"verdict": "undecided"}))
        ),
        "no gate let",
    ),
    "another digest": (lambda home: signed(home, digest="sha256:" + "0" * 64), "has the digest"),
    "another role": (
        lambda home: shutil.copy(seat(home, "challenger"), seat(home)),
        "signed for tidegate-shipment@challenger",
    ),
    "another kind": (
        lambda home: shutil.copy(seat(home, kind="route"), seat(home)),
        "signed for tidegate-route@champion",
    ),
    "a model of another kind": (with_a_route_model_in_the_folder, "is a route model"),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_pointer_that_no_promotion_wrote_seats_nobody_and_the_model_in_use_goes_on(
    service: Service, tampering: str
) -> None:
    tamper, reason = TAMPERINGS[tampering]
    caller = service.key("score")
    first = service.services.models.champion("shipment").model
    promote(service.home, "shipment", "1", first, "challenger")

    tamper(service.home)
    noticed(service)

    refused = service.services.models.refused["champion", "shipment"]
    assert reason in refused
    assert service.score(shipment(), caller).json()["model"]["version"] == "1"
    with pytest.raises(NoModel):
        champions(service.home).champion("shipment")
    told = [check for check in run_checks(Settings(home=service.home)) if reason in check.says]
    assert [(check.what, check.grade) for check in told] == [
        ("tidegate-shipment@champion", "wrong")
    ]


def test_a_pointer_that_is_not_signed_says_how_to_name_the_version_again(home: Path) -> None:
    edited(home, signature="")

    refused = champions(home).refused["champion", "shipment"]

    assert "`tidegate promote --model tidegate-shipment/VERSION --approver NAME" in refused


def test_ready_names_the_versions_and_what_is_lacking(service: Service) -> None:
    both = service.client.get("/health/ready").json()
    (service.home / "models" / "tidegate-route" / "champion.json").write_text(json.dumps({}))
    again: Any = champions(service.home).champions()

    assert both == {
        "status": "ready",
        "is_live": False,
        "degraded": [],
        "models": {"route": "1", "shipment": "1"},
        "decisions": 0,
        "witnesses_behind": [],
        "failing_threads": [],
    }
    assert list(again) == ["shipment"]


def registration(home: Path, **said: Any) -> None:
    """The file that says who trained a version, with a few words changed by hand."""
    file = seat(home).parent / "1" / "registration.json"
    file.write_text(json.dumps({**json.loads(file.read_bytes()), **said}))


def with_the_registration_of_another(home: Path) -> None:
    other = home / "models" / "tidegate-route" / "1" / "registration.json"
    shutil.copy(other, seat(home).parent / "1")


STRIPPED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "gone": (lambda home: (seat(home).parent / "1/registration.json").unlink(), "is missing"),
    "unsigned": (lambda home: registration(home, signature=""), "nobody knows who trained"),
    "another trainer": (lambda home: registration(home, trainer="eve"), "is not as this home"),
    "of another version": (with_the_registration_of_another, "is that of tidegate-route"),
}


@pytest.mark.parametrize(("strip", "why"), STRIPPED.values(), ids=STRIPPED)
def test_a_version_serves_only_where_the_home_signed_who_trained_it(
    home: Path, strip: Callable[[Path], Any], why: str
) -> None:
    assert set(champions(home).champions()) == {"route", "shipment"}

    strip(home)

    models = champions(home)
    assert set(models.champions()) == {"route"}
    assert why in models.refused["champion", "shipment"]
    assert "restore" in models.refused["champion", "shipment"]


def test_who_trained_an_unsigned_version_is_answered_for_by_those_who_waived_the_gate(
    home: Path,
) -> None:
    registration(home, signature="")
    waived = GateVerdict(gate="approver", verdict="undecided", reason="-", is_waived=True)

    signed(home, verdicts=(SOUND, waived))

    assert set(champions(home).champions()) == {"route", "shipment"}
