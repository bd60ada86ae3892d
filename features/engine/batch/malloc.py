"""What a process that only builds keeps: what it loaded, and the memory that it frees."""

import ctypes
import gc

import pyarrow as pa

# Of mallopt(3): how much may lie free, and from what size on memory is the system's at once.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES, _LARGE_BYTES = 1 << 29, 1 << 30


def keep_memory() -> None:
    """Let this process look at nothing it has loaded again, and keep half a GiB of what it frees.

    Freed memory is taken for the next block of rows, not given back and cleared anew; Arrow shares
    it. A C library without `mallopt` goes on as before.
    """
    gc.freeze()
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return
    library.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
    library.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
    pa.set_memory_pool(pa.system_memory_pool())
