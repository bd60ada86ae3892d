"""Registration of a candidate as a version: logged, stored in the home, aliased challenger.

A failure at any step leaves no version, neither in the registry nor in the home. If the registry
itself failed or the process was killed, the version is left tagged as unfinished; the first
registration an hour later deletes it, with its folder in the home.
"""

import shutil
from dataclasses import replace
from functools import partial

from training.data.training_set import TrainingSet
from training.model.model_home import ModelHome
from training.model.model_pointer import ModelPointer
from training.model.model_registration import Registration
from training.registry.kept_training_sets import kept
from training.registry.mlflow.runs import track
from training.registry.mlflow.store import TrackingStore
from training.registry.mlflow.versions import (
    finish,
    registered,
    set_alias,
    take_back_unfinished,
)
from training.registry.training_origin import TrainingOrigin
from training.train import Candidate


def register_version(
    candidate: Candidate,
    data: TrainingSet,
    home: ModelHome,
    store: TrackingStore,
    origin: TrainingOrigin,
) -> Registration:
    """Log, register and store the candidate with its training set, and alias it challenger.

    Raises TrainingError.
    """
    with kept(data, home) as folder:
        return _register(candidate, replace(data, folder=folder), home, store, origin)


def _register(
    candidate: Candidate,
    data: TrainingSet,
    home: ModelHome,
    store: TrackingStore,
    origin: TrainingOrigin,
) -> Registration:
    model, name = candidate.model, candidate.model.manifest.name
    run = track(store, candidate, data, home.signing_key, origin)
    tags = origin.tags | {"tidegate.digest": model.digest}
    take_back_unfinished(store, name, origin.at, partial(home.remove_version, name))
    with registered(store, name, run, tags) as version:
        registration = Registration(
            name=name,
            version=version,
            digest=model.digest,
            trainer=origin.trainer,
            registered_at=origin.at,
            run_id=run.run_id,
            tracking_uri=store.recorded_uri,
        )
        folder = home.add_version(model, registration)
        try:
            set_alias(store, name, "challenger", version)
            finish(store, name, version)
            # Last: from here on the version is in use, so nothing may fail after it.
            home.point("challenger", _pointer(registration))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return registration


def _pointer(registration: Registration) -> ModelPointer:
    return ModelPointer(
        name=registration.name,
        version=registration.version,
        digest=registration.digest,
        set_at=registration.registered_at,
    )
