"""Signed documents: what a signature covers, and what is refused."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.errors import Tampered
from features.signed_documents import (
    SignedDocument,
    canonical_json,
    is_signed,
    read_document,
    sign,
    signed_bytes,
    verify,
)

KEY = Ed25519PrivateKey.generate()
KEYS = [KEY.public_key().public_bytes_raw()]
STRANGER = [Ed25519PrivateKey.generate().public_key().public_bytes_raw()]
DOCUMENT: dict[str, Any] = {"b": [1, 0.1, None], "a": "é", "nested": {"z": True, "y": ""}}


class Pass(SignedDocument):
    signed_as = "pass"

    holder: str
    doors: tuple[int, ...] = ()


def signed() -> dict[str, Any]:
    return DOCUMENT | {"signature": sign("test", DOCUMENT, KEY)}


def test_a_document_has_one_spelling_that_says_its_kind() -> None:
    spelled = b'{"a":"\\u00e9","b":[1,0.1,null],"nested":{"y":"","z":true}}'

    assert canonical_json(dict(reversed(DOCUMENT.items()))) == spelled
    assert signed_bytes("test", signed()) == b"tidegate test\n" + spelled
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_a_signature_counts_for_its_document_kind_and_key_alone() -> None:
    whole = signed()

    verify("test", whole, [*STRANGER, *KEYS], "refused")
    assert is_signed("test", json.loads(json.dumps(whole, indent=4)), KEYS)
    for kind, document, keys in (
        ("pass", whole, KEYS),
        ("test", whole, STRANGER),
        ("test", whole, []),
        ("test", whole, [b"short"]),
        ("test", whole | {"a": "e"}, KEYS),
        ("test", whole | {"more": None}, KEYS),
        ("test", {name: value for name, value in whole.items() if name != "b"}, KEYS),
        ("test", DOCUMENT, KEYS),
        *(("test", whole | {"signature": wrong}, KEYS) for wrong in ("", "x", None, 1, "00" * 64)),
    ):
        assert not is_signed(kind, document, keys)
        with pytest.raises(Tampered, match=r"^refused$"):
            verify(kind, document, keys, "refused")


@pytest.mark.parametrize(
    "content", ["", "[]", "1", "{", '{"a": 1, "a": 2}', '{"x": {"a": 1, "a": 1}}']
)
def test_what_could_be_read_in_two_ways_is_no_document(content: str) -> None:
    with pytest.raises(Tampered, match=r"^refused$"):
        read_document(content.encode(), "refused")


def test_a_document_of_a_class_is_read_as_it_was_signed() -> None:
    written = Pass(holder="grace", doors=(1, 2)).signed(KEY)

    assert Pass.read(written.model_dump_json(indent=1).encode(), KEYS, "refused") == written
    assert written.is_signed_by(KEYS)
    assert not written.model_copy(update={"doors": (1, 2, 3)}).is_signed_by(KEYS)
    assert not Pass(holder="grace").is_signed_by(KEYS)
    with pytest.raises(Tampered, match=r"^refused$"):
        Pass.read(written.model_dump_json().replace("grace", "mallory").encode(), KEYS, "refused")
