"""Keys that a server publishes: how often they are read, and what is left when they are not."""

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from serving.access import published_keys
from serving.access.published_keys import PublishedKeys
from tests.serving.access.trusted import KEY, Clock, published

NEW = OKPKey.generate_key("Ed25519", {"kid": "new"})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("serving.access.published_keys.time.monotonic", clock)
    return clock


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    file = tmp_path / "jwks.json"
    file.write_bytes(published(KEY))
    return file


def test_keys_are_read_again_after_five_minutes(clock: Clock, jwks: Path) -> None:
    keys = PublishedKeys(str(jwks))
    first = keys.current()
    jwks.write_bytes(published(NEW))

    clock.now_s += 300
    assert keys.current() is first
    clock.now_s += 0.5
    renewed = keys.current()
    assert renewed is not None
    assert [key.kid for key in renewed.keys] == ["new"]


def test_a_key_that_is_lacking_is_asked_for_every_ten_seconds(clock: Clock, jwks: Path) -> None:
    keys = PublishedKeys(str(jwks))
    first = keys.current(lacks=True)
    jwks.write_bytes(published(NEW))

    clock.now_s += 10
    assert keys.current(lacks=True) is first
    clock.now_s += 0.5
    assert keys.current() is first
    assert keys.current(lacks=True) is not first


@pytest.mark.parametrize("where", ["nowhere.json", "http://login.example/jwks"])
def test_keys_that_cannot_be_fetched_are_none(where: str) -> None:
    assert PublishedKeys(where).current() is None


@pytest.mark.parametrize("where", ["https://login.example/jwks", "http://127.0.0.1/jwks"])
def test_keys_of_an_address_are_fetched(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(published_keys, "fetch", lambda at: fetched.append(at) or published(KEY))

    assert PublishedKeys(where).current() is not None
    assert fetched == [where]


def test_after_a_failure_keys_are_asked_for_again_soon(clock: Clock, jwks: Path) -> None:
    content = jwks.read_bytes()
    jwks.unlink()
    keys = PublishedKeys(str(jwks))
    assert keys.current() is None
    jwks.write_bytes(content)

    clock.now_s += 10
    assert keys.current() is None
    clock.now_s += 0.5
    assert keys.current() is not None


def test_nobody_waits_for_keys_where_some_are_known(
    clock: Clock, jwks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = PublishedKeys(str(jwks))
    first = keys.current()
    clock.now_s += 301

    def read_meanwhile(where: str) -> bytes:
        assert keys.current() is first  # another caller, who would wait here for ever
        return published(NEW)

    monkeypatch.setattr(published_keys, "_content", read_meanwhile)

    assert keys.current() is not first
    assert keys.known() is keys.current()


def test_keys_hold_for_a_day_without_their_server(clock: Clock, jwks: Path) -> None:
    keys = PublishedKeys(str(jwks))
    first = keys.current()
    jwks.unlink()

    clock.now_s += 86_400
    assert keys.current() is first
    clock.now_s += 1
    assert keys.current() is None


def test_the_same_keys_are_one_object_in_any_number_of_readings(clock: Clock, jwks: Path) -> None:
    keys = PublishedKeys(str(jwks))
    first = keys.current()
    clock.now_s += 301
    jwks.write_text(json.dumps(json.loads(jwks.read_text()), indent=2))

    assert keys.current() is first
    found: Any = keys.current(lacks=True)
    assert found is first
