"""POST /v1/scores/batch: each subject for itself, the answers in order, nothing decided twice."""

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.api.batches import _split_lines
from serving.errors import BodyMalformed, BodyTooLarge
from serving.request_parsing import split_array
from tests.serving.bodies import route, shipment
from tests.serving.conftest import Service

BODIES = [shipment(shipment_id=f"S-{i}") for i in range(3)] + [route()]


def post(service: Service, content: bytes, caller: dict[str, str], **headers: str) -> Any:
    usual = {"Idempotency-Key": "b", "Content-Type": "application/x-ndjson"}
    return service.client.post(
        "/v1/scores/batch", content=content, headers={**caller, **usual, **headers}
    )


def ndjson(bodies: list[Any]) -> bytes:
    return b"".join(json.dumps(body).encode() + b"\n" for body in bodies)


def lines(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def test_every_subject_gets_its_decision_in_order(service: Service) -> None:
    response = post(service, ndjson(BODIES), service.key("score"))

    answered = lines(response)
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert [(a["line"], a["status"]) for a in answered] == [(n, 200) for n in range(1, 5)]
    assert [a["answer"]["subject_id"] for a in answered] == ["S-0", "S-1", "S-2", "J-2"]
    assert service.services.decisions.size() == 4


def test_an_array_is_answered_like_lines(service: Service) -> None:
    # Strangers to each other: what is known of the first when the last is seen is a matter of time.
    strangers = [*BODIES[:3], route(carrier_id="k-77")]
    caller = service.key("score")
    one = lines(post(service, ndjson(strangers), caller))
    array = json.dumps(strangers, indent=2).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": "other"}
    answered = post(service, array, caller, **headers)
    assert answered.headers["Content-Type"] == "application/json"
    other = answered.json()

    for name in ("subject_id", "probability", "lane", "model"):
        assert [a["answer"][name] for a in one] == [a["answer"][name] for a in other]


def test_a_bad_line_stops_no_other(service: Service) -> None:
    content = ndjson([BODIES[0]]) + b'{"broken\n' + ndjson([shipment(nationality="x"), BODIES[3]])

    answered = lines(post(service, content, service.key("score")))

    assert [a["status"] for a in answered] == [200, 400, 422, 200]
    assert answered[1]["answer"]["type"] == "/problems/body-malformed"
    assert answered[2]["answer"]["errors"][0]["code"] == "person_field"
    assert service.services.decisions.size() == 2


def test_a_batch_sent_again_repeats_what_was_decided_and_tries_the_rest(service: Service) -> None:
    caller = service.key("score")
    first = lines(post(service, ndjson(BODIES[:2]) + b"{}\n", caller))
    again = lines(post(service, ndjson(BODIES[:2]) + ndjson([BODIES[2]]), caller))

    assert again[:2] == first[:2]
    assert (first[2]["status"], again[2]["status"]) == (422, 200)
    assert service.services.decisions.size() == 3


def test_a_batch_meets_no_single_request_with_its_key(service: Service) -> None:
    caller = service.key("score")
    post(service, ndjson(BODIES[:1]), caller)

    assert service.score(BODIES[1], caller, key="b").status_code == 200


def test_a_batch_explains_only_to_those_who_may_know(service: Service) -> None:
    plain = post(service, ndjson(BODIES), service.key("score")).text
    explained = lines(post(service, ndjson(BODIES), service.key("score", "explain")))

    assert "contribution" not in plain
    assert "log_odds" not in plain
    assert all(a["answer"]["contributions"] for a in explained)


def test_more_subjects_than_wait_at_once_are_scored(service: Service) -> None:
    bodies = [shipment(shipment_id=f"S-{i}") for i in range(70)]

    answered = lines(post(service, ndjson(bodies), service.key("score")))

    assert {a["status"] for a in answered} == {200}
    assert service.services.decisions.size() == 70


def test_too_many_subjects_are_refused_whole(service: Service) -> None:
    most = service.services.settings.max_batch_subjects

    response = post(service, b"{}\n" * (most + 1), service.key("score"))

    assert response.status_code == 413
    assert service.services.decisions.size() == 0


@pytest.mark.parametrize("end", [b" ", b"\n \n", b"\r\n\t\r\n"])
def test_a_line_of_blanks_after_as_many_subjects_as_may_be_is_no_subject(end: bytes) -> None:
    assert [each.body for each in _split_lines(b"{}\n" * 3 + end, 3)] == [b"{}"] * 3
    with pytest.raises(BodyTooLarge):
        _split_lines(b"{}\n" * 3 + end + b"\n{}", 3)


def test_lines_are_counted_as_an_editor_does() -> None:
    for ends in product([b"\n", b"\r\n", b"\r", b"\n \r\n", b"\r\r\n\n"], repeat=3):
        body = b"".join(b"%b{}" % end for end in ends)
        counted = [at for at, line in enumerate(body.splitlines(), start=1) if line.strip()]

        assert [each.line for each in _split_lines(body, 9)] == counted


def test_blank_lines_move_the_lines_that_are_told_and_make_no_other_subjects(
    service: Service,
) -> None:
    caller, bare = service.key("score"), ndjson(BODIES)

    apart = lines(post(service, b"\n" + bare.replace(b"\n", b"\r\n\r\n"), caller))
    again = lines(post(service, bare, caller))

    assert [each["line"] for each in apart] == [2, 4, 6, 8]
    assert [each["line"] for each in again] == [1, 2, 3, 4]
    assert [each["answer"] for each in again] == [each["answer"] for each in apart]
    assert service.services.decisions.size() == 4


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"Content-Type": "application/json"}, 400),
        (b"[{}", {"Content-Type": "application/json"}, 400),
        (b"[" * 100_000, {"Content-Type": "application/json"}, 400),
        (b"\xff", {"Content-Type": "application/json"}, 400),
        (b"{}", {"Content-Type": "text/csv"}, 415),
        (b"{}", {"Content-Encoding": "gzip"}, 415),
        (b"{}", {"Idempotency-Key": ""}, 400),
    ],
)
def test_what_is_no_batch_is_a_problem(
    service: Service, content: bytes, headers: dict[str, str], status: int
) -> None:
    response = post(service, content, service.key("score"), **headers)

    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"


@given(
    st.lists(st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=5)),
    st.sampled_from([None, 1, 4]),
)
def test_an_array_is_split_into_its_elements(elements: list[Any], indent: int | None) -> None:
    split = split_array(f" {json.dumps(elements, indent=indent)}\n".encode(), 1_000, 1 << 20)

    assert [json.loads(each) for each in split] == elements


@pytest.mark.parametrize("body", ["", "1", "[1 2]", "[1,]", "[,1]", "[1]]", "[1] x", '"[]"', "["])
def test_what_is_no_array_is_not_split(body: str) -> None:
    with pytest.raises(BodyMalformed):
        split_array(body.encode(), 10, 100)


@given(st.lists(st.one_of(st.text(), st.integers(), st.dictionaries(st.text(), st.floats(0, 1)))))
def test_elements_of_any_length_are_found_whole(elements: list[Any]) -> None:
    body = json.dumps(elements, ensure_ascii=False).encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("serving.request_parsing._FIRST_WINDOW", 1)
        split = split_array(body, 1_000, 1 << 20)

    assert [json.loads(each) for each in split] == elements


def test_an_array_is_split_no_further_than_a_batch_goes() -> None:
    assert len(split_array(b"[1,1,1]", 3, 100)) == 3
    for body in (b"[1,1,1,1]", b"[" + b"1," * 4_000_000 + b"oh"):
        with pytest.raises(BodyTooLarge, match="3 subjects"):
            split_array(body, 3, 100)


def test_no_subject_of_an_array_is_larger_than_a_body() -> None:
    text = b'"%b"' % (b"x" * 98)
    assert split_array(b"[%b]" % text, 3, 100) == [text]
    for larger in (b'"%b"' % (b"x" * 99), b"[%b" % (b"[]," * 2_000_000)):
        with pytest.raises(BodyTooLarge, match="100 bytes"):
            split_array(b"[%b, 1]" % larger, 3, 100)


@given(st.lists(st.integers(0, 8), min_size=1), st.sampled_from([1, 8, 1 << 14]))
def test_no_subject_of_an_array_has_more_values_than_one_alone(
    counts: list[int], window: int
) -> None:
    """However many the others have: of `[1,1,1]` there are three, and the array makes four."""
    elements = [[1] * count for count in counts]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("serving.request_parsing.MAX_VALUES_OF_A_SUBJECT", 5)
        patched.setattr("serving.request_parsing._FIRST_WINDOW", window)
        if max(counts) > 5:
            with pytest.raises(BodyTooLarge, match="5 values"):
                split_array(json.dumps(elements).encode(), 1_000, 1 << 20)
        else:
            split = split_array(json.dumps(elements).encode(), 1_000, 1 << 20)
            assert [json.loads(each) for each in split] == elements


def test_of_a_large_subject_no_more_is_made_than_of_one_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[int] = []
    raw_decode = json.JSONDecoder.raw_decode

    def counting(self: json.JSONDecoder, text: str, at: int = 0) -> Any:
        parsed.append(text.count("{"))
        return raw_decode(self, text, at)

    monkeypatch.setattr(json.JSONDecoder, "raw_decode", counting)
    with pytest.raises(BodyTooLarge, match="120000 values"):
        split_array(b'[{"documents":[' + b"{}," * 699_000 + b"{}]}]", 1_000, 1 << 20)
    assert max(parsed) <= 120_000


def test_a_line_that_is_larger_than_a_body_stops_no_other(service: Service) -> None:
    long = shipment(shipment_id="x" * (1 << 20))

    answered = lines(post(service, ndjson([BODIES[0], long, BODIES[1]]), service.key("score")))

    assert [a["status"] for a in answered] == [200, 413, 200]


@pytest.mark.parametrize("blank", [b"\n", b" \n", b"\r"])
def test_lines_of_nothing_are_not_gone_through_for_ever(service: Service, blank: bytes) -> None:
    lines_of_nothing = blank * ((8 << 20) // len(blank))

    answer = post(service, lines_of_nothing, service.key("score"))

    assert answer.status_code in (200, 413)
    assert len(answer.content) < 1_000


def test_a_batch_tells_of_as_many_faults_as_one_problem(service: Service) -> None:
    answered = lines(post(service, b"{}\n" * 1_000, service.key("score")))

    assert {a["status"] for a in answered} == {422}
    assert sum(len(a["answer"]["errors"]) for a in answered) == 50
