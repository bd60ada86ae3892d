"""Start the service: settings of this process first, then everything that a request needs.

What is loaded until the first request is there to stay. Collecting it again and again would cost a
fifth of the start, and find half a megabyte.
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
    """Make the service that this process's environment describes, ready for its first request.

    A process that is stopped meanwhile ends at once: nothing was acknowledged yet.
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
        gc.freeze()  # no request waits until all this was collected
        # A batch makes thousands of objects, nearly none of which refer to each other: to collect
        # after every seven hundred, as is usual, takes longer than to format its answers.
        gc.set_threshold(COLLECT_AFTER_OBJECTS)
        gc.enable()


def _keep_memory_small() -> None:
    # Arrow's own allocator would take 30 MiB for the first text, and there is never much of it.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    return_freed_memory()


def _warm_app(report: StageReport) -> "FastAPI":
    from serving.app import create_app, utc_now
    from serving.console.case_page import warm_up as warm_up_pages
    from serving.observability import log_as_json
    from serving.settings import Settings
    from serving.web.connections import bound_connections

    log_as_json()
    bound_connections()
    app = create_app(Settings(), report=report)
    report("trying everything once", 0, 0)
    examples = _examples()
    app.state.services.assessor.warm_up(examples)
    warm_up_pages(examples, utc_now())
    return app


def _examples() -> list["Submission"]:
    from serving.api.examples import ROUTE, SHIPMENT
    from serving.request_parsing import read_submission

    return [read_submission(json.dumps(body).encode()) for body in (ROUTE, SHIPMENT)]


def return_library_pages() -> None:
    """Give back the pages of libraries that were read so far: those still needed are read again.

    Each worker has its own. To load compiled functions most of LLVM is read, 70 MiB, and called no
    more.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        for start, size in _unchanged_library_pages():
            library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), mmap.MADV_DONTNEED)


def _unchanged_library_pages() -> Iterator[tuple[int, int]]:
    """Address and size of the mappings of libraries that are in memory as on disk."""
    mappings = Path("/proc/self/smaps").read_text()
    for mapping in re.split(r"^(?=[0-9a-f]+-)", mappings, flags=re.MULTILINE):
        if _LIBRARY.match(mapping) and _AS_ON_DISK.search(mapping):
            start, end = (int(at, 16) for at in mapping.split(maxsplit=1)[0].split("-"))
            yield start, end - start
