"""Calls to the servers that the settings name, over real HTTP."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError

import pytest

from serving.access import http_client
from serving.access.errors import AddressRefused
from serving.access.http_client import fetch, fetch_end, refuse_unsafe, send
from tests.serving.access.test_public_webhook_client import answering


class _Answering(BaseHTTPRequestHandler):
    """Says what it was asked, a lot, nothing, or to ask elsewhere."""

    asked: list[str]
    is_over: threading.Event

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/silent":
            self.is_over.wait(10)
        if self.path == "/elsewhere":
            self._answer(302, b"", Location="/secret")
            return
        self._answer(200, b"x" * 1_000_001 if self.path == "/large" else b"small")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, self.headers["X-Signed"].encode() + b" " + body)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        with suppress(BrokenPipeError):  # whoever asked has read enough, or waits no longer
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """The address of a server, and what it was asked."""
    asked, is_over = list[str](), threading.Event()
    answering = type("Answering", (_Answering,), {"asked": asked, "is_over": is_over})
    server = ThreadingHTTPServer(("127.0.0.1", 0), answering)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    is_over.set()
    server.shutdown()
    thread.join()
    server.server_close()


Server = tuple[str, list[str]]


def test_what_is_sent_arrives_and_what_is_answered_comes_back(server: Server) -> None:
    assert fetch(f"{server[0]}/small") == b"small"
    assert fetch(f"{server[0]}/post", b"body", {"X-Signed": "yes"}) == b"yes body"


def test_no_redirect_is_followed(server: Server) -> None:
    with pytest.raises(HTTPError, match="302"):
        fetch(f"{server[0]}/elsewhere")

    assert server[1] == ["/elsewhere"]


def test_more_than_a_megabyte_is_refused_and_never_cut(server: Server) -> None:
    with pytest.raises(OSError, match="more than 1,000,000 bytes"):
        fetch(f"{server[0]}/large")
    assert len(fetch(f"{server[0]}/large", most=1_000_001)) == 1_000_001


HEAD = b"HTTP/1.1 200 OK\r\n"
PART = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes "


def test_an_answer_that_broke_off_is_no_answer() -> None:
    def broken(accepted: socket.socket) -> None:
        accepted.recv(65_536)
        accepted.sendall(HEAD + b"Content-Length: 100\r\n\r\nhalf of it")

    for call in (fetch, lambda url: fetch_end(url, 4)):
        with answering(broken, hears_first=False) as url, pytest.raises(OSError, match="broke off"):
            call(url)


def test_whoever_is_told_something_is_not_waited_for_beyond_the_head_of_the_answer() -> None:
    def endless(accepted: socket.socket) -> None:
        accepted.sendall(HEAD + b"Content-Length: 999999999\r\n\r\nx")
        accepted.recv(1)  # until the caller has gone

    with answering(endless) as url:
        send(url, b"{}", {})


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([HEAD + b"Content-Length: 9\r\n\r\n123456789"], 1),
        ([PART + b"5-8/9\r\n\r\n6789"], 1),
        (
            [
                PART + b"0-4/9\r\n\r\n1234",
                HEAD + b"\r\n456789",
            ],
            2,
        ),
        ([b"HTTP/1.1 416 None\r\n\r\n", HEAD + b"\r\n6789"], 2),
    ],
)
def test_the_end_of_an_answer_is_its_end_whatever_a_server_knows_of_ranges(
    answers: list[bytes], asked: int
) -> None:
    heard: list[bytes] = []

    def answer(accepted: socket.socket) -> None:
        heard.append(accepted.recv(65_536))
        accepted.sendall(answers[len(heard) - 1])

    with answering(answer, hears_first=False, calls=asked) as url:
        assert fetch_end(url, 4) == b"6789"
    assert [b"Range: bytes=-4" in request for request in heard] == [True, False][:asked]


def test_a_server_that_says_nothing_is_waited_for_so_long_and_no_longer(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert http_client.MAX_S == 5.0
    monkeypatch.setattr(http_client, "MAX_S", 0.05)

    with pytest.raises(TimeoutError):
        fetch(f"{server[0]}/silent")


@pytest.mark.parametrize(
    "address",
    [
        "https://login.example",
        "https://login.example:8443/keys?new",
        "http://127.0.0.1:8080",
        "http://localhost/keys",
        "http://[::1]:8080",
    ],
)
def test_what_is_encrypted_or_stays_on_this_machine_is_safe(address: str) -> None:
    refuse_unsafe(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://",
        "http://login.example",
        "http://127.0.0.1.example",
        "ftp://127.0.0.1/keys",
        "file:///etc/hosts",
        "//login.example",
        "https://name@login.example",
        "https://name:word@login.example",
        "http://name@127.0.0.1",
        "http://127.0.0.1@login.example",
    ],
)
def test_nothing_is_sent_elsewhere(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "_OPENER", None)  # whatever is sent fails
    with pytest.raises(AddressRefused, match="want an https address"):
        refuse_unsafe(address)
    with pytest.raises(AddressRefused):
        fetch(address)
