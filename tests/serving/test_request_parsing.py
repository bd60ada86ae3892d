"""Bodies: what is read, what is refused, and that no refusal repeats what it refused."""

import json
import time
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ValidationError

from serving.errors import BodyMalformed, BodyTooLarge, SubmissionRefused
from serving.request_parsing import faults_of, read_submission
from tests.serving.bodies import SHIPMENT, route, shipment

CANARY = "canary7391"


def refused(body: bytes) -> BodyMalformed | SubmissionRefused:
    with pytest.raises((BodyMalformed, SubmissionRefused)) as caught:
        read_submission(body)
    return caught.value


def with_text(old: str, new: str) -> bytes:
    return json.dumps(SHIPMENT).replace(old, new).encode()


def test_a_submission_is_read_with_its_attachments() -> None:
    read = read_submission(json.dumps(SHIPMENT).encode())

    assert read.subject_id == "S-1"
    assert read.declared_at.isoformat() == "2026-11-24T10:00:00+00:00"
    assert [d.kind for d in read.documents] == ["invoice"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(with_text("1250.5", "NaN"), id="NaN"),
        pytest.param(with_text("1250.5", "-Infinity"), id="infinity"),
        pytest.param(with_text("1250.5", "1e400"), id="beyond a float"),
        pytest.param(with_text("1250.5", "1" * 400), id="many digits"),
        pytest.param(with_text('"S-1"', r'"\ud800"'), id="lone surrogate"),
        pytest.param(with_text('"packages": 12', '"packages": 12, "packages": 13'), id="twice"),
        pytest.param(
            with_text('"packages": 12', '"packages" : 12, "packages": 13'), id="twice, once apart"
        ),
        pytest.param(b"\xef\xbb\xbf" + json.dumps(SHIPMENT).encode(), id="byte-order mark"),
        pytest.param(json.dumps(SHIPMENT).encode("utf-16"), id="utf-16"),
        pytest.param(b'{"legs":' + b"[" * 100_000, id="deep and open"),
        pytest.param(b'{"legs":' + b"[" * 1_000 + b"]" * 1_000 + b"}", id="deep and closed"),
        pytest.param(b'{"a":' * 900 + b"1" + b"}" * 900, id="deep objects"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
    ],
)
def test_what_readers_disagree_on_is_refused(body: bytes) -> None:
    refused(body)


def test_records_are_counted_before_any_is_looked_at() -> None:
    (fault,) = refused(json.dumps(shipment() | {"documents": [{}] * 501}).encode()).faults
    assert (fault.pointer, fault.code) == ("/documents", "too_long")

    tripled = json.dumps(shipment() | {"documents": [{"a": 1}] * 501})
    (fault,) = refused(tripled.replace('{"a": 1}', '{"a": 1, "a": 1}', 1).encode()).faults
    assert fault.pointer == "/documents"


def test_of_many_wrong_records_the_first_is_told() -> None:
    faults = refused(json.dumps(shipment() | {"documents": [{}] * 500}).encode()).faults

    assert {fault.pointer.split("/")[2] for fault in faults} == {"0"}


@pytest.mark.parametrize("unit", ["{}", "[]", '{"a":{}}', "1", '"x"', '{"a":1,"b":[2,3]}'])
@pytest.mark.parametrize("field", ["documents", "positions", "unknown"])
def test_no_body_has_more_faults_than_can_be_read(unit: str, field: str) -> None:
    many = ",".join([unit] * ((1 << 20) // (len(unit) + 1)))
    body = json.dumps(shipment())[:-1] + f',"{field}":[{many}]}}'

    began = time.process_time()
    with pytest.raises((BodyMalformed, BodyTooLarge, SubmissionRefused)) as caught:
        read_submission(body.encode())

    assert len(caught.value.faults) <= 50
    assert time.process_time() - began < 1


def test_no_object_has_fields_without_end() -> None:
    fields = ",".join(f'"a{number}":1' for number in range(50_000))
    body = json.dumps(shipment())[:-1] + f",{fields}}}"

    assert refused(body.encode()).faults == ()
    assert (
        len(refused(json.dumps(shipment(**{f"a{n}": 1 for n in range(90)})).encode()).faults) == 50
    )


@pytest.mark.parametrize("text", [r"\u0000", r"a\u0000b", r"\\\u0000"])
def test_nul_is_in_no_text(text: str) -> None:
    with pytest.raises(BodyMalformed, match="NUL"):
        read_submission(with_text('"S-1"', f'"{text}"'))


def test_a_backslash_before_u0000_is_no_nul() -> None:
    read = read_submission(json.dumps(shipment(goods_description=r"a\u0000")).encode())

    assert read.shipment is not None
    assert read.shipment.goods_description == r"a\u0000"


@pytest.mark.parametrize("place", ["", "shipment", "journey", "documents", "transactions", "legs"])
@pytest.mark.parametrize("field", ["nationality", "dateOfBirth", "Given-Name", "driver_passport"])
def test_a_field_about_a_person_is_refused_by_name_without_its_value(
    place: str, field: str
) -> None:
    body: dict[str, Any] = shipment()
    where = body if not place else body[place]
    (where[0] if isinstance(where, list) else where)[field] = CANARY

    refusal = refused(json.dumps(body).encode())

    assert any(field in f.detail and f.code == "person_field" for f in refusal.faults)
    assert CANARY not in repr(refusal.faults) + str(refusal)


def test_an_unknown_field_is_named_with_its_place() -> None:
    (fault,) = refused(json.dumps(shipment(tonnage=CANARY)).encode()).faults

    assert (fault.pointer, fault.code) == ("/shipment/tonnage", "unknown_field")


def test_a_value_in_place_of_a_field_name_is_not_repeated() -> None:
    refusal = refused(json.dumps(shipment(**{f"name: {CANARY}": 1})).encode())

    assert CANARY not in repr(refusal.faults) + str(refusal)


@pytest.mark.parametrize("instant", ["2026-11-24T10:00:00", "yesterday", "0001-01-01T00:00+23:59"])
def test_an_instant_without_offset_or_sense_is_refused(instant: str) -> None:
    (fault,) = refused(json.dumps(shipment(declared_at=instant)).encode()).faults

    assert fault.pointer == "/shipment/declared_at"


@pytest.mark.parametrize("value", ["1250.5", True, -1, 1e300, [1250.5], None, {}])
def test_a_mass_is_a_number_within_bounds_or_null(value: Any) -> None:
    body = json.dumps(shipment(gross_mass_kg=value)).encode()

    if value is None:
        assert read_submission(body).shipment is not None
    else:
        assert {f.pointer for f in refused(body).faults} == {"/shipment/gross_mass_kg"}


@pytest.mark.parametrize("kind", ["person", "driver", "company", "Route", "", None])
def test_a_person_is_no_subject(kind: str | None) -> None:
    body = {**route(), "subject_kind": kind}

    assert "/subject_kind" in {f.pointer for f in refused(json.dumps(body).encode()).faults}


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_any_json_is_refused_and_nothing_else_happens(document: Any) -> None:
    refused(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a": "caf\xe9"}', "not UTF-8 at byte 10"),
        (b"\xef\xbb\xbf{}", "begins with a byte order mark: send it without"),
        (b'{"a": tru}', "not valid JSON at byte 6"),
    ],
    ids=["Latin-1", "byte order mark", "neither"],
)
def test_a_body_in_no_utf_8_is_told_so(body: bytes, why: str) -> None:
    assert str(refused(body)).startswith(why)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_nothing_else_happens(body: bytes) -> None:
    refused(body)


def _refuse(text: str) -> str:
    raise ValueError("say it in words")


class Told(BaseModel):
    """A field that a validator of ours refuses."""

    text: Annotated[str, AfterValidator(_refuse)]


def test_what_a_validator_of_ours_says_is_said_as_it_is() -> None:
    with pytest.raises(ValidationError) as refusal:
        Told(text="x")

    (fault,) = faults_of(refusal.value)

    assert (fault.pointer, fault.detail) == ("/text", "say it in words")
