"""Storing and reading the text of a message takes little memory in the service's own process."""

import random
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.messages.concerned_parts import ConcernedPart
from features.messages.options import Bounds
from features.messages.stored_text import MessageText
from serving.access.callers import Caller
from serving.api.messages import _worded
from serving.console.messages import ShownLine, shown_lines
from serving.history.kept_messages import KeptMessage, MessageContent
from serving.review.cases.message_redaction import NOT_SHOWN, VisibleSubjects, shown_message
from serving.scoring.message_intake import MessageReadAs, SentMessage, TakenMessage
from serving.storage.repositories.message_repository import MessageRepository
from tests.serving.api.test_messages import sample
from tests.serving.conftest import NOW, Service
from tests.serving.databases import database

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="measures by /proc"),
]
MAX_MIB = 64
WIDE = "\N{MONEY BAG}"
PRINTED = bytes(number for number in range(33, 127) if number not in b"'+:?")


def random_words(count: int) -> str:
    """Return characters of which hardly any can be saved by compression."""
    printed = (PRINTED * 3)[:256]
    return random.Random(1).randbytes(count).translate(printed).decode()


def interchange() -> str:
    """Return an instruction to carry goods in one line, with nearly 15 MB of free text."""
    text = WIDE + random_words(15_000_000)
    said = [f"FTX+AAI+++{text[at : at + 100_000]}'" for at in range(0, len(text), 100_000)]
    lines = sample("edifact").decode().replace("UNOC:3", "UNOY:4").splitlines()
    assert lines[-2].startswith("UNT+")
    _, count, reference = lines[-2].split("+")
    lines[-2] = f"UNT+{int(count) + len(said)}+{reference}"
    return "".join([*lines[:3], *said, *lines[3:]])


def memory_mib(line: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(each for each in lines if each.startswith(line)).split()[1]) / 1024


def peak_of(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what work comes to, and the MiB that it needed at its peak beyond those before."""
    Path("/proc/self/clear_refs").write_text("5")
    before = memory_mib("VmRSS")
    done = work()
    return done, memory_mib("VmHWM") - before


def test_a_message_of_15_mb_is_stored_and_read_within_64_mib(service: Service) -> None:
    caller = Caller("k", "k", frozenset({"ingest", "score"}), frozenset())
    key, text = service.key("review"), interchange()
    take(service, caller, bytearray(sample("edifact")), "m-1")  # starts a process
    first, again = (bytearray(text.encode()) for _ in range(2))

    taken, to_store = peak_of(lambda: take(service, caller, first, "m-2"))
    message_id = taken.message.message_id
    del taken
    replayed, to_replay = peak_of(lambda: take(service, caller, again, "m-2"))
    page, to_page = peak_of(lambda: page_of(service, key, message_id, "0"))
    lines, to_show = peak_of(lambda: lines_of(service, message_id))
    nothing, to_hide = peak_of(lambda: hidden(service, message_id))

    assert (replayed.is_replayed, len(first)) == (True, 0)
    pages = [page, *(page_of(service, key, message_id, str(after)) for after in range(1, 15))]
    assert sum(len(each["text"]) for each in pages) > 15_000_000
    assert random_words(15_000_000)[:50_000] in page["text"]
    assert WIDE in page["text"]
    assert pages[-1]["next"] is None
    assert (len(lines), bool(lines[0].marked)) == (1, True)
    assert nothing == NOT_SHOWN
    assert max(to_store, to_replay, to_page, to_show, to_hide) < MAX_MIB


def test_either_engine_stores_and_reads_15_mb_within_64_mib(where: Path | str) -> None:
    store = MessageRepository(database(where))
    content = MessageContent("", "", 0, "", {"records": {}}, (), ())
    small = KeptMessage("m-1", "caller", "k-1", NOW.isoformat(), "edifact", content)
    store.keep(small, [])
    text = MessageText.of(WIDE, random_words(15_000_000))
    large = replace(small, message_id="m-2", idempotency_key="k-2")

    _, to_store = peak_of(
        lambda: store.keep(replace(large, content=replace(content, text=text)), [])
    )
    found, to_read = peak_of(lambda: store.message("m-2"))

    assert found is not None
    assert found.content.text.packed == text.packed
    assert max(to_store, to_read) < MAX_MIB


def lines_of(service: Service, message_id: str) -> list[ShownLine]:
    """Return the lines of a message around the last place that a field came from."""
    message = service.services.message_evidence.store.message(message_id)
    assert message is not None
    spans = message.content.spans
    return list(shown_lines(message.content, max(spans, key=lambda place: spans[place])))


def hidden(service: Service, message_id: str) -> str:
    """Return the text of a message as it is shown to who may see nothing of it."""
    message = service.services.message_evidence.store.message(message_id)
    assert message is not None
    parts = (ConcernedPart(0, len(message.content.text), ()),)
    whole = replace(message, content=replace(message.content, parts=parts))
    shown = shown_message(whole, VisibleSubjects(frozenset(), sees_rest=False))
    return str(shown.message.content.text)


def page_of(service: Service, key: dict[str, str], message_id: str, after: str) -> Any:
    """Return a page of a stored message."""
    return service.client.get(
        f"/v1/stored_messages/{message_id}", params={"after": after}, headers=key
    ).json()


def take(service: Service, caller: Caller, body: bytearray, idempotency_key: str) -> TakenMessage:
    """Take a message as the service does, which empties the body."""

    async def wait_for(work: Coroutine[Any, Any, Any]) -> Any:
        return await work

    async def taken() -> TakenMessage:
        read_as, bounds = MessageReadAs(), Bounds(size=len(body))
        sent = SentMessage.of(caller, idempotency_key, "edifact", read_as, body, NOW)
        intake = service.services.message_intake
        return await intake.take(sent, bounds, _worded, lambda _: None, wait_for)

    portal = service.client.portal
    assert portal is not None
    return portal.call(taken)
