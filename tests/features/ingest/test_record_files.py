from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from features.arrow_schema import arrow_schema
from features.errors import RecordsError
from features.ingest.record_files import read_records
from features.records import RECORD_FILES, Transaction

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def payment(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "transaction_id": f"T-{number}",
        "subject_kind": "shipment",
        "subject_id": "S-1",
        "payer_id": "p1",
        "payee_id": "p2",
        "amount": 10.0,
        "currency": "EUR",
        "method": "cash",
        "paid_at": NOON,
        "known_at": NOON,
    } | changes


def written(folder: Path, rows: list[dict[str, Any]], schema: pa.Schema | None = None) -> Path:
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "transactions.parquet")
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(RecordsError) as refused:
        read_records(folder, "transactions")
    return str(refused.value)


def test_parquet_csv_and_ndjson_of_the_same_records_read_the_same(tmp_path: Path) -> None:
    text = "transaction_id,subject_kind,subject_id,payer_id,payee_id,amount,currency,method,"
    text += "paid_at,known_at\n"
    text += "T-1,shipment,S-1,p1,p2,10,EUR,cash,2026-01-02T12:00:00Z,2026-01-02T13:00:00+01:00\n"
    folders = [tmp_path / name for name in ("parquet", "csv", "ndjson")]
    for folder in folders:
        folder.mkdir()
    written(folders[0], [payment(1)])
    (folders[1] / "transactions.csv").write_text(text)
    record = Transaction(**payment(1))
    (folders[2] / "transactions.ndjson").write_text(record.model_dump_json() + "\n")

    tables = [read_records(folder, "transactions") for folder in folders]

    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    assert tables[0]["known_at"][0].as_py() == NOON


@pytest.mark.parametrize("name", RECORD_FILES)
def test_a_record_type_without_a_file_is_an_empty_table_of_its_schema(
    name: str, tmp_path: Path
) -> None:
    table = read_records(tmp_path, name)

    assert len(table) == 0
    assert table.column_names == arrow_schema(RECORD_FILES[name]).names


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"amount": -1.0}, "row 2, amount: is below 0"),
        ({"amount": float("nan")}, "row 2, amount: is not a finite number"),
        ({"method": "barter"}, "row 2, method: is none of bank_transfer"),
        ({"currency": "euro"}, "row 2, currency: does not look like"),
        ({"currency": "QQQ"}, "row 2, currency: is a code that the list of currencies"),
        ({"payer_country": "UK"}, "row 2, payer_country: is a code that the list of countries"),
        ({"payer_id": None}, "row 2, payer_id: is required"),
        ({"paid_at": NOON.replace(year=1012)}, "row 2, paid_at: is not in the years 1900"),
        ({"transaction_id": "T-1"}, "row 2, transaction_id: stands in an earlier row"),
    ],
)
def test_a_wrong_value_is_named_with_its_row_and_column(
    changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    rows = [payment(1, payer_country=None), payment(2, payer_country="DE") | changes]

    assert told in refusal(written(tmp_path, rows))


def filed(version: int) -> dict[str, Any]:
    return {
        "document_id": "D-1",
        "subject_kind": "shipment",
        "subject_id": "S-1",
        "kind": "invoice",
        "version": version,
        "received_at": NOON,
    }


def test_versions_of_a_document_are_records_of_their_own_each_once(tmp_path: Path) -> None:
    file = tmp_path / "documents.parquet"
    pq.write_table(pa.Table.from_pylist([filed(1), filed(2)]), file)
    assert read_records(tmp_path, "documents")["version"].to_pylist() == [1, 2]

    pq.write_table(pa.Table.from_pylist([filed(1), filed(2), filed(2)]), file)
    with pytest.raises(RecordsError, match="row 3, document_id: stands in an earlier row"):
        read_records(tmp_path, "documents")


def versions(folder: Path, column: pa.Array, ending: str) -> Path:
    """A file of documents with these versions, as it is written elsewhere."""
    table = pa.Table.from_pylist([filed(1)] * len(column)).drop(["version"])
    ids = pa.array([f"D-{number}" for number in range(len(column))])
    table = table.set_column(0, "document_id", ids).append_column("version", column)
    if ending == "parquet":
        pq.write_table(table, folder / "documents.parquet")
    else:
        at = [NOON.isoformat()] * len(column)
        table = table.set_column(table.column_names.index("received_at"), "received_at", [at])
        pyarrow.csv.write_csv(table, folder / "documents.csv")
    return folder


DOUBLES = pa.array([3.0, 1.0])


@pytest.mark.parametrize(
    ("column", "ending"),
    [
        (DOUBLES, "parquet"),
        (DOUBLES.cast(pa.float16()), "parquet"),
        (DOUBLES.cast(pa.decimal128(12, 2)), "parquet"),
        (pa.array(["3.0", "1"]), "csv"),
    ],
)
def test_whole_numbers_in_a_column_of_doubles_are_read_as_they_are(
    column: pa.Array, ending: str, tmp_path: Path
) -> None:
    table = read_records(versions(tmp_path, column, ending), "documents")

    assert table["version"].type == pa.int64()
    assert table["version"].to_pylist() == [3, 1]


@pytest.mark.parametrize(
    ("column", "ending"),
    [
        (pa.array([1.0, 3.5, float("nan"), 2.0**53 + 2, float("inf")]), "parquet"),
        (pa.array(["1.0", "3.5", "nan", "3.05", "3.0.0"]), "csv"),
    ],
)
def test_a_number_that_is_not_whole_is_named_with_its_row(
    column: pa.Array, ending: str, tmp_path: Path
) -> None:
    with pytest.raises(RecordsError, match="version: not a whole number") as refused:
        read_records(versions(tmp_path, column, ending), "documents")

    assert "row 2" in str(refused.value)
    assert "in 3 more rows: 3, 4" in str(refused.value)


def test_everything_wrong_in_a_file_is_told_with_counts_and_first_rows(tmp_path: Path) -> None:
    rows = [payment(1), *(payment(n, amount=-1.0 * n) for n in range(2, 9)), payment(9, method="x")]

    with pytest.raises(RecordsError) as refused:
        read_records(written(tmp_path, rows), "transactions")

    amount, method = str(refused.value).splitlines()
    assert amount.endswith("row 2, amount: is below 0; it holds -2.0 (and in 6 more rows: 3, 4 …)")
    assert method.endswith("row 9, method: is none of " + method.split("is none of ")[1])
    (first, second) = refused.value.report()
    assert (first["column"], first["rows"]) == ("amount", 7)
    assert first["examples"][1] == {"row": 3, "value": "-3.0"}
    assert second["examples"] == ({"row": 9, "value": "x"},)


def test_no_report_repeats_an_id_or_free_text(tmp_path: Path) -> None:
    told = refusal(written(tmp_path, [payment(1, payer_id="Jane Roe!")]))

    assert "it holds Aaaa Aaa!" in told
    assert "Jane" not in told


@pytest.mark.parametrize(
    "instant", ["1700000000", "2026-01-02T12:00Z", "2026-01-02", "2026-02-30T12:00:00Z", "soon"]
)
def test_an_instant_in_a_csv_is_written_as_rfc_3339_says(instant: str, tmp_path: Path) -> None:
    line = f"T-1,shipment,S-1,p1,p2,10,EUR,cash,{instant},2026-01-02T12:00:00Z"
    (tmp_path / "transactions.csv").write_text(",".join(payment(1)) + f"\n{line}\n")

    assert "row 1, paid_at: not an instant with its offset, as in RFC 3339" in refusal(tmp_path)


def test_a_value_without_its_currency_is_refused(tmp_path: Path) -> None:
    document = {
        "document_id": "D-1",
        "subject_kind": "shipment",
        "subject_id": "S-1",
        "kind": "invoice",
        "received_at": NOON,
        "value": 10.0,
    }
    pq.write_table(pa.Table.from_pylist([document]), tmp_path / "documents.parquet")

    with pytest.raises(RecordsError, match="row 1, currency: is missing beside value"):
        read_records(tmp_path, "documents")


def test_a_naive_time_stamp_is_refused(tmp_path: Path) -> None:
    naive = payment(1, paid_at=datetime(2026, 1, 2, 12))  # noqa: DTZ001  naive on purpose

    assert "paid_at: a naive time stamp" in refusal(written(tmp_path, [naive]))


def test_a_naive_time_stamp_in_a_csv_is_named_with_its_row(tmp_path: Path) -> None:
    header = ",".join(payment(1))
    line = "T-{0},shipment,S-1,p1,p2,10,EUR,cash,{1},2026-01-02T12:00:00Z"
    good, naive = line.format(1, "2026-01-02T12:00:00Z"), line.format(2, "2026-01-02T12:00:00")
    (tmp_path / "transactions.csv").write_text("\n".join([header, good, naive]) + "\n")

    assert "row 2, paid_at: not an instant with its offset" in refusal(tmp_path)


def test_a_missing_required_column_is_named(tmp_path: Path) -> None:
    row = payment(1)
    del row["known_at"]

    assert "the required column 'known_at' is missing" in refusal(written(tmp_path, [row]))


def test_an_unknown_column_is_named(tmp_path: Path) -> None:
    assert "memo is no field of this record" in refusal(written(tmp_path, [payment(1, memo="x")]))


def test_a_column_about_a_person_is_named_as_such(tmp_path: Path) -> None:
    told = refusal(written(tmp_path, [payment(1, payer_surname="x")]))

    assert "payer_surname would describe a person" in told


def test_a_number_where_an_instant_belongs_is_refused(tmp_path: Path) -> None:
    assert "paid_at: is int64, want timestamp" in refusal(
        written(tmp_path, [payment(1, paid_at=17)])
    )


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "transactions.parquet").write_bytes(b"PAR1 not really")

    assert "transactions.parquet: not a readable Parquet file" in refusal(tmp_path)


def test_two_files_of_one_record_type_are_refused(tmp_path: Path) -> None:
    written(tmp_path, [payment(1)])
    (tmp_path / "transactions.csv").write_text("transaction_id\n")

    assert "both hold transactions" in refusal(tmp_path)


def test_an_outcome_that_stands_twice_is_named_by_its_subject(tmp_path: Path) -> None:
    outcome = {"subject_kind": "shipment", "subject_id": "S-1", "result": "not_confirmed"}
    outcome |= {"selected_by": "rule", "inspected_at": NOON, "known_at": NOON}
    pq.write_table(pa.Table.from_pylist([outcome, outcome]), tmp_path / "outcomes.parquet")

    with pytest.raises(RecordsError, match=r"row 2, subject_id: stands .*, with the same subject_"):
        read_records(tmp_path, "outcomes")
