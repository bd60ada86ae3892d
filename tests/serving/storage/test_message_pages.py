"""The kept messages page by page, on either engine."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from features.messages.stored_text import NO_TEXT, MessageText
from serving.history.kept_messages import KeptMessage, MessageContent, PlacedRecord
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.message_list import MessageFilter
from serving.storage.repositories.message_repository import MessageRepository
from serving.storage.row_audit.digests import row_digest
from serving.storage.verification.audit_verification import verify_audit_log
from tests.serving.databases import database

EVERYONE = CaseAccess(frozenset(), is_rescue=False)


def message(number: int) -> KeptMessage:
    about = (PlacedRecord("documents", f"D-{number}", "shipment", f"S-{number % 2}", {}),)
    content = MessageContent("", "", 0, "", {"records": {}}, about, ())
    at = f"2026-11-24T12:00:0{number // 2}+00:00"
    return KeptMessage(f"m-{number}", "caller", f"key-{number}", at, "ubl", content)


def test_pages_follow_each_other_newest_first(where: Path | str) -> None:
    store = MessageRepository(database(where))
    for number in range(5):
        store.keep(message(number), [])

    found, before = [], None
    for _ in range(3):
        page = store.page(MessageFilter(before=before), EVERYONE, 2)
        found += [each.message_id for each in page.messages]
        before = page.next
    about = store.page(MessageFilter(subject_id="S-1", format="ubl"), EVERYONE, 9)

    assert (found, before) == (["m-4", "m-3", "m-2", "m-1", "m-0"], None)
    assert [each.message_id for each in about.messages] == ["m-3", "m-1"]
    assert store.page(MessageFilter(), CaseAccess(frozenset({"north"}), False), 9).messages == []


def test_a_text_is_read_with_its_message_alone_and_not_with_lists(where: Path | str) -> None:
    engine = database(where)
    store = MessageRepository(engine)
    text = "one\n\N{MONEY BAG}" * 50_000
    plain = message(1)
    store.keep(replace(plain, content=replace(plain.content, text=MessageText.of(text))), [])

    found = store.message("m-1")
    lists = [
        *store.page(MessageFilter(), EVERYONE, 9).messages,
        *store.about([("shipment", "S-1")], 9),
        store.under_key("caller", "key-1"),
    ]

    assert found is not None
    assert str(found.content.text) == text
    assert replace(found.content, text=NO_TEXT) == plain.content
    assert [each and each.content for each in lists] == [plain.content] * 3
    assert verify_audit_log(engine).is_whole


def test_the_digest_of_bytes_is_that_of_their_hexadecimal_form() -> None:
    content = bytes(range(256)) * 1_000
    said = json.dumps({"a": content.hex(), "b": "é"}, separators=(",", ":"))
    wanted = hashlib.sha256(said.encode()).hexdigest()

    for kind in (bytes, bytearray, memoryview):
        assert row_digest({"b": "é", "a": kind(content), "c": None}) == wanted
