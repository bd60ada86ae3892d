"""Three rescue calls of an invented world: the last section of `docs/rescue.md`."""

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from features.records import Journey, Position
from features.submission import Submission
from serving.audit.decision import Decision
from serving.review.rescue.rescue_calls import RescueDirectory, call_content
from serving.review.rescue.rescue_centres import RescueCentres
from serving.triage.life_at_risk import danger_signals, in_words
from synthetic.danger import in_danger
from synthetic.journeys import drafted_journeys, journey_table
from synthetic.legs import position_table
from synthetic.plan import plan_world
from synthetic.scenario import Scenario
from tests.serving.review.rescue.centres import CENTRES

PAGE = Path(__file__).parents[2] / "docs" / "rescue.md"
TITLE = "## Three rescue calls\n"
SECONDS = timedelta(seconds=20)

HEAD = f"""\
{TITLE}
Journeys of the invented world whose people are in danger, as a centre is called twenty seconds
after the declaration. The centres and their telephones are examples.
`python -m tests.docs.rescue_calls_page` writes this section; a test compares it with the code.
"""
CALLS = {
    "A craft at sea that nobody certified": lambda journey, signals, positions: (
        journey.conveyance_kind == "small_craft" and positions and len(signals) > 1
    ),
    "People shut in a refrigerated lorry": lambda journey, signals, positions: (
        "L02" in signals and positions
    ),
    "An overcrowded fishing vessel": lambda journey, signals, positions: (
        journey.conveyance_kind == "fishing_vessel" and positions
    ),
}


def section() -> str:
    """Return the section as it should be."""
    subjects = [*_in_danger()]
    parts = [HEAD]
    for title, is_meant in CALLS.items():
        subject = next(
            each
            for each in subjects
            if is_meant(each.journey, [s.code for s in _signals(each)], each.positions)
        )
        shown = orjson.dumps(_call(subject), option=orjson.OPT_INDENT_2).decode()
        parts.append(f"### {title}\n\n```json\n{shown}\n```\n")
    return "\n".join(parts)


def _in_danger() -> Iterator[Submission]:
    """The journeys of a world whose people are in danger, with where they were heard."""
    plan = plan_world(Scenario(), 60_000, 60, 7)
    for chapter in range(plan.chapters):
        draft = drafted_journeys(plan, chapter)
        danger = in_danger(plan, chapter, draft)
        journeys = journey_table(plan, chapter, draft).filter(danger).to_pylist()
        positions = position_table(plan, chapter, draft).to_pylist()
        for row in journeys:
            journey = _record(Journey, row)
            heard = (
                _record(Position, p) for p in positions if p["journey_id"] == row["journey_id"]
            )
            known_by = journey.declared_at + SECONDS
            yield Submission.model_construct(
                subject_kind="route",
                shipment=None,
                journey=journey,
                legs=(),
                documents=(),
                transactions=(),
                positions=tuple(p for p in heard if p.observed_at <= known_by),
            )


def _record(kind: Any, row: dict[str, Any]) -> Any:
    return kind.model_validate_json(orjson.dumps(row))


def _signals(subject: Submission) -> Any:
    return danger_signals(subject, subject.declared_at)


def _call(subject: Submission) -> dict[str, object]:
    signals = _signals(subject)
    assert subject.journey is not None
    decision = Decision.model_construct(
        decision_id=f"example-{subject.journey.journey_id}",
        scored_at=subject.declared_at,
        office_id=None,
        life_at_risk=in_words(signals),
        danger_signals=signals,
    )
    centres = RescueCentres.model_validate(tomllib.loads(CENTRES))
    directory = RescueDirectory(centres, public_address="https://tidegate.example")
    return call_content(decision, subject, directory, 0, subject.declared_at + SECONDS)


if __name__ == "__main__":
    before, _, _ = PAGE.read_text().partition(TITLE)
    PAGE.write_text(before + section())
