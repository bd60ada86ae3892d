"""`tidegate doctor`: good where all is well, and naming what is wrong where it is not."""

import json
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, inspect, text
from typer.testing import CliRunner

from features.engine.store.blob_store import BlobStore
from features.engine.store.lmdb_store import LmdbStore
from features.errors import TidegateError
from features.history.online_store import OnlineStore
from features.history.rebuild import read_into
from features.home_keys import KEY_FILES, LOG, PUBLIC_FILES, private_key
from features.ingest.record_folder import RecordFolder
from serving.app import create_app
from serving.cli.doctor import _registrations, _signed_beside_models, doctor
from serving.doctor.all_checks import run_checks
from serving.settings import Settings
from serving.storage.binding import HomeBinding
from serving.storage.engine import open_database
from serving.storage.postgres_state import PostgresStateStore
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from tests.serving.audit.installation import PERIODS
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.postgres import Server
from tests.serving.provider import organisation
from tests.serving.review.letters.remedies import lay_down_remedies
from tests.serving.review.rescue.centres import CENTRES
from tests.serving.storage.test_covered_tables import unguarded
from training.gates.canaries import Canaries
from training.gates.waiver import Waiver, WaiverRequest
from training.model.model_home import ModelHome


def grades(home: Path, **settings: str) -> dict[str, str]:
    checked = run_checks(Settings(home=home, **settings), NOW)  # type: ignore[arg-type]  # as read from the environment
    return {f.what: f.grade for f in checked}


def test_a_home_in_service_is_well(service: Service) -> None:
    service.score(shipment(), service.key("score"))

    found = grades(service.home)

    assert found["log"] == found["tidegate-shipment@champion"] == found["log.key"] == "good"
    assert found["online feature store"] == "good"
    assert "wrong" not in found.values()


@pytest.mark.parametrize(
    ("centres", "grade", "says"),
    [
        (CENTRES.replace("addresses = ", "# = ", 1), "wrong", "'MRCC Piraeus' has no address"),
        (CENTRES, "doubtful", "'MRCC Piraeus' is called over one medium"),
    ],
)
def test_a_centre_that_cannot_be_called_as_it_should_be_is_named(
    home: Path, centres: str, grade: str, says: str
) -> None:
    (home / "rescue.toml").write_text(centres)
    (home / "rescue.toml").chmod(0o600)

    (found,) = (f for f in run_checks(Settings(home=home)) if f.what == "rescue centres")

    assert (found.grade, says in found.says) == (grade, True)
    if grade == "wrong":
        with (
            pytest.raises(TidegateError, match=says),
            TestClient(create_app(Settings(home=home))),
        ):
            pass


def test_a_witness_in_the_home_is_doubtful_and_one_that_is_behind_is_named(
    service: Service, tmp_path: Path
) -> None:
    service.score(shipment(), service.key("score"))
    service.services.log_writer.checkpoints.write_if_due(is_last=True)
    service.services.witnesses.deliver_all()

    def said(witness: str | None) -> tuple[str, str]:
        (found,) = (
            each
            for each in run_checks(Settings(home=service.home, witness=witness))
            if each.what == "witness"
        )
        return found.grade, found.says

    own = str(service.home / "checkpoints.ndjson")
    mute = f"command:{sys.executable} -c ''"
    assert said(None)[0] == "doubtful"
    assert "checkpoints stay in the home" in said(None)[1]
    assert "none is apart" in said(f"{own};{tmp_path}/w")[1]
    assert f"{tmp_path}/w is behind: it has 0 of 2 checkpoints" in said(f"{mute};{tmp_path}/w")[1]
    assert said(f"{mute};{own}") == ("good", "1 apart from the log, and none is behind")
    assert said(f"{tmp_path}/none/w")[0] == "wrong"
    assert said("http://example.org/")[0] == "wrong"


def test_a_home_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert grades(tmp_path / "none")["home"] == "wrong"


def test_a_home_that_is_a_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert grades(tmp_path / "file")["home"] == "wrong"


def test_what_cannot_be_read_hides_nothing_else(home: Path) -> None:
    (home / "retention.toml").mkdir()

    found = grades(home)

    assert found["retention"] == "wrong"
    assert found["tidegate-shipment@champion"] == "good"


def test_a_home_that_cannot_say_where_its_database_is_hides_nothing_else(home: Path) -> None:
    (home / "database.json").write_text("{")

    found = grades(home)

    assert found["keys"] == "wrong"
    assert "letters" in found


def test_a_damaged_model_is_found(home: Path) -> None:
    (home / "models" / "tidegate-route" / "1" / "booster.txt").write_bytes(b"")

    assert grades(home)["tidegate-route@champion"] == "wrong"


def test_a_missing_champion_is_found(home: Path) -> None:
    (home / "models" / "tidegate-route" / "champion.json").unlink()

    assert grades(home)["tidegate-route"] == "wrong"


def test_a_secret_that_others_can_read_is_found(service: Service) -> None:
    for file in KEY_FILES.values():
        (service.home / "keys" / file).chmod(0o644)

        assert grades(service.home)[file] == "wrong"


@pytest.mark.parametrize("file", [*KEY_FILES.values(), *PUBLIC_FILES.values()])
def test_a_key_that_was_lost_or_cut_off_is_found(service: Service, file: str) -> None:
    (service.home / "keys" / file).write_bytes(b"")
    assert grades(service.home)[file] == "wrong"

    (service.home / "keys" / file).unlink()
    assert grades(service.home)[file] == "wrong"


def test_a_host_with_models_and_without_keys_is_told_which_ones_no_start_makes(
    home: Path, tmp_path: Path, postgres: Server
) -> None:
    database = postgres.new_database()
    open_database(database, is_service=False, keys=tmp_path / "first_host" / "keys").dispose()
    shutil.rmtree(home / "keys")

    alone = {each.what: each for each in run_checks(Settings(home=home))}
    second = grades(home, database_url=database)

    assert ("sqlite" in alone, "sqlite" in second) == (True, False)
    assert [second[file] for file in KEY_FILES.values()] == ["wrong"] * len(KEY_FILES)
    assert (alone["log.key"].grade, alone["signing.pem"].grade) == ("doubtful", "wrong")
    assert "is missing, and nothing makes it anew" in alone["signing.pem"].says
    champion = alone["tidegate-shipment@champion"]
    assert (champion.grade, "Errno" in champion.says) == ("wrong", False)
    assert "put it back, with the others, from the copy of HOME/keys" in champion.says


def test_a_foreign_key_is_found(service: Service) -> None:
    assert grades(service.home).get("database") != "wrong"
    (service.home / "keys" / "draw.seed").write_bytes(b"x" * 32)

    assert grades(service.home)["database"] == "wrong"


def test_a_home_whose_database_is_elsewhere_is_told_where(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert grades(tmp_path)["database"] == "doubtful"
    HomeBinding("d-1", "postgresql://db.example/tidegate").write(tmp_path / "keys")

    found = {each.what: each for each in run_checks(Settings(home=tmp_path), NOW)}["database"]

    assert found.grade == "wrong"
    assert "postgresql://db.example/tidegate" in found.says
    assert "TIDEGATE_DATABASE_URL" in found.says


def test_a_state_that_is_not_there_yet_is_left_to_the_first_start(home: Path) -> None:
    shutil.rmtree(home / "state")

    assert grades(home)["online feature store"] == "doubtful"
    assert not (home / "state").exists()


def test_a_state_in_another_form_is_found_and_how_to_mend_it(home: Path) -> None:
    store = LmdbStore(home / "state")
    put_in_another_form(store)
    store.close()

    (found,) = [
        each for each in run_checks(Settings(home=home)) if each.what == "online feature store"
    ]

    assert found.grade == "wrong"
    assert "tidegate state rebuild" in found.says


def test_a_state_that_workers_share_is_looked_at_too(home: Path, postgres: Server) -> None:
    database = postgres.new_database()
    assert grades(home, database_url=database)["database"] == "doubtful"
    assert inspect(create_engine(database)).get_table_names() == []
    open_database(database, is_service=False, keys=home / "keys").dispose()
    assert grades(home, database_url=database)["online feature store"] == "doubtful"

    shared = PostgresStateStore(create_engine(database))
    read_into(OnlineStore(shared), RecordFolder(home / "records"), lambda done, total: None)
    assert grades(home, database_url=database)["online feature store"] == "good"

    put_in_another_form(shared)
    assert grades(home, database_url=database)["online feature store"] == "wrong"


def test_a_state_that_lacks_the_history_of_a_model_is_found(home: Path) -> None:
    shutil.rmtree(home / "state")
    store = LmdbStore(home / "state")
    OnlineStore(store)
    store.close()

    (found,) = [
        each for each in run_checks(Settings(home=home)) if each.what == "online feature store"
    ]

    assert found.grade == "wrong"
    assert "knows 0 journeys, and tidegate-route was trained on 500 (history_missing)" in found.says
    assert "`tidegate state rebuild`" in found.says


def put_in_another_form(store: BlobStore) -> None:
    """As a release would leave it that keeps other windows."""
    OnlineStore(store)
    with store.writing() as transaction:
        transaction.put([(b"mmade-for", b"other windows")])


def test_data_keys_that_cannot_be_unwrapped_are_found(service: Service) -> None:
    service.score(shipment(), service.key("score"))
    assert any(name.startswith("data/") for name in grades(service.home))
    (service.home / "keys" / "data").rename(service.home / "elsewhere")

    assert grades(service.home)["database"] == "wrong"


@pytest.mark.parametrize(
    ("periods", "grade"), [(None, "doubtful"), ("[decisions]", "wrong"), (PERIODS, "good")]
)
def test_a_home_in_which_nothing_ends_is_found(home: Path, periods: str | None, grade: str) -> None:
    if periods is not None:
        (home / "retention.toml").write_text(periods)

    assert grades(home)["retention"] == grade


def test_a_home_that_cannot_write_letters_is_found(home: Path) -> None:
    assert grades(home)["letters"] == "doubtful"
    lay_down_remedies(home)
    assert grades(home)["letters"] == "good"


def test_a_changed_log_is_found(service: Service) -> None:
    service.score(shipment(), service.key("score"))
    with service.services.decisions._engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER decisions_refuse_update")
        connection.exec_driver_sql("UPDATE decisions SET lane = 'elsewhere'")

    assert grades(service.home)["log"] == "wrong"


@pytest.mark.parametrize(("where", "grade"), [("witness.ndjson", "doubtful"), ("no/w", "wrong")])
def test_a_witness_must_be_somewhere_else(home: Path, where: str, grade: str) -> None:
    assert grades(home, witness=str(home / where))["witness"] == grade


def test_a_sign_in_server_that_cannot_be_asked_is_found(home: Path) -> None:
    what = "sign-in with an organisation"
    with organisation() as told:
        named = {"oidc_issuer": told.address, "public_address": "https://tide.example"}
        assert grades(home, **named)[what] == "good"
        assert grades(home, oidc_issuer=told.address)[what] == "doubtful"
        told.is_down = True
        assert grades(home, **named)[what] == "wrong"
    assert grades(home, oidc_issuer="not-a-url")[what] == "wrong"
    assert what not in grades(home)


def test_a_scanner_that_cannot_be_run_is_found(home: Path) -> None:
    for command, grade in (("true", "good"), ("/nowhere/scan -", "wrong"), ("'", "wrong")):
        assert grades(home, attachment_scanner=command)["attachment scanner"] == grade


def test_unreadable_token_keys_are_found(home: Path) -> None:
    assert grades(home, token_keys=str(home / "none"))["access tokens"] == "wrong"


def test_the_command_fails_where_something_is_wrong(home: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(doctor)

    well = CliRunner().invoke(app, ["--home", str(home), "--json"])
    ill = CliRunner().invoke(app, ["--home", str(tmp_path / "none"), "--json"])

    assert (well.exit_code, ill.exit_code) == (0, 1)
    assert {each["grade"] for each in json.loads(well.stdout)} <= {"good", "doubtful"}


def test_a_version_whose_trainer_was_rewritten_or_never_signed_is_named(home: Path) -> None:
    file = min(home.glob("models/*/1/registration.json"))
    told = json.loads(file.read_text())

    def graded() -> dict[str, str]:
        return {each.what: each.grade for each in _registrations(home)}

    assert graded() == {}
    file.write_text(json.dumps(told | {"trainer": "eve"}))
    what = f"{file.parent.parent.name}/1"
    assert graded() == {what: "wrong"}
    file.write_text(json.dumps(told | {"trainer": "eve", "signature": ""}))
    assert graded() == {what: "doubtful"}
    assert grades(home)[f"{file.parent.parent.name}@champion"] == "wrong"
    file.unlink()
    assert graded() == {what: "wrong"}


def test_a_waiver_and_canaries_that_somebody_changed_are_named(home: Path) -> None:
    key = ModelHome(home).signing_key
    folder = ModelHome(home).find("tidegate-shipment@champion")
    until = NOW + timedelta(days=30)
    request = WaiverRequest(("influence",), "one office is all there is", until, "ada", "grace")
    digest = ModelHome(home).registration_of(folder).digest
    Waiver.from_request(request, digest, "grace", NOW).write(folder, key)
    chosen = Canaries(("S-1",), ("S-2",), NOW).write(home, "shipment", key)
    assert [*_signed_beside_models(home)] == []
    for file in (folder / "waiver.json", chosen):
        file.write_text(file.read_text().replace("2026", "2027"))

    wrong = {each.what: each.says for each in _signed_beside_models(home)}

    assert "is not signed as it stands" in wrong[f"waiver of {folder.parent.name}/{folder.name}"]
    assert "is not as this home signed it" in wrong["canaries of shipments"]


def test_a_row_that_was_changed_in_a_home_is_found_without_verify_log(service: Service) -> None:
    service.score(shipment(), service.key("score"))
    assert grades(service.home)["log"] == "good"

    with open_database(service.home / "tidegate.db", is_service=False).begin() as connection:
        connection.execute(text("UPDATE api_keys SET scopes = '[\"administer\"]'"))

    (found,) = (each for each in run_checks(Settings(home=service.home)) if each.what == "log")
    assert found.grade == "wrong"
    assert "api_keys" in found.says


def test_a_home_is_held_to_every_checkpoint_not_to_the_newest_alone(service: Service) -> None:
    """A copy whose middle was exchanged has the newest, and the first."""
    engine = open_database(service.home / "tidegate.db", is_service=False)
    store, signer = CheckpointRepository(engine), private_key(service.home / "keys", LOG)
    for number in range(3):
        service.score(shipment(shipment_id=f"S-{number}"), service.key("score"))
        store.seal(signer, NOW)
    assert grades(service.home)["log"] == "good"
    numbers = [json.loads(line)["number"] for line in store.lines()]

    with unguarded(engine) as connection:
        middle = {"number": numbers[-2]}
        line = """replace(line, 'signature":"', 'signature":"0')"""
        changed = f"UPDATE chain_checkpoints SET line = {line} WHERE number = :number"
        assert connection.execute(text(changed), middle).rowcount == 1

    assert grades(service.home)["log"] == "wrong"
