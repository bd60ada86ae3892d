"""An act that is killed before any one of its calls to files or databases, as `kill -9` does it."""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn

from tests.serving.calls import heard

FILE_CALLS = {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate"}
PLACING = {"os.link", "os.rename"}
KILLED = 9
MAX_S = 300  # more time means waiting for something that will not come


def is_killed_at(number: int, act: Callable[[], Any]) -> bool:
    """Do something in a process of its own that ends at once before its `number`th call.

    Whether it came to that; False where it ended by itself before. Raises AssertionError where it
    failed.
    """
    return _is_killed(number, act, None)


def is_killed_before(name: str, act: Callable[[], Any]) -> bool:
    """The same, before a file or folder of this name takes its place."""
    return _is_killed(1, act, name)


def _is_killed(number: int, act: Callable[[], Any], name: str | None) -> bool:
    child = os.fork()
    if child == 0:
        _act_and_end(number, act, name)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    # A negative one is a signal: -14 where it took longer than MAX_S, -11 for a crash.
    assert ended in (0, KILLED), f"before its call {number} it ended with {ended}"
    return ended == KILLED


def _act_and_end(number: int, act: Callable[[], Any], name: str | None) -> NoReturn:
    calls = [0]

    def count(*_: Any) -> None:
        calls[0] += 1
        if calls[0] == number:
            os._exit(KILLED)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if name is not None:
            if event in PLACING and Path(os.fsdecode(arguments[1])).name == name:
                count()
            return
        is_written = event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if is_written or event in FILE_CALLS:
            count()

    signal.alarm(MAX_S)
    sys.addaudithook(hear)
    heard_too = heard(count) if name is None else nullcontext()
    # OpenMP would wait for threads that only the parent has; a thread of its own makes new ones.
    Thread(target=_ended, args=(act, heard_too)).start()
    while True:
        time.sleep(1)


def _ended(act: Callable[[], Any], heard_too: AbstractContextManager[Any]) -> None:
    try:
        with heard_too:
            act()
    except BaseException:  # whatever it is, this process must not go on as a second test run
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)
