"""What `features/derived/event.py` makes of what happened to a subject."""

import pytest

from tests.features.derived.columns import check_of_linked
from tests.features.families.facts import (
    Fact,
    after,
    before,
    both,
    each,
    event,
    route,
    shipment,
    table,
)


def at_destination(kind: str, other: str) -> list[Fact]:
    """What a column must be that asks whether the goods of a shipment saw one kind of event."""
    return [
        shipment("it did", [1], event(kind)),
        shipment("something else did", [0], event(other)),
        shipment("in the country of destination", [1], event(kind, place="NLRTM")),
        shipment("in another country", [0], event(kind, place="SGSIN")),
        shipment("at a place that no table has", [1], event(kind, place="nowhere")),
        shipment("announced", [0], event(kind, occurred_at=after(days=1))),
        shipment("as it became known", [1], event(kind, occurred_at=before(days=1))),
        shipment(
            "the declared container",
            [1],
            event(kind, container_number="CSQU3054383"),
            container_number="CSQU3054383",
        ),
        shipment(
            "another container than the declared one",
            [0],
            event(kind, container_number="MSKU9070323"),
            container_number="CSQU3054383",
        ),
        shipment("no container was declared", [1], event(kind, container_number="CSQU3054383")),
        shipment("the event names none", [1], event(kind), container_number="CSQU3054383"),
    ]


of_both = table(both, globals())
routes = table(route, globals())

FACTS = {
    "subject_id": of_both("""
        none | [] | event("gate_out", subject_id="another")
    """),
    "known_at": of_both("""
        when it became known | [before(days=1)] | event("gate_out")
        just before the declaration | [DECLARED - MOMENT] |
            event("gate_out", known_at=DECLARED - MOMENT)
        at the declaration is too late | [] | event("gate_out", known_at=DECLARED)
        though it happened before it, known too late | [] |
            event("gate_out", occurred_at=before(days=2), known_at=after(hours=1))
    """),
    "record_id": of_both("""
        its id | ["E7"] | event("gate_out", event_id="E7")
        known at one instant: by their ids | ["E1", "E2"] | event("gate_out", event_id="E2"),
            event("discharged", event_id="E1")
    """),
    "minutes_after_declaration": of_both("""
        a day before | [-24 * 60.0] | event("gate_out", occurred_at=before(days=1))
        at the declaration | [0.0] | event("gate_out", occurred_at=DECLARED)
        announced | [90.0] | event("gate_out", occurred_at=after(hours=1.5))
        to whole minutes | [-2.0] | event("gate_out", occurred_at=before(seconds=91))
    """),
    "limit_minutes_after_declaration": of_both("""
        no limit | [MISSING] | event("transit_opened")
        in two days | [48 * 60.0] | event("transit_opened", time_limit_at=after(days=2))
        an hour ago | [-60.0] | event("transit_opened", time_limit_at=before(hours=1))
    """),
    "limit_minutes_after_known": of_both("""
        no limit | [MISSING] | event("transit_opened")
        in two days | [72 * 60.0] | event("transit_opened", time_limit_at=after(days=2))
        known late | [-60.0] | event("transit_opened", time_limit_at=before(days=1, hours=1))
    """),
    "is_transit_opened": of_both("""
        with a limit | [1] | event("transit_opened", time_limit_at=DECLARED)
        without a limit | [0] | event("transit_opened")
        another event | [0] | event("gate_out", time_limit_at=DECLARED)
        announced | [0] |
            event("transit_opened", occurred_at=after(days=1), time_limit_at=after(days=9))
        wherever it is | [1] | event("transit_opened", time_limit_at=DECLARED, place="SGSIN")
    """),
    "is_transit_discharged": of_both("""
        discharged | [1] | event("transit_discharged")
        the goods were, from a ship | [0] | event("discharged")
        announced | [0] | event("transit_discharged", occurred_at=after(days=1))
    """),
    "is_arrived": routes("""
        at a place that is not said | [1] | event("arrived")
        at the destination | [1] | event("arrived", place="NLRTM")
        elsewhere in its country | [0] | event("arrived", place="NLAMS")
        on the way | [0] | event("arrived", place="SGSIN")
        departed | [0] | event("departed", place="NLRTM")
        announced | [0] | event("arrived", place="NLRTM", occurred_at=after(days=1))
    """),
    "is_landed": [
        *at_destination("arrived", "loaded"),
        shipment("discharged", [1], event("discharged")),
    ],
    "is_discharged": at_destination("discharged", "arrived"),
    "is_gate_out": at_destination("gate_out", "gate_in"),
}


@pytest.mark.parametrize(("column", "facts"), each(FACTS))
def test_a_column_of_an_event_is_what_its_facts_say(column: str, facts: list[Fact]) -> None:
    check_of_linked("events", column, facts)
