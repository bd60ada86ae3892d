"""What `features/attached/positions.py` makes of the positions of a journey."""

import pytest

from tests.features.derived.columns import check_of_linked
from tests.features.families.facts import MISSING, Fact, before, each, position, route

FACTS = {
    "gap_minutes": [
        route("each gap", [MISSING, 60.0], position(), position(observed_at=before(hours=1))),
    ],
    "known_at": [route("instant of hearing", [before(hours=2)], position())],
}


@pytest.mark.parametrize(("column", "fact"), each(FACTS))
def test_a_column_of_a_position_is_what_its_facts_say(column: str, fact: Fact) -> None:
    check_of_linked("positions", column, fact)
