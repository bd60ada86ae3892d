"""A version that answers beside the champion."""

import pytest

from tests.training.planted import INPUTS
from tests.training.registry.promotions import (
    FIRST,
    GRACE,
    NAME,
    NOON,
    champion_in,
    versions,
)
from training.data.training_set import TrainingSet
from training.errors import PromotionRefused
from training.model.model_home import ModelHome
from training.registry.mlflow.store import TrackingStore
from training.registry.promotion import Approval, promote_version, run_as_shadow


def test_a_shadow_is_named_in_both_places_and_leaves_the_champion_alone(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)

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


@pytest.mark.parametrize("nobody", ["", "  ", "\u200b", "."])
def test_nobody_answers_for_nothing(nobody: str) -> None:
    with pytest.raises(PromotionRefused, match="names nobody"):
        Approval(nobody, NOON)
