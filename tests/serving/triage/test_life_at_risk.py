"""Signs that lives are at risk: on which craft how many persons are a danger, and what else is."""

from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.records import ConveyanceKind
from features.reference.geography.nearest_place import km_to_nearest_place
from features.reference.geography.places import latitude, longitude, place_table
from features.submission import AttachedEvent, Submission
from serving.triage.life_at_risk import (
    SMALL_CRAFT,
    USUAL_SEATS,
    Craft,
    begun_by_time,
    danger_begins_at,
    danger_signals,
    in_words,
    signals_of_craft,
)
from tests.serving.bodies import route, shipment, submission

OUT_AT_SEA = (34.0, 20.0)  # between Crete, Libya and Sicily
NEAR_CHIOS = (38.35, 26.2)


def codes(*craft: Any) -> list[str]:
    return [signal.code for signal in signals_of_craft(Craft(*craft))]


@pytest.mark.parametrize(
    ("craft", "signals"),
    [
        # Persons on what nobody certified: the rubber boat.
        (("inflatable_craft", 60, None), ["L03"]),
        (("small_craft", 60, None), ["L03"]),
        (("rigid_craft", 1, None), ["L03"]),
        (("small_craft", 0, None), []),
        (("small_craft", None, None), []),
        (("van", 10, None), ["L01"]),
        (("van", 9, None), []),
        (("truck", 4, None), ["L01"]),
        (("fishing_vessel", 41, None), ["L01"]),
        (("general_cargo", 700, None), ["L01"]),
        # One too many where persons ride.
        (("small_craft", 11, 10), ["L03"]),
        (("small_craft", 10, 10), []),
        (("fishing_vessel", 13, 12), ["L03"]),
        (("coach", 56, 55), ["L03"]),
        (("van", 10, 9), ["L03"]),
        # Crews of freight, a little more than a paper says.
        (("truck", 3, None), []),
        (("truck", 3, 2), []),
        (("truck", 3, 1), []),
        (("container_ship", 30, 28), []),
        (("container_ship", 40, 28), []),
        (("container_ship", 41, 28), ["L01"]),
        (("container_ship", 45, None), []),
        (("aircraft", 182, 180), []),
        (("aircraft", 193, 180), ["L01"]),
        (("aircraft", 400, None), []),
        (("train", 8, 6), []),
        (("coach", 60, None), []),
        # Persons shut in.
        (("truck", 39, 3, "reefer"), ["L02", "L01"]),
        (("truck", 39, None, "tank"), ["L02", "L01"]),
        (("truck", 2, 3, "reefer"), []),
        (("truck", 39, 3, "box"), ["L01"]),
        (("van", 14, 3, "reefer"), ["L02", "L03"]),
    ],
)
def test_persons_on_what_was_not_made_for_so_many_are_a_sign_and_crews_of_freight_are_none(
    craft: Any, signals: list[str]
) -> None:
    assert codes(*craft) == signals


@given(st.sampled_from(get_args(ConveyanceKind)), st.integers(0, 300), st.integers(0, 300))
def test_nobody_is_at_risk_on_a_craft_that_is_certified_for_them(
    kind: ConveyanceKind, persons: int, certified: int
) -> None:
    assert not codes(kind, min(persons, certified), certified)


@given(
    st.sampled_from(get_args(ConveyanceKind)),
    st.integers(0, 300),
    st.none() | st.integers(0, 300),
    st.integers(0, 300),
)
def test_more_persons_are_never_less_of_a_danger(
    kind: ConveyanceKind, persons: int, certified: int | None, more: int
) -> None:
    assert set(codes(kind, persons, certified)) <= set(codes(kind, persons + more, certified))


def test_every_kind_of_freight_has_seats_and_small_craft_have_none() -> None:
    assert not USUAL_SEATS.keys() & SMALL_CRAFT
    assert USUAL_SEATS["truck"] == 3


def rubber_boat(*positions: tuple[timedelta, tuple[float, float]], **fields: Any) -> Submission:
    """A small craft, and where it was heard how long before its declaration."""
    body = route(**{"conveyance_kind": "inflatable_craft", "certified_capacity": None} | fields)
    at = datetime.fromisoformat(body["journey"]["declared_at"])
    body["positions"] = [
        {
            "journey_id": body["journey"]["journey_id"],
            "observed_at": (at - ago).isoformat(),
            "latitude": latitude,
            "longitude": longitude,
        }
        for ago, (latitude, longitude) in positions
    ]
    return submission(body)


def signalled(subject: Submission, later: timedelta = timedelta()) -> list[str]:
    return [signal.code for signal in danger_signals(subject, subject.declared_at + later)]


def test_a_craft_that_nobody_certified_far_from_land_is_in_danger_though_nobody_counted() -> None:
    uncounted = {"persons_on_board": None}
    recently = timedelta(minutes=20)

    assert signalled(rubber_boat((recently, OUT_AT_SEA), **uncounted)) == ["L09"]
    assert signalled(rubber_boat((recently, NEAR_CHIOS), **uncounted)) == []
    certified = uncounted | {"certified_capacity": 12}
    assert signalled(rubber_boat((recently, OUT_AT_SEA), **certified)) == []
    trawler = uncounted | {"conveyance_kind": "fishing_vessel"}
    assert signalled(rubber_boat((recently, OUT_AT_SEA), **trawler)) == []


def test_only_where_it_was_heard_last_is_far_from_land() -> None:
    hours = timedelta(hours=1)
    back = rubber_boat((2 * hours, OUT_AT_SEA), (hours, NEAR_CHIOS), persons_on_board=None)

    assert signalled(back) == []


def test_silence_after_overload_is_a_sign_and_silence_alone_is_none() -> None:
    six, seven = timedelta(hours=6), timedelta(hours=6, seconds=1)

    assert signalled(rubber_boat((seven, NEAR_CHIOS), persons_on_board=60)) == ["L03", "L05"]
    assert signalled(rubber_boat((six, NEAR_CHIOS), persons_on_board=60)) == ["L03"]
    assert signalled(rubber_boat((seven, NEAR_CHIOS), persons_on_board=None)) == []


def test_a_small_craft_that_did_not_come_is_a_sign_until_it_is_heard() -> None:
    quiet = rubber_boat(certified_capacity=12)
    assert quiet.journey is not None
    to_due = quiet.journey.due_at - quiet.declared_at
    three_hours = timedelta(hours=3)

    assert signalled(quiet, to_due + three_hours) == ["L07"]
    assert signalled(quiet, to_due + three_hours - timedelta(seconds=1)) == []
    heard = rubber_boat((-to_due, NEAR_CHIOS), certified_capacity=12)
    assert signalled(heard, to_due + three_hours) == []
    ship = rubber_boat(certified_capacity=12, conveyance_kind="container_ship")
    assert signalled(ship, to_due + three_hours) == []
    at_home = quiet.legs[-1].model_copy(
        update={"arrived_at": quiet.declared_at, "destination": quiet.journey.destination}
    )
    home = quiet.model_copy(update={"legs": (at_home,)})
    assert signalled(home, to_due + three_hours) == []


def test_a_small_craft_that_was_last_heard_at_its_destination_has_landed() -> None:
    quiet = rubber_boat(certified_capacity=12)
    assert quiet.journey is not None
    to_due = quiet.journey.due_at - quiet.declared_at
    port = (latitude(quiet.journey.destination), longitude(quiet.journey.destination))
    before_due = timedelta(hours=1) - to_due

    def late_signals(km_off: float, **fields: Any) -> list[str]:
        place = (port[0] + km_off / 111.2, port[1])
        craft = rubber_boat((before_due, place), certified_capacity=12, **fields)
        return signalled(craft, to_due + timedelta(hours=3))

    assert late_signals(4.9) == []
    assert late_signals(5.1) == ["L07"]
    assert late_signals(0.0, destination="nowhere") == ["L07"]


@given(
    persons=st.sampled_from([8, 60]),
    certified=st.sampled_from([None, 12]),
    heard_hours=st.lists(st.integers(-20, 60), max_size=3),
    since_hours=st.integers(0, 60),
)
def test_danger_begins_by_time_at_the_first_instant_at_which_a_further_sign_holds(
    persons: int, certified: int | None, heard_hours: list[int], since_hours: int
) -> None:
    heard = ((timedelta(hours=hours), NEAR_CHIOS) for hours in heard_hours)
    craft = rubber_boat(*heard, persons_on_board=persons, certified_capacity=certified)
    assert craft.journey is not None
    since = craft.declared_at + timedelta(hours=since_hours)

    begins = danger_begins_at(craft, since)

    end = craft.journey.due_at + timedelta(hours=100)
    instants = [since + timedelta(hours=hours) for hours in range(200)]
    if begins is None:
        assert not any(begun_by_time(craft, since, at) for at in instants if at < end)
    else:
        just_before = begins - timedelta(microseconds=1)
        assert begins > since
        assert begun_by_time(craft, since, begins)
        assert not begun_by_time(craft, since, just_before)
        assert not any(begun_by_time(craft, since, at) for at in instants if at < begins)


@pytest.mark.parametrize(
    ("event", "signs"),
    [
        ({}, []),
        ({"kind": "departed"}, ["L07"]),
        ({"place": "SGSIN"}, ["L07"]),
        ({"place": None}, ["L07"]),
        ({"known_at": timedelta(hours=-1)}, ["L07"]),
    ],
    ids=["home", "departed", "elsewhere", "nobody says where", "announced"],
)
def test_a_small_craft_that_is_reported_home_is_not_overdue(
    event: dict[str, Any], signs: list[str]
) -> None:
    quiet = rubber_boat(certified_capacity=12)
    assert quiet.journey is not None
    own = {"kind": "arrived", "place": quiet.journey.destination, "known_at": timedelta(0)} | event
    own |= {"known_at": quiet.declared_at + own["known_at"], "occurred_at": quiet.declared_at}
    reported = AttachedEvent(event_id="E-1", **own)
    late = quiet.journey.due_at - quiet.declared_at + timedelta(hours=3)

    assert signalled(quiet.model_copy(update={"events": (reported,)}), late) == signs


def test_who_declares_after_the_journey_was_due_is_not_overdue() -> None:
    late = rubber_boat(certified_capacity=12)
    assert late.journey is not None
    journey = late.journey.model_copy(update={"due_at": late.declared_at - timedelta(days=1)})

    assert signalled(late.model_copy(update={"journey": journey}), timedelta(days=1)) == []


def test_a_call_for_help_is_a_sign_on_whatever_it_comes_from() -> None:
    ship = rubber_boat((timedelta(0), NEAR_CHIOS), conveyance_kind="container_ship")
    (heard,) = ship.positions
    calling = ship.model_copy(
        update={"positions": (heard.model_copy(update={"is_distress": True}),)}
    )

    assert signalled(ship) == []
    assert signalled(calling) == ["L04"]


def test_the_journey_of_whatever_is_submitted_is_looked_at() -> None:
    crowded = {"certified_capacity": 12, "persons_on_board": 41}
    words = "41 persons on board of a fishing vessel certified for 12"
    on_board = shipment()
    on_board["journey"] |= crowded | {"conveyance_kind": "fishing_vessel"}
    ashore = shipment()
    ashore["journey"] = None
    ashore["legs"] = []

    def told(body: Any) -> str | None:
        subject = submission(body)
        return in_words(danger_signals(subject, subject.declared_at))

    assert told(route(**crowded)) == words
    assert told(on_board) == words
    assert told(ashore) is None


def test_several_signs_are_told_in_one_clause() -> None:
    subject = submission(
        route(conveyance_kind="truck", cargo_unit="reefer", persons_on_board=1, mode="road")
    )
    assert subject.journey is not None
    journey = subject.journey.model_copy(update={"persons_on_board": 39, "certified_capacity": 3})
    shut_in = subject.model_copy(update={"journey": journey})

    assert in_words(danger_signals(shut_in, shut_in.declared_at)) == (
        "persons may be shut in a reefer: they may suffocate or freeze; "
        "39 persons on board of a truck certified for 3"
    )
    assert codes("inflatable_craft", 1, None) == ["L03"]
    assert Craft("inflatable_craft", 1, None).words == (
        "1 person on board of an inflatable craft that no certificate is known of"
    )


def test_the_nearest_place_is_that_of_the_table() -> None:
    table = place_table().to_pylist()
    port = next(place for place in table if place["code"] == "GRPIR")

    assert km_to_nearest_place(port["latitude"], port["longitude"]) < 0.1
    assert km_to_nearest_place(-48.876, -123.393) == pytest.approx(2_688, abs=60)  # Point Nemo
