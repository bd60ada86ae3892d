"""Columns come out of a message as they went in, whatever codes a process gives to texts."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from features.engine.columns import NO_INSTANT
from features.engine.string_table import NO_TEXT, STRING_TABLE
from features.spark.part_messages import (
    NO_PART,
    SparkPart,
    home_of,
    messages_of,
    pack_columns,
    part_name,
    part_of_keys,
    row_of,
    unpack_columns,
    unpack_table,
)

PARTS_ELSEWHERE = """
import sys
import numpy as np
from features.spark.part_messages import part_of_keys
from features.engine.string_table import STRING_TABLE
STRING_TABLE.codes(["learnt", "before"])
print(part_of_keys(STRING_TABLE.codes(sys.argv[1:]), 1000).tolist())
"""

texts = st.none() | st.text(max_size=5)
numbers = st.floats(allow_nan=True) | st.sampled_from([0.0, -0.0, 1.0, 255.0, 256.0, 2.0**53])
instants = st.integers(NO_INSTANT, 2**63 - 1)


@given(st.lists(st.tuples(texts, numbers, instants), max_size=20))
def test_columns_come_back_to_the_bit(rows: list[tuple[str | None, float, int]]) -> None:
    columns = {
        "text": STRING_TABLE.codes([text for text, _, _ in rows]),
        "number": np.array([number for _, number, _ in rows], np.float64),
        "instant": np.array([instant for _, _, instant in rows], np.int64),
    }
    sent = SparkPart(
        3,
        1 << 40,
        pack_columns("name", columns | {"plain": pa.array(["x"] * len(rows), pa.string())}, 7),
    )

    (received,) = messages_of(row_of(sent))
    table = unpack_table(received.body)
    back = unpack_columns([table, table], [*columns])

    assert (received.part, received.at, part_name(table), home_of(table)) == (3, 1 << 40, "name", 7)
    assert table["plain"].type == pa.string()
    for name, column in columns.items():
        twice = np.concatenate([column, column])
        assert back[name].dtype == column.dtype
        if name != "number":
            np.testing.assert_array_equal(back[name], twice)
            continue
        np.testing.assert_array_equal(np.isnan(back[name]), np.isnan(twice))
        is_known = ~np.isnan(twice)
        np.testing.assert_array_equal(
            back[name][is_known].view(np.int64), twice[is_known].view(np.int64)
        )


def test_a_key_has_the_same_part_in_another_process() -> None:
    keys = ["c-buyer", "", "Ωμέγα", "890310"]
    done = subprocess.run(
        [sys.executable, "-c", PARTS_ELSEWHERE, *keys], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == str(part_of_keys(STRING_TABLE.codes(keys), 1000).tolist())


def test_a_missing_key_has_no_part() -> None:
    assert part_of_keys(np.array([NO_TEXT], np.int32), 5).tolist() == [NO_PART]
    assert part_of_keys(np.array([np.nan, 0.0, -0.0]), 1000)[0] == NO_PART
    zero, minus_zero = part_of_keys(np.array([0.0, -0.0]), 1000)
    assert zero == minus_zero
