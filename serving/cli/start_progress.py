"""Progress of a start: a bar on a terminal, or lines for another process to read."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from serving.cli.output import messages
from serving.process.start_stages import Stage, StageReport

A_MOMENT_S = 1.0
LINES_EVERY_S = 0.2
STARTING = "starting"


@dataclass
class StartStatus:
    """Progress of a start, with the number of functions compiled so far."""

    stage: Stage | None = None
    done: int = 0
    total: int = 0
    compiled: int = 0

    @property
    def as_line(self) -> str:
        """The status as one JSON document."""
        return json.dumps({"event": STARTING, **vars(self)})

    @classmethod
    def of_line(cls, line: str) -> Self | None:
        """Return the status in a line; None if it has none."""
        try:
            event = json.loads(line)
            # Other lines of the service's log are JSON too.
            return cls(**event) if event.pop("event", None) == STARTING else None
        except (ValueError, AttributeError, TypeError):
            return None


Show = Callable[[StartStatus], None]


def reporting_to(show: Show) -> StageReport:
    """Return a stage report that also counts compilations from the first stage on."""
    standing = StartStatus()

    def report(stage: Stage, done: int, total: int) -> None:
        if standing.stage is None:
            _count_compilations(standing, show)
        standing.stage, standing.done, standing.total = stage, done, total
        show(standing)

    return report


def _count_compilations(standing: StartStatus, show: Show) -> None:
    from numba.core import event  # loaded by now, in the order that suits the service

    class Compilations(event.Listener):
        def on_start(self, _: Any) -> None:
            show(standing)

        def on_end(self, _: Any) -> None:
            standing.compiled += 1

    register: Callable[[str, event.Listener], None] = event.register
    register("numba:compile", Compilations())


@contextmanager
def start_bar(after_s: float = A_MOMENT_S) -> Iterator[Show]:
    """Show a bar on stderr for starts that take longer than `after_s`; remove it at the end."""
    columns = (TextColumn("starting: {task.description}"), BarColumn(), MofNCompleteColumn())
    compiled = TextColumn("{task.fields[compiled]} functions compiled")
    bar = Progress(*columns, compiled, TimeElapsedColumn(), console=messages, transient=True)
    task = bar.add_task("", total=None, compiled=0)
    began = time.monotonic()

    def show(standing: StartStatus) -> None:
        bar.update(
            task,
            description=standing.stage or "",
            completed=standing.done,
            total=standing.total or None,
            compiled=standing.compiled,
        )
        # Most starts take less than a second, and a bar would only flicker.
        if time.monotonic() > began + after_s:
            bar.start()

    try:
        yield show
    finally:
        bar.stop()


@contextmanager
def start_lines() -> Iterator[Show]:
    """Write JSON lines on stderr: each stage as it begins, and its progress from time to time."""
    last: tuple[Stage | None, float] = None, 0.0

    def show(standing: StartStatus) -> None:
        nonlocal last
        stage, written_s = last
        now = time.monotonic()
        # Limit the lines: a start can report thousands of steps.
        if standing.stage != stage or now > written_s + LINES_EVERY_S:
            last = standing.stage, now
            print(standing.as_line, file=sys.stderr, flush=True)

    yield show


@contextmanager
def unshown() -> Iterator[Show]:
    """Yield a function that shows nothing."""
    yield lambda standing: None
