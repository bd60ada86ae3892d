"""The pictures of a case: stays and silences on the line of days, expected and travelled way."""

from serving.console.charts.route_map import RouteMap
from serving.console.charts.timeline import Timeline
from tests.serving.bodies import shipment, submission
from tests.serving.conftest import Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.review.test_cases_served import open_case, post, reviewed
from tests.serving.review.test_supervision_served import sign_in_as

__all__ = ["reviewed"]


def travelled() -> dict[str, object]:
    """A journey that stays a day in Piraeus, and is not heard of for nine hours."""
    body = shipment()
    first = {**body["legs"][0], "destination": "GRPIR", "arrived_at": "2026-11-22T00:00:00Z"}
    then = {**first, "sequence": 2, "origin": "GRPIR", "destination": "DEHAM"}
    then |= {"departed_at": "2026-11-23T06:00:00Z", "arrived_at": None}
    body["legs"] = [first, {name: value for name, value in then.items() if value is not None}]
    body["positions"] = [
        {
            "journey_id": "J-1",
            "observed_at": f"2026-11-21T{hour:02}:00:00Z",
            "latitude": 38.0,
            "longitude": 24.0 + hour / 10,
            "source": "ais",
        }
        for hour in (1, 2, 11, 12)
    ]
    return body


def test_a_stay_and_a_silence_are_stretches_of_the_line() -> None:
    days = Timeline.from_submission(submission(travelled()))

    assert [(s.kind, s.words) for s in days.spans] == [
        ("stay", "30 hours in GRPIR"),
        ("silent", "silent for 9 hours"),
    ]
    for span in days.spans:
        assert 110 <= span.x1 < span.x2 <= 980
    assert min(mark.x for mark in days.marks) == 110


def test_an_event_stands_on_the_line_where_it_happened() -> None:
    out = {"event_id": "E-1", "kind": "gate_out", "place": "DEHAM"}
    at = {"occurred_at": "2026-11-23T07:00:00Z", "known_at": "2026-11-23T09:00:00Z"}

    days = Timeline.from_submission(submission(travelled() | {"events": [out | at]}))

    (mark,) = (mark for mark in days.marks if mark.words == "gate out DEHAM")
    assert (mark.row, mark.at.isoformat()) == ("Journey", "2026-11-23T07:00:00+00:00")


def test_the_expected_way_leads_over_the_legs_and_the_travelled_where_it_was_heard() -> None:
    way = RouteMap.from_submission(submission(travelled()))
    unheard = RouteMap.from_submission(submission(shipment()))

    assert way is not None
    assert unheard is not None
    assert (len(way.expected), len(way.travelled), len(way.silences)) == (3, 4, 1)
    assert unheard.travelled == ()
    assert {stop.code: stop.dwell_hours for stop in way.stops}["GRPIR"] == 30


def test_the_history_tells_every_change_with_old_and_new_and_what_is_waited_for(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    by = reviewed.key("review")
    post(reviewed, case_id, "claim", by)
    until = "2026-11-24T17:00:00Z"
    post(reviewed, case_id, "document-requests", by, until=until, text="the packing list")
    form = {"form_token": sign_in_as(reviewed, "auditor"), "code": "audit", "text": "audit 2026/4"}
    reviewed.client.post(f"/console/cases/{case_id}/justify", data=form, headers=ORIGIN)

    page = reviewed.client.get(f"/console/cases/{case_id}").text

    assert "status: open → claimed" in page
    assert "owner: nobody → caller-" in page
    assert "snoozed until: none → 24 November 2026, 17:00 UTC" in page
    assert "<strong>5 h left</strong>" in page
