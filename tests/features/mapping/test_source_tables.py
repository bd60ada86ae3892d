"""Files of senders are read as they are written, or refused by name."""

import json
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import TidegateError
from features.mapping import source_tables
from features.mapping.csv_quotes import require_closed_quotes
from features.mapping.mapping import TableMapping
from features.mapping.source_tables import open_file


def read(file: Path, **says: Any) -> list[dict[str, Any]]:
    table = open_file(file, TableMapping(**says))
    names = table.schema.names
    return [row for block in table.blocks(names) for row in block.rows.to_pylist()]


@pytest.mark.parametrize(
    ("content", "says", "rows"),
    [
        (b"a,b\n007,x\n", {}, [{"a": "007", "b": "x"}]),
        (b"\xef\xbb\xbfa,b\r\n1,x\r\n", {}, [{"a": "1", "b": "x"}]),
        ("a;b\n1;é\n".encode("cp1252"), {"delimiter": ";", "encoding": "cp1252"},
         [{"a": "1", "b": "é"}]),
        (b'"a b","b"\n"one\ntwo",""\n', {}, [{"a b": "one\ntwo", "b": None}]),
        (b"a,b\nN/A,-\n", {"empty": ["N/A", "-"]}, [{"a": None, "b": None}]),
        (b"a,b\n", {}, []),
        (b'a,b\n5" pipe,x"\n"a ""b"" c",2\n', {}, [{"a": '5" pipe', "b": 'x"'},
         {"a": 'a "b" c', "b": "2"}]),
    ],
)  # fmt: skip
def test_a_csv_file_is_read_as_it_is_written(
    tmp_path: Path, content: bytes, says: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    (tmp_path / "t.csv").write_bytes(content)

    assert read(tmp_path / "t.csv", **says) == rows


@pytest.mark.parametrize("ends_in", [None, 150])
def test_a_quote_that_does_not_end_takes_no_rows_along(tmp_path: Path, ends_in: int | None) -> None:
    lines = ["a,b", *(f"{row},x" for row in range(200))]
    lines[7] = '6,"x, of rubber'
    if ends_in:
        lines[ends_in] += '"'
    (tmp_path / "t.csv").write_text("\n".join(lines))

    with pytest.raises(TidegateError, match=r"t\.csv: the quote that begins a value in line 8 "):
        read(tmp_path / "t.csv")


@given(st.text('ab",', min_size=1, max_size=9))
def test_a_line_is_refused_exactly_where_a_reader_takes_the_next_one_along(line: str) -> None:
    options = pyarrow.csv.ReadOptions(column_names=["row"])
    whole = pyarrow.csv.ParseOptions(
        newlines_in_values=True, invalid_row_handler=lambda row: "skip", ignore_empty_lines=False
    )
    text = f"{line}\nlast\n"

    try:
        require_closed_quotes(StringIO(text, newline=""), ",", "t.csv")
        is_closed = True
    except TidegateError:
        is_closed = False

    try:
        rows = pyarrow.csv.read_csv(BytesIO(text.encode()), options, whole)["row"].to_pylist()
    except pa.ArrowInvalid:  # the file ends inside a value
        rows = []
    assert ("last" in rows) is is_closed


def test_a_value_may_have_as_many_lines_as_a_page(tmp_path: Path) -> None:
    text = "\n".join(map(str, range(100)))
    (tmp_path / "t.csv").write_text(f'a,b\n1,"{text}"\n2,x\n')

    assert [row["b"] for row in read(tmp_path / "t.csv")] == [text, "x"]


def test_a_file_of_tabs_needs_no_delimiter(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("a\tb\n1,5\tx\n")

    assert read(tmp_path / "t.tsv") == [{"a": "1,5", "b": "x"}]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.csv", b"", {}),
        ("t.csv", b"a,a\n1,2\n", {}),
        ("t.csv", b"a,b\n1,\xff\xfe\n", {}),
        ("t.csv", b"a,b\n1,2\n", {"encoding": "utf-9"}),
        ("t.parquet", b"PAR1", {}),
        ("t.xlsx", b"", {}),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, says: dict[str, Any]
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(TidegateError, match=name):
        read(tmp_path / name, **says)


def test_in_every_block_of_ndjson_keys_may_be_others_and_of_another_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_tables, "BLOCK_BYTES", 5)
    rows = [{"a": 1, "b": {"c": "x"}}, {"a": "two"}, {"a": 3.5, "d": [1]}, {"b": {"c": None}}]
    (tmp_path / "t.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))

    found = read(tmp_path / "t.ndjson")

    assert [each["a"] for each in found] == [1, "two", 3.5, None]
    assert [each["b.c"] for each in found] == ["x", None, None, None]


def test_of_a_nested_parquet_file_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    rows = [{"a": {"b": {"c": 1}}, "d": "x"}, {"a": None, "d": "y"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    table = open_file(tmp_path / "t.parquet", TableMapping())

    assert table.schema.names == ["a.b.c", "d"]
    assert [b.rows.to_pylist() for b in table.blocks(["a.b.c"])] == [
        [{"a.b.c": 1}, {"a.b.c": None}]
    ]


@pytest.mark.parametrize(
    ("content", "says", "told"),
    [
        ("a;b\n1;é\n".encode("cp1252"), {}, 'are no utf-8; .* as in encoding = "cp1252"'),
        ("a,b\n1,é\n".encode("utf-16"), {}, 'are no utf-8; .* as in encoding = "utf-16"'),
        (b"sep=;\r\na;b\n", {}, 'tells Excel the delimiter .* delimiter = ";"'),
        (b'"sep=\t"\na\tb\n', {}, r'tells Excel the delimiter .* delimiter = "\\t"'),
        (b"", {}, "its first line is empty; want the names"),
        (b"\n1,2\n", {}, "its first line is empty; want the names"),
    ],
)
def test_a_csv_file_that_is_written_otherwise_is_refused_with_what_to_do(
    tmp_path: Path, content: bytes, says: dict[str, Any], told: str
) -> None:
    (tmp_path / "t.csv").write_bytes(content)

    with pytest.raises(TidegateError, match=rf"t\.csv: .*{told}"):
        read(tmp_path / "t.csv", **says)
