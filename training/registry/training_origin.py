"""Where a training comes from: who trains, when, and on which revision of the source."""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class SourceRevision:
    """The commit that is checked out; dirty where a file of it was changed since.

    Files that git does not know make nothing dirty, as in MLflow's own tags.
    """

    commit: str
    is_dirty: bool


@dataclass(frozen=True)
class TrainingOrigin:
    """Who trains, when, and on which revision of the source, where it is known."""

    trainer: str
    at: datetime
    revision: SourceRevision | None

    @property
    def tags(self) -> dict[str, str]:
        """As a run and a version carry it; MLflow's names where it has one."""
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
        """The same as a sentence, since MLflow's pages show no tag of its own."""
        if self.revision is None:
            return f"Trained by {self.trainer}; the source was no git repository."
        commit = f"Trained by {self.trainer} on commit `{self.revision.commit}`"
        if self.revision.is_dirty:
            return f"{commit} **with changes that are in no commit**: that alone does not give it."
        return f"{commit}."


def source_revision(root: Path) -> SourceRevision | None:
    """Return what the repository at `root` has checked out; None outside of one or without git.

    A repository further up is another project's: there only the package is installed.
    """
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    with suppress(OSError, subprocess.SubprocessError):
        result = subprocess.run(  # noqa: S603  # no word of it comes from outside
            [*command, "--exclude=*"],
            env=os.environ | {"GIT_CEILING_DIRECTORIES": str(root.resolve().parent)},
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        commit, _, mark = result.stdout.strip().partition("-")
        return SourceRevision(commit, is_dirty=bool(mark))
    return None
