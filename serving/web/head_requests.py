"""HEAD of whatever the API answers a GET: the same headers, and no content (RFC 9110, 9.3.2)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """Middleware: answers a HEAD of the API as the GET that it stands for, without its content.

    Around all routes and within nothing but what names and limits requests: a HEAD tells that
    something is there, so it is allowed, counted and written down as that GET. Pages of the console
    are left to themselves: some of their addresses may be asked but once.
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

        # The server goes by its own scope, where a HEAD stays one: it awaits no content then.
        within = {**scope, "method": "GET"} if is_head else scope
        try:
            await self._app(within, receive, send_what_is_due)
        finally:
            scope.update(within, method=scope["method"])  # which route it was


def takes_head(path: str) -> bool:
    """Return whether a HEAD of this address is answered as its GET."""
    return not path.startswith("/console")
