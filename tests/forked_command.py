"""`tidegate` in a fork of a process that has imported it, which starts in a third of the time.

For tests of what a service does; those of its start and of its end begin a process of their own.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NoReturn

from tests.forked_pytest import load_libraries

IMPORTED = ("serving.app", "serving.cli.main", "serving.cli.serve", "uvicorn", "httptools")


@dataclass
class ForkedCommand:
    """A command in a process of its own, the leader of a session; `errors` is its stderr."""

    pid: int
    errors: Path
    status: int | None = None

    @classmethod
    def start(
        cls,
        arguments: Sequence[str],
        errors: Path,
        environment: Mapping[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
        code: str | None = None,
    ) -> "ForkedCommand":
        """Start `tidegate` with these arguments; the new process calls `prepare` first.

        With `code`, an interpreter of its own runs that in place of the fork.
        """
        errors.touch()
        begun = _server().submit(_fork, arguments, errors, environment or {}, prepare, code)
        return cls(begun.result(), errors)

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the command runs."""
        if self.status is None:
            ended, status = _server().submit(os.waitpid, self.pid, os.WNOHANG).result()
            self.status = os.waitstatus_to_exitcode(status) if ended else None
        return self.status

    def wait(self, within_s: float) -> int:
        """Return the exit code once the command has ended."""
        ends_at = time.monotonic() + within_s
        while (code := self.poll()) is None:
            assert time.monotonic() < ends_at, "the command does not end"
            time.sleep(0.02)
        return code

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the command, SIGKILL to every process of its session."""
        if self.poll() is None:
            (os.killpg if how == signal.SIGKILL else os.kill)(self.pid, how)


@cache
def _server() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"), load_libraries, (IMPORTED,))


def _fork(
    arguments: Sequence[str],
    errors: Path,
    environment: Mapping[str, str],
    prepare: Callable[[], None] | None,
    code: str | None,
) -> int:
    child = os.fork()
    if child == 0:
        os.setsid()
        _run(arguments, errors, environment, prepare, code)
    return child


def _run(
    arguments: Sequence[str],
    errors: Path,
    environment: Mapping[str, str],
    prepare: Callable[[], None] | None,
    code: str | None,
) -> NoReturn:
    status: Any = 70
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        output = os.open(errors, os.O_WRONLY | os.O_APPEND)
        for stream, target in ((0, nowhere), (1, nowhere), (2, output)):
            os.dup2(target, stream)
        os.environ |= environment
        if code:
            os.execv(sys.executable, [sys.executable, "-c", code, *arguments])
        sys.argv = ["tidegate", *arguments]
        if prepare:
            prepare()
        from serving.cli.main import main

        main()
        status = 0
    except SystemExit as ended:
        status = ended.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as at any end
        sys.stderr.flush()
        os._exit(status)
