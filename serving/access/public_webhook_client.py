"""Calls to addresses chosen by integrators: only public ones, with limits (SSRF protection).

A name can resolve to another address a moment after a check, so each connection uses an address
that was itself checked. Proxies from the environment are not used, because they would resolve the
name again.
"""

import ipaddress
import socket
import ssl
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Self
from urllib.parse import SplitResult, urlsplit

from serving.access.call_deadlines import CallDeadline
from serving.access.errors import AddressRefused

MAX_CONNECT_S = 5.0
MAX_ADDRESSES = 4
# Time limit from the connection to the head of the answer.
MAX_CALL_S = 10.0
MAX_URL_LENGTH = 2_000
USER_AGENT = "Tidegate-Webhooks"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
# Metadata services of clouds, and networks that older Python versions consider public.
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        ("168.63.129.16/32", "192.0.0.0/24", "198.18.0.0/15", "64:ff9b:1::/48", "2001::/23"),
    )
)


class RefusedByReceiver(OSError):
    """The receiver answered with another status than 2xx."""

    def __init__(self, status: int):
        super().__init__(f"answered {status}")
        self.status = status


@dataclass(frozen=True)
class CallableAddresses:
    """Addresses that webhooks may use: public ones by https, and configured `networks`.

    A trial also allows this machine, even without TLS.
    """

    networks: tuple[Network, ...] = ()
    is_trial: bool = False

    @classmethod
    def from_networks(cls, networks: Iterable[str], *, is_trial: bool) -> Self:
        """Return the allowed addresses with these networks, such as `10.1.0.0/16`."""
        return cls(tuple(map(ipaddress.ip_network, networks)), is_trial)

    def refuse_url(self, url: str) -> SplitResult:
        """Return the parts of a URL; raises AddressRefused if it must not be called.

        Host names are resolved only when called.
        """
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise AddressRefused("want the address of a webhook as https://host/path") from None
        if (
            not url.isascii()
            or len(url) > MAX_URL_LENGTH
            or any(c <= " " or c == "\\" for c in url)
        ):
            raise AddressRefused("want an address of ASCII characters without spaces")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise AddressRefused("want an address without a name, a password and a fragment in it")
        if not host or parts.scheme not in ("https", "http"):
            raise AddressRefused("want the address of a webhook as https://host/path")
        literal = _literal(host)
        if parts.scheme == "http" and not (self.is_trial and _is_here(host, literal)):
            raise AddressRefused("want https; http goes to this machine alone, in a trial")
        if literal is not None:
            self.refuse(literal)
        return parts

    def refuse(self, address: Address) -> None:
        """Raise AddressRefused unless the address is public or configured."""
        if any(address in network for network in self.networks):
            return
        reached = _reached(address)
        if self.is_trial and reached.is_loopback:
            return
        is_public = reached.is_global and not reached.is_multicast and not reached.is_reserved
        if not is_public or any(reached in network for network in _NOT_PUBLIC):
            raise AddressRefused(
                "the address is private, of this machine or of the cloud; name its network in "
                "TIDEGATE_WEBHOOK_NETWORKS if it is meant"
            )

    def connect(self, host: str, port: int) -> socket.socket:
        """Return a connection to a host, at an address that may be called.

        Raises AddressRefused if any of its addresses is not allowed, OSError if none answers.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))[:MAX_ADDRESSES]
        # Check all addresses first: one forbidden address makes the whole name suspect.
        for address in addresses:
            self.refuse(ipaddress.ip_address(address.partition("%")[0]))
        failure: OSError | None = None
        for address in addresses:
            try:
                return socket.create_connection((address, port), MAX_CONNECT_S)
            except OSError as error:
                failure = error
        raise failure or OSError("no address")


def post(url: str, body: bytes, headers: dict[str, str], allowed: CallableAddresses) -> None:
    """POST a body; it counts as accepted with status 2xx, and only the answer's head is read.

    Redirects are not followed. Raises AddressRefused, RefusedByReceiver, or OSError if the call
    fails or takes longer than MAX_CALL_S.
    """
    parts = allowed.refuse_url(url)
    connection = _connection(parts, allowed)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with CallDeadline(MAX_CALL_S) as connection.deadline, closing(connection):
        try:
            connection.request("POST", target, body, headers | {"User-Agent": USER_AGENT})
            status = connection.getresponse().status
        except HTTPException as garbled:
            raise OSError(f"the response is not HTTP: {type(garbled).__name__}") from garbled
    if not 200 <= status < 300:
        raise RefusedByReceiver(status)


class _Bounded(HTTPConnection):
    """Connection to a checked address, closed at a deadline."""

    allowed: CallableAddresses
    deadline: CallDeadline
    tls: ssl.SSLContext | None = None

    def connect(self) -> None:
        self.sock = self.allowed.connect(self.host, self.port)
        self.sock.settimeout(MAX_CALL_S)
        self.deadline.begin(lambda: self.sock)
        # Handshake after the socket is stored, so that the deadline can interrupt it too.
        if self.tls is not None:
            self.sock = self.tls.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()


def _connection(parts: SplitResult, allowed: CallableAddresses) -> _Bounded:
    is_encrypted = parts.scheme == "https"
    connection = _Bounded(parts.hostname or "", parts.port or (443 if is_encrypted else 80))
    connection.default_port = 443 if is_encrypted else 80
    connection.allowed = allowed
    connection.tls = ssl.create_default_context() if is_encrypted else None
    return connection


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_here(host: str, literal: Address | None) -> bool:
    return host == "localhost" if literal is None else literal.is_loopback


def _reached(address: Address) -> Address:
    """Return the IPv4 address behind an IPv6 form: mapped, tunnelled (6to4) or translated."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
