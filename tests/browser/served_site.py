"""A real service on a real port of this machine."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI

from serving.access.api_keys import new_key
from serving.api.examples import ROUTE, SHIPMENT
from serving.app import create_app, utc_now
from serving.container import Clock, Services
from serving.request_parsing import read_submission
from serving.settings import Settings
from tests.ports import free_port

PATIENCE_S = 60.0  # on a busy machine the first answer takes longer than a client usually waits


@dataclass(frozen=True)
class Site:
    """A served home, the key of one caller, and its address."""

    address: str
    app: FastAPI
    services: Services
    key: str

    def score(self, body: dict[str, Any], idempotency_key: str) -> dict[str, Any]:
        """The answer to a submission."""
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": idempotency_key}
        response = httpx2.post(
            f"{self.address}/v1/scores", json=body, headers=headers, timeout=PATIENCE_S
        )
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer


@contextmanager
def served(settings: Settings, clock: Clock = utc_now) -> Iterator[Site]:
    """A service, on a free port."""
    port = free_port()
    app = create_app(settings, clock)
    # As `tidegate serve` does, so that no first request waits for kernels to be compiled.
    examples = [read_submission(json.dumps(body).encode()) for body in (ROUTE, SHIPMENT)]
    app.state.services.assessor.warm_up(examples)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        kept, shown = new_key("Post Hamburg", ("score", "explain"), (), clock())
        app.state.services.api_keys.add_key(kept)
        yield Site(f"http://127.0.0.1:{port}", app, app.state.services, str(shown))
    finally:
        server.should_exit = True
        thread.join(10)
