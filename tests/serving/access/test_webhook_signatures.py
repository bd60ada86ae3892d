"""Signatures of webhooks, held to plain HMAC and to the example of the standard's libraries."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from serving.access.errors import AddressRefused
from serving.access.webhook_signatures import (
    MIN_KEY_BYTES,
    SECRET_PREFIX,
    key_of,
    new_secret,
    signed_headers,
)

AT = datetime(2026, 11, 24, 12, 0, 0, 900_000, tzinfo=UTC)


def test_a_known_message_has_the_signature_that_the_standards_own_libraries_test_for() -> None:
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1_614_265_330, UTC)

    headers = signed_headers([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')

    assert headers == {
        "Content-Type": "application/json",
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_key_signs_id_second_and_body() -> None:
    keys = [bytes(range(32)), bytes(range(32, 64))]

    headers = signed_headers(keys, "evt_1", AT, b"{}")

    signed = b"evt_1." + str(int(AT.timestamp())).encode() + b".{}"
    right = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    given = headers["webhook-signature"].split(" ")
    assert given == [f"v1,{base64.b64encode(each).decode()}" for each in right]


def test_a_fresh_secret_is_a_long_key_and_no_other() -> None:
    made = {new_secret() for _ in range(20)}

    assert len(made) == 20
    assert {len(key_of(secret)) for secret in made} == {32}
    assert all(secret.startswith(SECRET_PREFIX) for secret in made)


SHORT, BARE = (base64.b64encode(bytes(n)).decode() for n in (MIN_KEY_BYTES - 1, 32))


@pytest.mark.parametrize("wrong", ["", "whsec_", "whsec_%%%", f"whsec_{SHORT}", BARE])
def test_what_is_no_secret_is_refused(wrong: str) -> None:
    with pytest.raises(AddressRefused, match="whsec_"):
        key_of(wrong)
