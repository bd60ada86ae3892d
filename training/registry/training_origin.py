"""The origin of a training: trainer, time and source revision."""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class SourceRevision:
    """The checked-out commit; `is_dirty` if tracked files differ from it.

    Untracked files do not count, as in MLflow's own tags.
    """

    commit: str
    is_dirty: bool


@dataclass(frozen=True)
class TrainingOrigin:
    """The trainer, the time and the source revision, if known."""

    trainer: str
    at: datetime
    revision: SourceRevision | None

    @property
    def tags(self) -> dict[str, str]:
        """Tags of runs and versions, under MLflow's own names where there are any."""
        tags = {
            "mlflow.user": self.trainer,
            "tidegate.trainer": self.trainer,
            "tidegate.trained_at": self.at.isoformat(),
        }
        if self.revision is not None:
            tags["mlflow.source.git.commit"] = self.revision.commit
            tags["mlflow.source.git.dirty"] = str(self.revision.is_dirty).lower()
        return tags

    @property
    def in_words(self) -> str:
        """The origin as a sentence, since MLflow's pages do not show its own tags."""
        if self.revision is None:
            return f"Trained by {self.trainer}; the source was no git repository."
        commit = f"Trained by {self.trainer} on commit `{self.revision.commit}`"
        if self.revision.is_dirty:
            return f"{commit} **with changes that are in no commit**: that alone does not give it."
        return f"{commit}."


def source_revision(root: Path) -> SourceRevision | None:
    """Return the revision checked out at `root`; None outside of a repository or without git.

    A repository in a parent folder is another project's, in which the package is installed.
    """
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    with suppress(OSError, subprocess.SubprocessError):
        result = subprocess.run(  # noqa: S603  # no word of it comes from outside
            [*command, "--exclude=*"],
            # Keeps git from searching parent folders.
            env=os.environ | {"GIT_CEILING_DIRECTORIES": str(root.resolve().parent)},
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        commit, _, mark = result.stdout.strip().partition("-")
        return SourceRevision(commit, is_dirty=bool(mark))
    return None
