"""Which rescues are one incident, what is known of it, and what stands first."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from serving.review.cases.actions import CaseAction
from serving.review.cases.case_of_decision import case_of_decision
from serving.review.cases.case_records import CaseRow
from serving.review.cases.case_state import Case
from serving.review.rescue.rescue_calls import CallAction, RescueCallEvent
from serving.review.rescue.rescue_centres import RescueCentre, RescueCentres
from serving.review.rescue.rescue_incidents import (
    RescueBoard,
    RescueIncident,
    RescueReport,
    incidents,
)
from serving.triage.life_at_risk import DangerSignal
from tests.serving.bodies import route
from tests.serving.people import ONE, TWO
from tests.serving.review.cases.decisions import AT, decision

CENTRE = partial(RescueCentre, receives_for_state="GR", brings_to_place_of_safety=True)


def reported(number: int, *, is_unheard: bool = True, **journey: Any) -> RescueReport:
    """The report of a number, an hour after the one before; `heard` has hours and a latitude."""
    heard = journey.pop("heard", ())
    at = AT + timedelta(hours=number)
    body = route(**{"journey_id": f"J-{number}", "conveyance_id": f"v-{number}"} | journey)
    body["positions"] = [
        {
            "journey_id": body["journey"]["journey_id"],
            "observed_at": (AT + timedelta(hours=hours)).isoformat(),
            "latitude": latitude,
            "longitude": 24.25,
        }
        for hours, latitude in heard
    ]
    made = decision(body, decision_id=f"d-{number}", lane="rescue", scored_at=at)
    opened = case_of_decision(number, made.model_dump_json())
    assert opened is not None
    row: CaseRow = opened[0]
    return RescueReport(row, Case(row.case_id), made, made.submission, (), is_unheard)


def ids(found: list[RescueIncident]) -> list[tuple[str, ...]]:
    return sorted(each.case_ids for each in found)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"conveyance_id": "v"}, {"conveyance_id": "v"}),
        ({"imo_number": "9074729"}, {"imo_number": "9074729"}),
        ({"mmsi": "247000111"}, {"mmsi": "247000111"}),
        (
            {"plate_number": "AB1", "registration_country": "TR"},
            {"plate_number": "AB1", "registration_country": "TR"},
        ),
    ],
)
def test_what_a_conveyance_is_known_by_makes_reports_one_incident(
    first: dict[str, str], second: dict[str, str]
) -> None:
    reports = [reported(2, **second), reported(1, **first), reported(3)]

    assert ids(incidents(reports)) == [("d-1", "d-2"), ("d-3",)]


def test_the_same_plate_of_another_country_is_another_vehicle() -> None:
    countries = ("TR", "GR")
    reports = [
        reported(n, plate_number="AB1", registration_country=c) for n, c in enumerate(countries)
    ]

    assert len(incidents(reports)) == 2


def test_a_report_that_has_something_of_two_makes_one_of_all() -> None:
    radio, hull = {"mmsi": "247000111"}, {"imo_number": "9074729"}
    reports = [reported(1, **radio), reported(2, **hull), reported(3), reported(4, **radio, **hull)]

    assert ids(incidents(reports)) == [("d-1", "d-2", "d-4"), ("d-3",)]


def test_the_newest_word_counts_and_what_only_an_older_report_has_stays_known() -> None:
    (incident,) = incidents(
        [
            reported(1, mmsi="247000111", call_sign="SVA", persons_on_board=41, heard=[(0, 36.5)]),
            reported(2, mmsi="247000111", persons_on_board=47, certified_capacity=12),
            reported(3, mmsi="247000111", persons_on_board=41, heard=[(-1, 37.5)]),
        ]
    )

    assert (incident.known("call_sign"), incident.known("plate_number")) == ("SVA", None)
    assert [each.count for each in incident.persons] == [41, 47]
    assert incident.persons[0].at == AT + timedelta(hours=3)
    assert incident.beyond_capacity == 29
    assert incident.last is not None
    assert incident.last.latitude == 36.5
    assert len(incident.submission.positions) == 2
    assert (incident.case_id, incident.newest.row.case_id) == ("d-1", "d-3")
    assert incident.began_at == AT + timedelta(hours=1)


def test_what_is_not_known_is_none() -> None:
    (incident,) = incidents([reported(1, certified_capacity=12, persons_on_board=None)])
    (crowd,) = incidents([reported(1, persons_on_board=5, certified_capacity=None)])

    assert (incident.last, incident.persons, incident.beyond_capacity) == (None, (), None)
    assert (incident.referred_because, incident.owners, crowd.beyond_capacity) == (None, (), None)
    (few,) = incidents([reported(1, persons_on_board=5, certified_capacity=12)])
    assert few.beyond_capacity == 0


def test_each_sign_is_told_once_in_its_newest_words() -> None:
    old, new = DangerSignal("L05", "for 7 hours"), DangerSignal("L05", "for 9 hours")
    call = DangerSignal("L04", "a call")
    reports = [
        replace(each, decision=each.decision.model_copy(update={"danger_signals": signals}))
        for each, signals in [
            (reported(1, mmsi="247000111"), (old, call)),
            (reported(2, mmsi="247000111"), (new,)),
        ]
    ]

    assert incidents(reports)[0].signals == (new, call)


def test_an_incident_waits_as_long_as_one_of_its_reports_does() -> None:
    radio = {"mmsi": "247000111"}
    heard, unheard = reported(1, is_unheard=False, **radio), reported(2, **radio)

    (waiting,) = incidents([heard, unheard])
    (answered,) = incidents([heard])

    assert (waiting.is_unheard, waiting.unheard_since) == (True, AT + timedelta(hours=2))
    assert (answered.is_unheard, answered.unheard_since) == (False, None)
    board = RescueBoard((waiting, answered), ())
    assert (board.unheard, board.heard) == ((waiting,), (answered,))


def test_whoever_works_on_a_report_works_on_the_incident_once() -> None:
    radio = {"mmsi": "247000111"}
    reports = [
        replace(each, state=replace(each.state, owner=owner, status=status))
        for each, owner, status in [
            (reported(1, **radio), ONE, "closed"),
            (reported(2, **radio), ONE, "assigned"),
            (reported(3, **radio), TWO, "closed"),
        ]
    ]
    (incident,) = incidents(reports)

    assert incident.owners == (ONE, TWO)
    assert not incident.is_ended
    (ended,) = incidents([reports[0], reports[2]])
    assert ended.is_ended


def test_why_an_officer_referred_it_is_told() -> None:
    report = reported(1)
    action = CaseAction("refer", "children were heard inside", refer_to="rescue")

    (incident,) = incidents([replace(report, state=replace(report.state, action=action))])

    assert incident.referred_because == "children were heard inside"


def test_the_steps_of_all_calls_are_counted_in_order() -> None:
    def step(minutes: int, action: CallAction) -> RescueCallEvent:
        at = AT + timedelta(minutes=minutes)
        return RescueCallEvent("d-1", at, "service", action, f"step {minutes}")

    radio = {"mmsi": "247000111"}
    first = replace(reported(1, **radio), calls=(step(1, "refused"), step(3, "called")))
    later = [step(2, "called"), step(4, "escalated"), step(5, "refused"), step(6, "acknowledged")]
    (incident,) = incidents([first, replace(reported(2, **radio), calls=tuple(later))])

    calls = incident.calls
    assert [each.at for each in calls.steps] == sorted(each.at for each in calls.steps)
    assert (calls.refused, calls.escalated) == (2, 1)
    assert calls.taken is not None
    assert calls.acknowledged is not None
    assert (calls.taken.actor_name, calls.acknowledged.actor_name) == ("step 3", "step 6")
    (silent,) = incidents([reported(9)])
    assert (silent.calls.taken, silent.calls.acknowledged, silent.calls.refused) == (None, None, 0)


def test_the_centre_of_the_last_position_answers() -> None:
    near = CENTRE(name="near", addresses=("https://a.example",), areas=({"box": (34, 19, 41, 29)},))
    other = CENTRE(name="far", addresses=("https://b.example",), covers=("sea", "land"))
    centres = RescueCentres(centres=(near, other))
    (inside,) = incidents([reported(1, heard=[(0, 36.5)])])
    (outside,) = incidents([reported(1, heard=[(0, -36.5)])])

    assert inside.centre(centres) == near
    assert outside.centre(centres) == other
    assert inside.centre(None) is None
