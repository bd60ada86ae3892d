"""Folders that are there whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Give a folder to write into; it takes the place of `folder` only when the block succeeds.

    On an error nothing is left behind and a former `folder` is untouched.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield partial
        partial.chmod(0o755)
        _take_the_place_of(folder, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _take_the_place_of(folder: Path, partial: Path) -> None:
    former = partial.with_name(f"{partial.name}.former")
    if folder.exists():
        folder.rename(former)
    partial.rename(folder)
    shutil.rmtree(former, ignore_errors=True)
