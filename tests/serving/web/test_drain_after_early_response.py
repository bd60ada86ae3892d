"""An early answer reaches whoever still sends, and nobody sends for ever."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from serving.observability import Metrics
from serving.web import drain_after_early_response
from serving.web.admission import Admission, AdmissionLimits
from tests.serving.api.test_rate_limits import listening
from tests.serving.web.test_connections import connected, said

BODY = b"a stranger is told nothing"
LARGE = 12 * 1024 * 1024  # more than lies in the buffers of sockets


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """Answer as a call does whose caller is nobody, or whose body says that it is too large."""
    length = str(len(BODY)).encode()
    headers = [(b"content-length", length)]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


@pytest.fixture
def port() -> Iterator[int]:
    with listening(Admission(refuse, (), AdmissionLimits(1, 1, 1), Metrics())) as port:
        yield port


def head(length: int, *more: str) -> bytes:
    lines = ("POST / HTTP/1.1", "Host: a", f"Content-Length: {length}", *more)
    return "\r\n".join((*lines, "\r\n")).encode()


@pytest.mark.parametrize("more", [("Connection: close",), ()], ids=["closes", "goes on"])
def test_whoever_sends_all_before_reading_reads_the_answer(
    port: int, more: tuple[str, ...]
) -> None:
    with connected(port) as client:
        client.sendall(head(LARGE, *more) + bytes(LARGE))
        answer = said(client) if more else client.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 401 ")
        assert answer.endswith(BODY)
        if not more:  # the same connection serves the next request
            client.sendall(head(3) + b"abc")
            assert client.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_whoever_reads_meanwhile_has_the_whole_answer_at_once(port: int) -> None:
    with connected(port) as client:
        client.sendall(head(LARGE, "Connection: close") + b"begun")
        began, answer = time.monotonic(), b""
        while not answer.endswith(BODY):
            received = client.recv(65_536)
            assert received, "the connection ended before the answer"
            answer += received
        assert time.monotonic() - began < drain_after_early_response.MAX_UNREAD_S / 2


def test_nobody_sends_more_than_a_bound(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_after_early_response, "MAX_UNREAD", 1_000_000)
    with connected(port) as client:
        client.sendall(head(1 << 40, "Connection: close"))
        with pytest.raises(OSError, match=r"reset|pipe"):
            client.sendall(bytes(256 * 1024 * 1024))


def test_nobody_sends_for_longer_than_a_bound(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_after_early_response, "MAX_UNREAD_S", 0.2)
    with connected(port) as client:
        client.sendall(head(1 << 40, "Connection: close"))
        assert said(client).endswith(BODY)  # and then the connection ends


def test_a_body_that_waits_to_be_asked_for_is_not_waited_for(port: int) -> None:
    with connected(port) as client:
        client.settimeout(drain_after_early_response.MAX_UNREAD_S / 2)
        client.sendall(head(LARGE, "Connection: close", "Expect: 100-continue"))
        answer = said(client)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.endswith(BODY)
