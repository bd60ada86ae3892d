"""Whatever is edited, deleted or inserted in any table is noticed, or is on record as harmless."""

import random
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from itertools import chain

import pytest
from sqlalchemy import Engine

from serving.monitor.monitoring import catch_up
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.rollup_repository import RollupRepository
from serving.storage.row_audit.tables import CHECKED_OTHERWISE, COVERED, HARMLESS
from serving.storage.tables.schema import metadata
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log
from serving.storage.verification.outline_comparison import OutlineComparison
from tests.serving.audit.conftest import file_place
from tests.serving.audit.installation import Installation
from tests.serving.canaries import decided
from tests.serving.conftest import NOW
from tests.serving.storage.test_covered_tables import (
    edit,
    filled,
    insert,
    put_back,
    remove,
    rows_of,
    unguarded,
)
from tests.serving.test_degraded_modes import wait_until

__all__ = ["file_place", "filled"]

EDITS: Mapping[str, tuple[str, ...]] = {
    "answers": (
        "UPDATE answers SET answered_at = '2020-01-01T00:00:00+00:00'",
        "UPDATE answers SET body = substr(body, 2)",
        "DELETE FROM answers",
    ),
    "audit_events": (
        "UPDATE audit_events SET action = 'other' WHERE seq = 2",
        "DELETE FROM audit_events WHERE seq = 2",
    ),
    "case_links": (
        "UPDATE case_links SET roles = 'payer'",
        "DELETE FROM case_links",
        "INSERT INTO case_links (case_id, kind, value, seq) VALUES ('nobody', 'party', 'x', 1)",
    ),
    "case_scores": (
        "UPDATE case_scores SET lane = 'release'",
        "DELETE FROM case_scores",
        "INSERT INTO case_scores SELECT 'nobody', decision_id, scored_at, lane FROM case_scores",
    ),
    "case_terms": ("UPDATE case_terms SET office_id = 'elsewhere'",),
    "chain_checkpoints": ("UPDATE chain_checkpoints SET epoch = 9",),
    "decisions": (
        "UPDATE decisions SET lane = 'release'",
        "UPDATE decisions SET logged_at = scored_at",
        "DELETE FROM decisions WHERE seq = 1",
        "UPDATE decisions SET encrypted = substr(encrypted, 2)",
    ),
    "log_positions": (
        "UPDATE log_positions SET seq = seq - 1 WHERE name = 'cases'",
        "UPDATE log_positions SET seq = seq + 1 WHERE name = 'cases'",
        "DELETE FROM log_positions WHERE name = 'rescorings'",
        "UPDATE log_positions SET seq = 99 WHERE name = 'rescorings'",
        "INSERT INTO log_positions (name, seq) VALUES ('rescue_calls', 99)",
        "UPDATE log_positions SET seq = 99 WHERE name = 'summaries'",
        "UPDATE log_positions SET seq = 0 WHERE name = 'summaries'",
    ),
    "visits": (
        "UPDATE visits SET lane = 'control'",
        "UPDATE visits SET model = 'other'",
        "INSERT INTO visits SELECT 99, decision_id, subject_kind, subject_id, scored_at, stratum, "
        "lane, probability, office, model, mode, region, operator, undrawn_lane FROM visits "
        "LIMIT 1",
    ),
    "receivers": (
        "INSERT INTO receivers (channel, receiver, attempts, reached) "
        "VALUES ('webhook', 'e', 0, 'none')",
        "UPDATE receivers SET reached = '99' WHERE channel = 'witness'",
        "UPDATE receivers SET reached = 'none' WHERE channel = 'witness'",
    ),
}


@pytest.fixture
def worked(file_place: Installation) -> Installation:
    """A home with a case, its visit and its terms, what follows the log, and a witness."""
    with file_place.serving() as service:
        decided(service)
        decided(service, shipment_id="canary-other")
        wait_until(lambda: not is_behind(file_place))
    engine = file_place.engine()
    catch_up(RollupRepository(engine), NOW + timedelta(days=1))
    engine.dispose()
    return file_place


def is_behind(place: Installation) -> bool:
    """Whether anything that follows the log has not followed it to its end."""
    with sqlite3.connect(place.settings.home / "tidegate.db") as database:
        names = "name IN ('cases', 'rescorings')"
        found = database.execute(f"SELECT seq FROM log_positions WHERE {names}").fetchall()
        return found != [(2,), (2,)]


def is_noticed(place: Installation) -> bool:
    """Whether `verify-log` finds anything in the rows."""
    engine = place.engine()
    try:
        comparison = OutlineComparison.where_possible(engine, place.settings.keys)
        assert comparison is not None
        is_whole = verify_decision_log(engine, compare=comparison).is_whole
        return not (is_whole and verify_audit_log(engine, keys=DataKeys(engine)).is_whole)
    finally:
        engine.dispose()


def test_each_table_is_covered_or_compared_or_harmless() -> None:
    tables = {*metadata.tables}
    assert set(COVERED) | CHECKED_OTHERWISE.keys() | HARMLESS.keys() == tables
    assert not (set(COVERED) & (CHECKED_OTHERWISE.keys() | HARMLESS.keys()))
    assert not (CHECKED_OTHERWISE.keys() & HARMLESS.keys())
    assert set(EDITS) >= CHECKED_OTHERWISE.keys()
    assert all(HARMLESS.values())


def test_whatever_is_changed_where_rows_follow_from_others_is_noticed(
    worked: Installation,
) -> None:
    assert not is_noticed(worked)
    file = worked.settings.home / "tidegate.db"
    with closing(sqlite3.connect(file)) as owned:
        owned.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = file.read_bytes()
    for statement in chain.from_iterable(EDITS.values()):
        with closing(sqlite3.connect(file)) as owned:
            for (name,) in owned.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                owned.execute(f"DROP TRIGGER {name}")
            assert owned.execute(statement).rowcount, f"{statement} changed nothing"
            owned.commit()
            owned.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert is_noticed(worked), statement
        for each in file.parent.glob("tidegate.db-*"):
            each.unlink()
        file.write_bytes(before)


def test_one_edit_one_deletion_and_one_insertion_in_each_covered_table_are_all_found(
    filled: Engine,
) -> None:
    lots = random.Random(11)
    for tamper in (edit, remove, insert):
        kept = {}
        with unguarded(filled) as connection:
            for name in COVERED:
                table = metadata.tables[name]
                kept[name] = rows_of(connection, table)
                tamper(connection, table, kept[name], lots)
        findings = verify_audit_log(filled).findings
        assert {*COVERED} <= {each.table for each in findings}, tamper.__name__
        for name, rows in kept.items():
            put_back(filled, metadata.tables[name], rows)
