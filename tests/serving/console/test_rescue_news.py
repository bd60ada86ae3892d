"""What waits for a person: on every page of a rescuer within seconds, and cheap for the service."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
import uvicorn
from fastapi import Request

from serving.access.accounts import new_account
from serving.access.sessions import Session
from serving.app import create_app
from serving.console import rescue_stream
from serving.console.rescue_log import compass_point
from serving.console.rescue_stream import MAX_STREAMS, MAX_STREAMS_OF_SESSION, board_stream
from serving.errors import LogUnavailable, TooBusy
from serving.integrity.audit_log import EventFilter
from serving.review.rescue.rescue_watch import MAX_AGE_S, BoardItem, RescueWatch
from serving.settings import Settings
from serving.web.connections import BoundedConnection
from tests.ports import free_port
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.console.test_rescue_board import rescue, text_of
from tests.serving.people import person
from tests.serving.refusals import refused_with
from tests.serving.review.cases.test_cases_served import reviewed
from tests.serving.review.rescue.test_distress_alerts import AtSea, at_sea
from tests.serving.review.supervision.test_supervision_served import PASSWORD, sign_in_as
from tests.serving.scoring.test_ships import CALLS, SHIP, hear, sentence

__all__ = ["at_sea", "reviewed"]

ALL_IS_WELL = "Every rescue that is known here has somebody who acts."
MINUTE = timedelta(minutes=1)


@dataclass
class Items:
    """A store of board items that counts how often it is read."""

    items: tuple[BoardItem, ...] = ()
    acts: int = 0
    read: int = 0

    def on_board(self, now: object) -> tuple[BoardItem, ...]:
        self.read += 1
        return self.items


def waiting(item_id: str, office_id: str | None = None) -> BoardItem:
    return BoardItem("rescue", item_id, office_id, True, "")


def test_a_board_above_which_a_distress_call_waits_does_not_say_that_all_is_well(
    at_sea: AtSea,
) -> None:
    client = at_sea.service.client
    sign_in_as(at_sea.service, "rescue")
    assert ALL_IS_WELL in client.get("/console/rescues").text
    hear(at_sea, sentence(NOW - 6 * MINUTE, status=CALLS))
    (told,) = at_sea.told()

    board = client.get("/console/rescues").text

    address = f"/console/rescues/alerts/{told['case_id']}"
    assert ALL_IS_WELL not in board
    assert "Nobody acts yet 1" in text_of(board)
    assert board.count(f'href="{address}">Distress call, 38°12′N 26°06′E, 6 min ago</a>') == 2
    assert "<title>(1) Rescues" in board
    assert client.get(f"/console/rescues/{told['case_id']}").url.path == address
    token = board.split('name="form_token" value="')[1].split('"')[0]
    client.post(f"{address}/acknowledgement", data={"form_token": token}, headers=ORIGIN)
    assert ALL_IS_WELL in client.get("/console/rescues").text


def test_the_page_of_a_distress_call_says_who_calls_from_where_and_how_far_that_is(
    at_sea: AtSea,
) -> None:
    hear(at_sea, sentence(NOW - 6 * MINUTE, status=CALLS))
    (told,) = at_sea.told()
    sign_in_as(at_sea.service, "rescue")

    page = at_sea.service.client.get(f"/console/rescues/alerts/{told['case_id']}").text

    said = text_of(page)
    assert "<title>(1) Distress call, 38°12′N 26°06′E, 6 min ago" in page
    for words in (
        *(f"MMSI {SHIP}", "38°12.0′ N, 26°06.0′ E", "heard 24 Nov 2026, 11:54 UTC"),
        *("Chios (GRJKH) 21 km (11 nautical miles) 189° south", "took the call"),
    ):
        assert words in said, words
    assert 'class="calling"' in page


def test_what_waits_stands_above_every_page_of_rescuers_and_of_nobody_else(
    at_sea: AtSea,
) -> None:
    hear(at_sea, sentence(status=CALLS))
    client = at_sea.service.client
    for role in ("rescue", "reviewer", "supervisor", "auditor", "admin"):
        sign_in_as(at_sea.service, role)
        page = client.get("/console/account").text
        assert ("Distress call" in page) == (role == "rescue"), role
        assert ("<title>(1) " in page) == (role == "rescue"), role


def test_pages_ask_again_within_three_seconds_and_the_session_is_not_used_by_that(
    at_sea: AtSea,
) -> None:
    client, sessions = at_sea.service.client, at_sea.service.services.sessions
    sign_in_as(at_sea.service, "rescue")
    page = client.get("/console/rescues").text
    assert 'hx-trigger="every 3s, news"' in page
    (before,) = sessions.of_holder("account:the rescue", NOW)
    at_sea.at(NOW + 20 * MINUTE)

    seen = page.split('hx-get="')[1].split('"')[0]
    assert client.get(seen).status_code == 204
    hear(at_sea, sentence(NOW + 19 * MINUTE, status=CALLS))
    at_sea.service.services.rescue_watch._read_at = float("-inf")  # a second later
    news = client.get(seen)
    assert client.get("/console/rescues?refresh=1").status_code == 200

    assert "Distress call, 38°12′N 26°06′E, 1 min ago" in news.text
    (after,) = sessions.of_holder("account:the rescue", NOW + 20 * MINUTE)
    assert after.expires_at == before.expires_at


def test_a_poll_without_news_is_no_reading_and_news_are_one(at_sea: AtSea) -> None:
    client = at_sea.service.client
    sign_in_as(at_sea.service, "rescue")
    seen = client.get("/console/rescues").text.split('hx-get="')[1].split('"')[0]

    def count() -> int:
        events = at_sea.service.services.audit_events
        return sum(each.object_kind == "rescues" for each in events.newest(EventFilter(), 50))

    before = count()
    assert client.get(seen).status_code == 204
    assert count() == before
    client.get("/console/rescues/changes?seen=another")
    assert count() == before + 1


def test_the_board_is_read_once_a_second_however_many_pages_are_open() -> None:
    store, at = Items((waiting("a", "DE1"), waiting("b", "GR1"))), [0.0]
    watch = RescueWatch([store], lambda: NOW, monotonic=lambda: at[0])
    threads = [threading.Thread(target=watch.seen_by, args=(frozenset(),)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read == 1

    at[0] = MAX_AGE_S
    own, everything = watch.seen_by(frozenset({"GR1"})), watch.seen_by(frozenset())
    assert (store.read, len(own.unattended), len(everything.unattended)) == (2, 1, 2)
    assert own.version != everything.version
    store.acts += 1
    watch.seen_by(frozenset())
    assert store.read == 3, "somebody acted through this worker"


class Stream:
    """A stream as a browser would read it, whose clock runs with its events."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, store: Items) -> None:
        self.at, self.state = 0.0, dict[str, Any]()
        self.holder: tuple[Any, Any] | None = (self.caller("rescue"), None)
        self.watch = RescueWatch([store], lambda: NOW, monotonic=lambda: self.at)
        self.services = cast(Any, SimpleNamespace(rescue_watch=self.watch))
        self.session = cast(Session, SimpleNamespace(session_id="s"))
        self.request = Request({"type": "http", "state": self.state, "headers": []})
        self.before: Callable[[], None] = lambda: None

        async def sleep(seconds: float) -> None:
            self.at += seconds
            self.before()

        monkeypatch.setattr(rescue_stream, "time", SimpleNamespace(monotonic=lambda: self.at))
        monkeypatch.setattr(rescue_stream, "asyncio", SimpleNamespace(sleep=sleep))
        monkeypatch.setattr(rescue_stream, "signed_in", lambda *_: self.holder)

    @staticmethod
    def caller(scope: str) -> Any:
        return SimpleNamespace(offices=frozenset(), may=lambda wanted: wanted == scope)

    def read(self) -> list[str]:
        """The versions that were sent until the stream ended."""
        response = board_stream(self.request, self.services, self.caller("rescue"), self.session)
        body = cast(AsyncIterator[bytes], response.body_iterator)

        async def all_of_it() -> list[bytes]:
            return [part async for part in body]

        parts = asyncio.run(all_of_it())
        return [json.loads(part.removeprefix(b"data: "))["version"] for part in parts]


def test_a_stream_tells_within_a_second_and_ends_after_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Items()
    stream = Stream(monkeypatch, store)

    def ring() -> None:
        if stream.at == 10:
            store.items = (waiting("a"),)

    stream.before = ring
    versions = stream.read()

    assert len(set(versions)) == 2
    assert versions.index(versions[-1]) <= 11
    assert stream.at == rescue_stream.MAX_LIFE_S
    assert store.read <= stream.at / MAX_AGE_S
    assert stream.watch.listeners == Counter()


@pytest.mark.parametrize("holder", ["nobody", "reviewer"])
def test_a_stream_ends_with_the_session_and_with_the_role_of_its_holder(
    monkeypatch: pytest.MonkeyPatch, holder: str
) -> None:
    stream = Stream(monkeypatch, Items())

    def leave() -> None:
        stream.holder = None if holder == "nobody" else (stream.caller("review"), None)

    stream.before = leave
    stream.read()

    assert stream.at <= rescue_stream.HOLDER_CHECKED_EVERY_S


def test_a_stream_ends_when_the_service_is_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(monkeypatch, Items())
    cycle = SimpleNamespace(response_complete=False, scope=stream.request.scope, keep_alive=True)
    connection = cast(BoundedConnection, SimpleNamespace(cycle=cycle))

    stream.before = lambda: _shut_down(connection)
    stream.read()

    assert (stream.at, cycle.keep_alive) == (rescue_stream.BEAT_S, False)


def _shut_down(connection: BoundedConnection) -> None:
    real = BoundedConnection.__new__(BoundedConnection)
    real.cycle = connection.cycle
    real.shutdown()


def test_a_stream_ends_where_the_database_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(monkeypatch, Items())

    def fail(_: object) -> tuple[BoardItem, ...]:
        raise LogUnavailable("the database is away")

    stream.watch._stores[0].on_board = fail  # type: ignore[method-assign]  # of a test's own store

    assert stream.read() == []


def test_no_session_and_no_crowd_holds_more_streams_than_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Stream(monkeypatch, Items())
    stream.watch.listeners["s"] = MAX_STREAMS_OF_SESSION
    with refused_with("too-often"):
        stream.read()

    stream.watch.listeners = Counter({str(number): 1 for number in range(MAX_STREAMS)})
    with pytest.raises(TooBusy):
        stream.read()


def test_reports_of_one_craft_are_one_title(reviewed: Service) -> None:
    for number in (1, 2):
        rescue(reviewed, f"J-{number}", mmsi="247000111", heard=[(1.0, 36.6543)])
    sign_in_as(reviewed, "rescue")

    board = reviewed.client.get("/console/rescues").text

    assert "Nobody acts on 1 call" in board
    assert "Fishing vessel 247000111, 36°39′N 24°15′E, " in board


def test_a_page_says_so_where_it_cannot_be_read_who_calls(
    reviewed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_as(reviewed, "rescue")

    def fail(*_: object, **__: object) -> None:
        raise LogUnavailable("the database is away")

    monkeypatch.setattr(reviewed.services.rescue_watch, "seen_by", fail)

    assert (
        "It cannot be read now who calls for help" in reviewed.client.get("/console/account").text
    )


def test_where_someone_acted_elsewhere_nothing_waits(reviewed: Service) -> None:
    case_id = rescue(reviewed, "J-1")
    assert reviewed.services.rescue_watch.seen_by(frozenset()).unattended
    reviewed.services.rescue_outbox.acknowledge(case_id, person("watch officer"), NOW)
    assert not reviewed.services.rescue_watch.seen_by(frozenset()).unattended


@pytest.mark.parametrize(("bearing", "words"), [(0, "north"), (359, "north"), (200, "south")])
def test_a_bearing_is_said_by_the_nearest_point_of_the_compass(bearing: float, words: str) -> None:
    assert compass_point(bearing) == words


def test_a_service_with_an_open_stream_stops_when_it_is_told_to(home: Path) -> None:
    app, port = create_app(Settings(home=home), lambda: NOW), free_port()
    services = app.state.services
    services.accounts.add_account(new_account("watch", PASSWORD, "rescue", (), NOW))
    session, cookie = Session.begin("account:watch", NOW, timedelta(hours=8))
    services.sessions.add_session(session, NOW)
    config = uvicorn.Config(
        app, port=port, log_level="error", http=BoundedConnection, timeout_graceful_shutdown=120
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    headers = {"Accept": "text/event-stream", "Cookie": f"tidegate={cookie}"}
    address = f"http://127.0.0.1:{port}/console/rescues/changes"
    with httpx2.stream("GET", address, headers=headers, timeout=60) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith('data: {"version":')
        server.should_exit = True
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert len([*lines]) < 100, "it ends"
    thread.join(60)
    assert not thread.is_alive()
    assert services.rescue_watch.listeners == Counter()
