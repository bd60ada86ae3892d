"""Keys as bytes: texts end with a separator that no record can contain, numbers take eight bytes.

A keying's columns are of fixed kinds, so no two keys of it have the same bytes and none begins
another.
"""

import struct
from collections.abc import Sequence

from features.columns import Column
from features.state.plain import Texts
from features.vocabulary import VOCABULARY

Part = str | float | None

_DOUBLE = struct.Struct(">d")


def key_of(parts: Sequence[bytes | None]) -> bytes | None:
    """The key that parts form; None where one is missing."""
    return None if None in parts else b"".join(parts)  # type: ignore[arg-type]


def part_of(value: Part) -> bytes | None:
    """A value as part of a key; None for a missing one (None or NaN)."""
    if isinstance(value, str):
        return f"{value}\x1f".encode()
    is_given = value is not None and value == value  # noqa: PLR0124 - NaN differs from itself
    return _DOUBLE.pack(value + 0.0) if is_given else None  # type: ignore[operator]


def parts_of(column: Texts | Column) -> list[bytes | None]:
    """The values of a column as parts of keys."""
    if not isinstance(column, list):
        return [*map(part_of, column.tolist())]
    parts = {text: part_of(text) for text in set(column)}
    return [parts[text] for text in column]


def keys_of(parts: Sequence[list[bytes | None]], size: int) -> list[bytes | None]:
    """The key of each row, of the parts in each column."""
    if not parts:
        return [b""] * size
    return parts[0] if len(parts) == 1 else [*map(key_of, zip(*parts, strict=True))]


def texts_of(column: Column) -> Texts:
    """The texts of codes."""
    codes, places = VOCABULARY.distinct(column)
    texts: Texts = [*VOCABULARY.texts_of(codes), None]
    return [texts[place] for place in places.tolist()]
