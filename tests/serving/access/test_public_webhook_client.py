"""Calls to endpoints: only where anybody may call, and never longer than they may take."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from serving.access import public_webhook_client
from serving.access.errors import AddressRefused
from serving.access.public_webhook_client import CallableAddresses, RefusedByReceiver, post
from tests.serving.mail_server import certificate

LIVE, TRIAL = CallableAddresses(), CallableAddresses(is_trial=True)
PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.0", "255.255.255.255", "224.0.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1"),
    *("64:ff9b::a9fe:a9fe", "2002:0a00:0001::1", "::127.0.0.1", "240.0.0.1"),
)


def url_of(address: str) -> str:
    return f"https://[{address}]/hook" if ":" in address else f"https://{address}/hook"


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_for_anybody_is_refused_in_a_url_and_behind_a_name(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AddressRefused, match="TIDEGATE_WEBHOOK_NETWORKS"):
        LIVE.refuse_url(url_of(address))

    def resolved(host: str, port: int, **_: Any) -> list[Any]:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))
        return [public, (family, socket.SOCK_STREAM, 6, "", (address, port))]

    def never(*_: Any) -> None:
        raise AssertionError("nothing is connected to")

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(socket, "create_connection", never)
    with pytest.raises(AddressRefused):
        post("https://hook.example/", b"{}", {}, LIVE)


def test_public_addresses_and_networks_that_are_named_may_be_called() -> None:
    for address in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"):
        LIVE.refuse_url(url_of(address))
    own = CallableAddresses.from_networks(["10.1.0.0/16"], is_trial=False)
    own.refuse_url("https://10.1.2.3/hook")
    with pytest.raises(AddressRefused):
        own.refuse_url("https://10.2.0.1/hook")


@pytest.mark.parametrize(
    "url",
    [
        *("http://hook.example/", "http://93.184.216.34/", "ftp://hook.example/", "hook.example"),
        *("https://name:word@hook.example/", "https://name@hook.example/", "https:///hook", ""),
        *("https://hook.example/#part", "https://hook.example/a b", "https://hook.example:x/"),
        *(
            "https://hook.example\\@10.0.0.1/",
            "https://hook.example/\r\nX: 1",
            "https://hök.example/",
        ),
        "https://hook.example/" + "x" * 2_000,
    ],
)
def test_a_url_that_is_not_plainly_https_is_refused(url: str) -> None:
    for allowed in (LIVE, TRIAL):
        with pytest.raises(AddressRefused):
            allowed.refuse_url(url)


def test_this_machine_is_called_in_a_trial_alone() -> None:
    for url in ("http://127.0.0.1:8000/", "http://localhost/", "http://[::1]/"):
        TRIAL.refuse_url(url)
        with pytest.raises(AddressRefused):
            LIVE.refuse_url(url)
    with pytest.raises(AddressRefused):
        TRIAL.refuse_url("http://10.0.0.1/")


def test_a_name_that_leads_elsewhere_later_is_checked_at_each_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The address that was checked is the one that is connected to: the name is not asked again."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    connected: list[str] = []

    def resolved(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(place: tuple[str, int], _: float) -> None:
        connected.append(place[0])
        raise OSError("nobody is there")

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(OSError, match="nobody is there"):
        post("https://hook.example/", b"{}", {}, LIVE)
    with pytest.raises(AddressRefused):
        post("https://hook.example/", b"{}", {}, LIVE)
    assert connected == ["93.184.216.34"]


def whole_request(caller: socket.socket) -> bytes:
    """All of a call with the body `{}`; whoever closes with some of it unread resets the answer."""
    request = b""
    while not request.endswith(b"\r\n\r\n{}") and (more := caller.recv(65_536)):
        request += more
    return request


@contextmanager
def answering(
    answer: Callable[[socket.socket], None], *, hears_first: bool = True, calls: int = 1
) -> Iterator[str]:
    """A server that answers its calls, one after the other, byte by byte as it likes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                for _ in range(calls):
                    accepted, _ = server.accept()
                    with accepted, suppress(OSError):
                        if hears_first:
                            whole_request(accepted)
                        answer(accepted)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        server.close()
        thread.join(5)


def test_a_2xx_is_taken_and_nothing_of_its_body_is_waited_for() -> None:
    def endless(accepted: socket.socket) -> None:
        accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\nx")
        accepted.recv(1)  # until the caller has gone

    with answering(endless) as url:
        began = time.monotonic()
        post(url, b"{}", {}, TRIAL)
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410, 429, 500])
def test_whatever_else_is_answered_is_a_refusal(status: int) -> None:
    asked_again = b"HTTP/1.1 %d No\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with (
        answering(lambda accepted: accepted.sendall(asked_again % status)) as url,
        pytest.raises(RefusedByReceiver, match=str(status)),
    ):
        post(url, b"{}", {}, TRIAL)


def test_a_call_by_tls_is_made_to_the_name_that_its_certificate_proves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(file)
    heard: list[bytes] = []

    def answer(accepted: socket.socket) -> None:
        with own.wrap_socket(accepted, server_side=True) as encrypted:
            heard.append(whole_request(encrypted))
            encrypted.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def address(url: str) -> str:
        return url.replace("http://127.0.0.1", "https://localhost")

    with (
        answering(answer, hears_first=False) as url,
        pytest.raises(ssl.SSLCertVerificationError, match="self-signed"),
    ):
        post(address(url), b"{}", {}, TRIAL)
    believing = ssl.create_default_context(cafile=str(file))
    monkeypatch.setattr(ssl, "create_default_context", lambda: believing)
    with answering(answer, hears_first=False) as url:
        post(address(url), b"{}", {"webhook-id": "evt_1"}, TRIAL)
    (request,) = heard
    assert b"POST /hook HTTP/1.1" in request
    assert b"webhook-id: evt_1" in request


def test_an_answer_that_drips_or_never_comes_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_webhook_client, "MAX_CALL_S", 0.3)

    def dripping(accepted: socket.socket) -> None:
        for _ in range(100):
            accepted.sendall(b"H")
            time.sleep(0.05)

    for answer in (dripping, lambda accepted: accepted.recv(1), lambda a: a.sendall(b"no\r\n")):
        with answering(answer) as url:
            began = time.monotonic()
            with pytest.raises(OSError, match=r"[a-z]"):
                post(url, b"{}", {}, TRIAL)
            assert time.monotonic() - began < 3
