"""Start the service: apply process settings first, then load what requests need.

Objects loaded before the first request live as long as the process. Garbage collection during the
start would cost a fifth of its time and free half a megabyte, so it is off until then.
"""

import ctypes
import gc
import json
import mmap
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from features.engine.malloc import return_freed_memory
from serving.process.shutdown import STOPPED, end_with_supervisor, ending_at_once
from serving.process.start_stages import StageReport, ignore_stage

if TYPE_CHECKING:
    from fastapi import FastAPI

    from features.submission import Submission

COLLECT_AFTER_OBJECTS = 10_000  # allocated more than freed

_LIBRARY = re.compile(r"\S+ r-.p .*\.so(\.\S+)?\n")
_AS_ON_DISK = re.compile(r"^Anonymous: +0 kB$", re.MULTILINE)


def start_app(report: StageReport = ignore_stage) -> "FastAPI":
    """Return the application that the environment describes, ready for its first request.

    A signal ends the process at once meanwhile: no request was acknowledged yet.
    """
    end_with_supervisor()
    gc.disable()
    try:
        _keep_memory_small()
        with ending_at_once({**STOPPED, signal.SIGTERM: 0}):
            app = _warm_app(report)
        return_library_pages()
        return app
    finally:
        gc.freeze()  # later collections skip everything loaded so far
        # A batch creates thousands of objects with almost no cycles among them. Collecting after
        # every 700 allocations, as is the default, takes longer than formatting the answers.
        gc.set_threshold(COLLECT_AFTER_OBJECTS)
        gc.enable()


def _keep_memory_small() -> None:
    # Arrow's default allocator reserves 30 MiB for the first string; the service needs far less.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    return_freed_memory()


def _warm_app(report: StageReport) -> "FastAPI":
    # Imported here: `_keep_memory_small` must run before anything loads Arrow.
    from serving.app import create_app
    from serving.observability import log_as_json
    from serving.settings import Settings
    from serving.web.connections import bound_connections

    log_as_json()
    bound_connections()
    app = create_app(Settings(), report=report)
    report("trying everything once", 0, 0)
    # Compiles and caches what the first requests would otherwise wait for.
    app.state.services.assessor.warm_up(_examples())
    return app


def _examples() -> list["Submission"]:
    from serving.api.examples import ROUTE, SHIPMENT
    from serving.request_parsing import read_submission

    return [read_submission(json.dumps(body).encode()) for body in (ROUTE, SHIPMENT)]


def return_library_pages() -> None:
    """Release library pages that are unchanged from disk; the kernel reads them again on demand.

    Each worker holds its own copies. Loading compiled functions reads most of LLVM (70 MiB), which
    is hardly used afterwards. Does nothing except on Linux.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        for start, size in _unchanged_library_pages():
            library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), mmap.MADV_DONTNEED)


def _unchanged_library_pages() -> Iterator[tuple[int, int]]:
    """Yield the address and size of library mappings without changed pages.

    Dropping a changed page would lose relocations, so mappings with anonymous memory are left out.
    """
    mappings = Path("/proc/self/smaps").read_text()
    for mapping in re.split(r"^(?=[0-9a-f]+-)", mappings, flags=re.MULTILINE):
        if _LIBRARY.match(mapping) and _AS_ON_DISK.search(mapping):
            start, end = (int(at, 16) for at in mapping.split(maxsplit=1)[0].split("-"))
            yield start, end - start
