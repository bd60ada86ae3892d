"""Calls to a database, heard of before they are made."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from serving.db.raw_sql import DriverConnection

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
    with pytest.MonkeyPatch.context() as patching:
        _hear_direct(patching, hear, engine)
        yield
    event.remove(listened, "before_cursor_execute", before_statement)
    event.remove(listened, "commit", before_commit)


def _hear_direct(patching: pytest.MonkeyPatch, hear: Hear, engine: Engine | None) -> None:
    for name in ("run", "run_each", "commit"):
        call = getattr(DriverConnection, name)

        def heard_call(self: DriverConnection, *arguments: Any, call: Any = call) -> None:
            if engine is None or self._engine is engine:
                hear(arguments[0] if arguments else None)
            call(self, *arguments)

        patching.setattr(DriverConnection, name, heard_call)
