"""A former champion returns, if it is still sound and open."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.training.planted import INPUTS
from tests.training.registry.promotions import (
    FIRST,
    GRACE,
    LEAVE,
    LEAVE_FIRST,
    NAME,
    NOON,
    champion_in,
    versions,
    with_a_champion_of_another_catalogue,
    with_unfair_groups,
)
from training.data.training_set import TrainingSet
from training.errors import PromotionRefused, TrainingError
from training.model.model_home import ModelHome
from training.registry.mlflow.store import TrackingStore
from training.registry.promotion import Approval, promote_version, roll_back


def test_a_rollback_names_the_former_champion_again(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS)
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
    with pytest.raises(TrainingError, match="has no champion"):
        roll_back(NAME, home, store, GRACE, INPUTS)
    promote_version(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, FIRST)

    with pytest.raises(PromotionRefused, match="is the first champion"):
        roll_back(NAME, home, store, GRACE, INPUTS)


def test_nobody_returns_to_a_champion_whose_waiver_has_ended(
    home: ModelHome, store: TrackingStore, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = versions(home)
    with monkeypatch.context() as patch:
        with_unfair_groups(patch)
        promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, LEAVE_FIRST)
    promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS)

    with pytest.raises(
        PromotionRefused,
        match=r"waiver, refused: groups, .* waived by grace, asked by joan, until 2026-04-02",
    ):
        roll_back(NAME, home, store, Approval("joan", NOON + timedelta(days=91)), INPUTS)
    roll_back(NAME, home, store, Approval("joan", NOON + timedelta(days=89)), INPUTS)

    assert home.pointer(NAME, "champion").version == first


def test_live_use_does_not_return_to_a_champion_of_a_trial_but_a_trial_does(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    trial = replace(GRACE, profile="trial")
    promote_version(f"{NAME}/{first}", home, store, trial, data, INPUTS)
    promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS)

    with pytest.raises(PromotionRefused, match="canaries, control lane undecided, which must be"):
        roll_back(NAME, home, store, GRACE, INPUTS)
    assert home.pointer(NAME, "champion").version == second == champion_in(store)

    roll_back(NAME, home, store, trial, INPUTS)
    assert home.pointer(NAME, "champion").version == first


def test_nobody_returns_to_a_champion_by_the_waiver_of_another_version(
    home: ModelHome, store: TrackingStore, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = versions(home)
    longer = replace(LEAVE, until=NOON + timedelta(days=120))
    with_unfair_groups(monkeypatch)
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, LEAVE_FIRST)
    promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, longer)
    shutil.copy(home.folder_of(NAME, second) / "waiver.json", home.folder_of(NAME, first))

    with pytest.raises(PromotionRefused, match="waiver, refused: it was signed for sha256:"):
        roll_back(NAME, home, store, Approval("joan", NOON + timedelta(days=91)), INPUTS)

    assert home.pointer(NAME, "champion").version == second == champion_in(store)


def test_the_line_of_champions_is_kept_from_the_latest_to_the_first(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    oldest = promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST).champion
    oldest = oldest.model_copy(update={"signature": ""})
    before = oldest.model_copy(update={"approver": "joan"})
    home.point("champion", oldest.model_copy(update={"previous": (before,)}))
    for _ in range(2):
        promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, FIRST)

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


def test_a_champion_that_became_unsound_does_not_return(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    with_a_champion_of_another_catalogue(home, store, data, first)
    leave = replace(LEAVE, gates=("champion",))
    promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, leave)

    with pytest.raises(
        PromotionRefused, match=r"artefact, refused: .* feature value_per_kg_ratio .* differently"
    ):
        roll_back(NAME, home, store, GRACE, INPUTS)

    assert home.pointer(NAME, "champion").version == second == champion_in(store)
