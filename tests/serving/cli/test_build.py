"""`tidegate build` on bad input: named precisely, exit code 1, nothing half-written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from features.errors import RecordsError
from serving.cli.main import app
from tests.serving.world import write_world

Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "records"
    write_world(folder)
    return folder


@pytest.fixture
def records(sound: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    for file in sound.iterdir():
        (folder / file.name).symlink_to(file)
    return folder


def spoil(records: Path, name: str, change: Change) -> None:
    table = change(pq.read_table(records / f"{name}.parquet"))
    (records / f"{name}.parquet").unlink()
    pq.write_table(table, records / f"{name}.parquet")


def with_value(column: str, row: int, value: Any) -> Change:
    def change(table: pa.Table) -> pa.Table:
        values = table[column].to_pylist()
        values[row] = value
        place = table.column_names.index(column)
        return table.set_column(place, column, pa.array(values, table[column].type))

    return change


def with_column(column: str, made: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> Change:
    return lambda table: table.set_column(
        table.column_names.index(column), column, made(table[column])
    )


def build(records: Path, out: Path, *more: str) -> Any:
    arguments = ["build", "--records", str(records), "--subject", "shipment", "--out", str(out)]
    return CliRunner().invoke(app, [*arguments, *more])


NAIVE = with_column("declared_at", lambda column: column.cast(pa.timestamp("us")))


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        (
            "shipments",
            lambda table: table.drop(["hs_code"]),
            "row 1, hs_code: is required of a shipment that has no item in goods_items",
        ),
        (
            "shipments",
            lambda table: table.drop(["consignee_id"]),
            "shipments.parquet: the required column 'consignee_id' is missing",
        ),
        (
            "transactions",
            with_column("amount", lambda column: pc.greater(column, 5)),
            "transactions.parquet, amount: is bool, want double",
        ),
        ("shipments", NAIVE, "shipments.parquet, row 1, declared_at: a naive time stamp"),
        (
            "shipments",
            with_value("currency", 41, None),
            "shipments.parquet, row 42, currency: is missing beside declared_value",
        ),
        (
            "transactions",
            with_value("currency", 3, "EUR/USD"),
            "transactions.parquet, row 4, currency: does not look like",
        ),
        (
            "transactions",
            with_value("method", 7, "barter"),
            "row 8, method: is none of bank_transfer, card",
        ),
        (
            "shipments",
            with_value("origin_country", 9, "UK"),
            "row 10, origin_country: is a code that the list of countries does not hold; it holds",
        ),
        (
            "outcomes",
            with_value("result", 0, "maybe"),
            "outcomes.parquet, row 1, result: is none of confirmed",
        ),
        (
            "legs",
            with_value("origin", 5, "§§"),
            "legs.parquet, row 6, origin: does not look like",
        ),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(
    name: str, change: Change, told: str, records: Path, tmp_path: Path
) -> None:
    spoil(records, name, change)

    result = build(records, tmp_path / "out" / "set")

    assert isinstance(result.exception, RecordsError)
    assert told in str(result.exception)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_refusal_is_one_json_document_where_a_machine_asks(records: Path, tmp_path: Path) -> None:
    spoil(records, "transactions", with_value("method", 7, "barter"))

    result = build(records, tmp_path / "set", "--json")

    document = json.loads(result.stdout)
    (fault,) = document["faults"]
    assert document["refused"]
    assert Path(fault.pop("file")).name == "transactions.parquet"
    assert fault["column"] == "method"
    assert fault["rows"] == 1
    assert fault["examples"] == [{"row": 8, "value": "barter"}]


def test_wrong_rows_go_to_quarantine_and_the_rest_is_built(records: Path, tmp_path: Path) -> None:
    spoil(records, "shipments", with_value("hs_code", 4, "89031"))
    rows = pq.read_metadata(records / "shipments.parquet").num_rows

    result = build(records, tmp_path / "set", "--quarantine", str(tmp_path / "aside"), "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["subjects"] == rows - 1
    (line,) = (tmp_path / "aside" / "shipments.ndjson").read_text().splitlines()
    assert json.loads(line)["row"] == 5
    summary = json.loads((tmp_path / "set" / "records.json").read_text())
    assert summary["shipments"]["rows"] == rows - 1
    assert summary["shipments"]["columns"]["volume_m3"]["missing"] == rows - 1
    assert [fault["column"] for fault in summary["set_aside"]] == ["hs_code"]


def test_scoring_instants_are_rows_of_their_own(records: Path, tmp_path: Path) -> None:
    three_days = pa.scalar(3 * 86_400_000_000, pa.duration("us"))
    spoil(records, "transactions", with_column("known_at", lambda at: pc.add(at, three_days)))
    plain = json.loads(build(records, tmp_path / "plain", "--json").stdout)
    again = json.loads(build(records, tmp_path / "again", "--scoring-instants", "--json").stdout)

    rows = pq.read_table(tmp_path / "again" / "features.parquet", columns=["subject_id", "as_of"])
    assert again["scoring_instants"] == len(rows) > plain["subjects"]
    assert len(set(rows["subject_id"].to_pylist())) == plain["subjects"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--master", "local[2]"), "goes with --engine spark"),
        (("--engine", "spark"), "say where Spark is"),
    ],
)
def test_what_does_not_go_with_an_engine_is_refused(
    options: tuple[str, ...], said: str, records: Path, tmp_path: Path
) -> None:
    result = build(records, tmp_path / "out", *options)

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_a_build_of_no_subject_fails_and_keeps_the_former_set(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "features.parquet").write_text("the former")

    refused = build(tmp_path / "records", tmp_path / "out")

    assert refused.exit_code == 1
    assert "holds no shipment to build a row of" in str(refused.exception)
    assert (tmp_path / "out" / "features.parquet").read_text() == "the former"
