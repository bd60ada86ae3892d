"""Own tables become the records that a mapping says; what breaks the contract is set aside."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import TidegateError
from features.ingest.record_files import check_record_file, read_records
from features.ingest.record_summary import summary_of
from features.mapping import refused_rows, repeated
from features.mapping.import_tables import QUARANTINE, REPORT
from features.mapping.mapping import OF_A_RECORD
from features.records import RECORD_FILES
from tests.features.mapping.importing import (
    AT,
    SHIPMENT,
    SHIPMENTS,
    imported,
    one,
    set_aside,
    shipments,
    written_csv,
)


def test_no_field_of_any_record_is_called_as_what_a_mapping_says_beside_fields() -> None:
    assert not {*OF_A_RECORD} & {f for r in RECORD_FILES.values() for f in r.model_fields}


@pytest.mark.parametrize(
    ("mapped", "row", "field", "value"),
    [
        ('gross_mass_kg = { column = "G", unit = "lb" }', {"G": "100"}, "gross_mass_kg", 45.359237),
        ('gross_mass_kg = { column = "G", unit = "TNE" }', {"G": "1.5"}, "gross_mass_kg", 1_500.0),
        ('gross_mass_kg = "G"', {"G": " 7 "}, "gross_mass_kg", 7.0),
        (
            'gross_mass_kg = { column = "G", decimal = "," }',
            {"G": "1.234,5"},
            "gross_mass_kg",
            1234.5,
        ),
        (
            'gross_mass_kg = { column = "G", decimal = "." }',
            {"G": "1,234"},
            "gross_mass_kg",
            1234.0,
        ),
        (
            'declared_value = { column = "V", unit = "kEUR" }',
            {"V": "2.5"},
            "declared_value",
            2_500.0,
        ),
        ('declared_value = { column = "V", unit = "kEUR" }', {"V": "2.5"}, "currency", "EUR"),
        ('declared_value = { column = "V", unit = "cJPY" }', {"V": "250"}, "declared_value", 2.5),
        ('packages = "P"', {"P": "12.0"}, "packages", 12),
        ('packages = "P"', {"P": ""}, "packages", None),
        ('packages = { column = "P", when_empty = 1 }', {"P": ""}, "packages", 1),
        ('office_id = { constant = "PT01" }', {}, "office_id", "PT01"),
        ('tax_type = { column = "X", zero_pad = 4 }', {"X": "12"}, "tax_type", "0012"),
        (
            'tax_type = { columns = ["X", "Y"], joined_by = "/" }',
            {"X": "a", "Y": "b"},
            "tax_type",
            "a/b",
        ),
        (
            'tax_type = { columns = ["X", "Y"], joined_by = "/" }',
            {"X": "", "Y": "b"},
            "tax_type",
            "/b",
        ),
        ('tax_type = { column = "X", codes = { 1 = "full" } }', {"X": "1"}, "tax_type", "full"),
        ('tax_type = { column = "X", codes = { 1 = "full" } }', {"X": ""}, "tax_type", None),
        (
            'tax_type = { column = "X", codes = { 1 = "full" }, otherwise = "?x" }'.replace(
                "?", ""
            ),
            {"X": "9"},
            "tax_type",
            "x",
        ),
    ],
)
def test_a_field_gets_what_the_mapping_says(
    tmp_path: Path, mapped: str, row: dict[str, str], field: str, value: Any
) -> None:
    assert one(tmp_path, f"{AT}{mapped}\n", **row)[field] == value


def test_packages_in_a_column_of_doubles_are_read_without_loss(tmp_path: Path) -> None:
    rows = [SHIPMENT | {"ID": f"S-{row}"} for row in range(4)]
    table = pa.Table.from_pylist(rows).append_column("P", pa.array([3.0, None, 3.5, 2.0**53 + 2]))
    pq.write_table(table, tmp_path / "t.parquet")

    imported(tmp_path, SHIPMENTS + AT + 'packages = "P"\n', f"t={tmp_path / 't.parquet'}")

    read = read_records(tmp_path / "out", "shipments")["packages"].to_pylist()
    assert read == [3, None]
    refused = {row["record"]["packages"]: row["why"] for row in set_aside(tmp_path)}
    assert [*refused.values()] == [["packages: not a whole number"]] * 2, refused


def test_one_column_is_split_into_two(tmp_path: Path) -> None:
    tables = "[tables.t]\nsplit = { WAY = '(?P<A>[A-Z]{2})[A-Z]{3}-(?P<B>[A-Z]{2})[A-Z]{3}' }\n"
    mapped = SHIPMENTS.replace('"SENT"', '"A"').replace('"DEST"', '"B"') + AT
    rows = [SHIPMENT | {"WAY": "TRIST-DEHAM"}, SHIPMENT | {"ID": "S-2", "WAY": "somewhere"}]

    imported(tmp_path, tables + mapped, str(written_csv(tmp_path, rows)))

    (record,) = read_records(tmp_path / "out", "shipments").to_pylist()
    assert (record["dispatch_country"], record["destination_country"]) == ("TR", "DE")
    (refused,) = set_aside(tmp_path)
    assert "dispatch_country: is not as in the pattern that splits it" in refused["why"]
    assert refused["record"]["dispatch_country"] == "somewhere", "as it stood"


def test_columns_of_another_table_are_joined_by_key_and_missing_where_there_is_none(
    tmp_path: Path,
) -> None:
    known = [("1", "PT01"), ("2", "PT02"), ("", "PT09")]
    register = [{"NO": number, "OFFICE": office} for number, office in known]
    rows = [SHIPMENT | {"ID": f"S-{no}", "REG": no} for no in ("2", "9", "", "1")]
    mapped = SHIPMENTS + AT + 'join = { reg = { REG = "NO" } }\noffice_id = "reg.OFFICE"\n'

    imported(tmp_path, mapped, str(written_csv(tmp_path, rows)),
             f"reg={written_csv(tmp_path, register, 'register.csv')}")  # fmt: skip

    offices = read_records(tmp_path / "out", "shipments")["office_id"].to_pylist()
    assert offices == ["PT02", None, None, "PT01"]


def test_a_key_that_stands_twice_joins_nothing(tmp_path: Path) -> None:
    written_csv(tmp_path, [{"NO": "1", "OFFICE": "PT01"}] * 2, "reg.csv")
    mapped = SHIPMENTS + AT + 'join = { reg = { ID = "NO" } }\noffice_id = "reg.OFFICE"\n'

    with pytest.raises(TidegateError, match=r"reg\.csv: NO has a value twice"):
        imported(tmp_path, mapped, str(written_csv(tmp_path, [SHIPMENT])), f"{tmp_path}/reg.csv")

    assert not (tmp_path / "out").exists()


def test_rows_are_selected_by_value_and_by_whether_there_is_one(tmp_path: Path) -> None:
    values = [("ok", "1"), ("ok", ""), ("void", "1"), ("", "1"), ("late", "2")]
    rows = [{"STATE": state, "FOUND": found} for state, found in values]
    mapped = AT + 'where = { STATE = ["ok", "late"] }\nunless = { FOUND = "" }\n'

    ids = [each["shipment_id"] for each in shipments(tmp_path, rows, mapped)]

    assert ids == ["S-0", "S-4"]


def test_one_row_gives_records_of_several_types_and_several_of_one(tmp_path: Path) -> None:
    document = """
[[documents]]
from = "t"
document_id = "{0}"
subject_kind = {{ constant = "shipment" }}
subject_id = "ID"
kind = {{ constant = "{1}" }}
received_at = "AT"
"""
    mapped = (
        SHIPMENTS + AT + document.format("INV", "invoice") + document.format("BL", "bill_of_lading")
    )
    row = SHIPMENT | {"INV": "D-1", "BL": "D-2"}

    report = imported(tmp_path, mapped, str(written_csv(tmp_path, [row])))

    assert report.records == {"shipments": 1, "documents": 2}
    kinds = read_records(tmp_path / "out", "documents")["kind"].to_pylist()
    assert kinds == ["invoice", "bill_of_lading"]


def test_a_pseudonym_is_the_same_for_the_same_id_of_a_register_and_tells_nothing_of_it(
    tmp_path: Path,
) -> None:
    mapped = (SHIPMENTS + AT).replace('"FROM"', '{ column = "FROM", pseudonym = "eori" }')
    mapped = mapped.replace('"TO"', '{ column = "TO", pseudonym = "eori" }')
    mapped += 'declarant_id = { column = "FROM", pseudonym = "brokers" }\n'
    rows = [SHIPMENT | {"FROM": "PT5001", "TO": "PT5001"}, SHIPMENT | {"ID": "", "FROM": "PT5001"}]

    imported(tmp_path, mapped, str(written_csv(tmp_path, rows)))

    (record,) = read_records(tmp_path / "out", "shipments").to_pylist()
    assert record["consignor_id"] == record["consignee_id"]
    assert record["consignor_id"].partition("-")[2] != record["declarant_id"].partition("-")[2]
    stored = b"".join(f.read_bytes() for f in (tmp_path / "out").rglob("*") if f.is_file())
    assert b"PT5001" not in stored, "nor in the quarantine"
    assert record["consignor_id"].encode() in stored


@pytest.mark.parametrize("ending", ["csv", "parquet", "ndjson"])
def test_every_kind_of_file_gives_the_same_records(tmp_path: Path, ending: str) -> None:
    rows = [
        SHIPMENT
        | {"ID": f"S-{at}", "HS": "010619", "P": str(at) if at % 3 else "", "MASS": f"{at}.5"}
        for at in range(50)
    ]
    file = tmp_path / f"t.{ending}"
    typed = [
        row | {"P": int(row["P"]) if row["P"] else None, "MASS": float(row["MASS"])} for row in rows
    ]
    if ending == "csv":
        written_csv(tmp_path, rows)
    elif ending == "parquet":
        pq.write_table(pa.Table.from_pylist(typed), file)
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in typed))

    imported(tmp_path, SHIPMENTS + AT + 'packages = "P"\nnet_mass_kg = "MASS"\n', str(file))

    records = read_records(tmp_path / "out", "shipments")
    assert records["packages"].to_pylist() == [at if at % 3 else None for at in range(50)]
    assert records["net_mass_kg"].to_pylist() == [at + 0.5 for at in range(50)]
    assert records["declared_at"][0].as_py() == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert {*records["hs_code"].to_pylist()} == {"010619"}


def test_what_is_nested_is_named_by_its_path(tmp_path: Path) -> None:
    row = SHIPMENT | {"goods": {"mass": {"net": 5}}, "times": {"at": "2026-03-02T12:00:00+02:00"}}
    (tmp_path / "t.ndjson").write_text(json.dumps(row) + "\n")

    mapped = 'declared_at = "times.at"\nnet_mass_kg = "goods.mass.net"\n'
    imported(tmp_path, SHIPMENTS + mapped, f"{tmp_path}/t.ndjson")

    (record,) = read_records(tmp_path / "out", "shipments").to_pylist()
    assert record["net_mass_kg"] == 5.0
    assert record["declared_at"] == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_a_row_that_cannot_be_read_is_told_by_its_place_and_those_after_it_keep_theirs(
    tmp_path: Path,
) -> None:
    lines = written_csv(tmp_path, [SHIPMENT | {"ID": f"S-{at}"} for at in range(5)]).read_text()
    header, *rows = lines.splitlines()
    rows[1] += ",too,many"
    rows[2:4] = [row.replace("890310", "?") for row in rows[2:4]]
    (tmp_path / "t.csv").write_text("\n".join([header, *rows]) + "\n")

    imported(tmp_path, SHIPMENTS + AT, f"{tmp_path}/t.csv")

    assert len(read_records(tmp_path / "out", "shipments")) == 2
    assert [(each["row"], each["why"]) for each in set_aside(tmp_path, "unread")] == [
        (2, ["has 10 values, want 8"])
    ]
    assert [each["row"] for each in set_aside(tmp_path)] == [3, 4]


def test_a_line_that_is_no_json_is_told_by_its_place(tmp_path: Path) -> None:
    lines = [json.dumps(SHIPMENT | {"ID": f"S-{at}"}) for at in range(4)]
    lines[1] = '{"ID": '
    lines[2] = lines[2].replace("890310", "?")
    (tmp_path / "t.ndjson").write_text("\n".join(lines))

    imported(tmp_path, SHIPMENTS + AT, f"{tmp_path}/t.ndjson")

    assert len(read_records(tmp_path / "out", "shipments")) == 2
    assert [each["row"] for each in set_aside(tmp_path, "unread")] == [2]
    assert [each["row"] for each in set_aside(tmp_path)] == [3]


SPOILT = {
    "ID": ["", "S 1", "S-1"],
    "HS": ["89031", "x", ""],
    "ORIGIN": ["", "XX?", "AB"],
    "AT": ["", "2026-03-02", "2026-02-30T10:00:00Z", "1800-01-01T00:00:00Z"],
    "MASS": ["-1", "nan", "heavy", "1e99", ""],
    "VALUE": ["5", ""],
    "CUR": ["EUR", "EURO", ""],
    "PACKAGES": ["1.5", "-3", "many"],
}


def test_an_import_refuses_the_rows_that_a_build_refuses_and_no_others(tmp_path: Path) -> None:
    """With the fields' own names a CSV is a record file, so both may read the very same."""
    drawn = random.Random(7)
    whole = SHIPMENT | {"MASS": "5", "VALUE": "10", "CUR": "EUR", "PACKAGES": "3"}
    rows = [whole | {"ID": f"S-{at % 280}"} for at in range(300)]
    for row in drawn.sample(rows, 150):
        for column in drawn.sample([*SPOILT], drawn.randint(1, 2)):
            row[column] = drawn.choice(SPOILT[column])
    mapped = SHIPMENTS + AT + 'net_mass_kg = "MASS"\ndeclared_value = "VALUE"\ncurrency = "CUR"\n'
    mapped += 'packages = "PACKAGES"\n'
    names = dict(line.replace('"', "").split(" = ")[::-1] for line in mapped.splitlines()[3:])
    plain = [{names[column]: value for column, value in row.items()} for row in rows]
    checked = check_record_file(written_csv(tmp_path, plain, "shipments.csv"), "shipments")

    imported(tmp_path, mapped, str(written_csv(tmp_path, rows)))

    refused = {each["row"] - 1 for each in set_aside(tmp_path)}
    assert refused == set(checked.why)
    assert 100 < len(refused) < 300
    kept = [i for at, i in enumerate(checked.table["shipment_id"].to_pylist()) if at not in refused]
    assert read_records(tmp_path / "out", "shipments")["shipment_id"].to_pylist() == kept


@pytest.mark.parametrize("at_once", [2, 1 << 20])
def test_of_rows_with_the_same_id_the_first_is_used_whatever_their_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(repeated, "ROWS_SORTED_AT_ONCE", at_once)
    ids = ["a", "b", "a", "c", "b", "a"]
    file = written_csv(tmp_path, [SHIPMENT | {"ID": i, "P": at} for at, i in enumerate(ids)])
    again = written_csv(tmp_path, [SHIPMENT | {"ID": i, "P": 9} for i in "cd"], "u.csv")

    report = imported(tmp_path, SHIPMENTS + AT + 'packages = "P"\n', str(file), str(again))

    records = read_records(tmp_path / "out", "shipments").to_pylist()
    assert [(r["shipment_id"], r["packages"]) for r in records] == [
        ("a", 0), ("b", 1), ("c", 3), ("d", 9),
    ]  # fmt: skip
    places = [(Path(each["input"]).name, each["row"]) for each in set_aside(tmp_path)]
    assert places == [("t.csv", 3), ("t.csv", 5), ("t.csv", 6), ("u.csv", 1)]
    assert report.records == {"shipments": 4}


def test_a_check_writes_nothing_and_says_the_same_as_the_import(tmp_path: Path) -> None:
    rows = [SHIPMENT, SHIPMENT | {"HS": "nine"}, SHIPMENT | {"ID": "S-3", "ORIGIN": "??"}]
    file = str(written_csv(tmp_path, rows))
    before = {*tmp_path.iterdir()}

    report = imported(tmp_path, SHIPMENTS + AT, file, check=True)

    assert {*tmp_path.iterdir()} - before == {tmp_path / "mapping.toml"}
    said = [(each.column, each.what, [p.row for p in each.places]) for each in report.refused]
    assert said == [
        ("hs_code", "does not look like ^[0-9]{6}$", [2]),
        ("origin_country", "does not look like ^[A-Z]{2}$", [3]),
    ], "of a row that is refused nobody need know that it is a second one too"
    assert imported(tmp_path, SHIPMENTS + AT, file) == report


def test_of_many_rows_that_are_wrong_all_are_counted_and_the_first_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_rows, "MAX_PLACES", 3)
    rows = [SHIPMENT | {"ID": f"S-{at}", "HS": "nine"} for at in range(7)]
    rows.append(SHIPMENT | {"ID": "S-7"})

    report = imported(tmp_path, SHIPMENTS + AT, str(written_csv(tmp_path, rows)))

    (group,) = report.refused
    assert (group.rows, [each.row for each in group.places]) == (7, [1, 2, 3])
    assert [each["row"] for each in set_aside(tmp_path)] == [*range(1, 8)]


def test_what_was_set_aside_is_known_to_whoever_builds_on_it(tmp_path: Path) -> None:
    shipments(tmp_path, [{}, {"HS": "nine"}])

    assert summary_of(tmp_path / "out")["set_aside"] == [
        {"record_type": "shipments", "column": "hs_code", "rows": 1,
         "what": "does not look like ^[0-9]{6}$"}
    ]  # fmt: skip
    report = json.loads((tmp_path / "out" / REPORT).read_text())
    assert report["refused"][0]["places"] == [{"row": 2, "value": "aaaa"}]


def test_columns_that_nothing_reads_are_listed_and_those_about_persons_apart(
    tmp_path: Path,
) -> None:
    rows = [SHIPMENT | {"DRIVER_NAME": "Jane Roe", "VESSEL_NAME": "Aurora", "OLD": "1", "WAY": "x"}]
    rows[0]["Chauffeur"] = "J. Roe"
    tables = '[tables.t]\ndrop = ["OLD"]\n'

    report = imported(tmp_path, tables + SHIPMENTS + AT, str(written_csv(tmp_path, rows)))

    assert report.about_persons == {"t": ["DRIVER_NAME", "Chauffeur"]}
    assert report.left_over == {"t": ["VESSEL_NAME", "WAY"]}
    stored = b"".join(f.read_bytes() for f in (tmp_path / "out").rglob("*") if f.is_file())
    assert b"Jane" not in stored


def test_a_folder_that_no_import_wrote_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "legs.parquet").write_text("somebody's")

    with pytest.raises(TidegateError, match="holds what no import wrote"):
        shipments(tmp_path, [{}])

    assert (tmp_path / "out" / "legs.parquet").read_text() == "somebody's"


def test_a_second_import_takes_the_place_of_the_first(tmp_path: Path) -> None:
    shipments(tmp_path, [{}, {"HS": "nine"}])

    (record,) = shipments(tmp_path, [{}])

    assert record["shipment_id"] == "S-0"
    assert not (tmp_path / "out" / QUARANTINE).exists()


def test_an_import_that_fails_leaves_the_former_records(tmp_path: Path) -> None:
    shipments(tmp_path, [{}])
    cut = tmp_path / "cut.parquet"
    pq.write_table(pa.Table.from_pylist([SHIPMENT] * 1_000), cut)
    whole = cut.read_bytes()
    cut.write_bytes(whole[:4] + bytes(len(whole) // 4) + whole[4 + len(whole) // 4 :])

    with pytest.raises(TidegateError):
        imported(tmp_path, SHIPMENTS + AT, str(cut))

    assert read_records(tmp_path / "out", "shipments")["shipment_id"].to_pylist() == ["S-0"]
    assert {each.name for each in tmp_path.iterdir()} == {
        "out",
        "t.csv",
        "cut.parquet",
        "mapping.toml",
    }


def test_an_import_of_which_every_row_is_refused_leaves_the_folder_as_it_was(
    tmp_path: Path,
) -> None:
    (before,) = shipments(tmp_path, [{}])

    with pytest.raises(TidegateError, match=r"(?s)none of 2 rows .*hs_code: does not look like"):
        shipments(tmp_path, [{"HS": "x"}, {"HS": "y"}])
    with pytest.raises(TidegateError, match=r"(?s)none of 1 rows .*see `where`"):
        shipments(tmp_path, [{}], AT + 'where = { ID = "another" }\n')

    assert read_records(tmp_path / "out", "shipments").to_pylist() == [before]
    assert not (tmp_path / "out" / QUARANTINE).exists()


@pytest.mark.parametrize(
    ("decimal", "written", "meant"),
    [
        (",", "1.234.567,5", 1_234_567.5),
        (",", "12 345", 12_345.0),
        (",", "0,125", 0.125),
        (",", "0.125", None),
        (",", "0.125.000", None),
        (",", "-0.500", None),
        (",", "1.25", None),
        (",", "12.5", None),
        (",", "1.234 567", None),
        (",", "1.2345", None),
        (",", "1234.567", None),
        (".", "1,234.5", 1_234.5),
        (".", "12\u2019345", 12_345.0),
        (".", "0,125", None),
        (".", "1,234'567", None),
        (".", "1.234.567", None),
    ],
)
def test_a_number_that_may_mean_another_is_refused(
    tmp_path: Path, decimal: str, written: str, meant: float | None
) -> None:
    mapped = f'{AT}gross_mass_kg = {{ column = "G", decimal = "{decimal}" }}\n'

    sound, *refused = shipments(tmp_path, [{"G": "7"}, {"G": written}], mapped)

    assert [each["gross_mass_kg"] for each in refused] == ([meant] if meant is not None else [])
    assert sound["gross_mass_kg"] == 7


def test_line_breaks_in_a_free_text_become_a_blank_and_other_marks_are_refused_in_words(
    tmp_path: Path,
) -> None:
    goods = [{"GOODS": "boats,\r\n inflatable\tof PVC"}, {"GOODS": "boats\x07"}]

    (read,) = shipments(tmp_path, goods, AT + 'goods_description = "GOODS"\n')

    assert read["goods_description"] == "boats, inflatable of PVC"
    (refused,) = set_aside(tmp_path)
    assert refused["why"] == [
        "goods_description: has a line break, a tab or another character that is not printed"
    ]
