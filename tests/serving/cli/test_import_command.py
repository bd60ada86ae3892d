"""`tidegate import` as it is typed: what it prints, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from features.errors import TidegateError
from features.home_keys import PSEUDONYMS, read_key, write_secret
from features.ingest.record_files import read_records
from serving.cli.main import app
from tests.features.mapping.importing import AT, SHIPMENT, SHIPMENTS, written_csv

NAMED = SHIPMENTS.replace('"FROM"', '{ column = "FROM", pseudonym = "eori" }') + AT


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    (tmp_path / "m.toml").write_text(SHIPMENTS + AT)
    return tmp_path / "m.toml"


def test_the_report_is_one_document(tmp_path: Path, mapping: Path) -> None:
    file = written_csv(tmp_path, [SHIPMENT, SHIPMENT | {"ID": "S-2", "HS": "x", "AT": ""}])

    done = run("--mapping", mapping, file, "--out", tmp_path / "out", "--json")

    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert said["records"] == {"shipments": 1}
    assert said["inputs"] == [{"input": str(file), "rows": 2}]
    assert said["quarantine"] == str(tmp_path / "out" / "quarantine")
    assert {(each["column"], each["rows"]) for each in said["refused"]} == {
        ("hs_code", 1),
        ("declared_at", 1),
    }


def test_a_check_ends_in_one_if_a_row_would_be_refused(tmp_path: Path, mapping: Path) -> None:
    wrong = written_csv(tmp_path, [SHIPMENT | {"HS": "x"}])
    good = written_csv(tmp_path, [SHIPMENT], "good.csv")

    assert run("--mapping", mapping, good, "--check").exit_code == 0
    done = run("--mapping", mapping, wrong, "--check", "--json")
    assert (done.exit_code, json.loads(done.stdout)["out"]) == (1, None)
    assert "row 1 holds a" in run("--mapping", mapping, wrong, "--check").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--mapping", "m.toml"],
        ["--mapping", "m.toml", "--out", "o", "--check"],
        ["--mapping", "m.toml", "--draft", "d.toml"],
        ["--nothing"],
    ],
)
def test_wrong_usage_ends_in_two(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_pseudonyms_outlive_the_rotation_of_their_key(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(NAMED)
    file, keys = written_csv(tmp_path, [SHIPMENT]), tmp_path / "home" / "keys"
    for out in ("before", "after"):
        done = run("--mapping", tmp_path / "m.toml", file, "--out", tmp_path / out,
                   "--home", tmp_path / "home")  # fmt: skip
        assert done.exit_code == 0
        former = read_key(keys, PSEUDONYMS)
        write_secret(keys, "former/pseudonyms-2026.key", former)
        write_secret(keys, "pseudonyms.key", b"n" * 32, replace=True)

    ids = [
        read_records(tmp_path / out, "shipments")["consignor_id"][0] for out in ("before", "after")
    ]
    assert ids[0] == ids[1]
    assert str(ids[0]).startswith("eori-")


def test_without_the_key_of_a_home_that_has_others_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(NAMED)
    home = tmp_path / "home"
    read_key(home / "keys", PSEUDONYMS)
    (home / "keys" / "pseudonyms.key").unlink()

    done = run("--mapping", tmp_path / "m.toml", written_csv(tmp_path, [SHIPMENT]), "--check",
               "--home", home)  # fmt: skip

    assert "is missing" in str(done.exception)


def test_a_database_is_imported_by_its_table(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/a.db")
    columns = ", ".join(f'"{name}" TEXT' for name in SHIPMENT)
    values = ", ".join(f"'{value}'" for value in SHIPMENT.values())
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE decl ({columns})"))
        connection.execute(text(f"INSERT INTO decl VALUES ({values})"))
    engine.dispose()
    (tmp_path / "m.toml").write_text('[tables.t]\ntable = "decl"\n' + SHIPMENTS + AT)

    done = run(
        "--mapping", tmp_path / "m.toml", f"sqlite:///{tmp_path}/a.db", "--out", tmp_path / "o"
    )

    assert done.exit_code == 0, done.stderr
    assert read_records(tmp_path / "o", "shipments")["shipment_id"].to_pylist() == ["S-1"]


def test_a_draft_says_what_it_found_and_is_not_written_over(tmp_path: Path) -> None:
    file, draft = written_csv(tmp_path, [SHIPMENT, SHIPMENT | {"ID": "S-2"}]), tmp_path / "d.toml"

    done = run("--draft", draft, file, "--json")

    assert json.loads(done.stdout)["tables"][0]["table"] == "t"
    before = draft.read_text()
    assert "there already" in str(run("--draft", draft, file).exception)
    assert draft.read_text() == before


def test_a_mapping_that_is_wrong_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(SHIPMENTS)

    done = run("--mapping", tmp_path / "m.toml", written_csv(tmp_path, [SHIPMENT]), "--check")

    assert isinstance(done.exception, TidegateError)
    assert "declared_at is required" in str(done.exception)
