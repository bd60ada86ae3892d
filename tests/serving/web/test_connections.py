"""Connections: how many, how large a head, how many requests ahead, and who makes room."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from serving.web.connections import (
    FILES_OF_OUR_OWN,
    MAX_PIPELINED,
    BoundedConnection,
    connections_within,
)
from serving.web.request_head import MAX_HEAD
from tests.serving.api.test_rate_limits import echo, listening

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        yield connection


def said(connection: socket.socket) -> bytes:
    """All that is said until the connection ends."""
    heard = b""
    try:
        while part := connection.recv(65_536):
            heard += part
    except ConnectionResetError:
        pass
    return heard


def send_all(connection: socket.socket, sent: bytes) -> None:
    """Send until the other side has closed."""
    try:
        for start in range(0, len(sent), 4_096):
            connection.sendall(sent[start : start + 4_096])
    except OSError:
        pass


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /",
        b"GET / HTTP/1.1\r\nA: ",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10,
        b"\r\n",
    ],
    ids=["address", "header", "headers", "nothing"],
)
def test_a_head_that_never_ends_is_refused_before_it_is_kept(beginning: bytes) -> None:
    with listening(echo) as port, connected(port) as client:
        unit = {b"\r\n": b"\r\n"}.get(beginning, b"x")
        send_all(client, beginning + unit * (4 * MAX_HEAD // len(unit)))
        answer = said(client)

        assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")
        with connected(port) as other:
            other.sendall(GET)
            assert other.recv(1_000).startswith(b"HTTP/1.1 204")


def test_whose_head_is_too_large_is_told() -> None:
    with listening(echo) as port, connected(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nCookie: " + b"x" * 400_000)
        answer = said(client)

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"application/problem+json" in answer
    assert answer.endswith(b"}")


@pytest.mark.parametrize("rest", [b"0\r\nA: " + b"x" * 600_000, b"1;" + b"x" * 600_000])
def test_what_is_no_body_is_not_taken_for_ever(rest: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
    with listening(echo) as port, connected(port) as client:
        began = time.monotonic()
        send_all(client, head + rest)

        assert not said(client).startswith(b"HTTP/1.1 2")
        assert time.monotonic() - began < 4


def test_headers_after_a_body_are_no_headers_of_the_request() -> None:
    seen: list[bytes] = []

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # ASGI
        await echo(scope, receive, send)
        seen.extend(name for name, _ in scope["headers"])

    body = b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nAuthorization: a\r\n\r\n"
    with listening(app) as port, connected(port) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n" + body)
        client.recv(100)

    assert seen == [b"host", b"transfer-encoding"]


def test_requests_do_not_queue_up_without_end() -> None:
    with listening(echo) as port:
        with connected(port) as client:
            client.sendall(GET * MAX_PIPELINED)
            assert client.recv(65_536).startswith(b"HTTP/1.1 204")
        with connected(port) as client:
            send_all(client, GET * 20_000)
            assert said(client).count(b"HTTP/1.1 204") < 1_000


@pytest.mark.parametrize(
    ("after", "status"),
    [
        (GET * 17, b"429"),
        (GET * 20_000, b"429"),
        (b"GET / HTTP/1.1\r\nCookie: " + b"x" * 400_000, b"431"),
        (b"no request at all\r\n\r\n", b"400"),
    ],
    ids=["a few too many", "far too many", "a long head", "no HTTP"],
)
def test_requests_before_one_that_is_refused_are_answered_first(
    after: bytes, status: bytes
) -> None:
    before = MAX_PIPELINED if status == b"429" else 3
    with listening(echo) as port, connected(port) as client:
        threading.Thread(target=send_all, args=(client, GET * before + after)).start()
        answers = said(client)

    statuses = re.findall(rb"HTTP/1.1 (\d{3}) ", answers)
    assert statuses == [b"204"] * before + [status]
    assert answers.lower().count(b"connection: close") == 1


def test_a_large_body_after_another_request_is_read() -> None:
    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000
    with listening(echo) as port, connected(port) as client:
        for _ in range(3):
            client.sendall(request)
            assert client.recv(1_000).startswith(b"HTTP/1.1 204")


def test_whoever_waited_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedConnection, "max_connections", 4)
    with listening(echo) as port:
        idle = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(4)]
        time.sleep(0.2)
        idle[0].sendall(GET)  # has asked just now, so it has not waited longest
        assert idle[0].recv(100).startswith(b"HTTP/1.1 204")
        for _ in range(3):
            with connected(port) as client:
                client.sendall(GET)
                assert client.recv(100).startswith(b"HTTP/1.1 204")
                time.sleep(0.05)

        assert said(idle[1]) == b""
        idle[0].sendall(GET)
        assert idle[0].recv(100).startswith(b"HTTP/1.1 204")
        for each in idle:
            each.close()


def test_files_are_left_for_what_is_no_connection() -> None:
    for files in (256, 512, 1_024, 4_096, 65_536):
        most, backlog = connections_within(files)
        assert most + backlog <= max(files - FILES_OF_OUR_OWN, 48)
        assert most >= 16
        assert backlog >= 16
    assert connections_within(65_536) == (1_024, 2_048)
