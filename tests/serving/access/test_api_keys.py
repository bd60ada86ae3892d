"""Keys of machines: how they look, what is kept of them, and until when they open anything."""

import hashlib
import re
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta

import pytest

from serving.access.api_keys import ApiKey, PresentedKey, new_key
from tests.serving.access.trusted import NOW

MOMENT = timedelta(microseconds=1)
ENDS = NOW + timedelta(days=1)
SHOWN = PresentedKey("0123456789ab", "s" * 43)
KEPT = ApiKey("0123456789ab", "post", hashlib.sha256(b"s" * 43).hexdigest(), (), (), NOW)


def test_a_fresh_key_keeps_what_it_was_made_for() -> None:
    kept, shown = new_key("post", ("score",), ("DE004600",), NOW, ENDS, ("risk_assessment",))

    assert kept == ApiKey(
        key_id=shown.key_id,
        name="post",
        secret_sha256=hashlib.sha256(shown.secret.encode()).hexdigest(),
        scopes=("score",),
        offices=("DE004600",),
        created_at=NOW,
        expires_at=ENDS,
        purposes=("risk_assessment",),
    )
    assert re.fullmatch(r"tg_[0-9a-f]{12}\.[A-Za-z0-9_-]{43}", str(shown))


def test_no_two_keys_are_alike() -> None:
    (_, one), (_, other) = (new_key("post", (), (), NOW) for _ in range(2))

    assert one.key_id != other.key_id
    assert one.secret != other.secret


def test_a_key_without_an_end_is_live_until_it_is_revoked() -> None:
    assert KEPT.is_live(NOW + timedelta(days=36_500))
    assert not replace(KEPT, revoked_at=NOW).is_live(NOW)
    assert not replace(KEPT, expires_at=ENDS, revoked_at=NOW).is_live(NOW)


def test_a_key_with_an_end_is_live_up_to_that_instant() -> None:
    ending = replace(KEPT, expires_at=ENDS)

    assert ending.is_live(ENDS - MOMENT)
    assert not ending.is_live(ENDS)


def test_only_the_secret_of_a_live_key_admits() -> None:
    assert KEPT.admits(SHOWN.secret, NOW)
    assert not KEPT.admits("t" * 43, NOW)
    assert not KEPT.admits("", NOW)
    assert not replace(KEPT, revoked_at=NOW).admits(SHOWN.secret, NOW)


def test_a_key_is_read_back_as_it_was_shown() -> None:
    assert PresentedKey.parse(f"tg_0123456789ab.{'s' * 43}") == SHOWN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0123456789ab." + "s" * 43,
        "tg_0123456789a." + "s" * 43,
        "tg_0123456789abc." + "s" * 43,
        "tg_0123456789AB." + "s" * 43,
        "tg_0123456789ab." + "s" * 42,
        "tg_0123456789ab." + "s" * 44,
        "tg_0123456789ab." + "s" * 42 + "!",
        "tg_0123456789ab." + "s" * 43 + "\n",
        " tg_0123456789ab." + "s" * 43,
    ],
)
def test_what_has_another_form_is_no_key(text: str) -> None:
    assert PresentedKey.parse(text) is None


def test_what_is_kept_or_presented_is_not_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        KEPT.revoked_at = None  # type: ignore[misc]  # what is tried
    with pytest.raises(FrozenInstanceError):
        SHOWN.key_id = "another"  # type: ignore[misc]  # what is tried
