"""Host names and transport of a request, as far as its head and peer can be trusted.

The caller writes `Host`, so it counts only if it is a name from the settings or of this machine.
Behind a proxy, scheme and address come from the proxy; uvicorn accepts them from trusted proxies
only.
"""

import uuid
from urllib.parse import urlsplit

import structlog
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import ServingError
from serving.host_names import (
    LOOPBACK_NAMES,
    KnownHosts,
    is_address,
    is_loopback,
    is_within,
    origin_of,
)
from serving.settings import Settings
from serving.web.problems import problem
from serving.web.security_headers import with_security_headers

log = structlog.get_logger(__name__)

HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
# Load balancers call by address, and health answers contain no host name.
ANY_NAME_WILL_DO = "/health/"

_FORWARDED = frozenset(
    {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"}
    | {b"x-real-ip"}
)


def host_name(scope: Scope) -> str | None:
    """Return the host name of a request in lower case; None if absent, repeated or malformed."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:
        return None
    try:
        parts = urlsplit(f"//{hosts[0].decode('ascii')}")
        # Reject user names, paths and escapes: parsers disagree on which host those mean.
        is_plain = parts.netloc == hosts[0].decode() and "@" not in parts.netloc
        return (
            parts.hostname.rstrip(".") if is_plain and parts.hostname and parts.port != 0 else None
        )
    except ValueError:
        return None


class TransportSecurity:
    """Middleware that refuses unknown host names, and requires HTTPS in future once it is used."""

    def __init__(self, app: ASGIApp, hosts: KnownHosts):
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with the HSTS header over TLS."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_securely(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["scheme"] == "https":
                others = [each for each in message.get("headers", ()) if each[0] != HSTS[0]]
                message["headers"] = [*others, HSTS]
            await send(message)

        is_free = scope["path"].startswith(ANY_NAME_WILL_DO)
        if is_free or self._hosts.is_known(host_name(scope)):
            await self._app(scope, receive, send_securely)
        else:
            await _refuse(scope, receive, send_securely)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    request_id = str(uuid.uuid4())
    scope.setdefault("state", {})["request_id"] = request_id
    log.info("host_refused", request_id=request_id)
    error = ServingError(
        "this service is not called by that name; see TIDEGATE_TRUSTED_HOSTS", code="host-unknown"
    )
    response = problem(Request(scope), error)
    # The request never reaches the middleware that sets ids and headers, so they are added here.
    response.raw_headers = with_security_headers(response.raw_headers, request_id)
    await response(scope, receive, send)


def own_origins(request: Request) -> set[str]:
    """Return the origins of this service's own pages: as called, and of the public address."""
    settings: Settings = request.app.state.services.settings
    called = f"{request.url.scheme}://{request.url.netloc}"
    return {called} | ({origin_of(settings.public_address)} if settings.public_address else set())


def is_https(request: Request) -> bool:
    """Return whether the browser used HTTPS, directly or through a proxy."""
    public = request.app.state.services.settings.public_address or ""
    is_public = public.startswith("https:") and urlsplit(public).hostname == host_name(
        request.scope
    )
    return request.url.scheme == "https" or is_public


def base_address(request: Request) -> str | None:
    """Return the address for links, without a trailing slash; None if no trusted name is known."""
    settings: Settings = request.app.state.services.settings
    if settings.public_address:
        return settings.public_address.rstrip("/")
    name = host_name(request.scope)
    # A link to a name that only the caller claimed could send readers to another server.
    is_vouched = name is not None and (name in LOOPBACK_NAMES or settings.known_hosts.names(name))
    return f"{request.url.scheme}://{request.url.netloc}" if is_vouched else None


def is_from_open_network(request: Request) -> bool:
    """Return whether the caller's address is in a network that may read the service's pages.

    The address is the peer's or the one that a trusted proxy reports. It is unknown behind an
    untrusted proxy, or if a trusted proxy reports none.
    """
    settings: Settings = request.app.state.services.settings
    is_forwarded = any(header in _FORWARDED for header, _ in request.scope["headers"])
    if request.client is None or not is_address(request.client.host):
        return False
    proxies = settings.trusted_proxies if settings.behind_proxy else ()
    if (is_forwarded and not settings.behind_proxy) or is_within(request.client.host, proxies):
        return False
    return is_within(request.client.host, settings.open_networks)


def is_on_this_machine(request: Request) -> bool:
    """Return whether the caller is certainly on this machine, with no proxy in between.

    This is never true behind a proxy, whose own address says nothing about its caller. It is
    also false for a page of another site whose name resolves to this machine (DNS rebinding).
    """
    settings: Settings = request.app.state.services.settings
    name = host_name(request.scope)
    is_forwarded = any(header in _FORWARDED for header, _ in request.scope["headers"])
    if settings.behind_proxy or is_forwarded or name is None:
        return False
    if request.client is None or not is_address(request.client.host):
        # The peer has no address: it called over a Unix socket.
        return not settings.known_hosts.names(name)
    return is_loopback(request.client.host) and name in LOOPBACK_NAMES
