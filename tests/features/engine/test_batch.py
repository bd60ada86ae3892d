"""The pieces of a build against plain ways to say the same."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import features.engine.batch.partitions
import features.engine.batch.spill_columns
from features.arrow_schema import INSTANT, Limits, arrow_schema, limits
from features.engine.batch.factorize import KeyFactorizer, factorize_together, hash_column
from features.engine.batch.partitions import Partitions
from features.engine.batch.sort_by_key import KeyGroups
from features.engine.batch.spill_columns import SpillableColumns
from features.engine.columns import DAY_US, NO_INSTANT, Columns, array_of_numbers
from features.engine.string_table import STRING_TABLE, cells_of
from features.errors import RecordsError
from features.ingest.contract import broken_values
from features.ingest.fast_checks import is_surely_sound
from features.ingest.record_folder import RecordFolder
from features.ingest.validate_block import are_sound_texts
from features.records import RECORD_FILES, Journey
from tests.counts import count

NO_LIMIT = Limits(
    required=False, choices=None, pattern=None, at_least=None, at_most=None, longest=None
)
USUAL = settings(max_examples=count(usual=60, full=2_000), deadline=None)
FLOATS = st.one_of(
    st.sampled_from([np.nan, 0.0, -0.0, 254.0, 255.0, 65_534.0, 65_535.0, 0.5, -1.0]), st.floats()
)


@given(st.lists(FLOATS, max_size=20), st.sampled_from([0, 40, 1_000]))
@USUAL
def test_a_shelf_gives_back_every_bit_but_that_of_a_nan(
    numbers: list[float], held_bytes: int
) -> None:
    columns = {"given": np.array(numbers, np.float64), "ones": np.ones(len(numbers))}
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(features.engine.batch.spill_columns, "MEMORY_BYTES", held_bytes)
        shelf = SpillableColumns(Path(folder) / "shelf")
        for name, column in columns.items():
            shelf.put(name, column)
        begin = min(1, len(numbers))
        kept = {name: shelf.rows(name, begin, len(numbers)) for name in columns}

    for name, column in columns.items():
        assert np.array_equal(kept[name], column[begin:], equal_nan=True)
        is_zero = column[begin:] == 0
        assert np.array_equal(np.signbit(kept[name])[is_zero], np.signbit(column[begin:])[is_zero])


@given(
    st.lists(st.lists(st.tuples(st.integers(-1, 1), st.integers(0, 99)), max_size=9), max_size=6),
    st.sampled_from([0, 100, 100_000]),
)
@USUAL
def test_a_part_has_its_rows_in_the_order_in_which_they_came_in_memory_or_on_disk(
    blocks: list[list[tuple[int, int]]], held_bytes: int
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(features.engine.batch.partitions, "MEMORY_BYTES", held_bytes)
        with Partitions(Path(folder) / "parts", 2) as parts:
            for block in blocks:
                part, value = np.array(block, np.int64).reshape(-1, 2).T
                parts.add({"value": value, "half": value / 2}, part.astype(np.int32))
            read = [parts.read(at) for at in range(2)] if blocks else []
        assert not [*Path(folder).iterdir()]

    for at, columns in enumerate(read):
        of_part = [value for block in blocks for part, value in block if part == at]
        assert columns["value"].tolist() == of_part
        assert columns["half"].tolist() == [value / 2 for value in of_part]


def test_ever_so_many_parts_lie_in_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process may open a thousand files; a year of payments has more parts than that."""
    monkeypatch.setattr(features.engine.batch.partitions, "MEMORY_BYTES", 0)
    many = 20_000
    values = np.arange(2 * many)
    with Partitions(tmp_path / "parts", many) as parts:
        parts.add({"value": values}, (values % many).astype(np.int32))
        assert [file.name for file in tmp_path.iterdir()] == ["parts"]
        assert parts.read(many - 1)["value"].tolist() == [many - 1, 2 * many - 1]


def test_rows_that_the_disk_does_not_give_back_are_not_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features.engine.batch.partitions, "MEMORY_BYTES", 0)
    with Partitions(tmp_path / "parts", 1) as parts:
        parts.add({"value": np.arange(9)}, np.zeros(9, np.int32))
        os.truncate(tmp_path / "parts", 64)
        with pytest.raises(OSError, match="not there"):
            parts.read(0)


@pytest.mark.parametrize("at", [0, 1_023, 1_024, 1_599])
def test_a_shelf_keeps_a_fraction_among_many_counts_wherever_it_stands(at: int) -> None:
    column = np.arange(1_600) % 200.0
    column[at] += 0.5
    with TemporaryDirectory() as folder:
        shelf = SpillableColumns(Path(folder) / "shelf")
        shelf.put("column", column)
        assert np.array_equal(shelf.rows("column", 0, len(column)), column)


@given(st.lists(FLOATS, max_size=40))
@USUAL
def test_numbers_as_arrow_has_them_are_null_where_they_are_missing(numbers: list[float]) -> None:
    column = np.array(numbers, np.float64)
    array = array_of_numbers(column)

    array.validate(full=True)
    assert array.null_count == np.isnan(column).sum()
    assert array.equals(pa.array(column, pa.float64(), from_pandas=True))


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.sampled_from([0.0, -0.0, 1.5, np.nan]),
        st.sampled_from([0, 7, NO_INSTANT]),
    ),
    min_size=1,
    max_size=40,
)


@given(ROWS)
@USUAL
def test_rows_have_one_number_exactly_when_their_keys_are_equal(
    rows: list[tuple[str | None, float, int]],
) -> None:
    texts, floats, instants = zip(*rows, strict=True)
    columns: Columns = {
        "text": STRING_TABLE.codes([*texts]),
        "float": np.array(floats),
        "instant": np.array(instants, np.int64),
    }
    codes, size = KeyFactorizer(columns).codes(("text", "float", "instant"))

    frame = pd.DataFrame({"t": texts, "f": np.array(floats) + 0.0, "i": instants})
    is_whole = frame.notna().all(axis=1).to_numpy() & (frame["i"] != NO_INSTANT).to_numpy()
    expected = frame[is_whole].groupby(["t", "f", "i"], sort=False).ngroup().to_numpy()
    assert (codes[~is_whole] == -1).all()
    assert codes[is_whole].tolist() == expected.tolist()
    assert codes.max(initial=-1) < size


@given(ROWS, ROWS)
@USUAL
def test_rows_of_two_tables_have_one_number_exactly_when_their_keys_are_equal(
    own: list[tuple[str | None, float, int]], other: list[tuple[str | None, float, int]]
) -> None:
    columns = []
    for rows in (own, other):
        texts, floats, instants = zip(*rows, strict=True)
        columns.append(
            [STRING_TABLE.codes([*texts]), np.array(floats), np.array(instants, np.int64)]
        )
    for first, last in ((0, 1), (0, 3), (1, 3), (1, 2), (2, 3)):
        names = slice(first, last)
        of_own, of_other, size = factorize_together(columns[0][names], columns[1][names])

        keys = [[*zip(*(c.tolist() for c in side[names]), strict=True)] for side in columns]
        missing = {-1, NO_INSTANT}
        are_whole = [[all(x == x and x not in missing for x in k) for k in side] for side in keys]
        assert of_own.max(initial=-1) < size
        assert [code >= 0 for code in of_own.tolist()] == are_whole[0]
        same = np.array([[a == b for b in keys[1]] for a in keys[0]])
        same &= np.outer(*are_whole)
        met = (of_own[:, None] == of_other[None, :]) & (of_own >= 0)[:, None]
        assert met.tolist() == same.tolist()


@pytest.mark.parametrize("step", [1.0, 0.5, 1e6, 2.0**40])
def test_keys_of_round_numbers_spread_over_a_table(step: float) -> None:
    slots = np.unique(hash_column(np.arange(4_096) * step) % 4_096)
    assert len(slots) > 2_400  # of 2,589 at random


@pytest.mark.parametrize("others", [1, 1_000, 1 << 20, 1 << 40])
def test_keys_beside_a_column_of_so_many_values_spread_over_a_table(others: int) -> None:
    slots = np.unique(hash_column(np.arange(4_096) * others) % 4_096)
    assert len(slots) > 2_400  # of 2,589 at random


def test_many_keys_of_many_columns_are_numbered_though_their_product_fits_no_integer() -> None:
    """Eight columns of 3,000 values each have more combinations than an int64 has numbers."""
    rng = np.random.default_rng(7)
    columns = {f"c{at}": rng.integers(0, 3_000, 20_000).astype(np.float64) for at in range(8)}
    columns = {name: np.concatenate([column, column]) for name, column in columns.items()}
    codes, _ = KeyFactorizer(columns).codes(tuple(columns))

    assert codes.tolist() == [*range(20_000)] * 2


@given(st.lists(st.one_of(st.none(), FLOATS), max_size=8), st.integers(0, 3))
@USUAL
def test_what_extremes_show_to_be_sound_is_never_broken(
    numbers: list[float | None], at: int
) -> None:
    column = pa.array(numbers, pa.float64())[at:]
    limit = replace(NO_LIMIT, at_least=-1, at_most=300)
    is_broken = any(pc.any(flags).as_py() for _, flags in broken_values(column, limit))

    assert not (is_broken and is_surely_sound(column, limit))
    is_plain = all(number is None or abs(number) <= 1e300 for number in numbers)
    assert is_surely_sound(column, limit) or is_broken or not is_plain


def test_an_instant_out_of_the_years_is_not_shown_to_be_sound() -> None:
    for year, is_sound in ((1899, False), (2026, True), (2200, False)):
        instants = pa.array([None, pd.Timestamp(year=year, month=1, day=1, tz="UTC")], INSTANT)
        assert is_surely_sound(instants, NO_LIMIT) is is_sound


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5))), st.integers(0, 9))
@USUAL
def test_cells_are_those_of_the_array_wherever_it_begins(cells: list[int | None], at: int) -> None:
    part = pa.array(cells, pa.int64())[at:]

    read = cells_of(part, np.int64, NO_INSTANT)

    assert read.tolist() == [NO_INSTANT if cell is None else cell for cell in cells[at:]]


def test_a_text_that_one_column_may_hold_is_looked_at_again_in_another() -> None:
    texts = pa.array(["EUR", "heavy"])
    codes = STRING_TABLE.learnt(texts)

    assert are_sound_texts(texts, codes, NO_LIMIT)
    assert are_sound_texts(texts, codes, replace(NO_LIMIT, longest=5))
    assert are_sound_texts(texts, codes, replace(NO_LIMIT, choices=("heavy", "EUR", "light")))
    assert not are_sound_texts(texts, codes, replace(NO_LIMIT, choices=("EUR", "light")))
    assert not are_sound_texts(texts, codes, replace(NO_LIMIT, pattern="^[A-Z]{3}$"))
    list_ = ("things", frozenset({"EUR", "heavy"}))
    assert are_sound_texts(texts, codes, replace(NO_LIMIT, codes=list_))
    assert not are_sound_texts(texts, codes, replace(NO_LIMIT, codes=list_, pattern="^[A-Z]{3}$"))


PATTERNS = sorted(
    {
        limit.pattern
        for record in RECORD_FILES.values()
        for limit in limits(record).values()
        if limit.pattern
    }
)


@given(
    st.lists(st.text(st.sampled_from("aZ09 ._:/-\n\x7f\x85é\u202e"), max_size=8), max_size=6),
    st.sampled_from([None, *PATTERNS, "^[a-z]{2,4}$", "^[^a-z]{3}$", "^a*$"]),
    st.sampled_from([None, 0, 3]),
    st.integers(0, 3),
)
@USUAL
def test_texts_whose_bytes_show_them_to_be_sound_are_never_broken(
    texts: list[str], pattern: str | None, longest: int | None, at: int
) -> None:
    column = pa.array(texts, pa.string())[at:]
    limit = replace(NO_LIMIT, pattern=pattern, longest=longest)
    is_broken = any(pc.any(flags).as_py() for _, flags in broken_values(column, limit))

    is_sound = is_surely_sound(column, limit)
    assert not (is_broken and is_sound)
    is_class = pattern is None or (pattern != "^a*$" and "(" not in pattern)
    is_simple = is_class and all(text.isascii() for text in texts)
    assert is_sound or is_broken or not is_simple


JOURNEY = Journey(
    journey_id="J-1",
    mode="sea",
    carrier_id="c1",
    conveyance_id="v1",
    conveyance_kind="container_ship",
    origin="CNSHA",
    destination="DEHAM",
    declared_at=datetime(2026, 11, 20, tzinfo=UTC),
    due_at=datetime(2026, 11, 30, tzinfo=UTC),
)


@pytest.mark.parametrize("ids", [["J-1", "J-1"], ["J-1", "J-2", "J-3", "J-1"]])
def test_a_record_that_stands_twice_is_refused_though_blocks_lie_between(
    ids: list[str], tmp_path: Path
) -> None:
    rows = [JOURNEY.model_copy(update={"journey_id": id_}).model_dump() for id_ in ids]
    table = pa.Table.from_pylist(rows, arrow_schema(Journey))
    pq.write_table(table, tmp_path / "journeys.parquet", row_group_size=1)

    for is_whole in (True, False):
        blocks = RecordFolder(tmp_path, is_whole=is_whole).blocks("journeys", ["journey_id"])
        with pytest.raises(RecordsError, match="journey_id: stands in an earlier row already"):
            list(blocks)


INSTANTS = st.one_of(
    st.integers(-3, 3),
    st.integers(0, 5).map(lambda day: day * DAY_US),
    st.integers(-(1 << 60), 1 << 60),
)


@given(st.lists(st.tuples(st.integers(-1, 3), INSTANTS), max_size=60), st.integers(1, 40))
@USUAL
def test_rows_are_grouped_by_key_and_stay_as_they_were_within_an_instant(
    rows: list[tuple[int, int]], times: int
) -> None:
    keys = np.array([key for key, _ in rows] * times, np.int32)
    instants = np.array([instant for _, instant in rows] * times, np.int64)
    groups = KeyGroups.sort(keys, instants, 4)

    frame = pd.DataFrame({"key": keys, "instant": instants})
    frame = frame[frame["key"] >= 0].sort_values(["key", "instant"], kind="stable")
    assert groups.order.tolist() == frame.index.tolist()
    assert groups.instants.tolist() == frame["instant"].tolist()
    counts = np.bincount(frame["key"], minlength=4)
    assert groups.starts.tolist() == [0, *np.cumsum(counts).tolist()]


def test_a_key_whose_rows_come_last_first_within_a_moment_is_grouped_all_the_same() -> None:
    """A row of long ago makes the moment too short to be told apart at first."""
    falling = np.repeat(np.arange(500, 0, -1), 2)
    instants = np.append(falling, -(1 << 60))
    groups = KeyGroups.sort(np.zeros(len(instants), np.int32), instants, 1)

    assert groups.order.tolist() == np.argsort(instants, kind="stable").tolist()
