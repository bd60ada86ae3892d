"""Workers are forked from one process that has read and compiled everything once.

Each would do so for itself otherwise: two seconds of processor time, and a hundred MiB, for every
worker, whenever it starts. That process (Python's own fork server) opens nothing of the home and
begins no thread of Python, so that what is forked from it may open and begin whatever it wants.
"""

import ctypes
import os
import signal
import sys
from multiprocessing import forkserver, get_context

from serving.process.shutdown import STOPPED, ending_at_once

FORKED_FROM = "serving.process.prefork_warmup"
"""What the fork server imports before it is asked for a worker."""

_SIGNALS = {signal.SIGTERM}
_SIGNAL_AT_PARENTS_DEATH = 1


def fork_workers() -> None:
    """Let uvicorn fork the workers that it begins; what they are forked from starts now.

    They have this process's environment of now.
    """
    from uvicorn import _subprocess  # noqa: PLC0415 - the command line needs none of it

    context = get_context("forkserver")
    context.set_forkserver_preload([FORKED_FROM])
    _subprocess.spawn = context  # type: ignore[assignment]  # of either it asks for a Process alone
    forkserver.ensure_running()


def wait_until_forking() -> None:
    """Return when workers can be forked; a signal meanwhile ends this process at once."""
    with ending_at_once({**STOPPED, signal.SIGTERM: 0}):
        first = get_context("forkserver").Process(target=int)
        first.start()
        first.join()


def outlive_signals() -> None:
    """Let a signal to a whole group of processes reach its workers, and not what forks them.

    Whoever began the workers learns from that process how each of them ended, and takes it along
    when it ends itself, even in the middle of reading. A signal that comes while a worker is forked
    waits until it is one.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SIGNAL_AT_PARENTS_DEATH, signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_begin_worker)


def _hold() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _begin_worker() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _release()
