"""A listener that speaks Kafka over TLS up to its sign-in, which it always refuses."""

import socketserver
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

API_VERSIONS, HANDSHAKE, AUTHENTICATE = 18, 17, 36
_REFUSED = 58


@dataclass
class SaslListener:
    """A listener on a port; `tokens` are what clients signed in with."""

    port: int = 0
    tokens: list[bytes] = field(default_factory=list)

    @property
    def server(self) -> str:
        """Its host and port."""
        return f"localhost:{self.port}"

    def answer(self, api: int, body: bytes) -> bytes:
        """What it answers to a request without its head."""
        if api == API_VERSIONS:
            known = b"".join(
                struct.pack(">hhhb", each, 0, highest, 0)
                for each, highest in ((API_VERSIONS, 3), (HANDSHAKE, 1), (AUTHENTICATE, 0))
            )
            return struct.pack(">hb", 0, 4) + known + struct.pack(">ib", 0, 0)
        if api == HANDSHAKE:
            return struct.pack(">hih", 0, 1, 5) + b"PLAIN"
        self.tokens.append(body[4:])
        says = b"unknown user or wrong password"
        return struct.pack(">hh", _REFUSED, len(says)) + says + struct.pack(">i", 0)


@contextmanager
def sasl_listener(certificate: Path) -> Iterator[SaslListener]:
    """The listener with a certificate and its key, until the block ends."""
    listener = SaslListener()
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(certificate)

    class Session(socketserver.BaseRequestHandler):
        """One connection."""

        def handle(self) -> None:
            with suppress(OSError), trust.wrap_socket(self.request, server_side=True) as secured:
                stream = secured.makefile("rwb")
                while head := stream.read(4):
                    request = stream.read(struct.unpack(">i", head)[0])
                    api, _, number, length = struct.unpack_from(">hhih", request)
                    answer = struct.pack(">i", number) + listener.answer(
                        api, request[10 + max(length, 0) :]
                    )
                    stream.write(struct.pack(">i", len(answer)) + answer)
                    stream.flush()

    class Server(socketserver.ThreadingTCPServer):
        """Its threads end with the process."""

        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that does not trust it hangs up."""

    with Server(("127.0.0.1", 0), Session) as server:
        listener.port = server.server_address[1]
        Thread(target=server.serve_forever, daemon=True).start()
        yield listener
        server.shutdown()
