"""Calls to a database, heard of before they are made."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

Hear = Callable[[str | None], None]


@contextmanager
def heard(hear: Hear, engine: Engine | None = None) -> Iterator[None]:
    """Let `hear` know of every statement, and of every commit as None, to one engine or to all.

    What it raises, the call fails with.
    """
    listened: Any = engine or Engine

    def before_statement(*arguments: Any) -> None:
        hear(arguments[2])

    def before_commit(*_: Any) -> None:
        hear(None)

    event.listen(listened, "before_cursor_execute", before_statement)
    event.listen(listened, "commit", before_commit)
    yield
    event.remove(listened, "before_cursor_execute", before_statement)
    event.remove(listened, "commit", before_commit)
