"""A training set has the same bytes, whether one machine made it or Spark."""

import hashlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

import features.spark.build
import features.spark.plan
import features.spark.scan_records
import features.spark.shuffle
import features.spark.tasks
from features.build_training_set import build_training_set
from features.errors import RecordsError, TidegateError
from features.records import SubjectKind
from features.rescoring_rules import RescoringRules
from features.spark.build import build_on_spark
from tests.agreement.amended_streams import amended_streams
from tests.agreement.streams import Stream, write
from tests.counts import count
from tests.features.spark.conftest import GIVEN, sail
from tests.features.spark.dying_worker import dying_once
from tests.ports import free_port

KINDS: tuple[SubjectKind, ...] = ("route", "shipment")
TASKS = 2
ANSWERS_WITHIN_S = 10.0


def digests(folder: Path) -> dict[str, str]:
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.iterdir())}


def are_equal(
    records: Path, kind: SubjectKind, master: str, out: Path, rules: RescoringRules | None = None
) -> None:
    """Both write the same bytes, or refuse by the same words where there is no subject."""
    here, there = (out / f"{kind}-{place}" for place in ("here", "there"))
    refusals = [
        refusal_of(partial(build_training_set, records, kind, here, rules=rules)),
        refusal_of(partial(build_on_spark, kind, master, TASKS, records, there, rules)),
    ]

    assert refusals[0] == refusals[1]
    assert refusals[0] or digests(there) == digests(here)


def refusal_of(build: Callable[[], object]) -> str:
    """Why a build makes nothing; empty where it does."""
    try:
        build()
    except RecordsError as refusal:
        return str(refusal)
    return ""


@pytest.fixture
def many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features.spark.plan, "PART_RECORDS", 1_500)
    monkeypatch.setattr(features.spark.scan_records, "SPLIT_ROWS", 500)


def changed(
    world: Path, folder: Path, name: str, change: Callable[[pa.Table], pa.Table], size: int = 300
) -> Path:
    """The records of a world with one file changed, in small row groups."""
    folder.mkdir()
    for file in world.iterdir():
        (folder / file.name).symlink_to(file)
    table = change(pq.read_table(folder / f"{name}.parquet"))
    (folder / f"{name}.parquet").unlink()
    pq.write_table(table, folder / f"{name}.parquet", row_group_size=size)
    return folder


def with_column(
    name: str, made: Callable[[pa.ChunkedArray], pa.Array], table: pa.Table
) -> pa.Table:
    return table.set_column(table.column_names.index(name), table.field(name), made(table[name]))


@pytest.mark.parametrize("kind", KINDS)
def test_spark_writes_the_bytes_of_one_machine(
    kind: SubjectKind, world: Path, master: str, tmp_path: Path, many_parts: None
) -> None:
    are_equal(world, kind, master, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_it_does_at_every_scoring_instant(
    kind: SubjectKind, world: Path, master: str, tmp_path: Path, many_parts: None
) -> None:
    are_equal(world, kind, master, tmp_path, RescoringRules())

    table = pq.read_table(tmp_path / f"{kind}-there" / "features.parquet")
    assert pc.count_distinct(table["subject_id"]).as_py() < len(table)


@settings(
    max_examples=count(2, 60),
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(stream=amended_streams())
def test_it_does_whatever_was_amended_or_withdrawn(
    stream: Stream, master: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features.spark.plan, "PART_RECORDS", 12)
        patch.setattr(features.spark.plan, "MAX_CONCURRENT", 0)
        folder = tmp_path_factory.mktemp("stream")
        write(stream, folder / "records")
        for kind in KINDS:
            are_equal(folder / "records", kind, master, folder, RescoringRules())


def half_of_one(values: pa.ChunkedArray) -> pa.Array:
    """Every other value is that of one party."""
    is_hot = pa.array([row % 2 == 0 for row in range(len(values))])
    return pc.if_else(is_hot, "k-hot", values.combine_chunks())


def test_it_does_where_half_of_all_records_have_one_key(
    world: Path, master: str, tmp_path: Path, many_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part has too many rows for one key, and is swept a slice of time at a time."""
    monkeypatch.setattr(features.spark.plan, "MAX_CONCURRENT", 1)
    payers = partial(with_column, "payer_id", half_of_one)
    buyers = partial(with_column, "consignee_id", half_of_one)
    first = changed(world, tmp_path / "first", "transactions", payers)
    skewed = changed(first, tmp_path / "skewed", "shipments", buyers)

    are_equal(skewed, "shipment", master, tmp_path)


def test_no_records_are_refused_as_on_one_machine(master: str, tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()

    are_equal(tmp_path / "records", "route", master, tmp_path)

    assert not (tmp_path / "route-there").exists()


@pytest.mark.parametrize("fault", ["a wrong value", "the same record twice"])
def test_wrong_records_are_refused_as_on_one_machine(
    fault: str, world: Path, master: str, tmp_path: Path, many_parts: None
) -> None:
    def wrong(table: pa.Table) -> pa.Table:
        if fault == "a wrong value":
            return with_column("amount", lambda c: pc.if_else(pc.equal(c, c[7]), -1.0, c), table)
        return pa.concat_tables([table, table.slice(3, 1)])

    records = changed(world, tmp_path / "records", "transactions", wrong)
    with pytest.raises(RecordsError) as here:
        build_training_set(records, "route", tmp_path / "here")
    with pytest.raises(RecordsError) as there:
        build_on_spark("route", master, TASKS, records, tmp_path / "there")

    assert str(there.value) == str(here.value)
    assert {f.name for f in tmp_path.iterdir()} == {"records"}


def test_a_file_whose_hashes_meet_by_chance_is_sound(
    world: Path, master: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Documents are suspected, read as a whole, found sound, and suspected no more."""
    suspected = []

    def read(file: Path, name: str) -> None:
        suspected.append(name)

    doubled = changed(
        world, tmp_path / "doubled", "documents", lambda t: pa.concat_tables([t, t.slice(3, 1)])
    )
    monkeypatch.setattr(features.spark.build, "read_record_file", read)
    build_on_spark("route", master, TASKS, doubled, tmp_path / "out")

    assert suspected == ["documents"]


@pytest.mark.parametrize("scheme", ["sc", "spark"])
def test_a_master_that_is_not_there_is_said_soon(scheme: str, world: Path, tmp_path: Path) -> None:
    master = f"{scheme}://127.0.0.1:{free_port()}"
    began = time.monotonic()

    with pytest.raises(TidegateError, match=f"^{master}: nobody answers there"):
        build_on_spark("route", f"{master}/;token=s3cret", None, world, tmp_path / "out")

    assert time.monotonic() - began < ANSWERS_WITHIN_S
    assert [*tmp_path.iterdir()] == []


@pytest.mark.skipif(GIVEN is not None, reason="Spark itself is there")
def test_a_master_of_spark_itself_needs_more_than_the_client(world: Path, tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="pip install pyspark"):
        build_on_spark("route", "local[2]", None, world, tmp_path / "out")


def test_workers_with_other_code_are_refused(
    world: Path, master: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features.spark.shuffle, "code_of_packages", lambda _: "tidegate 0.0.9")

    with pytest.raises(TidegateError, match=r"has tidegate \S+ \(.*and this machine tidegate 0.0"):
        build_on_spark("route", master, TASKS, world, tmp_path / "out")

    assert [*tmp_path.iterdir()] == []


@pytest.fixture
def dying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first worker that sweeps a key ends."""
    compute = dying_once(features.spark.tasks.keys_to_subjects, tmp_path / "died")
    monkeypatch.setattr(features.spark.build, "keys_to_subjects", compute)


@pytest.mark.skipif(GIVEN is not None, reason="a worker alone dies, and not the server")
def test_a_server_that_dies_ends_the_build_and_nothing_is_written(
    world: Path, tmp_path: Path, dying: None
) -> None:
    with sail() as mortal, pytest.raises(TidegateError, match="nothing was written"):
        build_on_spark("route", mortal, TASKS, world, tmp_path / "out")

    assert {file.name for file in tmp_path.iterdir()} == {"died"}


@pytest.mark.skipif(GIVEN is None, reason="Sail has no workers of its own")
def test_the_task_of_a_worker_that_dies_is_done_again(
    world: Path, master: str, tmp_path: Path, dying: None
) -> None:
    are_equal(world, "route", master, tmp_path)

    assert (tmp_path / "died").exists()
