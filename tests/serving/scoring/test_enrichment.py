"""What was received of a subject is added to what is submitted, each thing once."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import Mock

import pytest

from features.linked_records import LINKED_RECORD_TYPES
from features.records import GoodsItem, Leg, Position
from serving.history.received_records import ReceivedRecord
from serving.request_parsing import read_submission
from serving.scoring import enrichment
from serving.scoring.enrichment import enrich, with_newest_legs, with_newest_positions
from serving.triage.life_at_risk import last_heard
from tests.serving.bodies import route, shipment, submission

ARRIVED_AT = "2026-11-25T09:00:00Z"
HOURS = ("2026-11-24T12:00:00Z", "2026-11-25T09:30:00Z")


def leg(known_at: str, **changed: Any) -> ReceivedRecord:
    given = {"journey_id": "J-2", "sequence": 1, "origin": "TRIZM", "destination": "GRPIR"}
    body = Leg.model_validate({**given, "known_at": known_at, **changed})
    name = f"J-2 1 {body.known_at}"
    text = body.model_dump_json(exclude_none=True)
    return ReceivedRecord("legs", name, "route", "J-2", known_at, "c", text)


DEPARTED = leg(HOURS[0], departed_at="2026-11-24T11:00:00Z")
ARRIVED = leg(HOURS[1], departed_at="2026-11-24T11:00:00Z", arrived_at=ARRIVED_AT)


@pytest.mark.parametrize(
    ("as_of", "known"),
    [
        ("2026-11-24T12:00:00Z", "2026-11-24T09:00:00Z"),  # the planned leg of the submission
        ("2026-11-24T12:00:01Z", HOURS[0]),
        ("2026-11-25T09:30:00Z", HOURS[0]),
        ("2026-11-25T09:30:01Z", HOURS[1]),
    ],
)
def test_a_leg_counts_as_of_its_version_that_was_known_last_before_the_instant(
    as_of: str, known: str
) -> None:
    for received in ([DEPARTED, ARRIVED], [ARRIVED, DEPARTED]):
        enriched, attached = enrich(submission(route() | {"as_of": as_of}), received)

        (counted,) = enriched.legs
        assert counted.known_at == datetime.fromisoformat(known)
        assert attached == tuple(
            f"legs/{one.record_id}" for one in received if one.received_at == known
        )


def test_whether_a_craft_has_arrived_is_known_by_now_whatever_the_instant() -> None:
    asked = submission(route() | {"as_of": "2026-11-24T12:00:01Z"})

    known = with_newest_legs(asked, [DEPARTED, ARRIVED], datetime.fromisoformat("2026-11-26T00Z"))

    assert [one.arrived_at for one in known.legs] == [datetime.fromisoformat(ARRIVED_AT)]
    assert known.scoring_instant == asked.scoring_instant


def test_an_item_that_came_later_stands_with_those_of_the_declaration() -> None:
    body = shipment()
    body["shipment"]["items"] = [{"number": 1, "commodity_code": "8903100000"}]
    own = {"shipment_id": "S-1", "commodity_code": "100630", "known_at": HOURS[0]}
    received = [
        ReceivedRecord("goods_items", f"S-1 {at}", "shipment", "S-1", HOURS[0], "c", text)
        for at in (1, 2)
        for text in [
            GoodsItem.model_validate_json(json.dumps({**own, "number": at})).model_dump_json()
        ]
    ]

    enriched, attached = enrich(submission(body), received)

    assert attached == ("goods_items/S-1 2",)
    shipped = enriched.shipment
    assert shipped is not None
    assert [item.commodity_code for item in shipped.items] == ["8903100000", "100630"]
    assert read_submission(enriched.model_dump_json().encode()) == enriched


def position(observed_at: str, **changed: Any) -> ReceivedRecord:
    place = {"latitude": 38.0, "longitude": 26.0}
    given = {"journey_id": "J-2", "observed_at": observed_at, **place, **changed}
    text = Position.model_validate(given).model_dump_json(exclude_none=True)
    return ReceivedRecord("positions", f"J-2 {observed_at}", "route", "J-2", observed_at, "c", text)


def test_of_more_positions_than_may_be_the_newest_count_and_every_call_for_help(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = replace(LINKED_RECORD_TYPES["positions"], most_in_submission=3)
    monkeypatch.setattr(enrichment, "LINKED_RECORD_TYPES", {"positions": few})
    call, *plain = (position(f"2026-11-24T12:00:0{second}Z") for second in range(5))
    call = position(call.received_at, is_distress=True)
    submitted = [json.loads(plain[0].body), json.loads(plain[3].body)]
    body = submission(route() | {"positions": submitted})

    enriched, attached = enrich(body, [call, *plain[1:3]])

    heard = [each.observed_at.second for each in enriched.positions]
    assert heard == [4, 0, 3]
    assert attached == (f"positions/{call.record_id}", f"positions/{plain[2].record_id}")


def test_a_clock_that_is_ahead_hides_no_position_of_before_now() -> None:
    now = datetime.fromisoformat("2026-11-24T12:30:00Z")
    before, ahead = position("2026-11-24T12:00:00Z"), position("2026-11-24T17:30:00Z")

    def last(*received: ReceivedRecord) -> datetime:
        records = Mock(about=lambda subjects: {subject: [*received] for subject in subjects})
        heard = last_heard(with_newest_positions(submission(route()), records, lambda: now))
        assert heard is not None
        return heard.observed_at

    assert last(before, ahead) == datetime.fromisoformat(before.received_at)
    assert last(ahead) == datetime.fromisoformat(ahead.received_at)
