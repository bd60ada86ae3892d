"""A candidate becomes a version: logged, saved in the home, aliased challenger.

A failure at any step leaves neither a version in the registry nor one in the home; where the
registry itself is what failed, the version there is marked as unfinished, and soon taken back.
"""

import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from training.data.training_set import TrainingSet
from training.model.model_home import ModelHome, ModelPointer, Registration
from training.registry.mlflow.runs import track
from training.registry.mlflow.store import TrackingStore
from training.registry.mlflow.versions import finish, registered, set_alias
from training.train import Candidate


@dataclass(frozen=True)
class TrainingOrigin:
    """Who trains, when, and from which revision of the source, where it is known."""

    trainer: str
    at: datetime
    revision: str | None

    @property
    def tags(self) -> dict[str, str]:
        """As a run and a version carry it."""
        tags = {
            "mlflow.user": self.trainer,
            "tidegate.trainer": self.trainer,
            "tidegate.trained_at": self.at.isoformat(),
        }
        return tags | ({"mlflow.source.git.commit": self.revision} if self.revision else {})


def register(
    candidate: Candidate,
    data: TrainingSet,
    home: ModelHome,
    store: TrackingStore,
    provenance: TrainingOrigin,
) -> Registration:
    """Track, register, keep and name the candidate. Raises TrackingError."""
    model, name = candidate.model, candidate.model.manifest.name
    run = track(store, candidate, data, home.signing_key, provenance.tags)
    tags = provenance.tags | {"tidegate.digest": model.digest}
    with registered(store, name, run, tags, provenance.at) as version:
        registration = Registration(
            name=name,
            version=version,
            digest=model.digest,
            trainer=provenance.trainer,
            registered_at=provenance.at,
            run_id=run.run_id,
            tracking_uri=store.shown_uri,
        )
        folder = home.add_version(model, registration)
        try:
            set_alias(store, name, "challenger", version)
            finish(store, name, version)
            home.point("challenger", _pointer(registration))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return registration


def source_revision(root: Path) -> str | None:
    """The commit that `root` has checked out; None outside of a repository or without git."""
    with suppress(OSError, subprocess.SubprocessError):
        result = subprocess.run(  # noqa: S603  # no word of it comes from outside
            ["git", "-C", str(root), "rev-parse", "HEAD"],  # noqa: S607  # wherever git is
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        return result.stdout.strip()
    return None


def _pointer(registration: Registration) -> ModelPointer:
    return ModelPointer(
        name=registration.name,
        version=registration.version,
        digest=registration.digest,
        set_at=registration.registered_at,
    )
