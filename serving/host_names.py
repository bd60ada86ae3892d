"""Classify hosts: which names and addresses are this machine, and which are this service."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

# Browsers omit the default port in `Origin`.
_DEFAULT_PORTS = {"http": 80, "https": 443}


class KnownHosts:
    """The names of this service; any name is accepted if none is configured."""

    def __init__(self, names: Iterable[str], public_address: str | None = None):
        own = urlsplit(public_address or "").hostname
        self._names = frozenset(name.lower().rstrip(".") for name in (*names, own or "") if name)

    @property
    def is_open(self) -> bool:
        """True if no name is configured, so that any name is accepted."""
        return not self._names

    def names(self, name: str) -> bool:
        """Return True if the settings contain a name; `*.example.org` covers every name below."""
        below = {f"*.{name.split('.', at + 1)[-1]}" for at in range(name.count("."))}
        return name in self._names or not self._names.isdisjoint(below)

    def is_known(self, name: str | None) -> bool:
        """Return True if a request may use this name."""
        return self.is_open or (name is not None and (name in LOOPBACK_NAMES or self.names(name)))


def origin_of(address: str) -> str:
    """Return scheme, name and port of an address, as browsers send them in `Origin`."""
    parts = urlsplit(address)
    port = parts.port
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    is_usual = port is None or port == _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{name}" + ("" if is_usual else f":{port}")


def is_address(text: str) -> bool:
    """Return True if the text is an IP address, and not a name."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Return True if an address is in one of the networks, even as an IPv4-mapped IPv6 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    # A dual-stack socket reports IPv4 clients as IPv4-mapped IPv6 addresses.
    plain = getattr(ip, "ipv4_mapped", None) or ip
    return any(plain in ipaddress.ip_network(each, strict=False) for each in networks)


def is_loopback(address: str) -> bool:
    """Return True if an address is loopback, even as an IPv4-mapped IPv6 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback
