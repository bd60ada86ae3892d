"""Begins the service: what must be said before anything large is loaded.

What is loaded and made until the first request is there to stay. Looking through it again and again
for what may go would cost a fifth of the start, and find half a megabyte.
"""

import ctypes
import gc
import json
import mmap
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

LOOKED_THROUGH_AFTER = 10_000  # objects more than went


def served() -> "FastAPI":
    """The service that this process's environment describes, ready for its first request."""
    gc.disable()
    try:
        # Arrow's own allocator would take 30 MiB for the first text, and there is never much of it.
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        _load_kernels()
        app = _ready()
        _give_back_libraries()
        return app
    finally:
        gc.freeze()  # nor need any request wait until all this was looked through
        # A group makes thousands of objects, nearly none of which hold each other: to look for
        # those after every seven hundred, as is usual, takes longer than to word its answers.
        gc.set_threshold(LOOKED_THROUGH_AFTER)
        gc.enable()


def _load_kernels() -> None:
    """Load what runs compiled functions, without SciPy's linear algebra, which none of ours calls.

    Numba loads it where it is found, 16 MiB and a sixth of a second, and else does without.
    """
    known = sys.modules.get("scipy.linalg")
    sys.modules["scipy.linalg"] = known  # type: ignore[assignment]  # None: not to be found
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        if known is None:
            del sys.modules["scipy.linalg"]


def _ready() -> "FastAPI":
    from serving.api.examples import ROUTE, SHIPMENT
    from serving.app import create_app
    from serving.observability import log_as_json
    from serving.settings import Settings
    from serving.submitted import read_submission

    log_as_json()
    app = create_app(Settings())
    examples = (read_submission(json.dumps(body).encode()) for body in (ROUTE, SHIPMENT))
    app.state.house.desk.assessor.warm_up(examples)
    return app


def _give_back_libraries() -> None:
    """Give back the pages of libraries that were read so far: those still needed are read again.

    To load compiled functions most of LLVM is read, 70 MiB, and called no more.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        for start, size in _untouched_libraries():
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), mmap.MADV_DONTNEED)


def _untouched_libraries() -> Iterator[tuple[int, int]]:
    """Where libraries lie in memory as they lie on disk, and how long these stretches are."""
    for stretch in re.split(r"^(?=[0-9a-f]+-)", Path("/proc/self/smaps").read_text(), flags=re.M):
        if _UNTOUCHED_LIBRARY.match(stretch) and re.search(r"^Anonymous: +0 kB$", stretch, re.M):
            start, end = (int(at, 16) for at in stretch.split(maxsplit=1)[0].split("-"))
            yield start, end - start


_UNTOUCHED_LIBRARY = re.compile(r"\S+ r-.p .*\.so(\.\S+)?\n")
