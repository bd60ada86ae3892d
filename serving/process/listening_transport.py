"""The transport of the service: its own TLS, TLS at a proxy, or loopback only."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import TidegateError
from serving.host_names import LOOPBACK_NAMES, is_loopback
from serving.settings import Settings


@dataclass(frozen=True)
class Transport:
    """Proxy and certificate settings of the listening socket."""

    behind_proxy: bool
    trusted_proxies: tuple[str, ...]
    certificate: Path | None
    private_key: Path | None

    @property
    def scheme(self) -> str:
        """The URL scheme of the service."""
        return "https" if self.certificate else "http"

    @property
    def options(self) -> dict[str, Any]:
        """The options for uvicorn; only trusted proxies may set the client's address."""
        return {
            "proxy_headers": self.behind_proxy,
            "forwarded_allow_ips": [*self.trusted_proxies],
            "ssl_certfile": self.certificate,
            "ssl_keyfile": self.private_key,
        }

    def require_certificate(self) -> None:
        """Raise TidegateError if a certificate or key is given but cannot be used."""
        if (self.certificate is None) != (self.private_key is None):
            raise TidegateError("give --tls-cert and --tls-key, or neither")
        if self.certificate is None or self.private_key is None:
            return
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                # Without a callback OpenSSL would ask for a passphrase on the terminal and hang the
                # start.
                self.certificate,
                self.private_key,
                password=_no_password,
            )
        except (OSError, ValueError) as refusal:
            raise TidegateError(
                f"the certificate {self.certificate} with the key {self.private_key} cannot be "
                f"used: {refusal}"
            ) from None

    def require_private(self, listener: socket.socket) -> None:
        """Raise TidegateError if keys and passwords would cross a network unencrypted."""
        if self.certificate or self.behind_proxy or is_of_this_machine(listener):
            return
        listener.close()
        raise TidegateError(
            "this would answer other machines over plain HTTP, where anybody reads keys and "
            "passwords; give --tls-cert and --tls-key, or --behind-proxy where a proxy speaks TLS "
            "before it, or listen at 127.0.0.1 (docs/operations/network.md)"
        )


def is_of_this_machine(listener: socket.socket) -> bool:
    """Return whether the socket can be reached from this machine only."""
    # Unix sockets have no network address.
    if listener.family not in (socket.AF_INET, socket.AF_INET6):
        return True
    return is_loopback(listener.getsockname()[0])


def hosts_of(settings: Settings, listener: socket.socket, *, is_live: bool) -> tuple[str, ...]:
    """Return the host names to answer to; an empty tuple accepts any.

    Raises TidegateError if live use beyond this machine configures no name.
    """
    if not settings.known_hosts.is_open:
        return settings.trusted_hosts
    if not is_live:
        return ()
    if is_of_this_machine(listener):
        return tuple(sorted(LOOPBACK_NAMES))
    raise TidegateError(
        "live use beyond this machine needs the name that it is reached by: set "
        "TIDEGATE_PUBLIC_ADDRESS or TIDEGATE_TRUSTED_HOSTS"
    )


def _no_password() -> str:
    raise ValueError("the key has a passphrase, which nobody could give at a start")
