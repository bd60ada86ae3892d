"""What is over is erased by destroying its keys, and the log is still proven."""

import json
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from features.errors import TidegateError
from serving.access.actors import Actor
from serving.audit.erasure import ErasureLimits, RetainedUnits
from serving.audit.logged_decision import StoredAnswer
from serving.audit.retention_log import RetentionAct
from serving.crypto.errors import Undecipherable
from serving.errors import Erased, LogUnavailable
from serving.integrity.checkpoints import public_keys_of
from serving.integrity.log_check import check_log
from serving.monitor.rollups import catch_up
from serving.outbox.rescue import CallPace
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.attachments import AttachedFile
from serving.review.acts.tag import Tagging, tag_case
from serving.review.cases.case_records import CaseAccess, QueueFilter
from serving.review.published_events import FeedAccess
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.rollup_repository import RollupRepository
from serving.storage.tables.scoring import state
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log
from serving.storage.write_lock import hold_for_service
from tests.counts import count
from tests.serving.audit.installation import (
    LATER,
    PERIODS,
    Installation,
    closed_case,
    command,
    seal,
)
from tests.serving.bodies import shipment
from tests.serving.canaries import MARKS, PLAN, decided, ended, told_in_files, told_in_tables
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.databases import database
from tests.serving.people import reviewer
from tests.serving.postgres import Server
from tests.serving.review.cases.decisions import decision
from tests.serving.review.cases.stated import NOTHING, end_by
from tests.serving.review.cases.test_case_opening_worker import open_due
from tests.serving.review.supervision.test_supervision_served import sign_in_as
from tests.serving.storage.test_engines import cut_off_at

EVERYONE = CaseAccess(frozenset(), is_rescue=False)
SOMEBODY_ELSE = Actor("account:somebody else", "somebody else", "account:somebody else")


def test_after_erasure_no_byte_tells_of_a_party_and_the_log_is_proven(
    place: Installation, request: pytest.FixtureRequest
) -> None:
    case_id = closed_case(place)
    home, is_file = place.settings.home, place.settings.database_url is None
    (home / "lanes.toml").write_text("")  # the deployer's own lists are the deployer's to end
    seal(place, case_id)
    accounts = {f"accounts/{case_id}/{name}" for name in ("account.json", "account.md")}
    assert accounts <= told_in_files(home)
    retention = place.retention()
    assert retention.due(retention.cutoffs(LATER.date())).accounts == 1
    before = told_in_files(home) if is_file else told_in_tables(place.engine(), without=())
    in_state = accounts | {"state/data.mdb"} if is_file else {"state.key", "state.value"}
    assert before == in_state
    server: Server | None = None if is_file else request.getfixturevalue("postgres")
    assert server is None or told_in_server(server, place.settings)

    certificate = place.erased()

    assert certificate["destroyed"] | {"keys": 0} == {
        "decisions": 1,
        "records": 2,
        "keys": 0,
        "kept": 0,
    }
    assert certificate["rows"][f"accounts/{case_id}"] == 1
    assert told_in_files(home) == set()
    assert told_in_tables(place.engine(), without=()) == set()
    assert server is None or told_in_server(server, place.settings) == set()
    engine = place.engine()
    proof, keys = verify_decision_log(engine), public_keys_of(place.settings.keys)
    check = check_log(CheckpointRepository(engine), [], keys, by_newest=False)
    assert (proof.is_whole, proof.mark.size, check.why) == (True, 1, None), proof.why
    assert check.verdict.checked >= 1
    with engine.connect() as connection:
        for table in ("answers", "case_links", "contents"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    with pytest.raises(Erased):
        place.record(case_id)


def told_in_server(server: Server, settings: Settings) -> set[str]:
    """The tables' files in which a mark is found; the write-ahead log is spoken of in docs."""
    assert settings.database_url is not None
    address = settings.database_url.get_secret_value()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        (number,) = connection.execute(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        ).fetchone() or (0,)
    folder = server.folder / "data" / "base" / str(number)
    return {
        file.name for file in folder.iterdir() if any(mark in file.read_bytes() for mark in MARKS)
    }


def test_statistics_of_a_server_hold_nothing_of_the_online_state(postgres: Server) -> None:
    engine = database(postgres.new_database())
    rows = [{"key": mark, "value": mark} for mark in MARKS]
    with engine.begin() as connection:
        connection.execute(state.insert(), rows)
        connection.exec_driver_sql("ANALYZE state")
        sampled = connection.exec_driver_sql("SELECT * FROM pg_stats WHERE tablename = 'state'")
        assert sampled.all() == []


def test_an_erased_decision_says_that_it_was_erased(place: Installation) -> None:
    case_id = closed_case(place)
    place.erased()

    replayed = command(place, "replay", case_id)
    assert (replayed.exit_code, "erased" in str(replayed.exception)) == (1, True)
    with place.serving(LATER) as service:
        read = service.key("score", "explain")
        for path in (f"/v1/decisions/{case_id}", f"/v1/decisions/{case_id}/explanation"):
            answer = service.client.get(path, headers=read)
            assert answer.status_code == 410
            assert answer.json()["title"] == "This was erased"
        reviewing = service.services.cases
        assert {event.text for event in reviewing.events(case_id)} == {"erased"}
        assert [event.action for event in reviewing.events(case_id)][:3] == [
            *("assign", "note", "order_action"),
        ]
        told, _ = service.services.events.page(FeedAccess(EVERYONE), None, 200)
        assert {(e.content, e.subject_id, e.result) for e in told} == {("erased", None, None)}
        assert told[0].type == "tidegate.case.opened"
        (file,) = reviewing.files.of_case(case_id)
        assert file.name == "erased"
        assert reviewing.files.content(case_id, file.sha256) is None
        assert service.services.case_load.closed_case(EVERYONE, SOMEBODY_ELSE, 0) is None
        form = {
            "form_token": sign_in_as(service, "auditor"),
            "code": "audit",
            "text": "audit 2032/1",
        }
        page = service.client.post(f"/console/cases/{case_id}/justify", data=form, headers=ORIGIN)
        assert (page.status_code, "This was erased" in page.text) == (410, True)
        assert decided(service, shipment_id="canary-next")  # and it scores as ever


def test_what_an_outcome_says_to_those_who_measure_outlasts_it(place: Installation) -> None:
    closed_case(place)
    store = RollupRepository(place.engine())
    catch_up(store, LATER)
    place.erased()

    (outcome,) = map(json.loads, store.outcomes("shipment", LATER.isoformat()))
    ((visit,),) = store.visits("shipment", "2026", "2033")
    assert outcome["result"] == "not_confirmed"
    assert outcome["subject_id"] == visit.subject_id


def test_a_copy_made_before_erasure_cannot_be_read_after_it(
    file_place: Installation, tmp_path: Path
) -> None:
    case_id = closed_case(file_place)
    with file_place.serving(LATER - timedelta(days=1)) as service:
        newer = decided(service, shipment_id="canary-newer")
    copy = tmp_path / "copy.db"
    file = file_place.settings.home / "tidegate.db"
    with closing(sqlite3.connect(file)) as now, closing(sqlite3.connect(copy)) as then:
        now.backup(then)
    keys = file_place.settings.keys
    log = DecisionRepository(open_database(copy, is_service=False, keys=keys))
    assert log.record(case_id)

    file_place.erased()

    with pytest.raises(Undecipherable, match="an erasure has destroyed it"):
        DecisionRepository(open_database(copy, is_service=False, keys=keys)).record(case_id)
    assert verify_decision_log(log._engine).is_whole
    assert file_place.record(newer)


def test_an_erasure_that_is_cut_off_at_any_call_is_finished_by_the_next(
    home: Path, tmp_path: Path
) -> None:
    (home / "lanes.toml").write_text(PLAN)
    (home / "retention.toml").write_text(PERIODS)
    first = Installation(Settings(home=home, max_rescores_per_subject=0))
    with first.serving() as service:
        ended_case, open_case = (
            decided(service, shipment_id=f"canary-{name}") for name in ("ended", "open")
        )
        ended(service, ended_case)
    number = 0
    while True:
        number += count(3, 1)
        place = Installation(Settings(home=_database_alone(home, tmp_path / str(number))))
        erasure, act = (
            DatabaseErasure(place.engine()),
            RetentionAct(LATER.isoformat(), "erase", "g", "w", {}),
        )
        with cut_off_at(number) as calls, suppress(LogUnavailable):
            erasure.erase(ENDS, lambda _: RetainedUnits(), act)
            erasure.sweep(ENDS)
        if calls[0] < number:
            break
        if number % 2:  # whether a next one erases again, or nobody does
            DatabaseErasure(place.engine()).erase(ENDS, lambda _: RetainedUnits(), act)
            with pytest.raises(Erased):
                place.record(ended_case)
        assert place.record(open_case)
        assert verify_decision_log(place.engine()).is_whole

    assert number > 10


ENDS = ErasureLimits("2032-01-01", "2032-01-01")


def _database_alone(home: Path, copy: Path) -> Path:
    copy.mkdir()
    shutil.copytree(home / "keys", copy / "keys")
    for file in home.glob("tidegate.db*"):
        shutil.copy(file, copy / file.name)
    return copy


def test_a_service_must_not_run_over_a_file_that_is_erased(file_place: Installation) -> None:
    closed_case(file_place)
    number = str(file_place.retention().propose("ada", "the time is over", datetime.now(UTC)))
    held = hold_for_service(file_place.settings.home / "tidegate.db")

    result = command(
        file_place, "retention", "erase", number, "--by", "grace", "--because", "as proposed"
    )

    held.close()
    assert isinstance(result.exception, TidegateError)


def log(service: Service, at: datetime, decision_id: str, **changed: Any) -> None:
    """Let a service have decided, and open what cases there are."""
    made = decision(shipment(), decision_id=decision_id, scored_at=at, **changed)
    answer = StoredAnswer("c", made.decision_id, "digest", made.decision_id, "", b"")
    service.services.decisions.append([(made.logged(), answer)])
    open_due(service.services.cases, at)


DAY = timedelta(days=1)
SIDES = {
    lane: CaseAccess(frozenset(), is_rescue=lane == "rescue") for lane in ("inspect", "rescue")
}


@pytest.mark.parametrize("lane", ["inspect", "rescue"])
def test_an_open_case_that_a_later_decision_opened_stays_whole(
    place: Installation, lane: str
) -> None:
    with place.serving() as service:
        log(service, NOW, "d-1", lane="release")
        log(service, NOW + DAY, "d-2", rescores="d-1", lane_before="release", lane=lane)

    place.erased()

    with place.serving(LATER) as service:
        kept = service.services.case_store.case("d-1", SIDES[lane])
        assert kept is not None
        assert kept.subject_id == "S-1"
        assert service.services.decisions.record("d-2") is not None
        log(service, LATER, "d-3", rescores="d-1", lane_before=lane, lane="rescue")
        assert service.services.case_store.case("d-1", SIDES["rescue"]) is not None


YEARS = LATER - NOW


def test_a_case_ends_with_the_day_of_the_decision_that_opened_it(file_place: Installation) -> None:
    opened, one = NOW + timedelta(days=730), reviewer("one")
    with file_place.serving() as service:
        log(service, NOW, "d-1", lane="release")
        log(service, opened, "d-2", rescores="d-1", lane_before="release", lane="inspect")
        cases = service.services.cases
        cases.attach(one, "d-1", opened, AttachedFile.from_upload("a.txt", b"a", 9), b"a")
        tag_case(ActRequest(cases, one, "d-1", opened), Tagging.from_texts(add=["Tobacco"]))
        end_by(cases, one, "d-1", opened, NOTHING)
    hanging = rows_of_cases(file_place.engine())
    assert all(hanging.values()), hanging

    file_place.erased()

    with pytest.raises(Erased):
        file_place.record("d-1")
    assert rows_of_cases(file_place.engine()) == hanging
    with file_place.serving(LATER) as service:
        row = service.services.case_store.case("d-1", SIDES["inspect"])
        assert row is not None
        assert (row.status, row.subject_id) == ("closed", "S-1")
    file_place.erased(opened + YEARS)
    assert set(rows_of_cases(file_place.engine()).values()) == {0}


def rows_of_cases(engine: Any) -> dict[str, int]:
    """How much hangs on cases, table by table."""
    tables = ("case_links", "case_terms", "case_tags", "contents")
    with engine.connect() as connection:
        counted = {t: connection.scalar(text(f"SELECT count(*) FROM {t}")) for t in tables}
    return {name: count or 0 for name, count in counted.items()}


def test_a_decision_about_a_subject_whose_case_was_erased_ends_with_its_time(
    file_place: Installation,
) -> None:
    with file_place.serving() as service:
        log(service, NOW, "d-1", lane="inspect")
        end_by(service.services.cases, reviewer("one"), "d-1", NOW, NOTHING)
    file_place.erased()
    with file_place.serving(LATER) as service:
        log(service, LATER, "d-2", rescores="d-1", lane_before="inspect", lane="release")
        mine = QueueFilter(LATER, tab="mine", reader="account:one")
        assert service.services.case_store.count_queue(EVERYONE, mine) == 0

    assert file_place.erased(LATER + YEARS)["destroyed"]["kept"] == 0

    with pytest.raises(Erased):
        file_place.record("d-2")


def test_a_case_is_found_until_the_decision_that_opened_it_is_masked(
    file_place: Installation,
) -> None:
    opened = NOW + timedelta(days=100)
    with file_place.serving() as service:
        log(service, NOW, "d-1", lane="release")
        log(service, opened, "d-2", rescores="d-1", lane_before="release", lane="inspect")

    file_place.retention().mask("ada", "half a year", NOW + timedelta(days=200))
    assert rows_of_cases(file_place.engine())["case_terms"] > 0

    file_place.retention().mask("ada", "half a year", opened + timedelta(days=200))
    assert rows_of_cases(file_place.engine())["case_terms"] == 0


def test_an_open_rescue_beside_a_case_that_has_ended_stays_whole(place: Installation) -> None:
    with place.serving() as service:
        log(service, NOW, "d-1", lane="inspect")
        end_by(service.services.cases, reviewer("one"), "d-1", NOW, NOTHING)
        log(service, NOW + DAY, "d-2", rescores="d-1", lane_before="inspect", lane="rescue")

    place.erased()

    with place.serving(LATER) as service:
        kept = service.services.case_store.case("d-2", SIDES["rescue"])
        assert kept is not None
        assert (kept.status, kept.subject_id) == ("open", "S-1")
        assert service.services.decisions.record("d-2") is not None


@pytest.mark.parametrize("lane", ["inspect", "rescue", "release"])
def test_a_subject_whose_case_was_erased_and_that_is_scored_again_stops_no_other_case(
    place: Installation, lane: str
) -> None:
    with place.serving() as service:
        log(service, NOW, "d-1", lane="inspect")
        end_by(service.services.cases, reviewer("one"), "d-1", NOW, NOTHING)
    place.erased()

    with place.serving(LATER) as service:
        outbox = service.services.rescue_outbox
        outbox.begin()
        log(service, LATER, "d-2", rescores="d-1", lane_before="inspect", lane=lane)
        log(service, LATER, "d-3", lane="inspect")

        store = service.services.case_store
        assert store.count_unopened() == 0
        assert store.case("d-3", SIDES["inspect"]) is not None
        assert [lane for lane in SIDES if store.case("d-2", SIDES[lane])] == [*{lane} & {*SIDES}]
        call = outbox.start_attempt(LATER, CallPace(lambda _: DAY, DAY))
        assert [call and call.is_apart] == [True if lane == "rescue" else None]
        assert service.services.rescoring.queue.has_ended("d-1")
    assert [str(finding) for finding in verify_audit_log(place.engine()).findings] == []
