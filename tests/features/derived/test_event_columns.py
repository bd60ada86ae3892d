"""What `features/derived/event.py` makes of what happened to a subject."""

import pytest

from tests.features.derived.columns import check_of_linked
from tests.features.families.facts import (
    DECLARED,
    MOMENT,
    Fact,
    after,
    before,
    both,
    each,
    event,
)

FACTS = {
    "subject_id": [
        *both("none", [], event("gate_out", subject_id="another")),
    ],
    "known_at": [
        *both("when it became known", [before(days=1)], event("gate_out")),
        *both(
            "just before the declaration",
            [DECLARED - MOMENT],
            event("gate_out", known_at=DECLARED - MOMENT),
        ),
        *both("at the declaration is too late", [], event("gate_out", known_at=DECLARED)),
        *both(
            "though it happened before it, known too late",
            [],
            event("gate_out", occurred_at=before(days=2), known_at=after(hours=1)),
        ),
    ],
    "record_id": [
        *both("its id", ["E7"], event("gate_out", event_id="E7")),
        *both(
            "known at one instant: by their ids",
            ["E1", "E2"],
            event("gate_out", event_id="E2"),
            event("discharged", event_id="E1"),
        ),
    ],
}


@pytest.mark.parametrize(("column", "fact"), each(FACTS))
def test_a_column_of_an_event_is_what_its_facts_say(column: str, fact: Fact) -> None:
    check_of_linked("events", column, fact)
