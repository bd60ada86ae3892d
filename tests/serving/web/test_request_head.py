"""Request line, headers and cookies: what is too large is not read, and of cookies only our own."""

import time

import pytest
from starlette.requests import Request
from starlette.types import Scope

from serving.errors import NotFound, ServingError
from serving.package_extras import check_python
from serving.web.request_head import GIVEN_ONCE, MAX_COOKIES, MAX_HEAD, refuse_head
from tests.serving.conftest import Service


def head(path: str = "/health/live", query: str = "", **headers: str) -> Scope:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode()}
    return scope | {"headers": sent}


def cookies_in(scope: Scope) -> dict[str, str]:
    return Request(scope).cookies


def test_a_head_is_read_up_to_its_last_byte() -> None:
    free = MAX_HEAD - len("GET/health/live") - 12 - len("a") - 4
    assert refuse_head(head(a="x" * free)) is None
    assert isinstance(refuse_head(head(a="x" * (free + 1))), ServingError)
    assert isinstance(refuse_head(head(query="x" * MAX_HEAD)), ServingError)
    assert isinstance(refuse_head(head(path="/" * MAX_HEAD)), ServingError)
    assert isinstance(refuse_head(head(**{f"a{n}": "" for n in range(4_000)})), ServingError)


def test_cookies_are_read_up_to_their_last_byte() -> None:
    assert refuse_head(head(cookie="x" * MAX_COOKIES)) is None
    assert isinstance(refuse_head(head(cookie="x" * (MAX_COOKIES + 1))), ServingError)
    halves = head() | {"headers": [(b"cookie", b"x" * (MAX_COOKIES // 2 + 1))] * 2}
    assert isinstance(refuse_head(halves), ServingError)


@pytest.mark.parametrize("path", ["/v1/decisions/\0", "/a\x1b[2J", "/a\nb", "/\ud800"])
def test_no_address_has_characters_that_cannot_be_printed(path: str) -> None:
    assert isinstance(refuse_head(head(path=path)), NotFound)
    assert refuse_head(head(path="/v1/decisions/à ümlaut")) is None


def test_no_parameter_has_nul() -> None:
    assert isinstance(refuse_head(head(query="office_id=a%00")), ServingError)


@pytest.mark.parametrize("name", GIVEN_ONCE)
def test_what_readers_would_choose_from_differently_is_given_once(name: bytes) -> None:
    """A proxy may look at the one and we at the other."""
    once = head() | {"headers": [(name, b"a")]}
    twice = head() | {"headers": [(name, b"a"), (b"accept", b"b"), (name, b"a")]}
    assert refuse_head(once) is None
    assert isinstance(refuse_head(twice), ServingError)
    assert refuse_head(head() | {"headers": [(b"accept", b"a")] * 2}) is None


def test_only_our_cookies_go_further_and_none_that_need_be_unquoted() -> None:
    sent = head(cookie='a="\\"\\""; tidegate=abc-_; b=2; __Host-tidegate-away="s./console/queue"')
    assert refuse_head(sent) is None
    assert cookies_in(sent) == {"tidegate": "abc-_", "__Host-tidegate-away": "s./console/queue"}

    escaped = head(cookie=r'tidegate="a\"b\073"')
    assert refuse_head(escaped) is None
    assert [name for name, _ in escaped["headers"]] == []


def test_the_largest_cookies_take_no_time() -> None:
    sent = head(cookie='tidegate="' + r"\"" * (MAX_COOKIES // 2 - 20) + '"')
    began = time.process_time()
    for _ in range(20):
        refuse_head(sent)
        cookies_in(sent)

    assert time.process_time() - began < 0.05


def test_every_address_refuses_them(service: Service) -> None:
    pages = ("/console/sign-in", "/console/static/console.css", "/console/static/nothing")
    for address in ("/health/live", "/metrics", "/v1/models", "/nowhere", *pages):
        for headers in ({"Cookie": 'a="' + r"\"" * 200_000 + '"'}, {"X": "x" * 20_000}):
            answer = service.client.get(address, headers=headers)
            assert answer.status_code == 431
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["type"] == "/problems/head-too-large"
            assert answer.headers["X-Request-ID"] == answer.json()["request_id"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert 'status="431"' in service.client.get("/metrics").text


@pytest.mark.parametrize(
    ("version", "grade"),
    [
        ((3, 10, 14), "wrong"),
        ((3, 11, 9), "doubtful"),
        ((3, 11, 10), "good"),
        ((3, 12, 5), "doubtful"),
        ((3, 12, 6), "good"),
        ((3, 13, 0), "good"),
    ],
)
def test_doctor_names_releases_of_python_that_unquote_slowly(
    version: tuple[int, ...], grade: str
) -> None:
    assert check_python(version).grade == grade
