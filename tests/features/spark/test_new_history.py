"""What submissions add to the record files: what these do not hold, once, in their order."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import features.spark.plan
from features.errors import RecordsError
from features.ingest.record_files import write_records
from features.records import Position, Transaction
from features.spark.new_history import write_new_history
from features.spark.part_messages import pack_columns, packed_table
from features.spark.plan import planned_history
from features.spark.submission_tasks import REFUSAL, table_of_records

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def paid(transaction_id: str, amount: float, version: int = 1) -> Transaction:
    return Transaction(
        transaction_id=transaction_id,
        subject_kind="shipment",
        subject_id="S1",
        payer_id="k1",
        payee_id="k2",
        amount=amount,
        currency="EUR",
        method="bank_transfer",
        paid_at=NOW,
        known_at=NOW,
        version=version,
    )


def amounts_added(known: list[Transaction], *told: list[Transaction], folder: Path) -> list[float]:
    """The amounts that are added when each piece of a file tells some payments."""
    for name in ("records", "told", "added"):
        (folder / name).mkdir()
    write_records(folder / "records", "transactions", table_of_records("transactions", known))
    for piece, records in enumerate(told):
        body = packed_table(table_of_records("transactions", records))
        (folder / "told" / f"{piece:08}-{2:020}").write_bytes(body)
    write_new_history(folder / "told", folder / "records", folder / "added")
    table = pq.read_table(folder / "added" / "transactions.parquet")
    amounts: list[float] = table["amount"].to_pylist()
    return amounts


def test_of_lines_that_contradict_each_other_the_first_counts(tmp_path: Path) -> None:
    first, second = [paid("T2", 2.0), paid("T1", 1.0)], [paid("T1", 7.0), paid("T3", 3.0)]

    assert amounts_added([], first, second, folder=tmp_path) == [2.0, 1.0, 3.0]


def test_what_the_records_hold_is_not_added_but_a_later_version_is(tmp_path: Path) -> None:
    known = [paid("T1", 1.0), paid("T2", 2.0, version=2)]
    told = [paid("T1", 7.0), paid("T1", 4.0, version=2), paid("T2", 7.0, version=2)]

    assert amounts_added(known, told, folder=tmp_path) == [4.0]


def test_what_is_added_counts_where_the_work_is_taken_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features.spark.plan, "PART_RECORDS", 2)
    amounts_added([paid("T0", 0.0)], [paid(f"T{n}", 1.0) for n in range(1, 5)], folder=tmp_path)

    plan = planned_history(tmp_path / "records", tmp_path / "added", "shipment")

    assert plan.scan.parts == plan.keyed.parts == 3


def test_the_refusal_of_the_first_piece_is_raised(tmp_path: Path) -> None:
    for name in ("told", "added"):
        (tmp_path / name).mkdir()
    for piece, said in ((1, "row 5"), (10, "row 50")):
        body = pack_columns(REFUSAL, {REFUSAL: pa.array([said])})
        (tmp_path / "told" / f"{piece:08}-{0:020}").write_bytes(body)

    with pytest.raises(RecordsError, match=r"^row 5$"):
        write_new_history(tmp_path / "told", tmp_path, tmp_path / "added")
    assert not [*(tmp_path / "added").iterdir()]


def test_a_record_type_without_ids_is_added_as_it_is(tmp_path: Path) -> None:
    for name in ("told", "added"):
        (tmp_path / name).mkdir()
    heard = Position(journey_id="J1", observed_at=NOW, latitude=0.0, longitude=0.0, speed_kn=1.0)
    body = packed_table(table_of_records("positions", [heard, heard]))
    (tmp_path / "told" / f"{0:08}-{3:020}").write_bytes(body)

    write_new_history(tmp_path / "told", tmp_path, tmp_path / "added")

    assert len(pq.read_table(tmp_path / "added" / "positions.parquet")) == 2
