"""Every way in which the service can be less than whole: what it still does, and how it says so."""

import io
import json
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from typer.testing import CliRunner

from serving.app import create_app
from serving.cli.main import app as commands
from serving.container import MAX_CLOCK_DRIFT_S, Services, StartClock
from serving.degraded_modes import (
    MEANINGS,
    DegradedMode,
    degradations,
    set_degradation_metrics,
)
from serving.history.missing_history import missing_types
from serving.integrity.witness_lines import read_witness_lines
from serving.models.kill_switch import record_switch
from serving.observability import LogLines
from serving.process.background_threads import STUCK_AFTER_S, PollingThread
from serving.scoring.rescoring import Rescoring, RescoringPlan, WaitingSubject
from serving.settings import Settings
from serving.storage.repositories.rescoring_repository import RescoringRepository
from serving.storage.repositories.rollup_repository import RollupRepository
from tests.serving.bodies import route, shipment
from tests.serving.calls import heard
from tests.serving.conftest import NOW, Service, services_of
from tests.serving.postgres import Server
from tests.serving.world import promote, train_and_promote

drift_s = StartClock.drift_s  # as it is, which a fixture lets stand still


@contextmanager
def failing_commits(service: Service, statement: str = "") -> Iterator[None]:
    """Fail every commit, or every statement that begins like this."""

    def fail(call: str | None) -> None:
        if (call or "").startswith(statement) if statement else call is None:
            raise OperationalError("a call", None, sqlite3.OperationalError("disk is full"))

    with heard(fail, service.services.decisions._engine):
        yield


def modes(service: Service) -> list[str]:
    """The modes that hold, as readiness and the metrics say them alike."""
    held: list[str] = list(degradations(service.services))
    counted = service.client.get("/metrics").text
    for mode in get_args(DegradedMode):
        assert f'tidegate_degraded{{mode="{mode}"}} {float(mode in held)}' in counted
    ready = service.client.get("/health/ready")
    if ready.status_code == 200:
        assert ready.json()["degraded"] == held
        assert ready.json()["status"] == ("degraded" if held else "ready")
    return held


ROOT = Path(__file__).parent.parent.parent
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in (ROOT / "docs" / "conditions.md").read_text().splitlines()
    if line.startswith("| ")
][1:]


def test_what_is_left_of_a_disk_is_kept_for_decisions(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = service.key("score", "ingest")
    small = {"positions": [], "legs": []}

    def bulk() -> int:
        content = json.dumps(small).encode() + b" " * 70_000
        headers = key | {"Content-Type": "application/json"}
        return service.client.post("/v1/records", content=content, headers=headers).status_code

    def message() -> int:
        headers = key | {"Idempotency-Key": "m"}
        return service.client.post("/v1/messages/ubl", content=b"<a/>", headers=headers).status_code

    assert modes(service) == []
    assert 507 not in [bulk(), message()]
    monkeypatch.setattr("serving.degraded_modes.free_disk_bytes", lambda home: 1_000)

    assert modes(service) == ["disk_reserve_reached"]
    assert [bulk(), message()] == [507, 507]
    assert service.score(shipment(shipment_id="S-2"), key).status_code == 200
    assert service.client.post("/v1/records", json=small, headers=key).status_code != 507
    monkeypatch.setattr("serving.degraded_modes.free_disk_bytes", lambda home: 10**12)
    assert modes(service) == []


def test_every_mode_is_explained_and_has_its_row() -> None:
    assert set(MEANINGS) == set(get_args(DegradedMode))
    assert {row[1].strip("`") for row in ROWS} - {"–"} == set(get_args(DegradedMode))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_row_names_tests_that_exist(row: list[str]) -> None:
    named = re.findall(r"`([^`]+)::(\w+)`", row[-1])
    assert named
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text()


def test_a_whole_service_says_so(service: Service) -> None:
    assert modes(service) == []
    assert "Most of the history" not in service.client.get("/console/sign-in").text


def test_while_the_log_fails_nothing_is_decided_and_it_recovers_by_itself(
    service: Service,
) -> None:
    caller = service.key("score")
    with failing_commits(service):
        refused = service.score(shipment(), caller)
        held, ready = modes(service), service.client.get("/health/ready")

    assert (refused.status_code, ready.status_code) == (503, 503)
    assert refused.headers["Retry-After"]
    assert held == ["log_not_written"]
    service.services.log_writer._try_again()
    assert modes(service) == []
    assert service.score(shipment(), caller).status_code == 200
    assert service.services.decisions.size() == 1


def test_without_its_wrapping_keys_nothing_is_decided_or_told(home: Path) -> None:
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        service = Service(client, services_of(client), home)
        decision_id = service.score(shipment(), service.key("score")).json()["decision_id"]
    keys, elsewhere = home / "keys" / "data", home / "elsewhere"
    keys.rename(elsewhere)
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        service = Service(client, services_of(client), home, 100)
        caller = service.key("score")
        refused = service.score(shipment(shipment_id="S-2"), caller)
        read = client.get(f"/v1/decisions/{decision_id}", headers=caller)
        service.services.log_writer._try_again()
        held, ready = modes(service), client.get("/health/ready")
        keys.mkdir(exist_ok=True)
        for file in elsewhere.iterdir():
            file.rename(keys / file.name)
        service.services.log_writer._try_again()

        assert (refused.status_code, read.status_code, ready.status_code) == (503, 503, 503)
        assert held == ["log_not_written"]
        assert modes(service) == []
        assert client.get(f"/v1/decisions/{decision_id}", headers=caller).status_code == 200
        assert service.services.decisions.size() == 1


def test_no_case_is_read_or_judged_that_cannot_be_written_down(home: Path) -> None:
    everything_is_seen = Settings(
        home=home, inspect_share=1.0, document_check_share=0, post_review_share=0
    )
    with TestClient(create_app(everything_is_seen, clock=lambda: NOW)) as client:
        service = Service(client, services_of(client), home)
        reviewer = service.key("review", "explain")
        case_id = service.score(shipment(), service.key("score")).json()["decision_id"]
        before = client.get("/v1/queue", headers=reviewer)
        with failing_commits(service):
            refused = client.post(f"/v1/cases/{case_id}/claim", headers=reviewer)
            queue = client.get("/v1/queue", headers=reviewer)

        assert [case["case_id"] for case in before.json()["cases"]] == [case_id]
        assert (queue.status_code, refused.status_code) == (503, 503)
        assert case_id not in queue.text
        assert refused.headers["Retry-After"]
        again = client.post(f"/v1/cases/{case_id}/claim", headers=reviewer)
        assert again.status_code == 200


def test_no_registry_is_asked_for_a_score(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_MLFLOW_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        service = Service(client, services_of(client), home)
        assert service.score(shipment(), service.key("score")).status_code == 200
        assert modes(service) == []


def test_without_any_model_subjects_are_decided_without_a_score(home: Path) -> None:
    for pointer in home.glob("models/*/champion.json"):
        pointer.unlink()
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        service = Service(client, services_of(client), home)
        answer = service.score(shipment(), service.key("score"))
        danger = service.score(route(persons_on_board=40), service.key("score"))
        ready, live = client.get("/health/ready"), client.get("/health/live")

        assert (answer.status_code, ready.status_code, live.status_code) == (200, 503, 200)
        told = answer.json()
        assert (told["probability"], told["unscored"]) == (None, "no_model")
        assert told["lane"] in {"manual", "control"}
        assert danger.json()["lane"] == "rescue"
        assert ready.headers["Retry-After"]
        assert modes(service) == ["model_missing"]
        assert client.get("/v1/queue", headers=service.key("review")).status_code == 200


def test_no_score_is_given_that_cannot_be_explained(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = service.key("score")
    monkeypatch.setattr("serving.models.scores.ADDITIVITY", -1.0)
    refused = service.score(shipment(), caller, key="k")
    monkeypatch.undo()

    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unexplained")
    assert service.services.decisions.size() == 0
    assert service.score(shipment(), caller, key="k").status_code == 200


def test_a_line_that_cannot_be_written_costs_no_answer() -> None:
    class Full(io.BytesIO):
        def write(self, line: Any) -> int:
            raise OSError("no space left on device")

    lines = LogLines(Full())
    lines.write(b"answered\n")
    lines.flush()


def test_a_log_that_cannot_be_sealed_goes_on(service: Service) -> None:
    caller = service.key("score")
    service.score(shipment(), caller)
    sealing = service.services.log_writer.checkpoints
    with failing_commits(service, "INSERT INTO chain_checkpoints"):
        sealing.write_if_due(is_last=True)
        answer = service.score(shipment(shipment_id="S-2"), caller)

    assert answer.status_code == 200
    assert modes(service) == ["log_not_sealed"]
    sealing.write_if_due(is_last=True)
    assert modes(service) == []


def test_a_witness_that_takes_nothing_is_handed_it_later(service: Service) -> None:
    caller = service.key("score")
    witness = service.home / "checkpoints.ndjson"
    service.services.witnesses.deliver_all()
    witness.rename(service.home / "elsewhere")
    witness.mkdir()
    service.score(shipment(), caller)
    service.services.log_writer.checkpoints.write_if_due(is_last=True)
    service.services.witnesses.deliver_all()

    assert modes(service) == ["witness_behind"]
    assert service.client.get("/health/ready").json()["witnesses_behind"] == [1]
    assert service.score(shipment(shipment_id="S-2"), caller).status_code == 200
    witness.rmdir()
    (service.home / "elsewhere").rename(witness)
    assert service.services.witnesses.deliver_all() == []
    assert modes(service) == []
    assert len(read_witness_lines(witness.read_bytes()).lines) == 2


def test_without_a_model_of_one_kind_the_other_is_scored(service: Service) -> None:
    (service.home / "models" / "tidegate-route" / "champion.json").write_text("{}")
    champions = service.services.models
    champions._loaded.pop(("champion", "route"))
    champions.refresh()
    caller = service.key("score")

    answer = service.score(route(), caller)

    assert modes(service) == ["model_missing"]
    assert (answer.status_code, answer.json()["unscored"]) == (200, "no_model")
    assert service.score(shipment(), caller).json()["probability"] is not None


@pytest.mark.parametrize("forgotten", ["outcomes", "shipments", "everything"])
def test_a_service_without_the_history_of_its_models_says_so(home: Path, forgotten: str) -> None:
    for file in home.glob("records/*" if forgotten == "everything" else f"records/{forgotten}.*"):
        file.unlink()
    shutil.rmtree(home / "state")
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        service = Service(client, services_of(client), home)
        caller = service.key("score")
        answer = service.score(shipment(), caller)
        stored = client.get(f"/v1/decisions/{answer.json()['decision_id']}", headers=caller)

        assert modes(service) == ["history_missing"]
        assert answer.json()["probability"] is not None
        assert answer.json()["is_history_missing"] is stored.json()["is_history_missing"] is True
        assert "Most of the history" in client.get("/console/sign-in").text


def is_unwritten(client: TestClient) -> bool:
    """Whether a scrape says that the log is not written."""
    return 'tidegate_degraded{mode="log_not_written"} 1.0' in client.get("/metrics").text


def wait_until(holds: Callable[[], bool], within_s: float = 30) -> None:
    ends_at = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < ends_at
        time.sleep(0.1)


def test_every_scrape_says_that_the_database_is_away(home: Path, postgres: Server) -> None:
    """Nobody gets so far as to have something written: what is read before fails already."""
    settings = Settings(home=home, database_url=SecretStr(postgres.new_database()))
    app = create_app(settings, clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        service = Service(client, services_of(client), home)
        caller = service.key("score")
        assert service.score(shipment(), caller).status_code == 200
        assert not is_unwritten(client)
        postgres.stop()
        try:
            with capture_logs() as told:
                wait_until(lambda: is_unwritten(client))
            assert any("Is the server running" in line.get("cause", "") for line in told)
            for _ in range(3):
                assert service.score(shipment(), caller).status_code == 503
                time.sleep(0.5)
                assert is_unwritten(client)
            assert client.get("/health/ready").status_code == 503
        finally:
            postgres.start()
        wait_until(lambda: not is_unwritten(client))
        assert service.score(shipment(), caller).status_code == 200


def test_history_that_is_laid_down_later_is_known_once_the_state_is_made_anew(
    home: Path, postgres: Server
) -> None:
    database = postgres.new_database()
    settings = Settings(home=home, database_url=SecretStr(database))
    (home / "records").rename(home / "elsewhere")
    with TestClient(create_app(settings, clock=lambda: NOW)) as client:
        service = Service(client, services_of(client), home)
        missing = client.get("/health/ready").json()["degraded"]
        rebuilding = ("state", "rebuild", "--records", str(home / "elsewhere"))
        where = ("--home", str(home), "--database-url", database)
        assert CliRunner().invoke(commands, [*rebuilding, *where]).exit_code == 0
        found = client.get("/health/ready").json()["degraded"]
        answer = service.score(shipment(), service.key("score")).json()

    assert (missing, found) == (["history_missing"], [])
    assert answer["is_history_missing"] is False


@pytest.mark.parametrize(
    ("known", "lacked"),
    [
        ({"journeys": 50, "shipments": 100, "outcomes": 5, "transactions": 1_000}, []),
        ({"journeys": 49, "shipments": 100, "outcomes": 5}, ["journeys"]),
        ({"journeys": 50, "shipments": 49, "outcomes": 4}, ["shipments", "outcomes"]),
        ({}, ["journeys", "shipments", "outcomes"]),
    ],
)
def test_history_is_missing_where_less_than_half_of_a_type_is_known(
    known: dict[str, int], lacked: list[str]
) -> None:
    trained_on = {"journeys": 100, "shipments": 100, "outcomes": 10, "documents": 100}

    assert missing_types(trained_on, known) == lacked


def test_a_model_that_does_not_say_what_it_was_trained_on_is_compared_with_nothing() -> None:
    assert missing_types({}, {}) == []


def test_models_that_are_switched_off_are_told_of(service: Service) -> None:
    switches = service.services.switch_events
    record_switch(switches, "shipment", is_on=False, by="ada", because="nothing fits today", at=NOW)
    service.services.kill_switch.refresh()
    caller = service.key("score")

    assert modes(service) == ["models_off"]
    assert service.score(shipment(), caller).json()["unscored"] == "switched_off"
    assert service.score(route(), caller).json()["probability"] is not None


def test_a_refused_model_leaves_the_one_before_it_in_its_seat(service: Service) -> None:
    caller = service.key("score")
    first = service.services.models.champion("shipment").model
    (service.home / "models" / "tidegate-shipment" / "champion.json").write_text("{}")
    service.services.models.refresh()

    answer = service.score(shipment(), caller)

    assert modes(service) == ["model_refused"]
    assert (answer.status_code, answer.json()["model"]["digest"]) == (200, first.digest)
    promote(service.home, "shipment", "1", first)
    service.services.models.refresh()
    assert modes(service) == []


def test_models_that_nobody_names_any_more_go_on(service: Service) -> None:
    (service.home / "models" / "tidegate-route" / "champion.json").unlink()
    service.services.models.refresh()

    assert service.score(route(), service.key("score")).status_code == 200
    assert modes(service) == ["model_refused"]


def test_a_service_at_capacity_says_so(service: Service) -> None:
    service.services.metrics.requests.inside = service.services.settings.max_in_flight

    assert modes(service) == ["requests_turned_away"]
    assert service.score(shipment(), service.key("score")).status_code == 503


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_clock_that_jumped_is_noticed(service: Service, jump: timedelta) -> None:
    caller = service.key("score")
    service.score(shipment(), caller)
    object.__setattr__(service.services, "clock", lambda: NOW + jump)

    answer = service.score(shipment(shipment_id="S-2"), caller)

    assert answer.status_code == 200
    assert modes(service) == ["clock_suspect"]
    assert service.services.decisions.size() == 2


def test_a_clock_that_runs_as_time_does_has_not_jumped() -> None:
    began = StartClock(NOW, monotonic_s=time.monotonic() - 100)

    assert abs(drift_s(began, NOW + timedelta(seconds=100))) < MAX_CLOCK_DRIFT_S / 2
    assert abs(drift_s(began, NOW)) > MAX_CLOCK_DRIFT_S


def test_what_was_seen_earlier_does_not_overwrite_the_metrics_of_a_scrape(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_seen, may_set = threading.Event(), threading.Event()

    def seen(services: Services) -> list[DegradedMode]:
        current = degradations(services)
        if threading.current_thread() is slow:
            has_seen.set()
            may_set.wait(30)
        return current

    monkeypatch.setattr("serving.degraded_modes.degradations", seen)
    slow, scrape = (
        threading.Thread(target=set_degradation_metrics, args=(service.services,)) for _ in range(2)
    )
    slow.start()
    assert has_seen.wait(30)
    service.services.metrics.requests.inside = service.services.settings.max_in_flight
    scrape.start()
    scrape.join(0.2)  # which it is not, where it waits for the other
    may_set.set()
    for thread in (slow, scrape):
        thread.join(30)

    gauge = service.services.metrics.degraded.labels("requests_turned_away")
    assert gauge._value.get() == 1.0


def test_who_waits_long_to_be_scored_again_is_told_of(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.services.rescoring.stop()
    begun = PollingThread("begun again", print, waits="rescoring_waits")
    monkeypatch.setattr(service.services.rescoring, "polling", begun)
    waiting = WaitingSubject("route", "token", 1, NOW - timedelta(seconds=61))
    told: list[list[str]] = []

    def planned(*_: object) -> RescoringPlan:
        told.append(modes(service))
        return RescoringPlan(until=NOW + timedelta(hours=1))

    monkeypatch.setattr(Rescoring, "_planned", planned)
    queued = iter([[waiting], []])
    monkeypatch.setattr(RescoringRepository, "due", lambda *_: next(queued))
    service.services.rescoring.score_due()

    assert told == [["rescoring_behind"]]
    assert modes(service) == []


def test_challenger_and_shadow_are_asked_beside_the_champion(service: Service) -> None:
    first = service.services.models.champion("shipment").model
    for role, version, seed in (("challenger", "2", 8), ("shadow", "3", 9)):
        model = train_and_promote(service.home, "shipment", version, seed)
        promote(service.home, "shipment", version, model, role)
    promote(service.home, "shipment", "1", first)
    service.services.models.refresh()
    caller = service.key("score")
    answers = [service.score(shipment(shipment_id=f"S-{i}"), caller).json() for i in range(5)]
    listed = service.client.get("/v1/models", headers=caller).json()["models"]

    service.services.shadow_scoring.stop()
    rollups = RollupRepository(service.services.decisions._engine)
    ever = ("2000-01-01", "2100-01-01")
    pairs = {
        role: rollups.score_pairs("shipment", role, ever, limit=10)
        for role in ("challenger", "shadow")
    }

    assert {a["model"]["version"] for a in answers} == {"1"}
    assert [m["role"] for m in listed] == ["champion", "champion", "challenger", "shadow"]
    for role, version in (("challenger", "2"), ("shadow", "3")):
        assert {pair.version for pair in pairs[role]} == {version}
        newest_first = [(a["decision_id"], a["probability"]) for a in reversed(answers)]
        assert [(pair.decision_id, pair.champion) for pair in pairs[role]] == newest_first
        assert any(pair.challenger != pair.champion for pair in pairs[role])


DIES = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def failing(service: Service) -> dict[str, str]:
    """The threads that readiness names, where the metrics say the same of all."""
    told = service.client.get("/health/ready").json()["failing_threads"]
    named = {each["thread"]: each["fault"] for each in told}
    counted = service.client.get("/metrics").text
    found = re.findall(r'tidegate_failing_threads{fault="(\w+)",thread="([\w-]+)"} 1\.0', counted)
    assert {thread: fault for fault, thread in found} == named
    return named


@DIES
def test_a_thread_that_died_is_named_until_a_new_start(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = service.services.case_opening.polling
    assert failing(service) == {}

    def die() -> None:
        raise SystemExit

    monkeypatch.setattr(opening, "_act", die)
    opening.thread.join(10)

    assert failing(service) == {"case-opening": "dead"}
    assert modes(service) == ["thread_failing"]
    assert service.client.get("/health/live").status_code == 200
    assert service.score(shipment(), service.key("score")).status_code == 200


def test_a_thread_that_shows_nothing_for_ten_minutes_is_stuck_and_one_that_goes_on_is_not(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    rescoring = service.services.rescoring
    thread = rescoring.polling.thread
    began, goes_on, over = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        began.set()
        assert goes_on.wait(10)
        thread.tell_progress()
        over.set()
        assert began.wait(10)

    monkeypatch.setattr(rescoring.polling, "_act", hang)
    assert began.wait(10)
    began.clear()
    assert thread._seen_at_work_s is not None
    thread._seen_at_work_s -= STUCK_AFTER_S + 1

    assert failing(service) == {"rescoring": "stuck"}
    goes_on.set()
    assert over.wait(10)
    assert failing(service) == {}
    began.set()


@DIES
def test_where_the_thread_that_decides_is_dead_nobody_is_sent_or_waits(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    batcher, caller = service.services.batcher, service.key("score")

    def die(_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(batcher, "_claim", die)
    monkeypatch.setattr(batcher, "_deadline_s", 0.1)
    caught = service.score(shipment(), caller)
    after = service.score(shipment(), caller)

    assert (caught.status_code, after.status_code) == (503, 503)
    assert service.client.get("/health/ready").status_code == 503
    assert service.client.get("/health/live").status_code == 200
