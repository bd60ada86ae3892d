"""The transport of the service: TLS, a proxy that speaks it, or this machine alone."""

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
    """The proxy and the certificates between the service and its callers."""

    behind_proxy: bool
    trusted_proxies: tuple[str, ...]
    certificate: Path | None
    private_key: Path | None

    @property
    def scheme(self) -> str:
        """The scheme of its addresses."""
        return "https" if self.certificate else "http"

    @property
    def options(self) -> dict[str, Any]:
        """Options of uvicorn; only trusted proxies may name the caller."""
        return {
            "proxy_headers": self.behind_proxy,
            "forwarded_allow_ips": [*self.trusted_proxies],
            "ssl_certfile": self.certificate,
            "ssl_keyfile": self.private_key,
        }

    def require_certificate(self) -> None:
        """Raise TidegateError unless certificate and key can be used, where any is given."""
        if (self.certificate is None) != (self.private_key is None):
            raise TidegateError("give --tls-cert and --tls-key, or neither")
        if self.certificate is None or self.private_key is None:
            return
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                self.certificate, self.private_key, password=_no_password
            )
        except (OSError, ValueError) as refusal:
            raise TidegateError(
                f"the certificate {self.certificate} with the key {self.private_key} cannot be "
                f"used: {refusal}"
            ) from None

    def require_private(self, listener: socket.socket) -> None:
        """Raise TidegateError where keys and passwords would cross a network in the clear."""
        if self.certificate or self.behind_proxy or is_of_this_machine(listener):
            return
        listener.close()
        raise TidegateError(
            "this would answer other machines over plain HTTP, where anybody reads keys and "
            "passwords; give --tls-cert and --tls-key, or --behind-proxy where a proxy speaks TLS "
            "before it, or listen at 127.0.0.1 (docs/operations/network.md)"
        )


def is_of_this_machine(listener: socket.socket) -> bool:
    """Return whether only this machine reaches the socket."""
    if listener.family not in (socket.AF_INET, socket.AF_INET6):
        return True
    return is_loopback(listener.getsockname()[0])


def hosts_of(settings: Settings, listener: socket.socket, *, is_live: bool) -> tuple[str, ...]:
    """The host names to answer to, none for any.

    Raises TidegateError where live use names none.
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
