"""Shipments whose HS code their goods items say, in files and submissions alike."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.engine.batch.record_blocks import read_whole
from features.engine.string_table import STRING_TABLE
from features.errors import RecordsError
from features.ingest.quarantine import set_aside
from features.ingest.record_files import read_records, write_records
from features.ingest.record_folder import RecordFolder
from features.records import GoodsItem, Shipment
from features.reference.currencies import known_currencies
from features.submission import SubmittedShipment

SHIPMENT: dict[str, Any] = {
    "shipment_id": "S-1",
    "consignor_id": "k1",
    "consignee_id": "k2",
    "origin_country": "CN",
    "dispatch_country": "CN",
    "destination_country": "DE",
    "declared_at": datetime(2025, 6, 16, tzinfo=UTC),
}
ITEM: dict[str, Any] = {"shipment_id": "S-1", "number": 1, "commodity_code": "8903100000"}
LATER = datetime(2025, 6, 1, tzinfo=UTC)

items = st.lists(
    st.fixed_dictionaries(
        {
            "shipment_id": st.just("S-1"),
            "number": st.integers(1, 999),
            "commodity_code": st.sampled_from(["8903100000", "84072191", "630720", "610910"]),
            "value": st.sampled_from([None, 0.0, 10.0, 11.0]),
            "currency": st.sampled_from(["EUR", "USD", "XPF"]),
            "gross_mass_kg": st.sampled_from([None, 0.0, 1.0, 2.0]),
            "known_at": st.sampled_from([None, None, LATER]),
        }
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda item: item["number"],
)


def by_hand(rows: list[dict[str, Any]]) -> str | None:
    """The six digits of the principal item, as somebody would look for it."""
    usd = 1.15162  # of June 2025

    def rank(item: dict[str, Any]) -> tuple[float, float, int]:
        per_euro = {"EUR": 1.0, "USD": usd}.get(item["currency"])
        is_worth = item["value"] is not None and per_euro is not None
        worth = round(item["value"] / per_euro, 2) if is_worth else -1.0
        mass = -1.0 if item["gross_mass_kg"] is None else item["gross_mass_kg"]
        return worth, mass, -item["number"]

    declared = [item for item in rows if item["known_at"] is None]
    return max(declared, key=rank)["commodity_code"][:6] if declared else None


def written(
    folder: Path, shipments: list[dict[str, Any]], goods: list[dict[str, Any]] | None
) -> Path:
    folder.mkdir(exist_ok=True)
    write_records(folder, "shipments", table(Shipment, shipments))
    if goods is not None:
        write_records(folder, "goods_items", table(GoodsItem, goods))
    return folder


def table(record: type[Any], rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([record(**row).model_dump() for row in rows])


def refusal(folder: Path) -> str:
    with pytest.raises(RecordsError) as refused:
        read_records(folder, "shipments")
    return str(refused.value)


@given(rows=items)
def test_files_and_submissions_have_the_code_of_the_principal_item(
    rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected = by_hand(rows)
    if expected is None:
        return
    folder = written(tmp_path_factory.mktemp("records"), [SHIPMENT], rows[::-1])

    submitted = SubmittedShipment(**SHIPMENT, items=tuple(rows))
    in_blocks = read_whole(RecordFolder(folder), "shipments", ["hs_code"])["hs_code"]

    assert {"EUR", "USD"} <= {*known_currencies()}
    assert submitted.hs_code == submitted.goods_code == expected
    assert read_records(folder, "shipments")["hs_code"].to_pylist() == [expected]
    assert STRING_TABLE.texts_of(in_blocks) == [expected]


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_text_files_leave_the_code_to_the_items_too(ending: str, tmp_path: Path) -> None:
    row = SHIPMENT | {"declared_at": "2025-06-16T00:00:00Z"}
    text = f"{','.join(row)}\n{','.join(row.values())}\n"
    (tmp_path / f"shipments.{ending}").write_text(text if ending == "csv" else json.dumps(row))
    write_records(tmp_path, "goods_items", table(GoodsItem, [ITEM]))

    assert read_records(tmp_path, "shipments")["hs_code"].to_pylist() == ["890310"]


def test_a_shipment_without_code_and_items_is_named(tmp_path: Path) -> None:
    other = SHIPMENT | {"shipment_id": "S-2"}
    folder = written(tmp_path, [SHIPMENT, other], [ITEM])

    assert "row 2, hs_code: is required of a shipment that has no item in goods_items" in (
        refusal(folder)
    )
    with pytest.raises(RecordsError, match="row 2, hs_code"):
        read_whole(RecordFolder(folder), "shipments", ["hs_code"])


def test_an_item_that_came_later_says_no_code(tmp_path: Path) -> None:
    folder = written(tmp_path, [SHIPMENT], [ITEM | {"known_at": LATER}])

    assert "hs_code: is required" in refusal(folder)


def test_a_code_that_no_item_has_is_named(tmp_path: Path) -> None:
    shipments = [SHIPMENT | {"hs_code": "890310"}, SHIPMENT | {"shipment_id": "S-2"}]
    shipments[1]["hs_code"] = "100630"
    goods = [ITEM, ITEM | {"shipment_id": "S-2"}, ITEM | {"shipment_id": "S-3"}]
    folder = written(tmp_path, shipments, goods)

    told = refusal(folder)

    assert "row 2, hs_code: is not the first six digits of an item in goods_items" in told
    with pytest.raises(RecordsError, match="row 2, hs_code"):
        RecordFolder(folder).check()


def test_rows_that_contradict_their_items_are_set_aside(tmp_path: Path) -> None:
    shipments = [SHIPMENT, SHIPMENT | {"shipment_id": "S-2", "hs_code": "100630"}]
    goods = [ITEM, ITEM | {"shipment_id": "S-2"}]
    folder = written(tmp_path / "records", shipments, goods)

    with set_aside(folder, tmp_path / "aside") as usable:
        kept = read_records(usable, "shipments")

    assert kept.select(["shipment_id", "hs_code"]).to_pylist() == [
        {"shipment_id": "S-1", "hs_code": "890310"}
    ]


def test_a_wrong_item_stands_for_no_shipment(tmp_path: Path) -> None:
    folder = written(tmp_path / "records", [SHIPMENT], None)
    priced = ITEM | {"value": 5.0, "currency": "EUR"}
    wrong = pa.Table.from_pylist([priced, priced | {"number": 2, "value": -1.0}])
    pq.write_table(wrong, folder / "goods_items.parquet")

    with pytest.raises(RecordsError, match="row 2, value"):
        read_records(folder, "goods_items")
    with set_aside(folder, tmp_path / "aside") as usable:
        assert read_records(usable, "shipments")["hs_code"].to_pylist() == ["890310"]
        assert len(read_records(usable, "goods_items")) == 1


def test_items_inside_a_file_of_shipments_are_refused_with_where_they_go(tmp_path: Path) -> None:
    rows = [{**SHIPMENT, "hs_code": "890310", "items": [{"number": 1}]}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "shipments.parquet")

    assert "goods items of shipments have a file of their own, goods_items" in refusal(tmp_path)


def test_a_code_that_is_none_is_refused_in_files_as_in_requests(tmp_path: Path) -> None:
    rows = [SHIPMENT | {"hs_code": "890310"}, SHIPMENT | {"shipment_id": "S-2", "hs_code": "?"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "shipments.parquet")

    assert "row 2, hs_code: does not look like ^[0-9]{6}$" in refusal(tmp_path)
