"""Sessions of a browser: how long they last, and what is kept of their cookies."""

import hashlib
import re
from dataclasses import FrozenInstanceError
from datetime import timedelta

import pytest

from serving.access.sessions import Session, hash_of
from tests.serving.access.trusted import NOW

RANDOM_256_BITS = re.compile(r"[A-Za-z0-9_-]{43}")


def test_a_session_is_its_holders_and_lasts_as_long_as_it_is_to() -> None:
    session, cookie = Session.begin("account:maria", NOW, timedelta(minutes=30))

    assert session == Session(
        cookie_sha256=hashlib.sha256(cookie.encode()).hexdigest(),
        holder="account:maria",
        form_token=session.form_token,
        expires_at=NOW + timedelta(minutes=30),
        ends_at=NOW + timedelta(minutes=30),
        begun_at=NOW,
        proved_at=NOW,
    )


def test_cookie_and_form_token_cannot_be_guessed_from_each_other_or_from_others() -> None:
    one, first = Session.begin("account:maria", NOW, timedelta(minutes=30))
    other, second = Session.begin("account:maria", NOW, timedelta(minutes=30))
    secrets = [first, second, one.form_token, other.form_token]

    assert len({*secrets}) == 4
    assert all(map(RANDOM_256_BITS.fullmatch, secrets))


def test_of_a_cookie_only_its_hash_is_kept() -> None:
    session, cookie = Session.begin("account:maria", NOW, timedelta(minutes=30))

    assert cookie not in repr(session)
    assert session.cookie_sha256 == hash_of(cookie)


def test_a_session_is_not_prolonged_in_place() -> None:
    session, _ = Session.begin("account:maria", NOW, timedelta(minutes=30))

    with pytest.raises(FrozenInstanceError):
        session.expires_at = NOW + timedelta(days=1)  # type: ignore[misc]  # what is tried
