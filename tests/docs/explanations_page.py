"""The page of twenty explanations, from a demonstration: `docs/examples/explanations.md`.

    python -m tests.docs.explanations_page HOME

HOME is what `tidegate demo --once` left. Another run explains other subjects of other days, so that
no test holds the page; `tests/test_demo.py` holds what the reasons of a demonstration may say.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi.testclient import TestClient

from serving.access.api_keys import new_key
from serving.app import create_app
from serving.audit.decision import Decision
from serving.cli.demo_explanation import explained
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.storage.repositories.decision_repository import DecisionRepository

PAGE = Path(__file__).parents[2] / "docs" / "examples" / "explanations.md"
COUNT = 20

HEAD = """\
# Twenty explanations

Decisions of a demonstration, from each lane in turn, as `tidegate demo` prints them. Log-odds add
up: the average case, the reasons, what is too weak to be named, and values that are no
indicator. Of rescues no score is explained.
`python -m tests.docs.explanations_page HOME` makes this page of a home of a demonstration.
"""


def page(home: Path) -> str:
    """The page, of the decisions that are stored in a home."""
    app = create_app(Settings(home=home), clock=lambda: datetime.now(UTC))
    kept, key = new_key("examples", ("score", "explain"), (), datetime.now(UTC))
    app.state.services.api_keys.add_key(kept)
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as client:
        shown = [_explained(client, decision) for decision in _chosen(app.state.services.decisions)]
    return "\n".join([HEAD, *shown])


def _chosen(log: "DecisionRepository") -> Iterator[Decision]:
    """Of every lane and kind the newest, then the next ones, as many as are shown."""
    lanes: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for record in filter(None, log.records()):
        decision = Decision.model_validate_json(record)
        if decision.lane != "rescue":
            lanes[decision.lane, decision.subject_kind].insert(0, decision)
    in_turn = [d for row in zip_longest(*lanes.values()) for d in row if d is not None]
    yield from in_turn[:COUNT]


def _explained(client: TestClient, decision: Decision) -> str:
    of_decision = f"/v1/decisions/{decision.decision_id}"
    answer = client.get(of_decision).json() | client.get(f"{of_decision}/explanation").json()
    text = explained(answer, f"{decision.submission.declared_at:%Y-%m-%d %H:%M} UTC")
    return f"```text\n{text}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1])), encoding="utf-8")
