"""What `tidegate serve` listens to: TLS of its own, a proxy before it, or this machine alone."""

import json
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from features.errors import TidegateError
from serving.process.listening_transport import Transport, hosts_of, is_of_this_machine
from serving.settings import Settings
from tests.forked_command import ForkedCommand
from tests.ports import free_port


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert, private


def start(home: Path, port: int, options: Sequence[str], settings: dict[str, str]) -> ForkedCommand:
    environment = {f"TIDEGATE_{name.upper()}": text for name, text in settings.items()}
    arguments = ["serve", "--home", str(home), "--port", str(port), *options]
    return ForkedCommand.start(arguments, home / f"errors-{port}", environment)


def refused(home: Path, *options: str, **settings: str) -> str:
    """What is said, in one line, of a start that is refused."""
    command = start(home, free_port(), options, settings)
    code, errors = command.wait(60), command.errors.read_text()
    assert code == 1, errors
    assert errors.count("\n") == 1
    assert not (home / "tidegate.db").exists()
    return errors


def bound_to(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.bind((host, 0))
    return listener


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("::", False)],
)
def test_plain_http_beyond_this_machine_is_refused(host: str, is_ours: bool) -> None:
    plain = Transport(False, (), None, None)
    with bound_to(host) as listener:
        assert is_of_this_machine(listener) == is_ours
        if is_ours:
            plain.require_private(listener)
        else:
            Transport(True, (), None, None).require_private(listener)
            Transport(False, (), Path("cert.pem"), Path("key.pem")).require_private(listener)
            with pytest.raises(TidegateError, match="--behind-proxy"):
                plain.require_private(listener)


def test_a_socket_of_the_file_system_is_of_this_machine() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        assert is_of_this_machine(listener)


def test_live_use_beyond_this_machine_has_a_name(home: Path) -> None:
    unnamed = Settings(home=home)
    named = Settings(home=home, public_address="https://tide.example")
    with bound_to("0.0.0.0") as everywhere, bound_to("127.0.0.1") as here:
        with pytest.raises(TidegateError, match="TIDEGATE_PUBLIC_ADDRESS"):
            hosts_of(unnamed, everywhere, is_live=True)
        assert hosts_of(unnamed, here, is_live=True) == ("127.0.0.1", "::1", "localhost")
        assert hosts_of(unnamed, everywhere, is_live=False) == ()
        assert hosts_of(named, everywhere, is_live=True) == ()


def test_the_command_refuses_in_one_line_before_anything_is_made(
    home: Path, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    cert, key = map(str, certificate)
    other = tmp_path / "other.pem"
    other.write_text("no certificate")

    assert "plain HTTP" in refused(home, "--host", "0.0.0.0")
    assert "or neither" in refused(home, "--tls-cert", cert)
    assert "cannot be used" in refused(home, "--tls-cert", cert, "--tls-key", str(other))
    assert "cannot be used" in refused(home, "--tls-cert", str(other), tls_key=key)


@contextmanager
def serving(home: Path, *options: str, **settings: str) -> Iterator[int]:
    """The port of a service that runs until the context ends."""
    port = free_port()
    command = start(home, port, options, settings)
    try:
        while "Tidegate answers at" not in command.errors.read_text():
            assert command.poll() is None, "the service did not start"
            time.sleep(0.02)
        yield port
    finally:
        command.kill(signal.SIGTERM)
        command.wait(30)


def test_it_speaks_tls_itself(home: Path, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    trusting = ssl.create_default_context(cafile=str(cert))
    with (
        serving(home, "--host", "0.0.0.0", "--tls-cert", str(cert), "--tls-key", str(key)) as port,
        httpx2.Client(verify=trusting, base_url=f"https://localhost:{port}") as client,
    ):
        answer = client.get("/health/live")
        page = client.get("/console/sign-in")

        assert answer.status_code == 200
        assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        with pytest.raises(httpx2.TransportError):
            httpx2.get(f"http://localhost:{port}/health/live")


class TlsProxy:
    """A proxy that speaks TLS and forwards to plain HTTP, with the headers that it is told to."""

    def __init__(self, upstream: int, certificate: tuple[Path, Path], headers: dict[str, str]):
        self._upstream = upstream
        self._headers = headers
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        self._listener = context.wrap_socket(
            socket.create_server(("127.0.0.1", 0)), server_side=True
        )
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except (OSError, ValueError):
                return
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._upstream)) as upstream:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65_536)
            first, _, rest = head.partition(b"\r\n")
            added = "".join(f"{name}: {value}\r\n" for name, value in self._headers.items())
            upstream.sendall(b"\r\n".join([first, b"Connection: close", added.encode() + rest]))
            while chunk := upstream.recv(65_536):
                client.sendall(chunk)

    def close(self) -> None:
        self._listener.close()


def get(port: int, path: str, cert: Path, **headers: str) -> Any:
    trusting = ssl.create_default_context(cafile=str(cert))
    with httpx2.Client(verify=trusting) as client:
        return client.get(f"https://localhost:{port}{path}", headers=headers)


def test_behind_a_proxy_that_speaks_tls_pages_are_secure(
    home: Path, certificate: tuple[Path, Path]
) -> None:
    cert, _ = certificate
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    with serving(home, "--behind-proxy", trusted_hosts="tide.example") as port:
        proxy = TlsProxy(port, certificate, forwarded)
        page = get(proxy.port, "/console/sign-in", cert)
        assert page.status_code == 200
        assert "max-age" in page.headers["Strict-Transport-Security"]
        assert get(proxy.port, "/console/sign-in", cert, Host="evil.example").status_code == 421
        proxy.close()


def test_an_untrusted_proxy_is_not_believed(home: Path) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}
    for options, settings, is_believed in (
        (("--behind-proxy",), {"trusted_proxies": "192.0.2.0/24"}, False),
        ((), {}, False),
        (("--behind-proxy",), {}, True),
    ):
        with serving(home, *options, **settings) as port:
            answer = httpx2.get(f"http://127.0.0.1:{port}/console/sign-in", headers=forwarded)
            assert ("Strict-Transport-Security" in answer.headers) == is_believed
            assert json.loads(httpx2.get(f"http://127.0.0.1:{port}/health/live").text)
        time.sleep(0.1)
