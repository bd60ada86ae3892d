"""The end of data: what is over is erased by destroying its keys, and the log is still proven."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text
from typer.testing import CliRunner

from features.ingest.record_files import read_records
from features.records import RECORD_FILES
from serving.app import create_app
from serving.audit import incidents
from serving.audit.checkpoints import LogSigner, public_key_of
from serving.audit.erasure import ErasureLimits, RetainedUnits
from serving.audit.incidents import LiftedHold, Opening, freeze
from serving.audit.retention import Periods, Retention, lay_down
from serving.audit.retention_log import RetentionAct
from serving.cli.main import app as tidegate
from serving.db.engine import open_database
from serving.db.key_destruction import DatabaseErasure
from serving.db.log_verification import signed_heads, verify_decision_log
from serving.db.postgres_state import shared_state
from serving.db.repositories.decision_repository import DecisionRepository
from serving.db.repositories.record_repository import RecordRepository
from serving.db.repositories.retention_repository import RetentionRepository
from serving.db.repositories.rollup_repository import RollupRepository
from serving.db.write_lock import hold_for_service
from serving.errors import (
    DatabaseInUse,
    Erased,
    IncidentRefused,
    LogUnavailable,
    RetentionRefused,
    Undecipherable,
)
from serving.history.client import rebuild_history
from serving.monitor.rollups import catch_up
from serving.review.case_records import CaseAccess
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.canaries import MARKS, PLAN, decided, ended, told_in_files, told_in_tables
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.db.test_engines import cut_off_at
from tests.serving.postgres import Server
from tests.serving.review.test_supervision_served import sign_in_as

LATER = NOW + timedelta(days=365 * 6)
PERIODS = """
[decisions]
mask_after_days = 180
erase_after_days = 1825
[records]
erase_after_days = 1825
[files]
erase_after_days = 1825
"""


@dataclass
class Installation:
    """A home over either engine, whose service comes and goes."""

    settings: Settings
    times_served: int = 0

    @contextmanager
    def serving(self, at: datetime = NOW) -> Iterator[Service]:
        """The service at an instant; what it decided is sealed when it ends."""
        app = create_app(self.settings, clock=lambda: at)
        self.times_served += 1
        with TestClient(app, raise_server_exceptions=False) as client:
            posted = 1_000 * self.times_served  # names of keys are taken once
            yield Service(client, app.state.services, self.settings.home, posted)

    def retention(self) -> Retention:
        """What ends its data."""
        engine = self.engine()
        log, records, shared = (
            DecisionRepository(engine),
            RecordRepository(engine),
            shared_state(engine),
        )
        return Retention(
            self.settings,
            DatabaseErasure(engine),
            RetentionRepository(engine),
            lambda: rebuild_history(self.settings, log, records, shared),
        )

    def engine(self) -> Any:
        """Its database, opened anew."""
        settings = self.settings
        return open_database(settings.database, is_service=False, keys=settings.keys)

    def erased(self, at: datetime = LATER) -> dict[str, Any]:
        """Propose and erase what is over; the certificate."""
        number = self.retention().propose("ada", "the time is over", at)
        return dict(
            json.loads(self.retention().erase(number, "grace", "as proposed", at).read_text())
        )

    def record(self, decision_id: str) -> str | None:
        """A record as it is read now."""
        return DecisionRepository(self.engine()).record(decision_id)


@pytest.fixture
def place(home: Path, where: Path | str) -> Installation:
    """A home with periods, over either engine."""
    (home / "lanes.toml").write_text(PLAN)
    (home / "retention.toml").write_text(PERIODS)
    url = None if isinstance(where, Path) else SecretStr(where)
    return Installation(Settings(home=home, database_url=url, rescore_most_per_subject=0))


@pytest.fixture
def file_place(home: Path) -> Installation:
    """The same, over a file only."""
    (home / "lanes.toml").write_text(PLAN)
    (home / "retention.toml").write_text(PERIODS)
    return Installation(Settings(home=home, rescore_most_per_subject=0))


def closed_case(place: Installation) -> str:
    with place.serving() as service:
        case_id = decided(service)
        ended(service, case_id)
    return case_id


def command(place: Installation, *arguments: str) -> Any:
    home = str(place.settings.home)
    url = place.settings.database_url
    given = ["--database-url", url.get_secret_value()] if url else []
    return CliRunner().invoke(tidegate, [*arguments, "--home", home, *given])


def test_after_erasure_no_byte_tells_of_a_party_and_the_log_is_proven(
    place: Installation, request: pytest.FixtureRequest
) -> None:
    case_id = closed_case(place)
    home, is_file = place.settings.home, place.settings.database_url is None
    (home / "lanes.toml").write_text("")  # the deployer's own lists are the deployer's to end
    before = told_in_files(home) if is_file else told_in_tables(place.engine(), without=())
    assert before == ({"state/data.mdb"} if is_file else {"state.key", "state.value"})
    server: Server | None = None if is_file else request.getfixturevalue("postgres")
    assert server is None or told_in_server(server, place.settings)

    certificate = place.erased()

    assert certificate["destroyed"] | {"keys": 0} == {
        "decisions": 1,
        "records": 2,
        "keys": 0,
        "kept": 0,
    }
    assert told_in_files(home) == set()
    assert told_in_tables(place.engine(), without=()) == set()
    assert server is None or told_in_server(server, place.settings) == set()
    engine = place.engine()
    marks = signed_heads(engine, (), public_key_of(place.settings.keys))
    proof = verify_decision_log(engine, marks)
    assert (proof.is_whole, proof.mark.size, len(marks)) == (True, 1, 1), proof.why
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
            *("claim", "note", "dispose"),
        ]
        (file,) = reviewing.files.of_case(case_id)
        assert file.name == "erased"
        assert reviewing.files.content(case_id, file.sha256) is None
        everyone = CaseAccess(frozenset(), is_rescue=False)
        assert reviewing.store.closed_case(everyone, "somebody else", 0) is None
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


def test_what_was_scored_again_stays_with_its_open_case(place: Installation) -> None:
    with place.serving() as service:
        first = decided(service, shipment_id="canary-open")
    with place.serving(NOW + timedelta(hours=2)) as service:
        at = (NOW + timedelta(hours=1)).isoformat()
        body = shipment(shipment_id="canary-open") | {"as_of": at}
        answer = service.score(body, service.key("score"))
        assert answer.status_code == 200, answer.text
        again = answer.json()["decision_id"]
        claim = service.client.post(f"/v1/cases/{first}/claim", headers=service.key("review"))
        assert claim.status_code == 200, claim.text

    place.erased()

    for decision_id in (first, again):
        assert "canary-open" in str(place.record(decision_id))


def test_what_must_stay_stays_until_nothing_holds_it(place: Installation) -> None:
    with place.serving() as service:
        opened, held, free = (
            decided(service, shipment_id=f"canary-{name}") for name in ("open", "held", "free")
        )
        for case_id in (held, free):
            ended(service, case_id)
    with place.serving(NOW + timedelta(hours=2)) as service:
        frozen = decided(service, shipment_id="canary-frozen")
        ended(service, frozen)
        service.client.get("/v1/queue", headers=service.key("review"))
        folder = place.settings.incidents / "torn"
        freeze(
            service.services.decisions, LogSigner.from_folder(place.settings.keys), folder, OPENING
        )
    hold = place.retention().hold("shipment", "canary-held", "ada", "a court asks for it", LATER)

    certificate = place.erased()

    # Each with the document that came by itself about its subject, and the outcomes of two.
    assert certificate["destroyed"]["decisions"] == 1
    assert certificate["destroyed"]["kept"] == 3 + 3 + 2
    stays = {opened: "open", held: "held", frozen: "frozen"}
    for case_id, name in stays.items():
        assert f"canary-{name}" in str(place.record(case_id))
    with pytest.raises(Erased):
        place.record(free)
    (read,) = incidents.read(
        DecisionRepository(place.engine()), *incidents.incidents(folder.parent)
    )
    assert "canary-frozen" in read

    with place.serving(LATER) as service:
        ended(service, opened)
    place.retention().lift(hold, "ada", "the court has ended", LATER)
    incidents.lift(folder, LiftedHold(by="ada", because="reported and closed", at=LATER))
    place.erased()

    for case_id in stays:
        with pytest.raises(Erased):
            place.record(case_id)
    incident = incidents.verify(folder, public_key_of(place.settings.keys))
    with pytest.raises(IncidentRefused, match="was erased"):
        list(incidents.read(DecisionRepository(place.engine()), incident))
    assert verify_decision_log(place.engine()).is_whole


OPENING = Opening(
    what="a hold was torn open",
    harm="serious",
    opened_by="ada",
    opened_at=NOW,
    begins=NOW + timedelta(hours=1),
    ends=NOW + timedelta(hours=3),
)


def test_an_erasure_takes_two_and_is_followed_once(file_place: Installation) -> None:
    closed_case(file_place)
    retention = file_place.retention()
    number = retention.propose("ada", "the time is over", LATER)

    def refused(words: str, number: int = number, by: str = "grace", at: datetime = LATER) -> None:
        with pytest.raises(RetentionRefused, match=words):
            retention.erase(number, by, "as proposed", at)

    for nobody_else in ("ada", "Ada", " ada ", "", " "):
        refused("another person must erase", by=nobody_else)
    refused("there is no proposal 77", number=77)
    refused("propose anew", at=LATER + timedelta(days=30, seconds=1))
    retention.erase(number, "grace", "as proposed", LATER + timedelta(days=30))
    refused("was followed already")
    acts = [(act.action, act.by, act.because) for act in retention.acts.all()]
    assert acts == [
        ("propose", "ada", "the time is over"),
        ("erase", "grace", "as proposed"),
    ]


def test_a_certificate_states_what_was_erased_and_is_signed(file_place: Installation) -> None:
    closed_case(file_place)
    file_place.erased()

    (file,) = file_place.settings.erasures.glob("*.json")
    key = bytes.fromhex(public_key_of(file_place.settings.keys))
    signature = bytes.fromhex(file.with_suffix(".sig").read_text())
    Ed25519PublicKey.from_public_bytes(key).verify(signature, file.read_bytes())
    told = json.loads(file.read_text())
    assert (told["by"], told["destroyed"]["decisions"]) == ("grace", 1)
    assert told["rows"]["records/shipments"] > 0
    home = file_place.settings.home
    assert not list((home / "training_sets").rglob("*.parquet"))
    for name in RECORD_FILES:
        assert read_records(home / "records", name).num_rows == 0, name
    assert set(told["rows"]) >= {"training_sets/route", "training_sets/shipment"}


def test_nothing_ends_before_its_time(file_place: Installation) -> None:
    case_id = closed_case(file_place)
    sooner = NOW + timedelta(days=1_800)
    rows = told_in_files(file_place.settings.home)

    certificate = file_place.erased(sooner)

    assert certificate["destroyed"] == {"decisions": 0, "records": 0, "keys": 0, "kept": 0}
    assert file_place.record(case_id)
    assert told_in_files(file_place.settings.home) == rows


def test_an_erasure_that_is_cut_off_at_any_call_is_finished_by_the_next(
    home: Path, tmp_path: Path
) -> None:
    (home / "lanes.toml").write_text(PLAN)
    (home / "retention.toml").write_text(PERIODS)
    first = Installation(Settings(home=home, rescore_most_per_subject=0))
    with first.serving() as service:
        ended_case, open_case = (
            decided(service, shipment_id=f"canary-{name}") for name in ("ended", "open")
        )
        ended(service, ended_case)
    number = 0
    while True:
        number += 1
        place = Installation(Settings(home=_database_alone(home, tmp_path / str(number))))
        erasure, act = (
            DatabaseErasure(place.engine()),
            RetentionAct(LATER.isoformat(), "erase", "g", "w", {}),
        )
        with cut_off_at(number) as calls, suppress(LogUnavailable):
            erasure.erase(ENDS, RetainedUnits(), act)
            erasure.sweep(ENDS)
        if calls[0] < number:
            break
        if number % 2:  # whether a next one erases again, or nobody does
            DatabaseErasure(place.engine()).erase(ENDS, RetainedUnits(), act)
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
    assert isinstance(result.exception, DatabaseInUse)


@pytest.mark.parametrize(
    ("periods", "words"),
    [
        (None, "tidegate retention init"),
        ("[decisions", "cannot be read as TOML"),
        ("", "decisions: Field required"),
        (PERIODS.replace("180", "0"), "decisions.mask_after_days"),
        (PERIODS.replace("180", "1825"), "want mask_after_days below"),
        (PERIODS + "[others]\n", "others: Extra inputs"),
    ],
)
def test_periods_that_cannot_be_used_are_refused(
    file_place: Installation, periods: str | None, words: str
) -> None:
    file = file_place.settings.retention
    file.unlink() if periods is None else file.write_text(periods)

    with pytest.raises(RetentionRefused, match=words):
        file_place.retention().propose("ada", "the time is over", LATER)


def test_the_template_asks_for_every_period_and_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "retention.toml"
    lay_down(file)

    with pytest.raises(RetentionRefused, match="left as it is"):
        lay_down(file)
    file.write_text(file.read_text().replace("# mask", "mask").replace("# erase", "erase"))
    assert Periods.read(file).decisions.mask_after_days == 180


def test_the_commands_say_what_is_due_and_what_was_done(file_place: Installation) -> None:
    closed_case(file_place)

    due = command(file_place, "retention", "due", "--json")
    proposed = command(
        file_place, "retention", "propose", "--by", "ada", "--because", "daily", "--json"
    )
    erased = command(
        *(file_place, "retention", "erase", str(json.loads(proposed.stdout)["proposal"])),
        *("--by", "grace", "--because", "as proposed", "--json"),
    )
    held = command(
        *(file_place, "retention", "hold", "shipment", "canary-shipment"),
        *("--by", "ada", "--because", "a court asks", "--json"),
    )
    lifted = command(
        *(file_place, "retention", "lift", str(json.loads(held.stdout)["hold"])),
        *("--by", "ada", "--because", "it has ended"),
    )
    acts = command(file_place, "retention", "acts", "--json")

    assert json.loads(due.stdout)["due"]["decisions"] == 0
    assert json.loads(erased.stdout)["destroyed"]["decisions"] == 0
    assert lifted.exit_code == 0
    told = json.loads(acts.stdout)
    assert [act["action"] for act in told] == ["propose", "erase", "hold", "lift"]
    assert "canary" not in acts.stdout
