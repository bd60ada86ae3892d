"""A mail server on this machine (RFC 5321, 3207, 4954): it takes messages, over TLS where asked."""

import base64
import ipaddress
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Mailbox:
    """What a server is told: who may log in, whom it knows; and the messages that it took."""

    certificate: Path
    is_implicit: bool = False
    offers_tls: bool = True
    login: tuple[str, str] | None = None
    knows: str = "watch@mrcc.example"
    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)

    def context(self) -> ssl.SSLContext:
        """TLS with its certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        return context


def certificate(folder: Path) -> Path:
    """A certificate of this machine with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), address]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    of_key = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "mail.pem"
    file.write_bytes(made.public_bytes(pem) + of_key)
    return file


@contextmanager
def serving_mail(mailbox: Mailbox) -> Iterator[Mailbox]:
    """The server, on a port of its own until the block ends."""

    class Session(socketserver.StreamRequestHandler):
        """One connection."""

        def handle(self) -> None:
            with suppress(OSError):  # whoever called hung up
                _Conversation(mailbox, self.request).go_on()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Session) as server:
        mailbox.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield mailbox
        server.shutdown()


class _Conversation:
    """What is said on one connection, a method for each command."""

    def __init__(self, mailbox: Mailbox, connection: socket.socket) -> None:
        self.mailbox, self.connection, self.is_encrypted = mailbox, connection, False
        self.is_known = not mailbox.login
        if mailbox.is_implicit:
            self._encrypt()
        self.lines = self.connection.makefile("rb")

    def go_on(self) -> None:
        """Answer until nothing more is said."""
        self.answer("220 mail.example")
        while line := self.lines.readline().decode().strip():
            of_verb = getattr(self, line.split()[0].lower(), None)
            self.answer(of_verb(line) if of_verb else "502 what?")

    def answer(self, text: str) -> None:
        self.connection.sendall(text.encode() + b"\r\n")

    def ehlo(self, _: str) -> str:
        if self.is_encrypted:
            return "250-mail.example\r\n250 AUTH PLAIN"
        return "250-mail.example\r\n250 " + ("STARTTLS" if self.mailbox.offers_tls else "HELP")

    def starttls(self, _: str) -> str:
        self.answer("220 go on")
        self._encrypt()
        self.lines = self.connection.makefile("rb")
        return self.ehlo(str(self.lines.readline()))

    def auth(self, line: str) -> str:
        _, name, password = base64.b64decode(line.split()[2]).decode().split("\0")
        self.is_known = (name, password) == self.mailbox.login
        return "235 known" if self.is_known else "535 not known"

    def mail(self, _: str) -> str:
        return "250 ok" if self.is_known else "530 log in first"

    def rcpt(self, line: str) -> str:
        return "250 ok" if f"<{self.mailbox.knows}>" in line else "550 no such mailbox"

    def data(self, _: str) -> str:
        self.answer("354 go on")
        content = b""
        while (part := self.lines.readline()) != b".\r\n":
            content += part.removeprefix(b".")
        message: Any = message_from_bytes(content, policy=policy.default)
        self.mailbox.taken.append(message)
        self.mailbox.was_encrypted.append(self.is_encrypted)
        return "250 taken"

    def rset(self, _: str) -> str:
        return "250 ok"

    def quit(self, _: str) -> str:
        return "221 bye"

    def _encrypt(self) -> None:
        context = self.mailbox.context()
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.is_encrypted = True
