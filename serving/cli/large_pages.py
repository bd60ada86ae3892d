"""Memory in large pages for what runs long: on a virtual machine, looking up small ones costs much.

Measured in `docs/installation.md`. glibc and Python read how to take memory when a process begins,
so a command begins anew with both told, as the same process. Whoever sets one of the variables
decides: `PYTHONMALLOC=pymalloc` leaves memory as Python takes it by itself.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

# The commands that gain more by it than the tenth of a second that beginning anew takes.
RUNS_LONG = frozenset({"serve", "stream", "build", "train", "retrain", "backtest", "demo"})

LARGE_PAGES = {
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864"
    ":glibc.malloc.trim_threshold=1073741824",
}

_KERNEL = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_LEAST_GLIBC = (2, 35)


def begin_in_large_pages(arguments: list[str]) -> None:
    """Begin the command of these arguments anew where it runs long and large pages can be had."""
    if arguments[:1] and arguments[0] in RUNS_LONG and are_to_be_set(os.environ):
        environment = {**os.environ, **LARGE_PAGES}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - this very command


def are_to_be_set(environment: Mapping[str, str], kernel: Path = _KERNEL) -> bool:
    """Return whether large pages can be had and no variable decides how memory is taken."""
    if LARGE_PAGES.keys() & environment.keys() or _glibc() < _LEAST_GLIBC:
        return False
    try:
        return "[never]" not in kernel.read_text()
    except OSError:
        return False


def _glibc() -> tuple[int, ...]:
    """The version of glibc; empty where there is none."""
    try:
        library, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        return tuple(map(int, version.split("."))) if library == "glibc" else ()
    except (AttributeError, OSError, ValueError):
        return ()
