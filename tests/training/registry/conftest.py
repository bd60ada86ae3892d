"""One real store and two trained versions serve all tests of promotion; each has its own home."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.training.planted import INPUTS, QUICK, planted_world, write_training_set
from tests.training.registry.promotions import (
    NOON,
)
from training.data.training_set import TrainingSet
from training.gates.canaries import Canaries
from training.model.model_home import ModelHome
from training.parameters import LeakageParameters, TrainingParameters, TreeParameters
from training.registry.mlflow.store import TrackingStore
from training.registry.registration import register_version
from training.registry.training_origin import TrainingOrigin
from training.train import Candidate, train_model


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    """So many subjects that every gate can decide, once there is a champion to compare with."""
    world = planted_world(20_000, seed=3)
    folder = write_training_set(tmp_path_factory.mktemp("planted"), *world)
    return TrainingSet.read(folder, "shipment", INPUTS)


@pytest.fixture(scope="session")
def candidates(data: TrainingSet) -> list[Candidate]:
    return [
        train_model(
            data,
            TrainingParameters(
                **QUICK | {"leakage": LeakageParameters()},
                seed=seed,
                trees=TreeParameters(trees=60, leaves=6, early_stopping_rounds=0),
            ),
        )
        for seed in (1, 2)
    ]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> TrackingStore:
    return TrackingStore.open(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def trained(
    tmp_path_factory: pytest.TempPathFactory,
    store: TrackingStore,
    candidates: list[Candidate],
    data: TrainingSet,
) -> ModelHome:
    home = ModelHome(tmp_path_factory.mktemp("trained"))
    chosen = Canaries.chosen(data, np.datetime64("2025-06-01"), 1, NOON)
    chosen.write(home.home, "shipment", home.signing_key)
    for candidate in candidates:
        register_version(candidate, data, home, store, TrainingOrigin("ada", NOON, None))
    return home


@pytest.fixture
def home(tmp_path: Path, trained: ModelHome) -> ModelHome:
    """Two versions, trained by ada, canaries, and no champion yet."""
    shutil.copytree(trained.home, tmp_path / "home")
    return ModelHome(tmp_path / "home")
