"""The key of tokens is rotated: each subject keeps one name, and nothing decided is lost."""

import shutil
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import Engine, select

from features.errors import KeyMissing
from features.home_keys import SUBJECTS, former_keys
from serving.access.actors import Actor
from serving.access.sessions import Session
from serving.audit.erasure import ErasureLimits, RetainedUnits
from serving.audit.errors import AnsweredMeanwhile
from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.audit.retention_log import RetentionAct
from serving.errors import LogUnavailable
from serving.history.received_records import ReceivedRecord
from serving.storage.engine import open_database
from serving.storage.keys.data_keys import DataKeys
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.keys.key_rotation import rotate_key
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.placement_repository import PlacementRepository
from serving.storage.repositories.record_repository import RecordRepository
from serving.storage.repositories.retention_repository import RetentionRepository
from serving.storage.repositories.session_repository import SessionRepository
from serving.storage.tables.scoring import decisions, records
from serving.storage.verification.outline_comparison import OutlineComparison
from tests.serving.conftest import NOW
from tests.serving.databases import database, keys_of

BY = Actor("cli:1000@host", "ada")
DAY = "2026-11-01T00:00:00+00:00"


def rotated(where: Path | str) -> None:
    """Rotate as a command beside a service does: with an engine of its own."""
    engine = database(where)
    rotate_key(engine, keys_of(where), SUBJECTS, BY, at=NOW, overlap=timedelta(0))
    engine.dispose()


def decided(number: int, subject_id: str, key: str = "") -> tuple[LoggedDecision, StoredAnswer]:
    name = f"d-{number}"
    said = {"decision_id": name, "subject_kind": "shipment", "subject_id": subject_id}
    said |= {"scored_at": DAY, "caller_id": "c", "lane": "release", "score": {"probability": 0.1}}
    record = orjson.dumps(said).decode()
    row = LoggedDecision(name, DAY, "shipment", subject_id, None, "c", "release", 0.1, record)
    return row, StoredAnswer("c", key or f"k-{number}", "digest", name, DAY, b"answer")


def document(number: int, subject_id: str) -> ReceivedRecord:
    body = orjson.dumps({"document_id": f"D-{number}"}).decode()
    return ReceivedRecord("documents", f"D-{number}", "shipment", subject_id, DAY, "c", body)


def named(engine: Engine) -> list[str]:
    """By which tokens decisions name their subjects, in the order of the log."""
    with engine.connect() as connection:
        return [*connection.scalars(select(decisions.c.subject_id).order_by(decisions.c.seq))]


def test_a_subject_keeps_the_name_it_has_and_a_new_one_gets_a_name_of_the_new_key(
    where: Path | str,
) -> None:
    log = DecisionRepository(database(where))
    log.append([decided(1, "S-old")])
    by_former_key = DataKeys(log._engine).token("shipment", "S-new")

    rotated(where)
    again = DecisionRepository(database(where))
    again.append([decided(2, "S-old"), decided(3, "S-new")])

    old, same, new = named(again._engine)
    assert old == same
    assert new != by_former_key
    found = again.about("shipment", "S-old"), again.about("shipment", "S-new")
    assert [len(each) for each in found] == [2, 1]
    assert again.lanes_of("shipment", ["S-old", "S-new"]) == {
        "S-old": {"release"},
        "S-new": {"release"},
    }


def test_a_service_that_began_before_names_no_subject_by_the_former_key(where: Path | str) -> None:
    began_before = DecisionRepository(database(where))
    by_former_key = DataKeys(began_before._engine).token("shipment", "S-new")
    kept = RecordRepository(began_before._engine)

    rotated(where)
    began_before.append([decided(1, "S-new")])
    kept.add_new([document(1, "S-other")])

    began_after = DecisionRepository(database(where))
    began_after.append([decided(2, "S-new"), decided(3, "S-other")])
    first, second, third = named(began_after._engine)
    assert first == second != by_former_key
    with began_after._engine.connect() as connection:
        assert connection.scalar(select(records.c.subject_id)) == third


def test_one_idempotency_key_is_decided_once(where: Path | str) -> None:
    log = DecisionRepository(database(where))
    log.append([decided(1, "S-1", "key")])

    rotated(where)
    fresh = DecisionRepository(database(where))

    assert fresh.answers([("c", "key")])["c", "key"].body == b"answer"
    for process in (fresh, log):
        with pytest.raises(AnsweredMeanwhile):
            process.append([decided(2, "S-1", "key")])
    assert fresh.size() == 1


def test_a_record_is_kept_once_and_found_with_its_subject(where: Path | str) -> None:
    before = document(1, "S-1")
    RecordRepository(database(where)).add_new([before])

    rotated(where)
    kept = RecordRepository(database(where))
    known = kept.add_new([before, document(2, "S-1")])

    assert [*known] == [before.key]
    (found,) = kept.about([("shipment", "S-1")]).values()
    assert [row.record_id for row in found] == ["D-1", "D-2"]
    with kept._engine.connect() as connection:
        assert len({*connection.scalars(select(records.c.subject_id))}) == 1


def test_an_erasure_finds_all_and_spares_a_subject_that_was_held_before(
    where: Path | str,
) -> None:
    engine = database(where)
    DecisionRepository(engine).append([decided(1, "S-1"), decided(2, "S-decided-and-held")])
    held = [
        DatabaseErasure(engine).subject_token("shipment", subject_id)
        for subject_id in ("S-decided-and-held", "S-held")
    ]
    for token in held:
        details = {"subject_kind": "shipment", "subject": token}
        RetentionRepository(engine).append(RetentionAct(DAY, "hold", "ada", "a court", details))

    rotated(where)
    log = DecisionRepository(database(where))
    log.append([decided(3, "S-1"), decided(4, "S-held"), decided(5, "S-decided-and-held")])
    DatabaseErasure(log._engine).erase(
        ErasureLimits(decisions="2026-11-02", records="2026-11-02"),
        lambda _: RetainedUnits(subjects=tuple(("shipment", token) for token in held)),
        RetentionAct(DAY, "erase", "ada", "its time was over", {}),
    )

    left = DecisionRepository(database(where))
    assert left.about("shipment", "S-1") == []
    assert len(left.about("shipment", "S-held")) == 1
    assert len(left.about("shipment", "S-decided-and-held")) == 2


def test_outlines_by_former_keys_are_those_of_their_decisions(where: Path | str) -> None:
    log = DecisionRepository(database(where))
    log.append([decided(1, "S-1")])
    rotated(where)
    log.append([decided(2, "S-2")])
    compared = OutlineComparison.where_possible(database(where), keys_of(where))
    assert compared is not None

    with log._engine.connect() as connection:
        for row in connection.execute(select(decisions)).all():
            told = {**row._mapping, "answer": None, "cases_opened_to": 0, "opened_case": None}
            assert compared(told) == "the answer of this decision is gone, and its time is not over"
            swapped = told["record"].replace(row.subject_id, "0" * 32)
            assert compared({**told, "record": swapped}) == (
                "the outline's subject_id is not that of the encrypted decision"
            )


def test_a_host_without_the_new_key_writes_nothing_until_it_has_it(tmp_path: Path) -> None:
    where, first, second = tmp_path / "log.db", tmp_path / "1" / "keys", tmp_path / "2" / "keys"
    engine = open_database(where, is_service=False, keys=first)
    shutil.copytree(first.parent, second.parent)
    other = DecisionRepository(open_database(where, is_service=False, keys=second))
    other.append([decided(1, "S-1")])
    rotate_key(engine, first, SUBJECTS, BY, at=NOW, overlap=timedelta(0))

    for call in (other.probe, lambda: other.append([decided(2, "S-2")])):
        with pytest.raises(LogUnavailable, match="copy HOME/keys"):
            call()
    shutil.copytree(first, second, dirs_exist_ok=True)

    other.probe()
    other.append([decided(2, "S-2")])
    assert len(other.about("shipment", "S-1")) == len(other.about("shipment", "S-2")) == 1


def test_a_service_without_its_former_keys_is_not_started(where: Path | str) -> None:
    DecisionRepository(database(where)).append([decided(1, "S-1")])
    rotated(where)
    assert len(former_keys(keys_of(where), SUBJECTS)) == 1
    shutil.rmtree(keys_of(where) / "former")

    with pytest.raises(KeyMissing, match="lacks the former subjects key"):
        database(where)


def test_placements_name_a_subject_as_its_decision_does(where: Path | str) -> None:
    log = DecisionRepository(database(where))
    log.append([decided(1, "S-1")])
    rotated(where)
    placed = PlacementRepository(database(where))

    assert placed.subject_token("shipment", "S-1") == named(log._engine)[0]


def test_nobody_keeps_a_session_that_the_former_key_sealed(where: Path | str) -> None:
    sessions = SessionRepository(database(where))
    session, cookie = Session.begin("account:ada", NOW, timedelta(hours=1))
    sessions.add_session(session, NOW)
    assert sessions.find(cookie, NOW) is not None

    rotated(where)

    assert SessionRepository(database(where)).find(cookie, NOW) is None
    fresh, known = Session.begin("account:ada", NOW, timedelta(hours=1))
    SessionRepository(database(where)).add_session(fresh, NOW)
    assert sessions.find(known, NOW) is not None
