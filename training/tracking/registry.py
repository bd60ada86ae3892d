"""Versions of a registered model, and the aliases that name them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

from training.tracking.runs import TrackedRun
from training.tracking.store import TrackingStore


@contextmanager
def registered(
    store: TrackingStore, name: str, run: TrackedRun, tags: Mapping[str, str]
) -> Iterator[str]:
    """Register the run's model and give its version; taken back where the block fails."""
    with store.asked(f"{name} could not be registered"):
        _make_model(store, name)
        version = str(
            store.client.create_model_version(
                name, run.model_uri, run.run_id, tags=dict(tags), model_id=run.model_id
            ).version
        )
    try:
        _link(store, run, name, version)
        yield version
    except BaseException:
        with suppress(Exception):
            store.client.delete_model_version(name, version)
        raise


def set_alias(store: TrackingStore, name: str, alias: str, version: str) -> None:
    """Let `alias` name a version, whatever it named before."""
    with store.asked(f"the alias {alias!r} of {name} could not be set"):
        store.client.set_registered_model_alias(name, alias, version)


def clear_alias(store: TrackingStore, name: str, alias: str) -> None:
    """Let `alias` name nothing."""
    with store.asked(f"the alias {alias!r} of {name} could not be taken away"):
        store.client.delete_registered_model_alias(name, alias)


def tag_version(store: TrackingStore, name: str, version: str, tags: Mapping[str, str]) -> None:
    """Write tags on a version."""
    with store.asked(f"{name} version {version} could not be tagged"):
        for tag, value in tags.items():
            store.client.set_model_version_tag(name, version, tag, value)


def _link(store: TrackingStore, run: TrackedRun, name: str, version: str) -> None:
    """Let MLflow's pages lead from the run's model to the version."""
    link = json.dumps([{"name": name, "version": version}])
    with store.asked(f"{name} version {version} could not be linked to its run"):
        store.client.set_logged_model_tags(run.model_id, {MLFLOW_MODEL_VERSIONS: link})


def _make_model(store: TrackingStore, name: str) -> None:
    try:
        store.client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
