"""Erasure of a database: what is due, what stays, what is destroyed and what is left of it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, literal, select

from serving.audit.erasure import DueForErasure, ErasedUnits, ErasureLimits, RetainedUnits
from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.audit.retention_log import RetentionAct
from serving.crypto.encryption import TEXT_PREFIX
from serving.errors import Erased
from serving.history.received_records import ReceivedRecord
from serving.storage.engine import open_database
from serving.storage.keys.data_keys import DataKeys
from serving.storage.keys.key_destruction import DatabaseErasure, act_with
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.record_repository import RecordRepository
from serving.storage.repositories.retention_repository import RetentionRepository
from serving.storage.tables.column_types import stored_type
from serving.storage.tables.keys import data_keys
from serving.storage.tables.outgoing import rescue_calls
from serving.storage.tables.review import case_files, case_links, cases, contents
from serving.storage.tables.scoring import answers, decisions, records

EARLY, LATE, NEW = (
    "2026-03-08T09:00:00+00:00",
    "2026-03-09T23:59:59.999999+00:00",
    "2026-03-10T00:00:00+00:00",
)
ENDS = ErasureLimits("2026-03-10", "2026-03-10")
ERASED_AT = "2026-11-24T12:00:00+00:00"
ACT = RetentionAct(ERASED_AT, "erase", "grace", "as proposed", {"proposal": 1})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "log.db", is_service=False)
    yield engine
    engine.dispose()


@pytest.fixture
def erasure(engine: Engine) -> DatabaseErasure:
    return DatabaseErasure(engine)


def decide(engine: Engine, **scored_at: str) -> None:
    """Log a decision of each name about a shipment of that name."""
    DecisionRepository(engine).append(
        [
            (
                LoggedDecision(name, at, "shipment", f"S-{name}", None, "c", "inspect", 0.5, "{}"),
                StoredAnswer("c", f"k-{name}", "digest", name, at, b"answer"),
            )
            for name, at in scored_at.items()
        ]
    )


def receive(engine: Engine, name: str, at: str, subject: str, kind: str = "shipment") -> None:
    """Keep a document that came by itself."""
    RecordRepository(engine).add_new(
        [ReceivedRecord("documents", name, kind, subject, at, "c", "{}")]
    )


def add(engine: Engine, table: Any, **values: Any) -> None:
    """Put a row there as it is, with something in all other columns that want it."""
    for column in table.columns:
        if column.name not in values and not column.nullable:
            is_number = "INTEGER" in str(column.type) or "BIGINT" in str(column.type)
            values[column.name] = 0 if is_number else b"" if "BLOB" in str(column.type) else ""
    with engine.begin() as connection:
        stored = {
            name: literal(value, stored_type(table.c[name].type)) for name, value in values.items()
        }
        connection.execute(insert(table).values(stored))


def open_case(engine: Engine, name: str, status: str = "open") -> None:
    """A case that its own decision opened, in the clear where that is."""
    own = select(decisions.c.scored_at, decisions.c.encrypted)
    with engine.connect() as connection:
        opened = connection.execute(own.where(decisions.c.decision_id == name)).one()
    state = f"{TEXT_PREFIX}decisions/{opened.scored_at[:10]}:" if opened.encrypted else "{}"
    add(engine, cases, case_id=name, status=status, opened_at=opened.scored_at, state=state)


def readable(engine: Engine, *names: str) -> list[str]:
    """Those decisions that can still be read."""
    log, found = DecisionRepository(engine), []
    for name in names:
        try:
            found += [name] if log.record(name) else []
        except Erased:
            continue
    return found


def documents(engine: Engine) -> list[str]:
    """The documents that can still be read."""
    return sorted(row.record_id for row in RecordRepository(engine).all())


def key_ids(engine: Engine, *, destroyed: bool = False) -> set[str]:
    """The keys that are there, or that were."""
    wanted = select(data_keys.c.key_id).where(data_keys.c.wrapped.is_(None) == destroyed)
    with engine.connect() as connection:
        return set(connection.scalars(wanted))


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_due_is_what_ended_before_the_day(engine: Engine, erasure: DatabaseErasure) -> None:
    decide(engine, early=EARLY, late=LATE, new=NEW)
    for name, at in (("d1", LATE), ("d2", NEW), ("d3", "2026-03-11T00:00:00+00:00")):
        receive(engine, name, at, "S-other")
    add(engine, decisions, seq=9, decision_id="clear", scored_at=LATE, subject_kind="shipment")

    assert erasure.count_due(ENDS, RetainedUnits()) == DueForErasure(
        decisions=2, records=1, open_cases=0, frozen=0, held=0
    )
    assert erasure.count_due(
        ErasureLimits("2026-03-09", "2026-03-11"), RetainedUnits()
    ) == DueForErasure(decisions=1, records=2, open_cases=0, frozen=0, held=0)


def test_due_says_how_much_must_stay_and_why(engine: Engine, erasure: DatabaseErasure) -> None:
    decide(engine, a=EARLY, b=EARLY, c=EARLY, d=EARLY, e=EARLY, new=NEW)
    for name, status in (
        ("a", "open"),
        ("b", "claimed"),
        ("c", "closed"),
        ("d", "erased"),
        ("e", "open"),
        ("new", "open"),
    ):
        open_case(engine, name, status)
    held = tuple(
        ("shipment", erasure.subject_token("shipment", f"S-{name}")) for name in ("a", "new")
    )
    other_kind = (("route", erasure.subject_token("shipment", "S-b")),)

    due = erasure.count_due(
        ENDS, RetainedUnits(stretches=((2, 4), (6, 9)), subjects=held + other_kind)
    )

    assert due == DueForErasure(decisions=5, records=0, open_cases=3, frozen=3, held=1)


def test_what_is_due_cannot_be_read_any_more_and_the_rest_can(
    engine: Engine, erasure: DatabaseErasure
) -> None:
    decide(engine, early=EARLY, late=LATE, new=NEW)
    receive(engine, "old", LATE, "S-other")
    receive(engine, "new", NEW, "S-other")

    destroyed = erasure.erase(ENDS, lambda _: RetainedUnits(), ACT)

    assert destroyed == ErasedUnits(decisions=2, records=1, keys=3, kept=0)
    assert readable(engine, "early", "late", "new") == ["new"]
    assert documents(engine) == ["new"]
    assert key_ids(engine) == {"decisions/2026-03-10", "records/2026-03-10"}
    assert key_ids(engine, destroyed=True) == {
        "decisions/2026-03-08",
        "decisions/2026-03-09",
        "records/2026-03-09",
    }
    with engine.connect() as connection:
        rows = connection.execute(select(data_keys.c.wrapped, data_keys.c.destroyed_at)).all()
    assert {row.destroyed_at for row in rows if row.wrapped is None} == {ERASED_AT}
    assert {row.destroyed_at for row in rows if row.wrapped is not None} == {None}


def test_decisions_and_records_end_each_on_their_day(
    engine: Engine, erasure: DatabaseErasure
) -> None:
    decide(engine, early=EARLY, late=LATE)
    receive(engine, "early", EARLY, "S-other")
    receive(engine, "late", LATE, "S-other")

    limits = ErasureLimits("2026-03-09", "2026-03-08")
    assert erasure.erase(limits, lambda _: RetainedUnits(), ACT).decisions == 1
    assert readable(engine, "early", "late") == ["late"]
    assert documents(engine) == ["early", "late"]
    limits = ErasureLimits("2026-03-09", "2026-03-09")
    assert erasure.erase(limits, lambda _: RetainedUnits(), ACT).records == 1
    assert documents(engine) == ["late"]


def test_an_erasure_is_written_down_with_what_it_did(
    engine: Engine, erasure: DatabaseErasure
) -> None:
    decide(engine, late=LATE)

    destroyed = erasure.erase(ENDS, lambda _: RetainedUnits(), ACT)

    (act,) = RetentionRepository(engine).all()
    assert act == RetentionAct(
        ERASED_AT,
        "erase",
        "grace",
        "as proposed",
        {"proposal": 1, "destroyed": {"decisions": 1, "records": 0, "keys": 1, "kept": 0}},
        number=1,
    )
    assert act_with(ACT, destroyed).details == act.details


def test_an_erasure_is_done_once(engine: Engine, erasure: DatabaseErasure) -> None:
    decide(engine, late=LATE)
    erasure.erase(ENDS, lambda _: RetainedUnits(), ACT)

    assert erasure.count_due(ENDS, RetainedUnits()).decisions == 0
    assert erasure.erase(ENDS, lambda _: RetainedUnits(), ACT) == ErasedUnits(0, 0, keys=0, kept=0)


def test_open_cases_frozen_stretches_and_held_subjects_stay_until_nothing_holds_them(
    engine: Engine, erasure: DatabaseErasure
) -> None:
    decide(engine, a=EARLY, b=EARLY, c=EARLY, d=EARLY, e=EARLY)
    open_case(engine, "a")
    open_case(engine, "b", "closed")
    token = erasure.subject_token("shipment", "S-e")
    holding = RetainedUnits(stretches=((3, 4),), subjects=(("shipment", token),))

    destroyed = erasure.erase(ENDS, lambda _: holding, ACT)

    assert destroyed == ErasedUnits(decisions=1, records=0, keys=1, kept=4)
    assert readable(engine, *"abcde") == [*"acde"]
    assert key_ids(engine) == {f"decisions/2026-03-08/{name}" for name in "acde"}
    assert erasure.count_due(ENDS, holding).decisions == 4
    again = erasure.erase(ENDS, lambda _: RetainedUnits(subjects=holding.subjects), ACT)
    assert again == ErasedUnits(decisions=2, records=0, keys=2, kept=2)
    assert readable(engine, *"abcde") == [*"ae"]


def test_a_subject_is_held_by_its_kind_and_id(engine: Engine, erasure: DatabaseErasure) -> None:
    decide(engine, a=EARLY)
    token = erasure.subject_token("shipment", "S-a")

    assert erasure.count_due(ENDS, RetainedUnits(subjects=(("shipment", token),))).held == 1
    assert erasure.count_due(ENDS, RetainedUnits(subjects=(("route", token),))).held == 0
    assert erasure.count_due(ENDS, RetainedUnits(subjects=(("shipment", "S-a"),))).held == 0
    assert erasure.subject_token("shipment", "S-a") != erasure.subject_token("route", "S-a")


def test_a_record_stays_as_long_as_a_decision_on_its_subject_or_while_it_is_held(
    engine: Engine, erasure: DatabaseErasure
) -> None:
    decide(engine, a=EARLY, b=EARLY)
    open_case(engine, "a")
    receive(engine, "of a", EARLY, "S-a")
    receive(engine, "of b", EARLY, "S-b")
    receive(engine, "of another kind", EARLY, "S-a", kind="route")
    receive(engine, "held", EARLY, "S-held")
    holding = RetainedUnits(subjects=(("shipment", erasure.subject_token("shipment", "S-held")),))

    destroyed = erasure.erase(ENDS, lambda _: holding, ACT)

    assert destroyed == ErasedUnits(decisions=1, records=2, keys=2, kept=3)
    assert documents(engine) == ["held", "of a"]
    assert readable(engine, "a", "b") == ["a"]


def test_keys_that_stay_are_wrapped_anew_and_no_other_wrapping_key_is_left(
    engine: Engine, erasure: DatabaseErasure, tmp_path: Path
) -> None:
    decide(engine, late=LATE, new=NEW)
    (before,) = _wrapping_ids(engine)

    erasure.erase(ENDS, lambda _: RetainedUnits(), ACT)
    (after,) = _wrapping_ids(engine)

    assert after != before
    wrapping = DataKeys(engine).wrapping
    assert set(wrapping.ids()) == {before, after}
    wrapping.made()
    erasure.sweep(ENDS)
    assert wrapping.ids() == [after]
    assert readable(engine, "new") == ["new"]


def _wrapping_ids(engine: Engine) -> set[str]:
    in_use = select(data_keys.c.wrapping_id).where(data_keys.c.wrapped.is_not(None))
    with engine.connect() as connection:
        return set(connection.scalars(in_use))


def hang_something_on(engine: Engine, name: str) -> None:
    """A row of each table that hangs on a decision."""
    open_case(engine, name, "closed")
    add(engine, case_links, case_id=name, kind="container", value=f"of {name}")
    add(engine, case_files, case_id=name, sha256="0f")
    add(engine, contents, sha256=f"{name}/0f", content=b"content")
    add(engine, rescue_calls, decision_id=name)


def test_what_hangs_on_erased_decisions_is_swept_and_nothing_else(
    engine: Engine, erasure: DatabaseErasure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.storage.keys.key_destruction.BATCH_SIZE", 1)
    decide(engine, early=EARLY, late=LATE, kept=EARLY, new=NEW)
    for name in ("early", "late", "kept", "new"):
        hang_something_on(engine, name)
    erasure.erase(ENDS, lambda _: RetainedUnits(stretches=((3, 3),)), ACT)
    assert {count(engine, table) for table in LEFT} == {4}

    assert erasure.sweep(ENDS) == 2 * 5
    assert erasure.sweep(ENDS) == 0

    with engine.connect() as connection:
        for table, name in LEFT.items():
            left = {str(row[0]).partition("/")[0] for row in connection.execute(select(name))}
            assert left == {"kept", "new"}, table.name
        rows = connection.execute(select(cases.c.case_id, cases.c.status)).all()
    status = {row.case_id: row.status for row in rows}
    assert status == {"early": "erased", "late": "erased", "kept": "closed", "new": "closed"}


LEFT = {
    answers: answers.c.decision_id,
    case_links: case_links.c.case_id,
    contents: contents.c.sha256,
    rescue_calls: rescue_calls.c.decision_id,
}


def test_a_file_gives_back_what_deleted_rows_took(
    engine: Engine, erasure: DatabaseErasure, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        rows = [{"sha256": str(n), "content": b"x" * 4_000} for n in range(50)]
        connection.execute(insert(contents), rows)
        connection.execute(contents.delete())
    assert _free_pages(engine) > 40

    erasure.compact()

    assert _free_pages(engine) == 0
    assert (tmp_path / "log.db-wal").stat().st_size == 0


def _free_pages(engine: Engine) -> int:
    with closing(engine.raw_connection()) as connection:
        return int(connection.cursor().execute("PRAGMA freelist_count").fetchone()[0])


def test_records_and_decisions_of_one_day_have_keys_of_their_own(engine: Engine) -> None:
    decide(engine, a=EARLY)
    receive(engine, "of a", EARLY, "S-a")

    assert key_ids(engine) == {"decisions/2026-03-08", "records/2026-03-08"}
    assert count(engine, records) == 1


@pytest.mark.parametrize(
    "fixed",
    [ENDS, RetainedUnits(), DueForErasure(0, 0, 0, 0, 0, 0), ErasedUnits(0, 0, keys=0, kept=0)],
    ids=repr,
)
def test_neither_what_is_to_end_nor_what_did_is_changed_in_place(fixed: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(fixed, next(iter(vars(fixed))), "another")
