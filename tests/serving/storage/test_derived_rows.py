"""What is derived of decisions, and read in their place, is held to what decisions say."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from serving.monitor.monitoring import catch_up
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.rollup_repository import RollupRepository
from serving.storage.tables.monitor import visits
from serving.storage.verification.audit_verification import verify_audit_log
from tests.serving.audit.conftest import place
from tests.serving.audit.installation import Installation
from tests.serving.canaries import decided
from tests.serving.conftest import NOW
from tests.serving.databases import database
from tests.serving.monitor.invented_log import BEGIN, invent
from tests.serving.review.cases.test_case_opening_worker import open_due
from tests.serving.review.cases.test_cases import LATER, Office

__all__ = ["place"]


def findings(engine: Engine) -> list[str]:
    keys = DataKeys(engine)
    return [str(finding) for finding in verify_audit_log(engine, keys=keys).findings]


def change(engine: Engine, statement: str) -> int:
    with engine.begin() as connection:
        return connection.execute(text(statement)).rowcount


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE case_scores SET lane = 'document_check' WHERE decision_id = 'd-2'",
        "UPDATE case_scores SET scored_at = '2020-01-01' WHERE decision_id = 'd-2'",
        "UPDATE case_scores SET case_id = 'd-3' WHERE decision_id = 'd-2'",
        "INSERT INTO case_scores SELECT 'd-3', decision_id, scored_at, lane FROM case_scores "
        "WHERE decision_id = 'd-1'",
    ],
)
def test_a_score_that_a_case_lists_and_no_decision_says_is_found(
    tmp_path: Path, statement: str
) -> None:
    office = Office(tmp_path)
    office.decide(1, lane="release")
    office.decide(2, rescores="d-1", lane_before="release", lane="inspect")
    office.decide(3, lane="inspect")
    open_due(office.reviewing, LATER)
    assert findings(office.engine) == []

    assert change(office.engine, statement) == 1

    (finding,) = findings(office.engine)
    assert finding.startswith("case_scores d-")
    assert "it is no score of that case, or its decision says otherwise" in finding


@pytest.mark.parametrize(
    "changed",
    [
        "probability = probability / 2",
        "lane = 'document_check'",
        "subject_kind = 'route'",
        "scored_at = '2020-01-01'",
        "decision_id = (SELECT max(decision_id) FROM visits)",
        "office = 'elsewhere'",
        "seq = -1",
        "stratum = 'not inspected, drawn at 0.5'",
        "model = '2'",
        "mode = 'air'",
        "region = 'elsewhere'",
        "operator = 'new to all'",
        "undrawn_lane = 'release'",
        "subject_id = 'S-1'",
    ],
)
def test_a_visit_that_is_counted_and_no_decision_says_is_found(
    where: Path | str, changed: str
) -> None:
    engine = database(where, is_service=False)
    invent(engine, days=1)
    catch_up(RollupRepository(engine), BEGIN + timedelta(days=9))
    assert findings(engine) == []

    first = "WHERE seq = (SELECT min(seq) FROM visits WHERE lane = 'inspect')"
    assert change(engine, f"UPDATE visits SET {changed} {first}") == 1  # one of these

    (finding,) = findings(engine)
    assert finding.startswith("visits ")
    assert "its decision says otherwise" in finding


def test_what_was_named_by_another_rounding_is_counted_anew_after_an_upgrade(
    tmp_path: Path,
) -> None:
    engine = database(tmp_path / "log.db", is_service=False)
    invent(engine, days=1)
    catch_up(RollupRepository(engine), BEGIN + timedelta(days=9))
    others = "UPDATE visits SET stratum = 'not inspected, drawn at 0.5' WHERE lane = 'control'"
    assert change(engine, others) == len(findings(engine)) > 0


def test_every_column_of_a_visit_is_held_to_its_decision() -> None:
    assert {column.name for column in visits.columns} == {
        *("seq", "decision_id", "subject_kind", "subject_id", "scored_at", "stratum", "lane"),
        *("probability", "office", "model", "mode", "region", "operator", "undrawn_lane"),
    }, "hold the new column to its decision, and change it in the test before this"


def test_nothing_is_found_in_what_a_service_decided_counted_and_erased(
    place: Installation,
) -> None:
    with place.serving() as service:
        for subject_id in ("S-1", "S-2", "S-3"):
            decided(service, shipment_id=subject_id)
        open_due(service.services.cases, LATER)
    engine = place.engine()
    assert catch_up(RollupRepository(engine), NOW + timedelta(days=1)) == 3
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM visits")) == 3
        assert connection.scalar(text("SELECT count(*) FROM case_scores")) == 3
    assert findings(engine) == []

    place.erased()

    assert findings(place.engine()) == []
    for changed in ("stratum = 'inspected by nobody'", "model = 'another'"):  # of the first visit
        assert change(place.engine(), f"UPDATE visits SET {changed} WHERE seq = 1") == 1
        assert findings(place.engine()) == ["visits 1: its decision says otherwise"], changed
