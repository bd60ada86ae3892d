"""The kept messages page by page, on either engine."""

from pathlib import Path

from serving.db.repositories.message_repository import MessageRepository
from serving.history.kept_messages import KeptMessage, MessageContent, PlacedRecord
from serving.review.case_records import CaseAccess
from serving.review.message_list import MessageFilter
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
