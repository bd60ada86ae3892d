"""What becomes known of the demonstration's subjects is sent as it does, and told in words."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from features.records import RECORD_FILES
from serving.cli.demo_later_records import (
    change_in_words,
    decisions_in_words,
    in_words,
    invented_sequel,
    most_changed,
)
from tests.serving.bodies import shipment
from tests.serving.scoring.test_rescoring import LATER, Tide, payment, tide

__all__ = ["tide"]

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def event(hours: float, kind: str = "gate_out") -> dict[str, Any]:
    """An event that is known so many hours after noon."""
    return {"kind": kind, "known_at": (NOON + timedelta(hours=hours)).isoformat()}


def test_words_tell_which_events_and_how_many_papers_were_amended() -> None:
    papers = [{"version": 1}, {"version": 2}, {}]
    events = [event(1), event(2, "arrived"), event(3)]

    assert in_words({"events": events, "documents": papers, "transactions": [{}]}) == (
        "3 events (2 gate out, 1 arrived), 3 documents (1 amended), 1 transactions"
    )


def test_the_subject_whose_score_moved_most_is_told_from_its_first_decision_to_its_newest(
    tide: Tide,
) -> None:
    first = tide.score(shipment())
    assert most_changed(tide.service.services.decisions.records()) is None
    tide.send(transactions=[payment(2, LATER)])
    tide.run()

    changed = most_changed(tide.service.services.decisions.records())

    assert changed is not None
    assert changed[0] == first
    subject, *_, why = change_in_words(*changed)
    assert subject == "shipment S-1, as of 2026-11-24 11:00 UTC"
    assert why == "since these became known: transactions/T-2"


def test_the_sequel_holds_a_paper_a_payment_a_gate_move_and_an_arrival_each_an_hour_apart(
    tide: Tide,
) -> None:
    first = tide.score(shipment())
    sequel = invented_sequel(first.submission)
    parsed = [
        RECORD_FILES[name].model_validate_json(json.dumps(one))
        for name, some in sequel.items()
        for one in some
    ]

    known = sorted(getattr(one, one.known_from) - first.submission.declared_at for one in parsed)
    assert [one / timedelta(minutes=70) for one in known] == [1, 2, 3, 4]
    assert in_words(sequel) == (
        "1 documents (1 amended), 1 transactions, 2 events (1 gate out, 1 arrived)"
    )
    assert tide.send(**sequel)["accepted"] == 4
    tide.now = first.submission.declared_at + timedelta(hours=5)
    assert tide.run() == 4
    told = decisions_in_words(tide.service.services.decisions.records(), "S-1")
    assert len(told) == 5
    assert told[0].endswith("; declared")
    assert told[-1].endswith("; events/demo-arrived-S-1")
    assert tide.decisions()[-1].vector["gate_out_before_arrival_hours"] == pytest.approx(7 / 6)
