"""How much memory a process holds that serves.

Each worker has its own; what one does not need another can have.
"""

import ctypes
import mmap
import re
import sys
from collections.abc import Iterator
from pathlib import Path

# Of mallopt(3): how much may lie free at the end of the heap, from what size on memory is the
# system's at once, and how many heaps threads may have.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_KEPT_BYTES, _LARGE_BYTES = 128 * 1024, 64 * 1024

_LIBRARY = re.compile(r"\S+ r-.p .*\.so(\.\S+)?\n")
_AS_ON_DISK = re.compile(r"^Anonymous: +0 kB$", re.MULTILINE)


def keep_little_free() -> None:
    """Give back what is freed, and let all threads share one heap; before there are any.

    They take turns anyhow, and what one frees the others can use. A C library without `mallopt`
    goes on as before.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_ARENA_MAX, 1)
        library.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        library.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


def give_back_libraries() -> None:
    """Give back the pages of libraries that were read so far: those still needed are read again.

    To load compiled functions most of LLVM is read, 70 MiB, and called no more.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        for start, size in _unchanged_libraries():
            library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), mmap.MADV_DONTNEED)


def _unchanged_libraries() -> Iterator[tuple[int, int]]:
    """Where libraries lie in memory as they lie on disk, and how long these stretches are."""
    stretches = Path("/proc/self/smaps").read_text()
    for stretch in re.split(r"^(?=[0-9a-f]+-)", stretches, flags=re.MULTILINE):
        if _LIBRARY.match(stretch) and _AS_ON_DISK.search(stretch):
            start, end = (int(at, 16) for at in stretch.split(maxsplit=1)[0].split("-"))
            yield start, end - start
