"""A file of subjects gets the same scores and reasons, to the byte, on one machine and on Spark."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from typer.testing import CliRunner

import features.spark.plan
import features.spark.shuffle
import features.spark.submitted_file
from features.catalogue import features_of
from features.engine.columns import Columns
from features.errors import RecordsError, TidegateError
from features.file_among_records import among_records
from features.ingest.record_folder import RecordFolder
from features.records import SubjectKind
from features.replay_submissions import submissions_of
from features.rescoring_rules import RescoringRules
from features.scoring_instants import later_instants
from features.spark.build import computed_on_spark
from features.spark.session import spark_session
from features.spark.shuffle import OURS, Packages, code_of_packages
from features.spark.submissions import SubmissionsOnSpark
from features.spark.submitted_file import submitted_beside
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission
from features.vector import Vector
from serving.cli.main import app
from serving.scoring.files import columns_read, read_subjects, submissions_in
from serving.scoring.files_on_spark import PACKAGES
from tests.agreement.amended_streams import amended_streams
from tests.agreement.streams import Stream, write
from tests.counts import count
from tests.features.spark.test_build_on_spark import KINDS, TASKS, changed, with_column
from tests.ports import free_port
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
    monkeypatch.setattr(features.spark.plan, "PART_RECORDS", 1_000)
    monkeypatch.setattr("serving.scoring.files.ROWS_PER_CALL", 50)
    monkeypatch.setattr("serving.scoring.files_on_spark.ROWS_PER_CALL", 50)
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


def over_streams(examples: int) -> settings:
    """So many examples in every run, and all of them in full."""
    return settings(
        max_examples=count(examples, 40),
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.function_scoped_fixture,
        ],
    )


@over_streams(3)
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
            patch.setattr(features.spark.plan, "PART_RECORDS", 12)
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
    wrong, lines = tmp_path / "wrong.csv", tmp_path / "today.ndjson"
    wrong.write_text("shipment_id\nS1\n")
    lines.write_text(lines_of([next(submissions_of(home / "records", "shipment"))]))
    left = {*tmp_path.iterdir()}
    for file, of in ((today, records), (lines, records), (wrong, home / "records")):
        words = ["--records", str(of)]
        with pytest.raises(RecordsError) as here:
            score(home, file, tmp_path / "out.parquet", *words)
        with pytest.raises(RecordsError) as there:
            score(home, file, tmp_path / "out.parquet", *words, *on(master))

        assert str(there.value) == str(here.value)
        assert str(there.value).startswith(str(wrong if file == wrong else of / "transactions"))
    assert {*tmp_path.iterdir()} == left


def lines_of(submissions: Iterable[Submission]) -> str:
    return "".join(each.model_dump_json(exclude_none=True) + "\n" for each in submissions)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features.spark.plan, "PART_RECORDS", 1_000)
    monkeypatch.setattr(features.spark.submitted_file, "PIECE_BYTES", 1 << 16)
    for module in ("files", "files_on_spark"):
        monkeypatch.setattr(f"serving.scoring.{module}.ROWS_PER_CALL", 50)


def test_submissions_get_the_scores_of_one_machine(
    home: Path, master: str, tmp_path: Path, small_pieces: None
) -> None:
    """Of shipments that are known, new or amended, with a blank line; of one a second time."""
    known = [*submissions_of(home / "records", "shipment")][-200:]
    assert known[0].shipment is not None
    other = known[0].shipment.model_copy(update={"shipment_id": "S-new", "items": ()})
    new = known[0].with_linked(dict.fromkeys(("transactions", "documents", "events"), ()))
    new = new.model_copy(update={"shipment": other})
    declared = known[1].shipment
    assert declared is not None
    second = {"version": 2, "known_at": declared.declared_at + DAY, "gross_mass_kg": 5.0}
    amended = known[1].model_copy(
        update={
            "shipment": declared.model_copy(update=second),
            "as_of": declared.declared_at + 2 * DAY,
        }
    )
    file = tmp_path / "today.ndjson"
    file.write_text(lines_of([new, *known]) + " \n" + lines_of([known[0], amended]))
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"

    assert score(home, file, there, *on(master)) == score(home, file, here)

    assert sha256(there) == sha256(here)
    assert len(pq.read_table(there)) == 203
    assert not [*home.glob(".asked-*")]


@pytest.mark.parametrize("line", ["{", '{"subject_kind": "shipment"}', "of another kind"])
def test_the_first_wrong_line_is_refused_as_on_one_machine(
    line: str, home: Path, master: str, tmp_path: Path, small_pieces: None
) -> None:
    sound = lines_of([*submissions_of(home / "records", "shipment")][-60:])
    route = lines_of([next(submissions_of(home / "records", "route"))])
    file = tmp_path / "today.ndjson"
    file.write_text(sound + (route if line == "of another kind" else f"{line}\n") + sound + "{\n")
    with pytest.raises(RecordsError, match=r"today\.ndjson, row 61") as here:
        score(home, file, tmp_path / "out.parquet")
    with pytest.raises(RecordsError) as there:
        score(home, file, tmp_path / "out.parquet", *on(master))

    assert str(there.value) == str(here.value)
    assert {*tmp_path.iterdir()} == {file}
    assert not [*home.glob(".asked-*")]


def as_features(submissions: Sequence[Submission], vectors: Sequence[Vector]) -> pa.Table:
    """What a worker sends back of submissions where no model is asked."""
    kind = submissions[0].subject_kind
    columns = {"subject_id": pa.array([each.subject_id for each in submissions])}
    for feature in features_of(kind):
        values = [vector[feature.name] for vector in vectors]
        columns[feature.name] = pa.array(values, None if feature.is_categorical else pa.float64())
    return pa.table(columns)


def submitted_here(file: Path, kind: SubjectKind, records: Path) -> dict[str, list[object]]:
    subjects = read_subjects(file, kind, records)
    features = subjects.features.astype(object).where(subjects.features.notna(), None)
    return {"subject_id": subjects.ids} | features.to_dict("list")


def submitted_on_spark(
    file: Path, kind: SubjectKind, records: Path, master: str
) -> dict[str, list[object]]:
    read = partial(submissions_in, file, kind)
    with (
        spark_session(master) as spark,
        submitted_beside(file, records, read) as submitted,
        TemporaryDirectory() as scratch,
    ):
        work = SubmissionsOnSpark(spark, master, TASKS, PACKAGES, kind, records, submitted)
        work.add_history()
        tables = [*work.computed(as_features, Path(scratch))]
    return pa.concat_tables(tables, promote_options="permissive").to_pydict()


def whatever_is_said(
    of: Callable[..., dict[str, list[object]]], *given: object
) -> dict[str, list[object]] | str:
    try:
        return of(*given)
    except RecordsError as refusal:
        return str(refusal)


@over_streams(2)
@given(stream=amended_streams(), today=amended_streams())
def test_features_of_submissions_are_those_of_one_machine_whatever_contradicts_the_records(
    stream: Stream, today: Stream, master: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("stream")
    write(stream, folder / "records")
    write(today, folder / "today")
    for kind in KINDS:
        later = later_instants(kind, RecordFolder(folder / "today"), RescoringRules())
        lines = lines_of(submissions_of(folder / "today", kind, later=later))
        if not lines:
            continue
        file = folder / f"{kind}.ndjson"
        file.write_text(lines)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(features.spark.plan, "PART_RECORDS", 12)
            patch.setattr(features.spark.plan, "MAX_CONCURRENT", 0)
            patch.setattr(features.spark.submitted_file, "PIECE_BYTES", 1 << 12)
            there = whatever_is_said(submitted_on_spark, file, kind, folder / "records", master)

        assert there == whatever_is_said(submitted_here, file, kind, folder / "records")


def some_file(ending: str, home: Path, folder: Path) -> Path:
    """Shipments as a record file, or one of them as a submission."""
    if ending == "parquet":
        return home / "records" / "shipments.parquet"
    (folder / "today.ndjson").write_text(
        lines_of([next(submissions_of(home / "records", "shipment"))])
    )
    return folder / "today.ndjson"


@pytest.mark.parametrize("ending", ["parquet", "ndjson"])
def test_workers_with_another_model_code_are_refused_and_nothing_is_written(
    ending: str, home: Path, master: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(packages: Packages = OURS) -> str:
        return code_of_packages() if packages == OURS else "tidegate 0.0.9"

    monkeypatch.setattr(features.spark.shuffle, "code_of_packages", other)
    file = some_file(ending, home, tmp_path)
    left = {*tmp_path.iterdir()}
    with pytest.raises(TidegateError, match=r"and this machine tidegate 0.0.9"):
        score(home, file, tmp_path / "out.csv", *on(master))

    assert {*tmp_path.iterdir()} == left


@pytest.mark.parametrize("ending", ["parquet", "ndjson"])
def test_nothing_is_written_where_no_spark_answers(ending: str, home: Path, tmp_path: Path) -> None:
    master = f"sc://127.0.0.1:{free_port()}"
    file = some_file(ending, home, tmp_path)
    left = {*tmp_path.iterdir()}
    with pytest.raises(TidegateError, match="nobody answers there"):
        score(home, file, tmp_path / "out.csv", *on(master))

    assert {*tmp_path.iterdir()} == left


def test_a_file_or_records_that_are_not_there_are_named_before_spark_is_asked(
    home: Path, tmp_path: Path
) -> None:
    nowhere = f"sc://127.0.0.1:{free_port()}"
    file = some_file("ndjson", home, tmp_path)
    with pytest.raises(RecordsError, match=r"missing\.ndjson: no such file"):
        score(home, tmp_path / "missing.ndjson", tmp_path / "out.csv", *on(nowhere))
    with pytest.raises(RecordsError, match=r"none: no such folder of records"):
        score(home, file, tmp_path / "out.csv", "--records", str(tmp_path / "none"), *on(nowhere))

    assert {*tmp_path.iterdir()} == {file}
