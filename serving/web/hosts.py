"""By which names and in which way this service is reached: what a request's head and peer prove.

`Host` is written by whoever calls. It is believed where it is one of the names that the settings
know, or of this very machine. Behind a proxy, scheme and address are what the proxy says, which
uvicorn takes from trusted ones alone.
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
ANY_NAME_WILL_DO = "/health/"  # who balances load calls by address, and health tells no name

_FORWARDED = frozenset(
    {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"}
    | {b"x-real-ip"}
)


def host_name(scope: Scope) -> str | None:
    """The one name that a request is for, in small letters; None where there is none or several."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:
        return None
    try:
        parts = urlsplit(f"//{hosts[0].decode('ascii')}")
        is_plain = parts.netloc == hosts[0].decode() and "@" not in parts.netloc
        return (
            parts.hostname.rstrip(".") if is_plain and parts.hostname and parts.port != 0 else None
        )
    except ValueError:
        return None


class TransportSecurity:
    """Middleware: refuses requests for names that are not ours; over TLS, asks for nothing else."""

    def __init__(self, app: ASGIApp, hosts: KnownHosts):
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with the header that keeps browsers to https."""
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
    response.raw_headers = with_security_headers(response.raw_headers, request_id)
    await response(scope, receive, send)


def own_origins(request: Request) -> set[str]:
    """The origins that our own pages have: as they are reached now, and by the public address."""
    settings: Settings = request.app.state.services.settings
    called = f"{request.url.scheme}://{request.url.netloc}"
    return {called} | ({origin_of(settings.public_address)} if settings.public_address else set())


def is_https(request: Request) -> bool:
    """Return whether the browser came by https, through a proxy or not."""
    public = request.app.state.services.settings.public_address or ""
    is_public = public.startswith("https:") and urlsplit(public).hostname == host_name(
        request.scope
    )
    return request.url.scheme == "https" or is_public


def base_address(request: Request) -> str | None:
    """Where browsers reach us, without a slash at the end; None where nobody vouches for it."""
    settings: Settings = request.app.state.services.settings
    if settings.public_address:
        return settings.public_address.rstrip("/")
    name = host_name(request.scope)
    is_vouched = name is not None and (name in LOOPBACK_NAMES or settings.known_hosts.names(name))
    return f"{request.url.scheme}://{request.url.netloc}" if is_vouched else None


def is_from_open_network(request: Request) -> bool:
    """Return whether the caller's address is one that the settings open the service's pages to.

    The address is the peer's, or what a trusted proxy says. Where a proxy that is not trusted
    stands between, or a trusted one that says no address, nobody's is known.
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
    """Return whether the caller is surely on this machine: nothing stands between, and nothing may.

    Behind a proxy nobody is: the proxy's own address says nothing of who calls it. Nor is a page of
    another site whose name was made to lead here.
    """
    settings: Settings = request.app.state.services.settings
    name = host_name(request.scope)
    is_forwarded = any(header in _FORWARDED for header, _ in request.scope["headers"])
    if settings.behind_proxy or is_forwarded or name is None:
        return False
    if request.client is None or not is_address(request.client.host):
        return not settings.known_hosts.names(name)  # over a socket of the file system
    return is_loopback(request.client.host) and name in LOOPBACK_NAMES
