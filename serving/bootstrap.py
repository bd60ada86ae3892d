"""Begins the service: what must be said before anything large is loaded.

What is loaded and made until the first request is there to stay. Looking through it again and again
for what may go would cost a fifth of the start, and find half a megabyte.
"""

import gc
import json
import os
import signal
from typing import TYPE_CHECKING

from serving.resident_memory import give_back_libraries, keep_little_free
from serving.shutdown import STOPPED, ending_at_once
from serving.start_stages import Report, unheard

if TYPE_CHECKING:
    from fastapi import FastAPI

LOOKED_THROUGH_AFTER = 10_000  # objects more than went


def served(report: Report = unheard) -> "FastAPI":
    """The service that this process's environment describes, ready for its first request.

    Told to stop meanwhile, the process ends at once: nothing was acknowledged yet.
    """
    gc.disable()
    try:
        # Arrow's own allocator would take 30 MiB for the first text, and there is never much of it.
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        keep_little_free()
        with ending_at_once({**STOPPED, signal.SIGTERM: 0}):
            app = _ready(report)
        give_back_libraries()
        return app
    finally:
        gc.freeze()  # nor need any request wait until all this was looked through
        # A group makes thousands of objects, nearly none of which hold each other: to look for
        # those after every seven hundred, as is usual, takes longer than to word its answers.
        gc.set_threshold(LOOKED_THROUGH_AFTER)
        gc.enable()


def _ready(report: Report) -> "FastAPI":
    from serving.api.examples import ROUTE, SHIPMENT
    from serving.app import create_app
    from serving.observability import log_as_json
    from serving.request_parsing import read_submission
    from serving.settings import Settings

    log_as_json()
    app = create_app(Settings(), report=report)
    report("trying everything once", 0, 0)
    examples = (read_submission(json.dumps(body).encode()) for body in (ROUTE, SHIPMENT))
    app.state.services.assessor.warm_up(examples)
    return app
