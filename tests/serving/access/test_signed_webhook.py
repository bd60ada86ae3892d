"""Webhooks of the settings: which addresses and secrets are taken, and what proves the caller."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from serving.access.errors import AddressRefused
from serving.access.signed_webhook import SignedWebhook
from serving.access.webhook_signatures import MIN_KEY_BYTES

KEY = bytes(range(24))
ADDRESS = "https://rescue.example/calls"


def secret(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def test_a_webhook_has_its_address_and_the_key_of_its_secret() -> None:
    assert MIN_KEY_BYTES == 24
    assert SignedWebhook.from_secret(ADDRESS, secret(KEY)) == SignedWebhook(ADDRESS, KEY)
    assert SignedWebhook.from_secret(ADDRESS, secret(bytes(64))).key == bytes(64)


@pytest.mark.parametrize(
    "wrong",
    [
        secret(KEY[:23]),
        secret(b""),
        secret(KEY).removeprefix("whsec_"),
        "whsec_" + "%" * 40,
        "whsec_" + base64.b64encode(KEY).decode() + "!",
        "",
    ],
)
def test_a_secret_that_is_short_or_no_secret_is_refused(wrong: str) -> None:
    with pytest.raises(AddressRefused, match="whsec_ and 24 bytes or more in base64"):
        SignedWebhook.from_secret(ADDRESS, wrong)


@pytest.mark.parametrize("address", ["http://rescue.example/", "ftp://rescue.example/", "rescue"])
def test_an_address_that_others_could_listen_to_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        SignedWebhook.from_secret(address, secret(KEY))


def test_the_headers_sign_id_second_and_body() -> None:
    at = datetime(2026, 11, 24, 12, 0, 0, 999_999, tzinfo=UTC)

    headers = SignedWebhook(ADDRESS, KEY).headers("d-1", at, b'{"a": 1}')

    second = int(at.replace(microsecond=0).timestamp())
    proof = hmac.new(KEY, f"d-1.{second}.".encode() + b'{"a": 1}', hashlib.sha256).digest()
    assert headers == {
        "Content-Type": "application/json",
        "webhook-id": "d-1",
        "webhook-timestamp": str(second),
        "webhook-signature": f"v1,{base64.b64encode(proof).decode()}",
    }
