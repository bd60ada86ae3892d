"""`tidegate demo`: everything once, from an invented world to an explained score."""

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import TidegateError
from features.records import SubjectKind
from serving.commands.options import DEFAULT_HOME, Home, Subject
from serving.commands.printing import messages, progress_bar

if TYPE_CHECKING:
    from features.submission import Submission

DAYS, SEED = 365, 7
LIVE_DAYS = 2
"""The last days of the world arrive as live traffic instead of lying in the record files."""

SCORED_AT_ONCE = 60
SCORED_SPAN = timedelta(hours=14)
"""How long it took to declare what is scored at once: by now all of it was, and more is to come."""

SECONDS_TO_START = 60
KINDS: tuple[SubjectKind, ...] = ("route", "shipment")
TRAINER, APPROVER = "demo-trainer", "demo-approver"


class DemoFailed(TidegateError):
    """A step of the demonstration did not do what it is there to show."""


@dataclass(frozen=True)
class Client:
    """A border system that knows the service's address and holds a key."""

    address: str
    key: str

    def score(self, submission: "Submission") -> dict[str, Any]:
        """Submit one subject; the service's answer."""
        request = urllib.request.Request(  # noqa: S310 - the address is our own, on this machine
            f"{self.address}/v1/scores",
            data=submission.model_dump_json(exclude_none=True).encode(),
            headers={
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
                "Idempotency-Key": secrets.token_hex(16),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            raise DemoFailed(f"the service refused a submission: {error.read().decode()}") from None
        return answer


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after one explained score.")] = False,
    journeys: Annotated[
        int, typer.Option(min=1_000, help="Size of the world: so many journeys and shipments.")
    ] = 40_000,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the service.")] = 8000,
    home: Home = DEFAULT_HOME,
) -> None:
    """Invent a world, train and promote both models, serve them, score live traffic, explain."""
    world = home / "world"
    _step(1, "Inventing a world, since real smuggling data cannot be public")
    _invent(world, journeys)
    _bring_up_to_today(world)
    live_from = _hold_back(world, home)
    for kind in KINDS:
        _step(2, f"What is known about every {kind}, as of its declaration")
        _build(home, kind)
    for kind in KINDS:
        _step(
            3, f"A model for {kind}s: trained, judged on later months, promoted through the gates"
        )
        _train_and_promote(home, kind)
    _step(4, "Serving the champions")
    with _service(home, _free(port)) as client:
        _step(5, "Scoring live traffic: the world's last days, as border systems would submit them")
        waiting = _live(world, live_from)
        _score_and_explain(client, waiting[: 2 * SCORED_AT_ONCE])
        name, password = _new_reviewer(home)
        typer.echo(f"\nConsole: {client.address}/console  (sign in as {name}, password {password})")
        typer.echo(f"API:     {client.address}/docs  (key {client.key})")
        typer.echo(f"Models:  mlflow ui --backend-store-uri sqlite:///{home / 'mlflow.db'}")
        if not once:
            _keep_serving(client, waiting[2 * SCORED_AT_ONCE :])


def _step(number: int, what: str) -> None:
    messages.print(f"[bold]{number}/5[/bold] {what}")


def _invent(world: Path, journeys: int) -> None:
    from synthetic.scenario import Scenario
    from synthetic.world import invent

    with progress_bar("the world") as progress:
        invent(
            world,
            scenario=Scenario(),
            journeys=journeys,
            days=DAYS,
            seed=SEED,
            progress=progress,
            cores=2,
        )


def _bring_up_to_today(world: Path) -> None:
    from serving.commands.held_back import bring_up_to

    bring_up_to(world, datetime.now(UTC) + timedelta(days=LIVE_DAYS) - SCORED_SPAN)


def _hold_back(world: Path, home: Path) -> datetime:
    from serving.commands.held_back import last_days_begin, write_known_by

    live_from = last_days_begin(world, LIVE_DAYS)
    write_known_by(world, live_from, home / "records")
    return live_from


def _build(home: Path, kind: SubjectKind) -> None:
    from features.matrix import build_training_set

    with progress_bar(f"{kind}: features") as progress:
        build_training_set(home / "records", kind, home / "training_sets" / kind, progress)


def _train_and_promote(home: Path, kind: SubjectKind) -> None:
    from serving.commands.promote import promote
    from serving.commands.train import trained
    from training.parameters import TrainingParameters

    data = home / "training_sets" / kind
    candidate, registration = trained(
        Subject(kind), data, TrainingParameters(), home, None, TRAINER
    )
    at = next(p for p in candidate.report.inspected.at_capacity if p.share == 0.05)
    messages.print(
        f"  version {registration.version}: of the 5 % it ranks highest among inspected ones, "
        f"{at.precision.value:.0%} were confirmed, {at.lift.value:.1f} times as many as by lot"
    )
    promote(f"{registration.name}@challenger", APPROVER, home=home)


def _free(port: int) -> int:
    """The port, or another where it is taken."""
    for candidate in (port, 0):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", candidate))
            except OSError:
                messages.print(f"  port {port} is taken; using another")
            else:
                return int(listener.getsockname()[1])
    raise DemoFailed("no port is free on this machine")


@contextmanager
def _service(home: Path, port: int) -> Iterator[Client]:
    """The service in a process of its own, as `tidegate serve` runs it, and a client with a key."""
    command = [sys.executable, "-m", "serving.commands.main", "serve"]
    log = home / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--home", str(home), "--port", str(port)], stdout=output, stderr=output
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_ready(address, process, log)
        yield Client(address, _new_key(home))
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(10 * SECONDS_TO_START):
        if process.poll() is not None:
            raise DemoFailed(f"the service stopped before it was ready; {log} says why")
        try:
            with urllib.request.urlopen(f"{address}/health/ready", timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise DemoFailed(f"the service was not ready within {SECONDS_TO_START} s; see {log}")


def _new_key(home: Path) -> str:
    command = [sys.executable, "-m", "serving.commands.main", "keys", "create"]
    name = f"demo-{secrets.token_hex(4)}"
    scopes = ["--scope", "score", "--scope", "explain"]
    made = subprocess.run(
        [*command, name, *scopes, "--home", str(home), "--json"], capture_output=True, check=True
    )
    key: str = json.loads(made.stdout)["key"]
    return key


def _new_reviewer(home: Path) -> tuple[str, str]:
    """An account for the console: its name and its password."""
    command = [sys.executable, "-m", "serving.commands.main", "accounts", "create"]
    name = f"reviewer-{secrets.token_hex(2)}"
    made = subprocess.run(
        [*command, name, "--role", "reviewer", "--home", str(home), "--json"],
        capture_output=True,
        check=True,
    )
    return name, json.loads(made.stdout)["password"]


def _live(world: Path, since: datetime) -> list["Submission"]:
    """Submissions of both kinds in turn, in order of declaration within a kind."""
    from features.assembly import submissions_of

    routes, shipments = (list(submissions_of(world, kind, since)) for kind in KINDS)
    return [s for pair in zip(routes, shipments, strict=False) for s in pair]


def _score_and_explain(client: Client, submissions: list["Submission"]) -> None:
    from serving.commands.explained import explained

    if not submissions:
        raise DemoFailed("the world's last days brought nothing to score; use more journeys")
    scored = []
    with progress_bar("live traffic") as progress:
        for done, submission in enumerate(submissions, start=1):
            scored.append((client.score(submission), submission))
            progress(done, len(submissions))
    answer, submission = max(scored, key=lambda pair: pair[0]["probability"])
    typer.echo()
    typer.echo(explained(answer, f"{submission.declared_at:%Y-%m-%d %H:%M} UTC"))


def _keep_serving(client: Client, waiting: list["Submission"]) -> None:
    """Let traffic arrive, one subject every two seconds, until someone interrupts."""
    messages.print("Traffic keeps arriving; Ctrl-C ends the demonstration.")
    try:
        for submission in waiting:
            client.score(submission)
            time.sleep(2)
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        messages.print("Done. `tidegate serve` starts the service again at once.")
