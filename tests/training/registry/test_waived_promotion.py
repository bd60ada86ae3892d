"""Gates that people leave open in writing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.training.planted import INPUTS
from tests.training.registry.promotions import (
    COMPARISONS,
    FIRST,
    GRACE,
    LEAVE,
    LEAVE_FIRST,
    NAME,
    NOON,
    gates_of,
    put_in_place,
    refused_by_one,
    versions,
    with_a_champion_of_another_catalogue,
    with_unfair_groups,
)
from training.data.training_set import TrainingSet
from training.errors import PromotionRefused, TrainingError
from training.gates.promotion_verdicts import waiver_in_force
from training.gates.verdict import Verdict, passed_if, read_verdicts
from training.gates.waiver import Waiver
from training.model.model_home import ModelHome
from training.registry.mlflow.store import TrackingStore
from training.registry.promotion import Approval, promote_version
from training.train import Candidate


def test_a_first_champion_has_nothing_to_be_compared_with_and_two_people_answer_for_it(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    version = versions(home)[-1]
    with pytest.raises(PromotionRefused) as refusal:
        promote_version(f"{NAME}@challenger", home, store, GRACE, data, INPUTS)

    assert refusal.value.undecided == COMPARISONS
    assert "--waive canaries --waive 'control lane' --requested-by NAME" in str(refusal.value)
    assert store.client.get_model_version(NAME, version).tags["tidegate.verdict"] == "undecided"
    assert home.pointer(NAME, "champion") is None
    assert read_verdicts(home.folder_of(NAME, version)) == ()

    done = promote_version(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, FIRST)

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
    kept = Waiver.of_model(folder, home.public_key)
    assert (kept.requested_by, kept.given_by) == ("joan", "grace")


@pytest.mark.parametrize("asks", ["ada", "grace"])
def test_neither_the_trainer_alone_nor_the_approver_alone_waives_what_is_undecided(
    home: ModelHome, store: TrackingStore, data: TrainingSet, asks: str
) -> None:
    alone = Approval(asks, NOON)
    for requested_by, wanted in ((asks, "want two different"), (None, "want a requester")):
        leave = replace(FIRST, requested_by=requested_by)
        with pytest.raises(TrainingError, match=wanted):
            promote_version(f"{NAME}@challenger", home, store, alone, data, INPUTS, leave)

    assert home.pointer(NAME, "champion") is None


def test_a_waiver_of_a_gate_that_refuses_is_no_use_where_only_undecided_ones_may_be_waived(
    home: ModelHome, store: TrackingStore, data: TrainingSet, candidates: list[Candidate]
) -> None:
    _, version = versions(home)
    put_in_place(home, version, *refused_by_one("calibration", candidates[1].model))
    leave = replace(FIRST, gates=("calibration", *COMPARISONS))

    with pytest.raises(PromotionRefused) as refusal:
        promote_version(f"{NAME}/{version}", home, store, GRACE, data, INPUTS, leave)

    assert gates_of(refusal.value) == ["calibration"]
    assert refusal.value.undecided == ()
    assert store.client.get_model_version(NAME, version).tags["tidegate.verdict"] == "refused"


def test_a_waiver_opens_the_groups_gate_and_is_told_of_everywhere(
    home: ModelHome, store: TrackingStore, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_unfair_groups(monkeypatch)

    with pytest.raises(PromotionRefused, match="groups, refused: office far-away"):
        promote_version(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, FIRST)
    done = promote_version(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, LEAVE_FIRST)

    version = done.champion.version
    folder = home.folder_of(NAME, version)
    said = "waived by grace, asked by joan, until 2026-04-02: The office opened in May"
    waiver = Waiver.of_model(folder, home.public_key)
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
        promote_version(
            f"{NAME}/{first}", home, store, Approval("ada", NOON), data, INPUTS, LEAVE_FIRST
        )
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    done = promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, LEAVE_FIRST)

    assert not any(verdict.is_waived for verdict in done.verdicts)
    assert not list(home.folder_of(NAME, second).glob("waiver.*"))


def test_a_waiver_names_the_gates_that_it_opens(
    home: ModelHome, store: TrackingStore, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.gates.gates.MAX_PROXY_SHARE", 0.0)

    with pytest.raises(PromotionRefused, match=r"proxies, refused: .*corridor carries 0\.\d+"):
        promote_version(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, LEAVE_FIRST)
    both = replace(FIRST, gates=("groups", "proxies", *COMPARISONS))
    done = promote_version(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, both)

    assert [verdict.gate for verdict in done.verdicts if verdict.is_waived] == [
        "proxies",
        *COMPARISONS,
    ]


def test_a_person_may_answer_for_going_without_the_comparison(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    with_a_champion_of_another_catalogue(home, store, data, first)
    leave = replace(LEAVE, gates=("champion",))

    done = promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, leave)

    assert done.champion.version == second
    assert [verdict.gate for verdict in done.verdicts if verdict.is_waived] == ["champion"]
    assert not {"no worse than the champion", "canaries"} & {v.gate for v in done.verdicts}
    assert Waiver.of_model(home.folder_of(NAME, second), home.public_key).gates == ("champion",)


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
    (folder / "waiver.json").write_text(
        waiver.model_copy(update={"signature": ""}).model_dump_json()
    )
    (unsigned,) = waiver_in_force(folder, digest, home, NOON)
    assert (unsigned.verdict, "is not signed" in unsigned.reason) == ("refused", True)
