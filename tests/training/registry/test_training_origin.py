"""Which revision of the source is named, in real repositories."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from training.registry.training_origin import SourceRevision, TrainingOrigin, source_revision

WHO = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")


def git(folder: Path, *words: str) -> str:
    ran = subprocess.run(
        ["git", "-C", str(folder), *WHO, *words], capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit of one file, with a tag that must not be named instead."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "source.py").write_text("ONE = 1\n")
    git(tmp_path, "add", "source.py")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    git(tmp_path, "tag", "v1")
    return tmp_path


def test_a_clean_tree_is_its_commit_whatever_else_lies_in_it(repository: Path) -> None:
    (repository / "parameters.toml").write_text("seed = 7\n")

    assert source_revision(repository) == SourceRevision(
        git(repository, "rev-parse", "HEAD"), is_dirty=False
    )


@pytest.mark.parametrize("is_staged", [False, True])
def test_a_tree_with_a_change_that_is_in_no_commit_is_dirty(
    repository: Path, *, is_staged: bool
) -> None:
    (repository / "source.py").write_text("ONE = 2\n")
    if is_staged:
        git(repository, "add", "source.py")

    revision = source_revision(repository)

    assert revision == SourceRevision(git(repository, "rev-parse", "HEAD"), is_dirty=True)
    origin = TrainingOrigin("ada", datetime(2026, 1, 2, tzinfo=UTC), revision)
    assert origin.tags["mlflow.source.git.dirty"] == "true"
    assert "with changes that are in no commit" in origin.in_words


def test_a_package_inside_of_another_projects_repository_has_no_revision(repository: Path) -> None:
    installed = repository / "site-packages"
    installed.mkdir()

    assert source_revision(installed) is None


def test_outside_of_a_repository_there_is_no_revision(tmp_path: Path) -> None:
    origin = TrainingOrigin("ada", datetime(2026, 1, 2, tzinfo=UTC), source_revision(tmp_path))

    assert origin.revision is None
    assert not any("git" in tag for tag in origin.tags)
