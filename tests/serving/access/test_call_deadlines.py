"""Calls end in time, however slowly they are answered, with TLS and without."""

import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path

import pytest

from serving.access import http_client
from serving.access.http_client import fetch
from tests.serving.access.test_public_webhook_client import answering
from tests.serving.mail_server import certificate

HEAD = b"HTTP/1.1 200 OK\r\n"
AT_MOST_S = 2


def drip(accepted: socket.socket, begun: bytes) -> None:
    accepted.recv(65_536)
    accepted.sendall(begun)
    for _ in range(100):
        accepted.sendall(b"H")
        time.sleep(0.03)


@pytest.mark.parametrize(
    "begun", [b"", HEAD, HEAD + b"Content-Length: 100\r\n\r\n", HEAD + b"\r\n"]
)
def test_an_answer_that_drips_ends_in_time(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert http_client.MAX_CALL_S == 10.0
    monkeypatch.setattr(http_client, "MAX_CALL_S", 0.1)

    with answering(lambda accepted: drip(accepted, begun), hears_first=False) as url:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            fetch(url)
        assert time.monotonic() - began < AT_MOST_S


def test_an_answer_that_drips_by_tls_ends_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_client, "MAX_CALL_S", 0.1)
    file = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(file)

    def answer(accepted: socket.socket) -> None:
        with own.wrap_socket(accepted, server_side=True) as encrypted, suppress(OSError):
            drip(encrypted, HEAD + b"\r\n")

    with answering(answer, hears_first=False) as url:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            fetch(url.replace("http://127.0.0.1", "https://localhost"))
        assert time.monotonic() - began < AT_MOST_S
