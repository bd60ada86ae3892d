"""The Python client: typed answers, the same key at each attempt, pages, and problems raised."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from deploy.site.__main__ import described_api
from serving.api.examples import RECORDS, ROUTE, SHIPMENT
from tests.clients.conftest import Site
from tests.clients.models_module import MODULE, module
from tidegate_client import (
    AsyncTidegate,
    BatchLine,
    Conflict,
    NoAnswer,
    NotFound,
    NotSignedIn,
    Refused,
    Retries,
    StrangeAnswer,
    Submission,
    Tidegate,
    TooOften,
    Unavailable,
)
from tidegate_client.models import (
    DecisionAnswer,
    ExplainedDecisionAnswer,
    MessageAnswer,
    Problem,
    StoredMessage,
)

OUTLINE: dict[str, Any] = {
    "decision_id": "d-1",
    "subject_kind": "shipment",
    "subject_id": "S-1",
    "scored_at": "2026-11-24T10:00:00Z",
    "model": None,
    "probability": None,
    "percentile": None,
    "lane": "a lane of a later release",
    "lane_reason": "no_score",
    "selection_probability": 1.0,
    "missing": [],
    "unseen": [],
    "unscored": "no_model",
    "is_history_missing": False,
    "of_a_later_release": 1,
}


PATIENT = Retries()
WAYBILL = (Path(__file__).parents[1] / "conformance/samples/ubl/waybill.xml").read_bytes()


def shipment(number: str) -> dict[str, Any]:
    return SHIPMENT | {"shipment": SHIPMENT["shipment"] | {"shipment_id": number}}


@pytest.fixture
def tidegate(site: Site) -> Iterator[Tidegate]:
    key = site.key("score", "explain", "review", "ingest")
    with Tidegate(site.address, key, timeout_s=60) as client:
        yield client


def test_the_models_are_those_of_the_description() -> None:
    assert MODULE.read_text() == module(described_api()), (
        "run `python -m tests.clients.models_module`"
    )


def test_a_subject_is_scored_and_read_again(tidegate: Tidegate) -> None:
    decided = tidegate.score(Submission.model_validate(SHIPMENT), idempotency_key="c-1")
    again = tidegate.score(SHIPMENT, idempotency_key="c-2")
    stored = tidegate.decision(decided.decision_id)

    assert isinstance(decided, ExplainedDecisionAnswer)
    assert decided.subject_id == again.subject_id == "S-2026-004711"
    assert stored == DecisionAnswer.model_validate(stored.model_dump())
    assert stored.probability == decided.probability
    assert tidegate.explanation(decided.decision_id).reasons == decided.reasons
    assert {each.role for each in tidegate.models().models} == {"champion"}
    assert tidegate.add_records({"documents": RECORDS["documents"]}).errors == []


def test_a_message_is_sent_once_and_read_as_it_is_kept(site: Site, tidegate: Tidegate) -> None:
    sent = tidegate.send_message("ubl", WAYBILL, idempotency_key="w-1", zone="Europe/Berlin")

    async def again() -> tuple[MessageAnswer, StoredMessage]:
        async with AsyncTidegate(site.address, site.key("review", "ingest", "score")) as other:
            by_another = await other.send_message("ubl", WAYBILL)
            return by_another, await other.message(sent.message_id)

    by_another, kept = asyncio.run(again())
    repeated = tidegate.send_message("ubl", WAYBILL, idempotency_key="w-1", zone="Europe/Berlin")
    assert repeated == sent
    assert sent.records == {"documents": 1, "goods_items": 2, "shipments": 1}
    assert by_another.decisions[0].decision_id != sent.decisions[0].decision_id
    assert tidegate.message(sent.message_id) == kept
    assert [each.record_type for each in kept.made][:1] == ["shipments"]
    with pytest.raises(Refused) as refused:
        tidegate.send_message("ubl", b"<a/>")
    assert refused.value.errors[0].code == "standard"


def test_a_batch_gives_a_decision_or_a_problem_for_each(tidegate: Tidegate) -> None:
    wrong = SHIPMENT | {"shipment": SHIPMENT["shipment"] | {"hs_code": "8903"}}

    answers = tidegate.score_batch([SHIPMENT, wrong, ROUTE])

    assert [type(each.answer) for each in answers] == [
        *(ExplainedDecisionAnswer, Problem, ExplainedDecisionAnswer)
    ]
    assert all(isinstance(each, BatchLine) for each in answers)


def test_lists_are_gone_through_page_by_page(tidegate: Tidegate) -> None:
    tidegate.score_batch(shipment(f"P-{number}") for number in range(7))

    listed = [each.decision_id for each in tidegate.decisions(page_size=3)]
    (one,) = tidegate.decisions(subject_kind="shipment", subject_id="P-3")

    assert len(listed) == len(set(listed)) >= 7
    assert one.subject_id == "P-3"
    for case in tidegate.cases(page_size=2):
        assert tidegate.case(case.case_id).subject_id == case.subject_id
    assert all(event.id for event in tidegate.events(page_size=1))


def test_bytes_are_passed_on_as_they_are(tidegate: Tidegate) -> None:
    body = json.dumps(shipment("B-1"), indent=2).encode()

    answer = tidegate.post("/v1/scores", body, idempotency_key="b-1")

    assert tidegate.post("/v1/scores", body, idempotency_key="b-1") == answer
    assert json.loads(answer)["subject_id"] == "B-1"
    with pytest.raises(Refused, match="400"):
        tidegate.post("/v1/scores", body, idempotency_key=None)
    with pytest.raises(Refused, match="415"):
        tidegate.post("/v1/scores", body, idempotency_key="b-2", media_type="text/xml")


def test_events_are_read_on_from_the_page_before(tidegate: Tidegate) -> None:
    all_of_them = [event.id for event in tidegate.events()]
    found: list[str] = []
    page = tidegate.event_page(limit=1)
    while page.events:
        found += [event.id for event in page.events]
        page = tidegate.event_page(after=page.next, limit=1)

    assert found == all_of_them


def test_a_problem_is_raised_with_what_is_wrong(site: Site, tidegate: Tidegate) -> None:
    with pytest.raises(Refused, match="422") as refused:
        tidegate.score(SHIPMENT | {"shipment": SHIPMENT["shipment"] | {"hs_code": "8903"}})
    with pytest.raises(NotFound):
        tidegate.decision("no/such?id")
    with pytest.raises(NotSignedIn), Tidegate(site.address, "tg_000000000000.x") as stranger:
        stranger.models()

    assert refused.value.type == "/problems/submission-refused"
    assert refused.value.errors[0].pointer == "/shipment/hs_code"


def test_the_async_client_does_the_same(site: Site) -> None:
    async def scenario() -> None:
        key = site.key("score", "explain", "review")
        async with AsyncTidegate(site.address, key, timeout_s=60) as tidegate:
            some = (tidegate.score(shipment(f"A-{number}")) for number in range(4))
            decided = await asyncio.gather(*some)
            listed = [each.decision_id async for each in tidegate.decisions(page_size=3)]
            assert {each.decision_id for each in decided} <= set(listed)
            with pytest.raises(NotFound):
                await tidegate.case("x")

    asyncio.run(scenario())


def problem(status: int, kind: str = "too-often", **headers: str) -> httpx2.Response:
    told = {"type": f"/problems/{kind}", "title": "t", "status": status, "detail": "d"}
    told |= {"instance": "urn:uuid:1", "request_id": "1", "errors": []}
    return httpx2.Response(status, headers=headers, json=told)


class Scripted(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Answers one after another, and keeps what was asked."""

    def __init__(self, *answers: httpx2.Response | Exception):
        self.answers = list(answers)
        self.asked: list[httpx2.Request] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.handle_request(request)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    # Not the functions themselves, by which the service's threads wait.
    monkeypatch.setattr("tidegate_client.client.time", SimpleNamespace(sleep=pauses.append))
    monkeypatch.setattr("tidegate_client.async_client.asyncio", SimpleNamespace(sleep=pause))
    return pauses


def scored(transport: Scripted, *, is_async: bool, retries: Retries = PATIENT) -> Any:
    async def score() -> Any:
        async with AsyncTidegate("http://t", "k", transport=transport, retries=retries) as client:
            return await client.score(SHIPMENT)

    if is_async:
        return asyncio.run(score())
    with Tidegate("http://t", "k", transport=transport, retries=retries) as client:
        return client.score(SHIPMENT)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_call_is_made_again_with_the_same_key_and_waits_as_long_as_it_is_told(
    slept: list[float], is_async: bool
) -> None:
    transport = Scripted(
        problem(429, **{"Retry-After": "3"}),
        httpx2.ConnectError("refused"),
        problem(503, "unavailable"),
        problem(409, "still-in-progress", **{"Retry-After": "1"}),
        httpx2.Response(200, json=OUTLINE),
    )

    decided = scored(transport, is_async=is_async)

    assert decided.lane == "a lane of a later release"
    assert (slept[0], slept[3]) == (3, 1)
    assert 0.25 <= slept[1] <= 0.5 <= slept[2] <= 1
    keys = {each.headers["Idempotency-Key"] for each in transport.asked}
    assert len(keys) == 1
    assert len({each.content for each in transport.asked}) == 1


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("answer", "raised", "attempts"),
    [
        (problem(429, **{"Retry-After": "1"}), TooOften, 3),
        (problem(429, **{"Retry-After": "3600"}), TooOften, 1),
        (problem(503), Unavailable, 3),
        (httpx2.Response(502, text="<html>"), Unavailable, 3),
        (problem(500), Unavailable, 1),
        (problem(409), Conflict, 1),
        (problem(422), Refused, 1),
        (httpx2.ReadTimeout("late"), NoAnswer, 3),
        (httpx2.Response(200, text="<html>Sign in to the network</html>"), StrangeAnswer, 1),
        (httpx2.Response(204), StrangeAnswer, 1),
    ],
)
def test_what_does_not_pass_is_raised_after_so_many_attempts(
    slept: list[float],
    is_async: bool,
    answer: httpx2.Response | Exception,
    raised: type[Exception],
    attempts: int,
) -> None:
    transport = Scripted(*[answer] * 9)

    with pytest.raises(raised):
        scored(transport, is_async=is_async, retries=Retries(most=2))

    assert len(transport.asked) == attempts
    assert len(slept) == attempts - 1
