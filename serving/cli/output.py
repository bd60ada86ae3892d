"""Output of commands: results on stdout, everything else on stderr."""

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

messages = Console(stderr=True, highlight=False)
results = Console(highlight=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """Print one JSON document on stdout; floats that are not finite become null."""
    json.dump(
        _finite(document),
        sys.stdout,
        ensure_ascii=False,
        indent=1,
        allow_nan=False,
        default=datetime.isoformat,
    )
    sys.stdout.write("\n")


def _finite(document: Any) -> Any:
    if isinstance(document, float):
        # JSON has no NaN or infinity, and strict parsers reject Python's spelling.
        return document if math.isfinite(document) else None
    if isinstance(document, dict):
        return {key: _finite(value) for key, value in document.items()}
    return [*map(_finite, document)] if isinstance(document, list | tuple) else document


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr while the block runs; yield a function of `done` and `total`."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=messages) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
