"""Large memory pages for long-running commands, because small ones are slow on virtual machines.

Measurements are in `docs/installation.md`. glibc and Python read these settings when a process
begins, so the command re-executes itself with both set. A variable set by the user wins:
`PYTHONMALLOC=pymalloc` keeps Python's own allocator.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

# Commands that gain more than the tenth of a second which the restart takes.
RUNS_LONG = frozenset({"serve", "stream", "build", "train", "retrain", "backtest", "demo"})

# Python then allocates through glibc, which asks for large pages and keeps freed memory.
LARGE_PAGES = {
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864"
    ":glibc.malloc.trim_threshold=1073741824",
}

_KERNEL = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_MIN_GLIBC = (2, 35)


def begin_in_large_pages(arguments: list[str]) -> None:
    """Re-execute a long-running command with large pages, if they are available."""
    if arguments[:1] and arguments[0] in RUNS_LONG and are_to_be_set(os.environ):
        environment = {**os.environ, **LARGE_PAGES}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - this very command


def are_to_be_set(environment: Mapping[str, str], kernel: Path = _KERNEL) -> bool:
    """Return whether large pages are available and no variable already configures memory."""
    if LARGE_PAGES.keys() & environment.keys() or _glibc() < _MIN_GLIBC:
        return False
    try:
        # "madvise" suffices, because glibc then asks for large pages itself.
        return "[never]" not in kernel.read_text()
    except OSError:
        return False


def _glibc() -> tuple[int, ...]:
    """Return the version of glibc; empty for another C library."""
    try:
        library, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        return tuple(map(int, version.split("."))) if library == "glibc" else ()
    except (AttributeError, OSError, ValueError):
        return ()
