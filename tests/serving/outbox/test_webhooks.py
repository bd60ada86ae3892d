"""Webhooks: every event arrives, in order, signed, whoever fails or is killed in between."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from serving.access import public_webhook_client
from serving.access.public_webhook_client import CallableAddresses
from serving.access.webhook_signatures import new_secret
from serving.errors import Conflict, NotFound
from serving.outbox.feeds import LEASE
from serving.outbox.outbox import POLL_INTERVAL_S, Outbox
from serving.outbox.webhooks import MAX_ENDPOINTS, RETRY, WebhookChannel, WebhookEndpoint
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.order import order_action
from serving.review.published_events import PublishedEvent, PublishedEvents
from serving.storage.repositories.published_event_repository import PublishedEventRepository
from serving.storage.repositories.receiver_repository import ReceiverRepository
from serving.storage.repositories.webhook_repository import WebhookRepository
from tests.docs.recipes import ROOT
from tests.serving.clock import Clock
from tests.serving.review.cases.stated import INSPECT, NOTHING, end_by
from tests.serving.review.cases.test_cases import LATER, ONE
from tests.serving.review.test_published_events import Border, border, claim, open_case

__all__ = ["border"]

WITHIN_S = 20.0
OFF_AFTER = timedelta(days=5)
HERE = CallableAddresses(is_trial=True)


@dataclass
class Receiver:
    """A border system that notes what it is told, and answers as it is set to."""

    answers: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def types(self) -> list[str]:
        return [json.loads(body)["type"].removeprefix("tidegate.case.") for _, body in self.taken]


@pytest.fixture
def receiving() -> Iterator[Callable[[], Receiver]]:
    servers = []

    def made() -> Receiver:
        receiver = Receiver()
        receiver.may_answer.set()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.may_answer.wait(WITHIN_S)
                status = receiver.answers.pop(0) if receiver.answers else 204
                if 200 <= status < 300:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    receiver.taken.append((headers, body))
                self.send_response(status)
                self.send_header("Location", receiver.url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append((server, receiver))
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        return receiver

    yield made
    for server, receiver in servers:
        receiver.may_answer.set()
        server.shutdown()
        server.server_close()


class Sending:
    """The endpoints of a border's database, and who tells them."""

    def __init__(self, border: Border) -> None:
        self.border = border
        self.clock = Clock(LATER)
        self.store = WebhookRepository(border.engine)
        self.progress = ReceiverRepository(border.engine)
        self.counted: list[str] = []
        self.delivery = self.another()

    def another(self) -> WebhookChannel:
        """Another worker over the same database."""
        events = PublishedEvents(
            PublishedEventRepository(self.border.engine), self.border.reviewing.masking
        )
        return WebhookChannel(
            *(self.store, self.progress, events),
            *(HERE, self.clock, OFF_AFTER, self.counted.append),
        )

    def deliver(self, endpoint: WebhookEndpoint) -> bool:
        return self.delivery.deliver(endpoint.endpoint_id)

    def endpoint(self, receiver: Receiver, **changed: Any) -> WebhookEndpoint:
        count = len(self.store.all())
        made = WebhookEndpoint(f"we_{count}", receiver.url, (), (), LATER, new_secret())
        self.store.add(replace(made, **changed))
        return self.store.all()[-1][0]

    def state(self, endpoint: WebhookEndpoint) -> Any:
        states = {each.endpoint_id: state for each, state in self.store.all()}
        return states[endpoint.endpoint_id]


@pytest.fixture
def sending(border: Border) -> Sending:
    return Sending(border)


Receiving = Callable[[], Receiver]


def test_a_call_is_signed_as_plain_hmac_says_and_tells_what_the_feed_does(
    sending: Sending, receiving: Receiving
) -> None:
    receiver = receiving()
    endpoint = sending.endpoint(receiver)
    case_id = open_case(sending.border)

    assert sending.deliver(endpoint)

    ((headers, body),) = receiver.taken
    key = base64.b64decode(endpoint.secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{right}"
    assert headers["webhook-timestamp"] == str(int(LATER.timestamp()))
    (event,) = sending.border.told()
    told = json.loads(body)
    in_feed = json.loads(TypeAdapter(PublishedEvent).dump_json(event))
    assert told == {"type": event.type, "timestamp": in_feed["time"], "data": in_feed}
    assert (headers["webhook-id"], told["data"]["case_id"]) == (event.id, case_id)
    assert sending.counted == ["taken"]


def test_the_lines_for_integrators_verify_a_call_and_nothing_else(
    sending: Sending, receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs/operations/integration.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(lines, namespace)
    verified = namespace["verified"]
    receiver = receiving()
    endpoint = sending.endpoint(receiver)
    sending.store.rotate(endpoint.endpoint_id, new_secret(), LATER, timedelta(hours=1))
    open_case(sending.border)
    sending.deliver(sending.store.live()[0][0])
    ((headers, body),) = receiver.taken

    monkeypatch.setattr(time, "time", LATER.timestamp)
    assert verified(endpoint.secret, headers, body), "the former secret counts in the overlap"
    assert not verified(endpoint.secret, headers, body + b" ")
    assert not verified(new_secret(), headers, body)
    assert not verified(endpoint.secret, headers | {"webhook-id": "evt_0"}, body)
    monkeypatch.setattr(time, "time", (LATER + timedelta(minutes=6)).timestamp)
    assert not verified(endpoint.secret, headers, body)


def test_events_come_in_order_and_what_fails_holds_up_what_follows(
    sending: Sending, receiving: Receiving
) -> None:
    receiver = receiving()
    endpoint = sending.endpoint(receiver)
    end_by(sending.border.reviewing, ONE, open_case(sending.border), LATER, NOTHING)
    receiver.answers = [200, 503, 302]

    for told in (1, 1):
        assert not sending.deliver(endpoint)
        assert len(receiver.taken) == told
        assert not sending.deliver(endpoint), "it is not due"
        state = sending.state(endpoint)
        assert (state.condition, state.failing_since) == ("failing", LATER)
        assert state.next_at > sending.clock.now
        sending.clock.now = state.next_at
    assert state.attempts == 2
    assert state.failure == "answered 302", "no redirect is followed"
    assert sending.deliver(endpoint)

    assert receiver.types() == sending.border.types()
    assert sending.state(endpoint).condition == "delivering"
    assert sending.state(endpoint).attempts == 0


def test_an_endpoint_is_told_the_types_and_offices_that_it_asked_for(
    sending: Sending, receiving: Receiving
) -> None:
    orders, elsewhere = receiving(), receiving()
    asked = sending.endpoint(orders, types=("tidegate.case.action_ordered",))
    other = sending.endpoint(elsewhere, offices=("DE009999",))
    case_id = open_case(sending.border)
    open_case(sending.border, 2, lane="rescue")
    claim(sending.border, case_id)
    order_action(ActRequest(sending.border.reviewing, ONE, case_id, LATER), INSPECT)

    assert sending.deliver(asked)
    assert sending.deliver(other)

    assert orders.types() == ["action_ordered"]
    assert elsewhere.types() == []
    late = sending.endpoint(receiving())
    assert sending.deliver(late)
    assert sending.state(late).reached == sending.border.told()[-1].id, "from its making on"


def test_of_several_workers_one_tells_and_one_that_was_killed_holds_up_no_longer_than_its_lease(
    where: Path | str, receiving: Receiving
) -> None:
    sending, receiver = Sending(Border(where)), receiving()
    endpoint = sending.endpoint(receiver)
    open_case(sending.border)
    assert (
        sending.progress.lease("webhook", endpoint.endpoint_id, "of one that is killed", LATER)
        is not None
    )

    assert not sending.another().deliver(endpoint.endpoint_id)
    assert receiver.taken == []
    sending.clock.now = LATER + LEASE
    assert sending.another().deliver(endpoint.endpoint_id)
    assert len(receiver.taken) == 1
    reached = sending.state(endpoint).reached
    assert not sending.progress.advance(
        "webhook", endpoint.endpoint_id, "of one that is killed", "x", LATER
    )
    assert sending.state(endpoint).reached == reached
    sending.border.reviewing.decisions.close()


def test_many_workers_tell_an_endpoint_each_event_once_and_in_order(
    where: Path | str, receiving: Receiving
) -> None:
    sending, receiver = Sending(Border(where)), receiving()
    sending.endpoint(receiver)
    workers = [Outbox([sending.another()]) for _ in range(3)]
    for number in range(1, 5):
        open_case(sending.border, number)
        for worker in workers:
            worker.look()
    _wait_for(lambda: any(map(Outbox.look, workers)) or len(receiver.taken) >= 4)
    for worker in workers:
        worker.stop()

    told = [json.loads(body)["data"]["case_id"] for _, body in receiver.taken]
    assert told == ["d-1", "d-2", "d-3", "d-4"]
    sending.border.reviewing.decisions.close()


def test_one_that_is_killed_after_a_call_tells_at_most_that_event_again(
    sending: Sending, receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = receiving()
    endpoint = sending.endpoint(receiver)
    end_by(sending.border.reviewing, ONE, open_case(sending.border), LATER, NOTHING)

    class Killed(BaseException):
        pass

    def killed(*_: Any) -> bool:
        raise Killed

    dying = sending.another()
    with monkeypatch.context() as patched:
        patched.setattr(ReceiverRepository, "advance", killed)
        patched.setattr(ReceiverRepository, "give_back", lambda *_: None)
        with pytest.raises(Killed):
            dying.deliver(endpoint.endpoint_id)
    sending.clock.now = LATER + LEASE
    assert sending.another().deliver(endpoint.endpoint_id)

    types = receiver.types()
    assert types == [types[0], *sending.border.types()]
    ids = [headers["webhook-id"] for headers, _ in receiver.taken]
    assert ids[0] == ids[1], "whoever gets it twice knows it by its id"


def test_a_slow_endpoint_holds_up_no_other(sending: Sending, receiving: Receiving) -> None:
    slow, quick = receiving(), receiving()
    slow.may_answer.clear()
    sending.endpoint(slow)
    sending.endpoint(quick)
    open_case(sending.border)

    outbox = Outbox([sending.delivery])
    outbox.look()
    _wait_for(lambda: len(quick.taken) == 1)
    open_case(sending.border, 2)
    _wait_for(lambda: outbox.look() or len(quick.taken) == 2)

    assert slow.taken == []
    slow.may_answer.set()
    _wait_for(lambda: outbox.look() or len(slow.taken) == 2)
    outbox.stop()
    assert slow.types() == quick.types() == ["opened", "opened"]


def _wait_for(is_so: Callable[[], Any]) -> None:
    ends_at = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.01)


def test_an_endpoint_that_fails_for_days_or_is_gone_is_switched_off_until_it_is_resumed(
    sending: Sending, receiving: Receiving
) -> None:
    receiver, other = receiving(), receiving()
    endpoint, gone = sending.endpoint(receiver), sending.endpoint(other)
    open_case(sending.border)
    receiver.answers, other.answers = [500] * 100, [410]
    sending.deliver(gone)
    assert sending.state(gone).condition == "off"

    while sending.state(endpoint).condition != "off":
        sending.deliver(endpoint)
        sending.clock.now = sending.state(endpoint).next_at
    assert OFF_AFTER <= sending.state(endpoint).off_at - LATER < OFF_AFTER + 2 * RETRY.longest
    assert 100 - len(receiver.answers) < 40
    sending.clock.now += timedelta(days=30)
    receiver.answers = []
    assert not sending.deliver(endpoint)

    for each in (endpoint, gone):
        sending.store.resume(each.endpoint_id, sending.clock.now)
        assert sending.deliver(each)
    assert receiver.types() == other.types() == ["opened"], "nothing was lost meanwhile"


def test_both_secrets_sign_until_the_overlap_is_over(
    sending: Sending, receiving: Receiving
) -> None:
    receiver = receiving()
    former = sending.endpoint(receiver)
    sending.store.rotate(former.endpoint_id, new_secret(), LATER, timedelta(hours=1))
    ((endpoint, _),) = sending.store.live()
    open_case(sending.border)
    sending.deliver(endpoint)
    sending.clock.now = LATER + timedelta(hours=1)
    open_case(sending.border, 2)
    sending.deliver(endpoint)

    during, after = (headers["webhook-signature"].split() for headers, _ in receiver.taken)
    assert (len(during), len(after)) == (2, 1)
    assert endpoint.former_secret == former.secret != endpoint.secret


def test_an_endpoint_that_is_revoked_or_was_changed_behind_the_back_is_told_nothing(
    sending: Sending, receiving: Receiving
) -> None:
    receiver = receiving()
    revoked, changed = sending.endpoint(receiver), sending.endpoint(receiver)
    sending.store.revoke(revoked.endpoint_id, LATER)
    with sending.border.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE webhook_endpoints SET url = 'https://thief.example' "
            f"WHERE endpoint_id = '{changed.endpoint_id}'"
        )
    open_case(sending.border)

    assert sending.store.live() == []
    assert not sending.deliver(revoked)
    other = sending.endpoint(receiver)
    assert sending.progress.lease("webhook", other.endpoint_id, "lease", LATER) is not None
    sending.store.revoke(other.endpoint_id, LATER)
    assert not sending.progress.advance("webhook", other.endpoint_id, "lease", "evt", LATER), (
        "in the midst of it"
    )
    for act in (sending.store.revoke, sending.store.resume):
        with pytest.raises(NotFound):
            act(revoked.endpoint_id, LATER)
    assert receiver.taken == []


def test_secrets_are_encrypted_and_endpoints_are_few(
    sending: Sending, receiving: Receiving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = receiving()
    endpoint = sending.endpoint(receiver)
    sending.store.rotate(endpoint.endpoint_id, new_secret(), LATER, timedelta(hours=1))
    ((endpoint, _),) = sending.store.all()
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("log.db*"))
    for secret in (endpoint.secret, endpoint.former_secret or "-"):
        assert secret.encode() not in stored
    monkeypatch.setattr("serving.storage.repositories.webhook_repository.MAX_ENDPOINTS", 1)
    with pytest.raises(Conflict):
        sending.endpoint(receiver)


def test_waits_grow_to_hours_and_are_spread() -> None:
    delays = [RETRY.delay(n, lambda: 0.5) for n in range(1, 12)]
    assert delays[0] == RETRY.first
    assert delays == sorted(delays)
    assert delays[-1] == RETRY.longest
    assert RETRY.delay(3, lambda: 0.0) < RETRY.delay(3, lambda: 0.5) < RETRY.delay(3, lambda: 1.0)
    assert RETRY.delay(10_000) <= 1.2 * RETRY.longest
    assert MAX_ENDPOINTS >= 16
    assert LEASE.total_seconds() > 6 * public_webhook_client.MAX_CALL_S
    assert POLL_INTERVAL_S <= 2
