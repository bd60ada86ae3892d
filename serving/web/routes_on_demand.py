"""Routes that the first request for one of them imports, so that a start does not wait for them."""

from collections.abc import Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


class RoutesOnDemand(BaseRoute):
    """Placeholder for the last routes of an application.

    It gets the first request `below` a path that no earlier route answers, replaces itself by the
    routes that `load` returns, and routes the request again.
    """

    def __init__(self, load: Callable[[], Sequence[BaseRoute]], below: str = ""):
        self._load, self._below = load, below

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match every request below the path: only the missing routes know which are theirs."""
        return (Match.FULL if scope["path"].startswith(self._below) else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Load the routes and pass the request to the router again."""
        # Imports take a good part of a second, during which other requests must be answered.
        routes = await run_in_threadpool(self._load)
        table: list[BaseRoute] = scope["app"].router.routes
        if self in table:  # a concurrent request may have replaced it
            at = table.index(self)
            table[at : at + 1] = routes
        await scope["router"](scope, receive, send)
