"""`tidegate serve`: run the service until it is stopped."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import TidegateError
from serving.cli.opened_home import opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home
from serving.cli.output import messages
from serving.process.shutdown import end_with_parent

if TYPE_CHECKING:
    from serving.cli.start_progress import Show
    from serving.process.listening_transport import Transport
    from serving.settings import Settings

GRACE_S = 6


def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8000,
    fd: Annotated[
        int | None,
        typer.Option(min=0, help="An inherited socket, in place of --host and --port."),
    ] = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    behind_proxy: Annotated[
        bool,
        typer.Option(
            envvar="TIDEGATE_BEHIND_PROXY",
            help="A proxy that speaks TLS stands before it: listen in the clear beyond this "
            "machine, and believe the proxies of TIDEGATE_TRUSTED_PROXIES.",
        ),
    ] = False,
    tls_cert: Annotated[
        Path | None, typer.Option(envvar="TIDEGATE_TLS_CERT", help="Certificate chain (PEM).")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(envvar="TIDEGATE_TLS_KEY", help="Its private key (PEM).")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; more than one needs PostgreSQL.")
    ] = 1,
    live: Annotated[
        bool,
        typer.Option(
            envvar="TIDEGATE_IS_LIVE",
            help="Scores are used in earnest: needs HOME/impact.toml (`tidegate init impact`) and "
            "HOME/rescue.toml, whom to call when lives are at risk. "
            "Without it every page and /health/ready say that this is a trial.",
        ),
    ] = False,
    progress: Annotated[
        bool,
        typer.Option("--progress", help="Without a terminal too, say on stderr how a start goes."),
    ] = False,
    end_with_stdin: Annotated[
        bool,
        typer.Option(
            "--end-with-stdin",
            help="End when standard input ends: whoever started this by a pipe is gone then.",
        ),
    ] = False,
) -> None:
    """Score, explain and remember over HTTP; SIGTERM finishes what was acknowledged."""
    # When stopped, uvicorn finishes its requests and then repeats the signal: exit with success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if end_with_stdin:
        end_with_parent(sys.stdin.fileno())
    from serving.audit.impact_assessment import require_assessment
    from serving.cli.unread_variables import unread_variables
    from serving.process.listening_socket import bound, inherited
    from serving.process.listening_transport import Transport, hosts_of
    from serving.process.worker_metrics import shared_by_workers
    from serving.review.rescue.rescue_centres import require_rescue_centres
    from serving.settings import settings_of

    settings = settings_of(home, database_url)
    # SQLite allows one writing process.
    if workers > 1 and isinstance(settings.database, Path):
        raise TidegateError(
            "several workers need PostgreSQL: give --database-url postgresql://… or leave out "
            "--workers; one process serves a SQLite file"
        )
    # A misspelt setting would silently have its default.
    for says in unread_variables(os.environ):
        messages.print(f"tidegate: {says}", markup=False)
    # The service checks this too, but a worker that exits at once would be restarted forever.
    if live:
        require_assessment(settings.impact, datetime.now(UTC).date())
        require_rescue_centres(settings.rescue_centres)
    transport = Transport(behind_proxy, settings.trusted_proxies, tls_cert, tls_key)
    transport.require_certificate()
    # Bind before the workers start, so that a taken port is reported once.
    listener = bound(host, port) if fd is None else inherited(fd)
    transport.require_private(listener)
    handed_down = _handed_down(
        HOME=home,
        DATABASE_URL=database_url,
        WORKERS=workers,
        IS_LIVE=live,
        BEHIND_PROXY=behind_proxy,
        TRUSTED_HOSTS=",".join(hosts_of(settings, listener, is_live=live)) or None,
    )
    if workers == 1:
        with handed_down:
            _serve_here(listener, transport, _shown(progress))
        return
    with handed_down, shared_by_workers():
        _require_readable(settings)
        _require_whole_log(settings)
        _serve_by_workers(listener, transport, workers)


def _require_readable(settings: "Settings") -> None:
    """Validate files of the home here, which otherwise every worker would refuse repeatedly."""
    from serving.review.rescue.rescue_centres import rescue_centres
    from serving.triage.triage_plan import TriagePlan

    TriagePlan.read(settings.plan)
    rescue_centres(settings.rescue_centres, settings.rescue_webhook)


def _require_whole_log(settings: "Settings") -> None:
    """Validate the log here: a worker that exits at once would be restarted forever."""
    from features.history.online_store import OnlineStore
    from serving.history.client import require_same_log
    from serving.integrity.checkpoint_check import check_by_checkpoints
    from serving.storage.postgres_state import shared_state
    from serving.storage.repositories.checkpoint_repository import CheckpointRepository
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.verification.schema_check import require_schema

    engine = opened_database(settings)
    store = CheckpointRepository(engine)
    try:
        check_by_checkpoints(store, settings, by_newest=True).require_whole()
        require_schema(engine)
        if (shared := shared_state(engine)) and not shared.is_empty:
            require_same_log(OnlineStore(shared), DecisionRepository(engine))
    finally:
        engine.dispose()


def _shown(progress: bool) -> "AbstractContextManager[Show]":
    from serving.cli.start_progress import start_bar, start_lines, unshown

    if messages.is_terminal:
        return start_bar()
    return start_lines() if progress else unshown()


def _serve_here(
    listener: socket.socket, transport: "Transport", shown: "AbstractContextManager[Show]"
) -> None:
    """Serve in this process; create the application first, so that its errors come first."""
    from serving.cli.start_progress import reporting_to
    from serving.process.bootstrap import start_app
    from serving.process.listening_socket import AnnouncingServer, address_of, listen

    with shown as show:
        application = start_app(reporting_to(show))
    listen(listener)
    where = f"Tidegate answers at {address_of(listener, transport.scheme)}, console at /console"
    announce = partial(messages.print, where)
    failures: list[Exception] = []
    application.state.failures = failures
    try:
        # It has finished its requests.
        with suppress(KeyboardInterrupt):
            server = AnnouncingServer(_configured(application, transport, 1), announce)
            server.run(sockets=[listener])
    # The signal that stopped the server would hide failures of the application.
    finally:
        if failures:
            raise failures[0] from None


def _serve_by_workers(listener: socket.socket, transport: "Transport", workers: int) -> None:
    from serving.observability import log_as_json
    from serving.process.listening_socket import address_of
    from serving.process.worker_supervisor import WorkerSupervisor

    where = address_of(listener, transport.scheme)
    messages.print(f"{workers} workers start; Tidegate answers at {where} as each is ready")
    log_as_json()
    # Workers import the application by name, because each builds its own.
    configured = _configured("serving.process.bootstrap:start_app", transport, workers)
    WorkerSupervisor(configured, sockets=[listener]).run()


def _configured(application: Any, transport: "Transport", workers: int) -> Any:
    import uvicorn

    from serving.web.connections import bound_connections

    return uvicorn.Config(
        application,
        factory=workers > 1,
        workers=workers,
        http="serving.web.connections:BoundedConnection",
        # No endpoint uses WebSockets, and their connections would bypass the limits.
        ws="none",
        backlog=bound_connections(),
        # Tidegate logs requests itself: uvicorn's lines contain paths, and paths contain ids.
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        **transport.options,
    )


@contextmanager
def _handed_down(**given: Any) -> Iterator[None]:
    """Set these settings in the environment, so that worker processes read them like all others."""
    former = os.environ.copy()
    os.environ.update(
        {f"TIDEGATE_{name}": str(value) for name, value in given.items() if value is not None}
    )
    try:
        yield
    finally:
        # Restore the environment, for callers within the same process such as tests.
        os.environ.clear()
        os.environ.update(former)
