"""The same records give the same training set to the byte, however they are read and parted."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import features.engine.batch.feature_frame
import features.engine.batch.partitions
import features.engine.batch.spill_columns
import features.engine.batch.window_columns
from features.build_training_set import build_training_set
from features.records import RECORD_FILES, SubjectKind


def digests(folder: Path) -> dict[str, str]:
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.iterdir())}


def with_tied_instants(table: pa.Table) -> pa.Table:
    """Instants of knowledge cut to the day, those of declaration left as they are."""
    for name in ("known_at", "received_at"):
        if name in table.column_names:
            cut = pc.floor_temporal(table[name], unit="day").cast(table[name].type)
            table = table.set_column(table.column_names.index(name), table.field(name), cut)
    return table


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_a_build_gives_the_same_bytes_twice_and_in_small_parts_and_on_disk(
    kind: SubjectKind, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_training_set(world, kind, tmp_path / "once")
    build_training_set(world, kind, tmp_path / "again")
    monkeypatch.setattr(features.engine.batch.window_columns, "PART_ROWS", 500)
    build_training_set(world, kind, tmp_path / "in parts")
    monkeypatch.setattr(features.engine.batch.partitions, "MEMORY_BYTES", 0)
    monkeypatch.setattr(features.engine.batch.spill_columns, "MEMORY_BYTES", 0)
    build_training_set(world, kind, tmp_path / "on disk")

    once = digests(tmp_path / "once")
    assert once.keys() >= {"features.parquet", "outcomes.parquet", "subjects.parquet"}
    assert digests(tmp_path / "again") == once
    assert digests(tmp_path / "in parts") == once
    assert digests(tmp_path / "on disk") == once


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_two_threads_give_the_same_bytes_as_one(
    kind: SubjectKind, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many parts to sweep at a time, and many blocks of subjects to write in their order."""
    monkeypatch.setattr(features.engine.batch.window_columns, "PART_ROWS", 500)
    monkeypatch.setattr(features.engine.batch.feature_frame, "BLOCK_ROWS", 200)
    for threads in (1, 2):
        build_training_set(world, kind, tmp_path / str(threads), threads=threads)

    assert digests(tmp_path / "1") == digests(tmp_path / "2")


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_the_order_of_rows_in_the_files_decides_nothing(
    kind: SubjectKind, world: Path, tmp_path: Path
) -> None:
    """Also where every instant is cut to the day, so that many records are known at the same."""
    tied, turned = tmp_path / "tied", tmp_path / "turned"
    for folder in (tied, turned):
        folder.mkdir()
    for name in RECORD_FILES:
        table = with_tied_instants(pq.read_table(world / f"{name}.parquet"))
        pq.write_table(table, tied / f"{name}.parquet")
        backwards = table.take(list(reversed(range(len(table)))))
        pq.write_table(backwards, turned / f"{name}.parquet", row_group_size=700)

    build_training_set(tied, kind, tmp_path / "one")
    build_training_set(turned, kind, tmp_path / "other")

    one, other = (pq.read_table(tmp_path / n / "features.parquet") for n in ("one", "other"))
    assert one.num_rows >= 1_500
    assert one.equals(other)
