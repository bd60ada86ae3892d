"""A rescue that the service found later is told to whoever submitted its subject."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from serving.access.callers import Caller
from serving.access.roles import Scope
from serving.audit.earlier_decisions import SCORES_AGAIN
from serving.audit.logged_decision import DecisionFilter
from serving.audit.visible_decisions import visible_decision, visible_page
from serving.errors import NotFound
from serving.scoring.idempotency import StoredAnswer
from serving.storage.repositories.decision_repository import DecisionRepository
from tests.serving.bodies import route
from tests.serving.databases import database
from tests.serving.review.cases.decisions import decision

SUBMITTER, OTHER = "system", "another"
UNMASKED: Any = SimpleNamespace(masked_view=lambda decision: decision)


@dataclass(frozen=True)
class Reader:
    """A key that asked or did not, and whether it may read a rescue."""

    key_id: str
    scopes: tuple[Scope, ...]
    is_told: bool


@pytest.fixture
def log(tmp_path: Path) -> DecisionRepository:
    kept = DecisionRepository(database(tmp_path / "log.db", is_service=True))
    first = decision(route(), lane="release", caller_id=SUBMITTER)
    again = {"rescores": "d-1", "lane_before": "release", "caller_id": SCORES_AGAIN}
    later = decision(route(), decision_id="d-2", lane="rescue", **again)
    for made in (first, later):
        answer = StoredAnswer("c", made.decision_id, "digest", made.decision_id, "", b"")
        kept.append([(made.logged(), answer)])
    return kept


@pytest.mark.parametrize(
    "reader",
    [
        Reader(SUBMITTER, ("score",), is_told=True),
        Reader(SUBMITTER, ("score", "review"), is_told=False),
        Reader(OTHER, ("score",), is_told=False),
        Reader(OTHER, ("review",), is_told=False),
        Reader(OTHER, ("audit",), is_told=True),
    ],
)
def test_a_later_rescue_is_told_to_who_submitted_its_subject(
    log: DecisionRepository, reader: Reader
) -> None:
    caller = Caller(reader.key_id, reader.key_id, frozenset(reader.scopes), frozenset())
    of_subject = DecisionFilter(subject_kind="route", subject_id=route()["journey"]["journey_id"])

    page, _ = visible_page(log, UNMASKED, caller, of_subject, None, 9)

    assert ("d-2" in [each.decision_id for each in page]) == reader.is_told
    if reader.is_told:
        assert visible_decision(log, UNMASKED, caller, "d-2").lane == "rescue"
    else:
        with pytest.raises(NotFound):
            visible_decision(log, UNMASKED, caller, "d-2")
