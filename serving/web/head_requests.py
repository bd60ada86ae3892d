"""HEAD for every GET of the API: the same headers without content (RFC 9110, 9.3.2)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """Middleware that answers a HEAD of the API like a GET, without the content.

    It wraps all routes, inside the middleware for ids and limits: a HEAD reveals that something
    exists, so it is authorised, counted and audited like the GET. Console pages are excluded
    because some of their addresses work only once.
    """

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through."""
        if scope["type"] != "http" or not takes_head(scope["path"]):
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"

        async def send_what_is_due(message: Message) -> None:
            if message["type"] == "http.response.body" and is_head:
                message["body"] = b""
            await send(message)

        # The server keeps its own scope, where the method stays HEAD, so it expects no content.
        within = {**scope, "method": "GET"} if is_head else scope
        try:
            await self._app(within, receive, send_what_is_due)
        finally:
            # Outer middleware needs the matched route for its metrics and log line.
            scope.update(within, method=scope["method"])


def takes_head(path: str) -> bool:
    """Return whether a HEAD of this path is answered like its GET."""
    return not path.startswith("/console")
