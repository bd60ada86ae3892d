"""Tuning of the C library's malloc: a build keeps freed memory, a service returns it.

On a C library without `mallopt` nothing changes.
"""

import ctypes
import gc

# Options of mallopt(3): the free memory kept at the end of the heap, the size from which memory is
# mapped separately, and the number of heaps for threads.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def keep_freed_memory() -> None:
    """Keep half a GiB of freed memory for the next block of rows, and freeze loaded objects.

    Freed memory is then reused instead of being returned and cleared again. Arrow uses the same
    allocator. The garbage collector never visits frozen objects.
    """
    gc.freeze()
    if _set_options({_TRIM_THRESHOLD: 1 << 29, _MMAP_THRESHOLD: 1 << 30}):
        # Imported late: a service must set its options before anything loads Arrow.
        import pyarrow as pa  # noqa: PLC0415  after the options, as said above

        pa.set_memory_pool(pa.system_memory_pool())


def return_freed_memory() -> None:
    """Return freed memory to the system, and let all threads share one heap.

    Call it before threads start. The threads of a service run one at a time anyway, and one can
    reuse what another freed.
    """
    _set_options({_ARENA_MAX: 1, _MMAP_THRESHOLD: 64 * 1024, _TRIM_THRESHOLD: 128 * 1024})


def _set_options(options: dict[int, int]) -> bool:
    """Set each option in order; return False if there is no `mallopt`."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    for option, value in options.items():
        library.mallopt(option, value)
    return True
