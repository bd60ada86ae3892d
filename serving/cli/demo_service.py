"""Service of `tidegate demo`, in a process that never outlives the demonstration."""

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import TidegateError
from serving.cli.opened_home import opened_database
from serving.cli.output import messages
from serving.cli.start_progress import Show, StartStatus, start_bar

if TYPE_CHECKING:
    from features.submission import Submission

MAX_END_S = 30
MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class Client:
    """Border system with the service's address and a key."""

    address: str
    key: str

    def score(self, submission: "Submission") -> dict[str, Any]:
        """Submit one subject and return the service's answer."""
        body = submission.model_dump_json(exclude_none=True).encode()
        return self._post("/v1/scores", body, {"Idempotency-Key": secrets.token_hex(16)})

    def send(self, records: dict[str, Any]) -> dict[str, Any]:
        """Send records and return the service's answer."""
        return self._post("/v1/records", json.dumps(records).encode(), {})

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the address is our own, on this machine
            f"{self.address}{path}",
            data=body,
            headers={
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
                **headers,
            },
        )
        for attempt in range(MAX_ATTEMPTS):
            try:
                with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  likewise
                    answer: dict[str, Any] = json.load(response)
                    return answer
            except urllib.error.HTTPError as error:
                said = error.read().decode()
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE or attempt + 1 == MAX_ATTEMPTS:
                    raise TidegateError(f"the service refused a request: {said}") from None
                # A busy service asks to be tried again.
                time.sleep(float(error.headers.get("Retry-After", 1)))
        raise AssertionError("the last attempt returns or raises")


def _listener(port: int) -> socket.socket:
    """Return a socket that listens on the port, or on a free one if it is taken.

    The service inherits the socket, so that nothing else can take the port in between.
    """
    from serving.process.listening_socket import bound, listen

    # Port 0 lets the system choose a free one.
    for candidate in (port, 0):
        try:
            listener = bound("127.0.0.1", candidate)
            listen(listener)
        except TidegateError:
            messages.print(f"  port {port} is taken; using another")
        else:
            return listener
    raise TidegateError("no port is free on this machine")


@contextmanager
def served_apart(home: Path, port: int, clock: Callable[[], datetime]) -> Iterator[Client]:
    """Run the service in another process, like `tidegate serve`; yield a client with a key.

    The service uses the machine's clock; `clock` only dates the key. It ends with this process in
    any case, because it reads a pipe that then closes.
    """
    from serving.process.listening_socket import address_of

    log = home / "service.log"
    with _listener(port) as listener, log.open("wb") as output:
        address, descriptor = address_of(listener), listener.fileno()
        process = subprocess.Popen(
            _command(home, "serve", "--fd", str(descriptor), "--progress", "--end-with-stdin"),
            # The pipe closes when this process ends, even if killed, and the service ends with it.
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[descriptor],
        )
    try:
        _wait_until_it_answers(process, log)
        yield Client(address, new_client_key(home, clock()))
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(MAX_END_S)
    except subprocess.TimeoutExpired:
        # The service did not stop in time; nothing may be left running.
        process.kill()
        process.wait()


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait while the service lives, and show its progress."""
    with start_bar(after_s=0) as show, log.open() as lines:
        while not _has_started(lines.readlines(), show):
            if process.poll() is not None:
                raise TidegateError(
                    f"the service stopped before it was ready; {log} says why:\n"
                    + log.read_text().rpartition("}\n")[2]
                )
            time.sleep(0.1)


def _has_started(lines: list[str], show: Show) -> bool:
    for line in lines:
        if standing := StartStatus.of_line(line):
            show(standing)
    return any("answers at" in line for line in lines)


def _command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "serving.cli", *arguments, "--home", str(home)]


def new_client_key(home: Path, now: datetime) -> str:
    """Create the key of a border system and return it."""
    from serving.access.api_keys import new_key
    from serving.settings import settings_of
    from serving.storage.repositories.api_key_repository import ApiKeyRepository

    settings = settings_of(home)
    kept, key = new_key(
        f"demo-{secrets.token_hex(4)}",
        ("score", "explain", "ingest"),
        (),
        now,
        purposes=(settings.purpose,),
    )
    database = opened_database(settings)
    ApiKeyRepository(database).add_key(kept)
    database.dispose()
    return str(key)
