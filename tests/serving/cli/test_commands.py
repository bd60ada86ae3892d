"""The service's commands: keys, scores of files, replay, and the service itself."""

import errno
import json
import math
import shutil
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from features.errors import RecordsError, TidegateError
from serving.access.errors import NameTaken
from serving.audit.decision import Decision
from serving.audit.replay import Replay, replayed
from serving.cli import main
from serving.cli.keys import keys
from serving.cli.main import app as tidegate
from serving.cli.score import replay, score
from serving.errors import LogUnavailable, NotFound, Unprocessable
from serving.settings import settings_of
from serving.storage.engine import connected, database_errors_as_503
from serving.storage.repositories import api_key_repository
from tests.forked_command import ForkedCommand
from tests.ports import free_port
from tests.serving.bodies import route, shipment
from tests.serving.conftest import Service
from tests.serving.world import train_and_promote

app = typer.Typer()
app.add_typer(keys, name="keys")
app.command()(score)
app.command()(replay)


def run(*arguments: Any) -> Any:
    """A command's JSON; its error is raised as it is, which `main` would print."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout) if result.stdout else result.exit_code


def test_a_created_key_opens_the_running_service(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_if_a_second_had_passed = 0.0
    monkeypatch.setattr(api_key_repository, "REMEMBERED_S", as_if_a_second_had_passed)
    made = run("keys", "create", "post", "--scope", "score", "--home", service.home, "--json")

    caller = {"Authorization": f"Bearer {made['key']}"}
    assert (made["name"], made["scopes"]) == ("post", ["score"])
    assert service.score(shipment(), caller).status_code == 200

    run("keys", "revoke", "post", "--home", service.home)
    assert service.score(shipment(), caller).status_code == 401


def test_keys_are_listed_without_their_secrets(tmp_path: Path) -> None:
    arguments = ("--scope", "score", "--scope", "explain", "--office", "DE004600")
    made = run("keys", "create", "post", *arguments, "--home", tmp_path, "--json")

    (listed,) = run("keys", "list", "--home", tmp_path, "--json")

    assert listed["offices"] == ["DE004600"]
    assert listed["scopes"] == ["score", "explain"]
    assert listed["is_live"]
    assert made["key"].split(".")[1] not in json.dumps(listed)


def test_two_live_keys_do_not_share_a_name(tmp_path: Path) -> None:
    run("keys", "create", "post", "--scope", "score", "--home", tmp_path, "--json")

    with pytest.raises(NameTaken):
        run("keys", "create", "post", "--scope", "score", "--home", tmp_path, "--json")


def test_an_unknown_scope_is_wrong_usage(tmp_path: Path) -> None:
    assert run("keys", "create", "post", "--scope", "everything", "--home", tmp_path) == 2


@pytest.mark.parametrize("office", ["", " ", "LX01 "])
def test_a_key_is_tied_to_no_office_that_no_record_names(tmp_path: Path, office: str) -> None:
    words = ("keys", "create", "post", "--scope", "score", "--home", tmp_path, "--json")

    with pytest.raises(Unprocessable, match="is no office id"):
        run(*words, "--office", office)
    assert run(*words, "--days", 99_999_999) == 2


def test_scores_never_take_the_place_of_what_is_scored(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "shipments.parquet"
    shutil.copy(home / "records" / "shipments.parquet", file)
    before = file.read_bytes()

    for out in (file, tmp_path / "scores.xlsx", tmp_path / "scores"):
        words = ("score", file, "--subject", "shipment", "--out", out, "--home", home, "--json")
        assert run(*words) == 2
        assert out == file or not out.exists()
    assert file.read_bytes() == before


def test_offline_scores_are_those_of_the_service(service: Service, tmp_path: Path) -> None:
    bodies = [shipment(shipment_id=f"S-{i}", gross_mass_kg=100.0 + i) for i in range(5)]
    file, out = tmp_path / "s.ndjson", tmp_path / "scores.parquet"
    file.write_text("".join(json.dumps(body) + "\n" for body in bodies))

    run("score", file, "--subject", "shipment", "--out", out, "--home", service.home, "--json")

    offline = {row["subject_id"]: row for row in pq.read_table(out).to_pylist()}
    caller = service.key("score", "explain")
    for body in bodies:
        online = service.score(body, caller).json()
        row = offline[online["subject_id"]]
        for name in ("probability", "log_odds", "lane", "lane_reason", "selection_probability"):
            assert row[name] == online[name]
        for each in online["contributions"]:
            assert row[f"contribution_{each['feature']}"] == each["contribution"]


@pytest.mark.parametrize(("kind", "file"), [("route", "journeys"), ("shipment", "shipments")])
def test_a_record_file_is_scored_with_what_adds_up(home: Path, kind: str, file: str) -> None:
    out = home / "scores.parquet"
    given = home / "records" / f"{file}.parquet"

    said = run("score", given, "--subject", kind, "--out", out, "--home", home, "--json")

    table = pq.read_table(out)
    assert table.column_names[:4] == ["subject_id", "probability", "log_odds", "lane"]
    assert table.num_rows == said["subjects"] == pq.read_metadata(given).num_rows
    assert sum(said["lanes"].values()) == table.num_rows
    for row in table.to_pylist():
        parts = [v for name, v in row.items() if name.startswith("contribution_")]
        assert row["base_log_odds"] + math.fsum(parts) == pytest.approx(row["log_odds"], abs=1e-9)


def test_crowded_craft_in_a_file_go_to_rescue(home: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "routes.ndjson", tmp_path / "scores.csv"
    file.write_text(json.dumps(route(persons_on_board=99)) + "\n")

    said = run("score", file, "--subject", "route", "--out", out, "--home", home, "--json")

    assert said["lanes"] == {"rescue": 1}
    assert out.read_text().startswith('"subject_id","probability","log_odds","lane"')


def test_a_bad_line_names_file_row_and_field_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "s.ndjson", tmp_path / "scores.parquet"
    file.write_text(json.dumps(shipment()) + "\n" + json.dumps(shipment(packages=-1)) + "\n")

    with pytest.raises(RecordsError, match=r"s\.ndjson, row 2: /shipment/packages"):
        run("score", file, "--subject", "shipment", "--out", out, "--home", home)

    assert list(tmp_path.iterdir()) == [file] or not out.exists()


def test_a_decision_is_replayed_to_the_bit_after_another_promotion(service: Service) -> None:
    decided = [service.score(body, service.key("score")).json() for body in (shipment(), route())]
    train_and_promote(service.home, "shipment", "2", seed=8)

    for decision in decided:
        said = run("replay", decision["decision_id"], "--home", service.home, "--json")
        assert said["identical"]
        assert said["model"] == decision["model"]
        assert said["probability"]["recomputed"] == decision["probability"]


@pytest.mark.parametrize(("largest", "code"), [("0", 1), ("1000", 0)])
def test_swaps_beyond_the_bound_that_is_asked_fail(home: Path, largest: str, code: int) -> None:
    asked = ["evaluate", "--swaps", "--model", "tidegate-shipment@champion", "--subjects", "60"]

    result = CliRunner().invoke(
        tidegate, [*asked, "--largest", largest, "--home", str(home), "--json"]
    )

    told = json.loads(result.stdout)
    assert result.exit_code == code
    assert told["swaps"] > 0
    assert 0 < told["bound"] <= told["largest"]


def test_one_bit_of_any_figure_is_a_difference(service: Service) -> None:
    answer = service.score(shipment(), service.key("score")).json()
    record = service.services.decisions.record(answer["decision_id"]) or ""
    decision = Decision.model_validate_json(record)
    champion = service.services.models.champion("shipment")
    score = decision.result.score
    assert replayed(decision, champion).is_identical

    def with_score(**changed: Any) -> Replay:
        other = score.model_copy(update=changed)
        return replayed(decision.model_copy(update={"score": other}), champion)

    for figure in ("log_odds", "base_log_odds", "probability", "percentile"):
        other = math.nextafter(getattr(score, figure), math.inf)
        assert with_score(**{figure: other}).differences == (figure,)
    for place, name in enumerate(decision.vector):
        parts = list(score.contributions)
        parts[place] = math.nextafter(parts[place], math.inf)
        assert with_score(contributions=tuple(parts)).differences == (f"contribution of {name}",)


def test_a_decision_of_a_replaced_artefact_is_not_the_same(service: Service) -> None:
    decision = service.score(shipment(), service.key("score")).json()
    import shutil

    shutil.rmtree(service.home / "models" / "tidegate-shipment" / "1")
    train_and_promote(service.home, "shipment", "1", seed=8)

    result = CliRunner().invoke(
        app, ["replay", decision["decision_id"], "--home", str(service.home), "--json"]
    )

    assert result.exit_code == 1
    assert json.loads(result.stdout)["differences"][0] == "model digest"


def test_an_unknown_decision_is_not_replayed(home: Path) -> None:
    with pytest.raises(NotFound, match="no decision none"):
        run("replay", "none", "--home", home)


def test_where_a_service_answers_is_said_only_when_nothing_keeps_it_from_that(
    home: Path, tmp_path: Path
) -> None:
    def start(at: Path, port: int) -> ForkedCommand:
        line = ["serve", "--port", str(port), "--home", str(at)]
        return ForkedCommand.start(line, tmp_path / f"serving_{at.name}")

    serving = start(home, port := free_port())
    while "\n" not in (said := serving.errors.read_text()):
        assert serving.poll() is None
        time.sleep(0.02)
    serving.kill()
    assert f"answers at http://127.0.0.1:{port}" in said.partition("\n")[0]

    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "tidegate.db").write_bytes(b"no database of anyone's" * 1_000)
    # Another port: processes of the killed service may still hold the first.
    refused = start(damaged, free_port())
    assert refused.wait(60) == 1
    said = refused.errors.read_text()
    assert "answers" not in said
    assert "the database failed" in said


def said_by_main(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> int:
    def fail() -> None:
        raise failure

    monkeypatch.setattr(main, "app", fail)
    monkeypatch.setattr(sys, "argv", ["tidegate", "keys", "list"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_full_disk_is_said_in_a_line_and_an_error_of_ours_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said_by_main(OSError(errno.ENOSPC, "No space left", "/h/x"), monkeypatch) == 1
    assert capsys.readouterr().err == "tidegate: /h/x: No space left; the command did not finish\n"
    full = OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))
    assert said_by_main(full, monkeypatch) == 1
    assert "the database failed: database or disk is full; the" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError):
        said_by_main(FileNotFoundError(errno.ENOENT, "none", "/h/x"), monkeypatch)


def test_why_a_database_failed_is_said_without_statement_or_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LogUnavailable) as refused, database_errors_as_503():
        connected("postgresql://ada:secret@127.0.0.1:9/x", is_service=False).connect()

    assert said_by_main(refused.value, monkeypatch) == 1
    said = capsys.readouterr().err
    assert "the database failed (OperationalError)" in said
    assert "Connection refused" in said
    assert "secret" not in said


def test_settings_that_cannot_hold_are_named_in_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIDEGATE_INSPECT_SHARE", "2")
    monkeypatch.setenv("TIDEGATE_TRUSTED_PROXIES", "*")

    with pytest.raises(TidegateError) as refused:
        settings_of(tmp_path)

    assert "TIDEGATE_INSPECT_SHARE: Input should be less than or equal to 1" in str(refused.value)
    assert "TIDEGATE_TRUSTED_PROXIES: " in str(refused.value)
    assert "\n" not in str(refused.value)
