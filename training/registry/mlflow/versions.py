"""Versions of a registered model, and the aliases that name them."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

from training.registry.mlflow.notes import note_on_model
from training.registry.mlflow.runs import TrackedRun
from training.registry.mlflow.store import TrackingStore

# A tag of a version from its creation until its registration is complete.
UNFINISHED = "tidegate.unfinished"
# No registration takes this long: older unfinished versions are abandoned.
MAX_REGISTRATION_LENGTH = timedelta(hours=1)


@contextmanager
def registered(
    store: TrackingStore, name: str, run: TrackedRun, tags: Mapping[str, str]
) -> Iterator[str]:
    """Register the run's model and yield its version; delete it if the block fails.

    It is tagged as unfinished until `finish`. If it cannot be deleted, because the store became
    unreachable or the process was killed, the tag remains, and `take_back_unfinished` deletes it
    later.
    """
    with store.connected(f"{name} could not be registered"):
        _make_model(store, name)
        all_tags = dict(tags) | {UNFINISHED: "true"}
        version = str(
            store.client.create_model_version(
                name,
                run.model_uri,
                run.run_id,
                tags=all_tags,
                description=run.note,
                model_id=run.model_id,
            ).version
        )
    try:
        _link(store, run, name, version)
        yield version
    except BaseException:
        # Raise the original error, not that of a store which may be down.
        with suppress(Exception):
            store.client.delete_model_version(name, version)
        raise


def take_back_unfinished(
    store: TrackingStore, name: str, at: datetime, remove: Callable[[str, str], None]
) -> None:
    """Delete versions unfinished for over an hour; `remove` deletes their files in the home.

    `remove` is called with the version and its run.
    """
    latest_ms = (at - MAX_REGISTRATION_LENGTH).timestamp() * 1000
    with store.connected(f"what was left of {name} could not be taken back"):
        for version in store.client.search_model_versions(f"name = '{name}'"):
            if UNFINISHED in version.tags and version.creation_timestamp < latest_ms:
                # The home first: once the registry forgets a version, nobody would find its folder.
                remove(str(version.version), str(version.run_id))
                store.client.delete_model_version(name, version.version)


def finish(store: TrackingStore, name: str, version: str) -> None:
    """Mark a version as complete."""
    with store.connected(f"{name} version {version} could not be marked as finished"):
        store.client.delete_model_version_tag(name, version, UNFINISHED)


def set_alias(store: TrackingStore, name: str, alias: str, version: str) -> None:
    """Point an alias to a version."""
    with store.connected(f"the alias {alias!r} of {name} could not be set"):
        store.client.set_registered_model_alias(name, alias, version)


def clear_alias(store: TrackingStore, name: str, alias: str) -> None:
    """Remove an alias."""
    with store.connected(f"the alias {alias!r} of {name} could not be taken away"):
        store.client.delete_registered_model_alias(name, alias)


def tag_version(store: TrackingStore, name: str, version: str, tags: Mapping[str, str]) -> None:
    """Set tags of a version."""
    with store.connected(f"{name} version {version} could not be tagged"):
        for tag, value in tags.items():
            store.client.set_model_version_tag(name, version, tag, value)


def _link(store: TrackingStore, run: TrackedRun, name: str, version: str) -> None:
    """Link the run's model to the version on MLflow's pages."""
    link = json.dumps([{"name": name, "version": version}])
    with store.connected(f"{name} version {version} could not be linked to its run"):
        store.client.set_logged_model_tags(run.model_id, {MLFLOW_MODEL_VERSIONS: link})


def _make_model(store: TrackingStore, name: str) -> None:
    try:
        subject = name.removeprefix("tidegate-")
        store.client.create_registered_model(name, description=note_on_model(subject))
    except MlflowException as error:
        # An earlier training, or a concurrent one, has created it.
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
