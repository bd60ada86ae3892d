"""A file of subjects gets the same scores and reasons, to the byte, on one machine and on Spark."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from typer.testing import CliRunner

import features.engine.spark.shuffle
import features.spark_build.plan
from features.engine.columns import Columns
from features.engine.spark.shuffle import OURS, Packages, installed_code
from features.errors import RecordsError, SparkUnavailable, TidegateError, WorkerMismatch
from features.file_among_records import among_records
from features.records import SubjectKind
from features.spark_build.build import computed_on_spark
from features.subject_types import SUBJECT_TYPES
from serving.cli.main import app
from serving.scoring.files import columns_read, read_subjects
from tests.agreement.amended_streams import amended_streams
from tests.agreement.streams import Stream, write
from tests.counts import count
from tests.features.spark_build.test_build_on_spark import KINDS, TASKS, changed, with_column
from tests.ports import free_port
from tests.serving.bodies import shipment
from tests.serving.world import train_and_promote, write_world

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a champion for shipments."""
    home = tmp_path_factory.mktemp("scored") / "home"
    write_world(home / "records")
    train_and_promote(home, "shipment", "1")
    return home


def score(home: Path, file: Path, out: Path, *options: str) -> dict[str, object]:
    """What the command says of a file that it scored; raises what it was ended by."""
    words = ["score", str(file), "--subject", "shipment", "--out", str(out), "--json"]
    ran = CliRunner().invoke(app, [*words, "--home", str(home), *options])
    if isinstance(ran.exception, TidegateError):
        raise ran.exception
    assert ran.exit_code == 0, ran.output
    return {name: said for name, said in json.loads(ran.stdout).items() if name != "out"}


def on(master: str) -> list[str]:
    return ["--engine", "spark", "--master", master, "--threads", str(TASKS)]


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def some_of_today(records: Path, out: Path) -> Path:
    """A file of shipments out of order: known ones, some of them new to the records or amended."""
    known = pq.read_table(records / "shipments.parquet").slice(40, 120).to_pylist()[::-1]
    amended = {**known[0], "version": 2, "gross_mass_kg": 5.0}
    amended["known_at"] = known[0]["declared_at"] + DAY
    withdrawn = {**known[1], "version": 2, "withdrawn": True, "known_at": known[1]["declared_at"]}
    new = {**known[2], "shipment_id": "S-new"}
    schema = pq.read_schema(records / "shipments.parquet")
    pq.write_table(pa.Table.from_pylist([new, *known, amended, withdrawn], schema), out)
    return out


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_spark_writes_the_scores_of_one_machine(
    ending: str,
    home: Path,
    master: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features.spark_build.plan, "PART_RECORDS", 1_000)
    monkeypatch.setattr("serving.scoring.files.AT_ONCE", 50)
    monkeypatch.setattr("serving.scoring.files_on_spark.AT_ONCE", 50)
    file = home / "records" / "shipments.parquet"
    if ending == ".csv":
        file = some_of_today(home / "records", tmp_path / "today.parquet")
    here, there = tmp_path / f"here{ending}", tmp_path / f"there{ending}"

    assert score(home, file, there, *on(master)) == score(home, file, here)

    assert sha256(there) == sha256(here)
    assert not [*home.glob(".asked-*")]
    read = pq.read_table(there) if ending == ".parquet" else pa.csv.read_csv(there)
    assert "contribution_declared_value_eur" in read.column_names
    if ending == ".csv":
        assert read["subject_id"][0].as_py() == "S-new"


def as_they_are(matrix: pa.Table, subjects: Columns) -> pa.Table:
    """What a worker sends back where no model is asked."""
    return matrix


@settings(
    max_examples=count(3, 40),
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(stream=amended_streams(), today=amended_streams())
def test_features_are_those_of_one_machine_whatever_the_file_says_anew(
    stream: Stream, today: Stream, master: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("stream")
    write(stream, folder / "records")
    write(today, folder / "today")
    for kind in KINDS:
        name = SUBJECT_TYPES[kind].record_file
        file = folder / "today" / f"{name}.parquet"
        try:
            here = read_subjects(file, kind, folder / "records")
        except RecordsError:
            continue
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(features.spark_build.plan, "PART_RECORDS", 12)
            there = features_on_spark(file, kind, folder / "records", master)

        assert there["subject_id"].to_pylist() == here.ids
        assert there.select([*here.features]).to_pandas().equals(here.features)


def features_on_spark(file: Path, kind: SubjectKind, records: Path, master: str) -> pa.Table:
    scratch = records.with_name(f"scratch-{kind}")
    scratch.mkdir()
    with among_records(file, kind, records, is_shared=True) as asked:
        computed = computed_on_spark(
            asked, columns_read(kind), as_they_are, OURS, master, TASKS, scratch
        )
        return pa.concat_tables(computed)


def test_records_that_are_wrong_are_named_as_they_were_given(
    home: Path, master: str, tmp_path: Path
) -> None:
    """Of a file, and of the records besides; nothing is left behind."""
    records, today = tmp_path / "records", tmp_path / "today.parquet"
    some_of_today(home / "records", today)
    changed(
        home / "records",
        records,
        "transactions",
        lambda table: with_column("amount", lambda c: pa.array([-1.0] * len(c)), table),
    )
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("shipment_id\nS1\n")
    left = {*tmp_path.iterdir()}
    for file, of in ((today, records), (wrong, home / "records")):
        words = ["--records", str(of)]
        with pytest.raises(RecordsError) as here:
            score(home, file, tmp_path / "out.parquet", *words)
        with pytest.raises(RecordsError) as there:
            score(home, file, tmp_path / "out.parquet", *words, *on(master))

        assert str(there.value) == str(here.value)
        assert str(there.value).startswith(str(of / "transactions" if file == today else wrong))
    assert {*tmp_path.iterdir()} == left


def test_submissions_are_left_to_one_machine(home: Path, master: str, tmp_path: Path) -> None:
    file = tmp_path / "today.ndjson"
    file.write_text(json.dumps(shipment(shipment_id="S-unknown")) + "\n")

    with pytest.raises(RecordsError, match=r"today.ndjson: .* or --engine machine"):
        score(home, file, tmp_path / "out.parquet", *on(master))


def test_workers_with_another_model_code_are_refused_and_nothing_is_written(
    home: Path, master: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(packages: Packages = OURS) -> str:
        return installed_code() if packages == OURS else "tidegate 0.0.9"

    monkeypatch.setattr(features.engine.spark.shuffle, "installed_code", other)
    with pytest.raises(WorkerMismatch, match=r"and this machine tidegate 0.0.9"):
        score(home, home / "records" / "shipments.parquet", tmp_path / "out.csv", *on(master))

    assert [*tmp_path.iterdir()] == []


def test_nothing_is_written_where_no_spark_answers(home: Path, tmp_path: Path) -> None:
    master = f"sc://127.0.0.1:{free_port()}"
    with pytest.raises(SparkUnavailable, match="nobody answers there"):
        score(home, home / "records" / "shipments.parquet", tmp_path / "out.csv", *on(master))

    assert [*tmp_path.iterdir()] == []
