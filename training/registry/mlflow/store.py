"""Tracking stores, opened without log noise or telemetry."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from features.atomic_dir import flush_folder, working_folder

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # Our models are plain text, so a store that offers a pickle is refused.
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "PGCONNECT_TIMEOUT": "10",
}

# Before the import below: MLflow reads these variables only once.
os.environ.update(_QUIET)
# Only defaults: unlike the settings above, these may be set in the environment.
for _name, _value in _PATIENCE.items():
    os.environ.setdefault(_name, _value)

import mlflow  # noqa: E402  after the variables that it reads once
import mlflow.store.db.utils  # noqa: E402  likewise
from mlflow import MlflowClient  # noqa: E402  likewise

from training.errors import TrainingError  # noqa: E402  likewise
from training.registry.mlflow.moved_home import ARTIFACTS, follow_home  # noqa: E402  likewise

FILE = "mlflow.db"

# The default is ten attempts over a hundred seconds, and no variable changes it.
mlflow.store.db.utils.MAX_RETRY_COUNT = 2


# Without this tag, an experiment's page opens on traces and prompts and hides its runs.
_OF_MODELS = {"mlflow.experimentKind": "custom_model_development"}


@dataclass(frozen=True)
class TrackingStore:
    """A reachable store; `client` accesses its runs and its registry."""

    uri: str
    client: MlflowClient
    artifact_location: str | None
    is_of_home: bool = False

    @classmethod
    def open(cls, home: Path, uri: str | None = None) -> Self:
        """Open the store at `uri`, by default an SQLite file in `home`; create it if missing.

        Raises TrainingError if it does not answer within seconds.
        """
        home.mkdir(parents=True, exist_ok=True)
        default_uri = f"sqlite:///{home.resolve() / FILE}"
        with (
            quietly(f"the tracking store {_shown(uri or default_uri)} does not answer"),
            _without_retries(),
        ):
            is_of_home = uri in (None, default_uri)
            if is_of_home:
                _make_tables(home.resolve() / FILE)
            client = MlflowClient(uri or default_uri, uri or default_uri)
            # A cheap request, so that an unreachable store fails here and not after a long
            # training.
            client.search_experiments(max_results=1)
            if is_of_home:
                follow_home(client._tracking_client.store, home.resolve())
        # A server decides where files go; next to a database MLflow would use the working folder.
        is_server = urlsplit(uri or default_uri).scheme in ("http", "https")
        artifacts = None if is_server else (home.resolve() / ARTIFACTS).as_uri()
        return cls(uri or default_uri, client, artifacts, is_of_home)

    @property
    def shown_uri(self) -> str:
        """The URI of the store, with any password hidden."""
        return _shown(self.uri)

    @property
    def recorded_uri(self) -> str:
        """The URI to record in versions; relative for a home's own store, so that it can move."""
        return f"sqlite:///{FILE}" if self.is_of_home else self.shown_uri

    def experiment(self, name: str) -> str:
        """Return the id of an experiment; create it if missing."""
        with self.connected(f"the experiment {name!r} cannot be opened"):
            existing = self.client.get_experiment_by_name(name)
            if existing is not None:
                return str(existing.experiment_id)
            experiment_id = self.client.create_experiment(name, self.artifact_location, _OF_MODELS)
            return str(experiment_id)

    @contextmanager
    def connected(self, failure: str) -> Iterator[None]:
        """Point MLflow's global functions at this store, and translate errors as in `quietly`."""
        former = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(self.uri)
        try:
            with quietly(f"{failure} ({self.shown_uri})"):
                yield
        finally:
            mlflow.set_tracking_uri(former)


def _make_tables(file: Path) -> None:
    """Create MLflow's tables in another file first: an interrupted migration cannot be resumed."""
    if file.exists():
        return
    with working_folder(file) as folder:
        prepared = folder / file.name
        _make_tables_by_mlflow(prepared)
        with suppress(FileExistsError):  # another command was first
            os.link(prepared, file)
        flush_folder(file.parent)


def _make_tables_by_mlflow(file: Path) -> None:
    """Run all of MLflow's migrations, which takes a second."""
    client = MlflowClient(f"sqlite:///{file}", f"sqlite:///{file}")
    client.search_experiments(max_results=1)
    client._tracking_client.store.engine.dispose()


def _shown(uri: str) -> str:
    secret = urlsplit(uri).password
    return uri.replace(f":{secret}@", ":***@", 1) if secret else uri


@contextmanager
def _without_retries() -> Iterator[None]:
    """Disable retries while the block runs; they are meant for a store that answered before."""
    former = os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    try:
        yield
    finally:
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = former


@contextmanager
def quietly(failure: str) -> Iterator[None]:
    """Suppress MLflow's output, and turn any exception into a TrainingError with `failure`."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic", "sqlalchemy", "git")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except TrainingError:
        raise
    # MLflow passes on whatever its stores, databases and HTTP clients raise.
    except Exception as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TrainingError(f"{failure}: {first_line}") from error
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
