"""`tidegate serve`: the service, until it is told to stop."""

import json
import signal
import sys
from typing import Annotated

import typer

from serving.commands.options import DEFAULT_HOME, Home
from serving.commands.printing import messages


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8000,
    home: Home = DEFAULT_HOME,
    database_url: Annotated[
        str | None,
        typer.Option(
            envvar="TIDEGATE_DATABASE_URL",
            help="postgresql://…; HOME/tidegate.db without. Give a password by the environment: "
            "everyone on the machine can read a command line.",
        ),
    ] = None,
) -> None:
    """Score, explain and remember over HTTP; SIGTERM finishes what was acknowledged."""
    import uvicorn
    from pydantic import SecretStr

    from serving.api.examples import ROUTE, SHIPMENT
    from serving.app import create_app
    from serving.observability import log_as_json
    from serving.settings import Settings
    from serving.submitted import read_submission

    log_as_json()
    app = create_app(
        Settings(home=home, database_url=SecretStr(database_url) if database_url else None)
    )
    examples = (read_submission(json.dumps(body).encode()) for body in (ROUTE, SHIPMENT))
    app.state.house.desk.assessor.warm_up(examples)
    messages.print(f"Tidegate answers at http://{host}:{port}, console at /console")
    # Told to stop, uvicorn finishes what it took and then repeats the signal: that is a success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Access lines are our own: uvicorn's hold paths, and paths hold ids.
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=10,
    )
