"""A call to rescuers: who may be called, what proves the caller, and what it says."""

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.errors import AddressRefused
from serving.review.rescue_calls import FEWEST_KEY_BYTES, RescueWebhook, call_content
from tests.serving.bodies import route, shipment
from tests.serving.review.decisions import AT, decision

KEY = bytes(range(24))
ADDRESS = "https://rescue.example/calls"


def secret(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def test_a_webhook_has_its_address_and_the_key_of_its_secret() -> None:
    assert FEWEST_KEY_BYTES == 24
    assert RescueWebhook.from_secret(ADDRESS, secret(KEY)) == RescueWebhook(ADDRESS, KEY)
    assert RescueWebhook.from_secret(ADDRESS, secret(bytes(64))).key == bytes(64)


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
        RescueWebhook.from_secret(ADDRESS, wrong)


@pytest.mark.parametrize("address", ["http://rescue.example/", "ftp://rescue.example/", "rescue"])
def test_an_address_that_others_could_listen_to_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        RescueWebhook.from_secret(address, secret(KEY))


def test_the_headers_sign_id_second_and_body() -> None:
    at = datetime(2026, 11, 24, 12, 0, 0, 999_999, tzinfo=UTC)

    headers = RescueWebhook(ADDRESS, KEY).headers("d-1", at, b'{"a": 1}')

    second = int(at.replace(microsecond=0).timestamp())
    proof = hmac.new(KEY, f"d-1.{second}.".encode() + b'{"a": 1}', hashlib.sha256).digest()
    assert headers == {
        "Content-Type": "application/json",
        "webhook-id": "d-1",
        "webhook-timestamp": str(second),
        "webhook-signature": f"v1,{base64.b64encode(proof).decode()}",
    }


def position(minutes: int, latitude: float) -> dict[str, Any]:
    at = AT - timedelta(minutes=minutes)
    return {
        "journey_id": "J-2",
        "observed_at": at.isoformat(),
        "latitude": latitude,
        "longitude": 24.25,
        "source": "ais",
    }


def test_a_call_says_what_to_find_where_it_was_heard_last_and_where_it_goes() -> None:
    body = route() | {"positions": [position(9, 35.0), position(3, 36.5), position(5, 37.0)]}

    call = call_content(decision(body, lane="rescue", life_at_risk="41 persons"))

    assert call == {
        "type": "rescue.placed",
        "timestamp": AT,
        "data": {
            "case_id": "d-1",
            "signal": "41 persons",
            "office_id": "DE004600",
            "mode": "sea",
            "conveyance_id": "v-10",
            "conveyance_kind": "fishing_vessel",
            "origin": "TRIZM",
            "destination": "GRPIR",
            "due_at": datetime(2026, 11, 25, 10, tzinfo=UTC),
            "last_heard": {
                "at": AT - timedelta(minutes=3),
                "latitude": 36.5,
                "longitude": 24.25,
            },
        },
    }


def test_what_was_never_heard_has_no_place_and_what_has_no_journey_no_way() -> None:
    ashore = shipment()
    ashore["journey"], ashore["legs"] = None, []

    data: Any = call_content(decision(route()))["data"]
    assert data["last_heard"] is None
    assert call_content(decision(ashore))["data"] == {
        "case_id": "d-1",
        "signal": None,
        "office_id": "DE004600",
    }


def test_a_call_names_no_party() -> None:
    assert not re.search(r"c-00|k-3", str(call_content(decision(shipment()))))
