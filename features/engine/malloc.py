"""Tune the C library's malloc: a build keeps what it frees, a service gives it back.

A C library without `mallopt` goes on as before.
"""

import ctypes
import gc

# Of mallopt(3): how much may lie free at the end of the heap, from what size on memory is the
# system's at once, and how many heaps threads may have.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def keep_freed_memory() -> None:
    """Keep half a GiB of freed memory for the next block of rows, and never collect what is loaded.

    Freed memory is used again, not given back and cleared anew; Arrow shares it.
    """
    gc.freeze()
    if _set_options({_TRIM_THRESHOLD: 1 << 29, _MMAP_THRESHOLD: 1 << 30}):
        # A service sets its options before anything loads Arrow.
        import pyarrow as pa  # noqa: PLC0415

        pa.set_memory_pool(pa.system_memory_pool())


def return_freed_memory() -> None:
    """Give freed memory back, and let all threads share one heap; call it before there are any.

    The threads of a service take turns anyhow, and what one frees the others can use.
    """
    _set_options({_ARENA_MAX: 1, _MMAP_THRESHOLD: 64 * 1024, _TRIM_THRESHOLD: 128 * 1024})


def _set_options(options: dict[int, int]) -> bool:
    """Set each option, in order; False without `mallopt`."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    for option, value in options.items():
        library.mallopt(option, value)
    return True
