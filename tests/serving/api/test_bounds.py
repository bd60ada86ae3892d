"""What is let in and what is not, on both sides of each bound."""

import asyncio
import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request

from serving.access.api_keys import PresentedKey, new_key
from serving.api.idempotency_keys import required_key
from serving.console.csrf import (
    MAX_FIELDS,
    MAX_FORM,
    MAX_FORM_OF_A_STRANGER,
    own_form,
)
from serving.errors import BodyTooLarge, Unprocessable
from serving.history.ingestion import MAX_RECORDS, _records_in
from serving.review.acts.attachments import MAX_NAME_LENGTH, MAX_TO_A_CASE, AttachedFile
from serving.review.acts.wait import MAX_CASE_WAIT
from serving.review.cases.results import MAX_TEXT, MIN_TEXT
from serving.settings import Settings
from serving.web.admission import SMALL_BODY
from serving.web.authentication import _remembered
from serving.web.bodies import body_within, refuse_other_media
from serving.web.languages import MAX_HEADER_LENGTH
from serving.web.problems import MAX_FAULTS, MAX_PROBLEM
from serving.web.request_head import MAX_COOKIES, MAX_HEAD
from tests.serving.access.trusted import NOW
from tests.serving.refusals import refused_with


def request(*chunks: bytes, **headers: str) -> Request:
    """A request whose body comes in chunks."""
    named = [(name.replace("_", "-").encode(), told.encode()) for name, told in headers.items()]
    coming = [*chunks, b""]

    async def receive() -> dict[str, Any]:
        chunk = coming.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(coming)}

    scope = {"type": "http", "method": "POST", "scheme": "https", "path": "/", "headers": named}
    return Request({**scope, "server": ("tidegate.example", 443)}, receive)


def read(most: int, *chunks: bytes, **headers: str) -> bytes:
    return asyncio.run(body_within(request(*chunks, **headers), most))


def test_without_settings_limits_are_these() -> None:
    limits = Settings()

    assert (limits.max_body_bytes, limits.max_batch_bytes) == (1_048_576, 8_388_608)
    assert (limits.max_batch_subjects, limits.max_attachment_bytes) == (1_000, 8_388_608)
    assert limits.max_case_attachment_bytes == 33_554_432
    assert limits.max_attachment_bytes_per_day == 268_435_456
    assert limits.disk_reserve_bytes == 536_870_912
    assert (limits.rate_per_s, limits.rate_burst) == (1_000, 5_000)
    assert (limits.max_in_flight, limits.queue_capacity) == (128, 256)
    assert (limits.receive_deadline_s, limits.commit_deadline_s) == (10, 5)
    assert limits.session_minutes == 30
    assert (limits.max_in_flight_per_caller, limits.max_connections) == (64, 1_024)
    assert limits.max_body_bytes_in_flight == 33_554_432
    assert (MAX_HEAD, MAX_COOKIES, SMALL_BODY) == (16_384, 4_096, 65_536)
    assert (MAX_FAULTS, MAX_PROBLEM, MAX_FORM_OF_A_STRANGER) == (50, 65_536, 8_192)
    assert (MAX_RECORDS, MAX_HEADER_LENGTH) == (5_000, 512)
    assert (MAX_FORM, MAX_FIELDS) == (32_768, 32)
    assert (MAX_TO_A_CASE, MAX_NAME_LENGTH, MAX_CASE_WAIT.days) == (50, 120, 14)
    assert (MIN_TEXT, MAX_TEXT) == (10, 4_000)


def test_a_body_is_read_up_to_the_last_byte_that_it_may_have() -> None:
    assert read(6, b"abc", b"def") == b"abcdef"
    assert read(6, b"abcdef", content_length="6") == b"abcdef"
    with pytest.raises(BodyTooLarge, match="6 bytes"):
        read(6, b"abc", b"defg")


@pytest.mark.parametrize("declared", ["7", "-1", "six", "9" * 5_000])
def test_a_body_that_says_it_is_too_large_is_not_read(declared: str) -> None:
    with pytest.raises(BodyTooLarge):
        read(6, b"", content_length=declared)


def test_nothing_is_inflated_and_nothing_else_than_utf8_is_read() -> None:
    plain = "application/json"
    for sound in (plain, "Application/JSON; charset=utf-8", 'application/json;charset="UTF-8"'):
        assert refuse_other_media(request(content_type=sound), plain) == plain
    for wrong in ("", "text/plain", f"{plain}; charset=latin-1", f"{plain}; boundary=x"):
        with refused_with("media-type-unsupported", match="send the body as"):
            refuse_other_media(request(content_type=wrong), plain)
    with refused_with("media-type-unsupported", match="without Content-Encoding"):
        refuse_other_media(request(content_type=plain, content_encoding="gzip"), plain)


def test_an_idempotency_key_has_1_to_255_visible_characters() -> None:
    for sound in ("a", "!~", "k" * 255):
        assert required_key(sound) == sound
    for missing in (None, ""):
        with refused_with("idempotency-key-missing", match="255"):
            required_key(missing)
    for unusable in ("k" * 256, "two words", "k\n", "é"):
        with refused_with("idempotency-key-unusable", match="255"):
            required_key(unusable)


def test_a_form_has_no_more_bytes_and_fields_than_ours() -> None:
    most = "&".join(f"field{number}={number}" for number in range(32))
    assert len(asyncio.run(own_form(request(most.encode())))) == 32
    padded = b"a=" + b"x" * (MAX_FORM - 2)
    assert len(asyncio.run(own_form(request(padded)))["a"]) == MAX_FORM - 2

    with pytest.raises(BodyTooLarge):
        asyncio.run(own_form(request(padded + b"x")))
    with pytest.raises(Unprocessable, match="at most 32 fields"):
        asyncio.run(own_form(request(f"{most}&more=1".encode())))


def test_a_body_holds_up_to_five_thousand_records() -> None:
    source: Any = SimpleNamespace(caller_id="c", received_at=NOW, purpose=None)
    faults: list[Any] = []
    body = {"documents": [{}] * 4_999, "legs": [{}]}

    assert list(_records_in(json.dumps(body).encode(), source, faults)) == []
    assert len(faults) >= 5_000  # of which fifty are told
    body["legs"].append({})
    with pytest.raises(BodyTooLarge, match="5000 records"):
        list(_records_in(json.dumps(body).encode(), source, faults))


def test_a_file_has_as_many_bytes_as_it_may() -> None:
    assert AttachedFile.from_upload("a.txt", b"x" * 100, 100).size_bytes == 100
    with pytest.raises(BodyTooLarge, match="100 bytes"):
        AttachedFile.from_upload("a.txt", b"x" * 101, 100)
    assert len(AttachedFile.from_upload("n" * 121, b"x", 100).name) == 120


def test_a_key_that_is_remembered_still_needs_its_secret_and_ends() -> None:
    kept, shown = new_key("post", ("score",), (), NOW, NOW + timedelta(hours=1))
    services: Any = SimpleNamespace(
        api_keys=SimpleNamespace(remembered={kept.key_id: kept}.get), tokens=None, clock=lambda: NOW
    )

    assert _remembered(services, str(shown)) is not None
    assert _remembered(services, str(PresentedKey(kept.key_id, "s" * 43))) is None
    services.clock = lambda: NOW + timedelta(hours=1)
    assert _remembered(services, str(shown)) is None
