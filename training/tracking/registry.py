"""Versions of a registered model, and the aliases that name them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from mlflow.exceptions import MlflowException

from training.tracking.runs import TrackedRun
from training.tracking.store import TrackingStore, quietly


@contextmanager
def registered(
    store: TrackingStore, name: str, run: TrackedRun, tags: Mapping[str, str]
) -> Iterator[str]:
    """Register the run's model and give its version; taken back where the block fails."""
    with quietly(f"{name} could not be registered at {store.uri}"):
        _make_model(store, name)
        version = str(
            store.client.create_model_version(
                name, run.model_uri, run.run_id, tags=dict(tags), model_id=run.model_id
            ).version
        )
    try:
        yield version
    except BaseException:
        with suppress(Exception):
            store.client.delete_model_version(name, version)
        raise


def set_alias(store: TrackingStore, name: str, alias: str, version: str) -> None:
    """Let `alias` name a version, whatever it named before."""
    with quietly(f"the alias {alias!r} of {name} could not be set at {store.uri}"):
        store.client.set_registered_model_alias(name, alias, version)


def clear_alias(store: TrackingStore, name: str, alias: str) -> None:
    """Let `alias` name nothing."""
    with quietly(f"the alias {alias!r} of {name} could not be taken away at {store.uri}"):
        store.client.delete_registered_model_alias(name, alias)


def tag_version(store: TrackingStore, name: str, version: str, tags: Mapping[str, str]) -> None:
    """Write tags on a version."""
    with quietly(f"{name} version {version} could not be tagged at {store.uri}"):
        for tag, value in tags.items():
            store.client.set_model_version_tag(name, version, tag, value)


def _make_model(store: TrackingStore, name: str) -> None:
    try:
        store.client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
