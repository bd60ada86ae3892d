"""Keys as bytes: texts end with a separator that no record can contain, numbers take eight bytes.

A keying's columns are of fixed kinds, so no two keys of it have the same bytes and none begins
another.
"""

import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

from features.columns import Column, Columns, is_text
from features.vocabulary import VOCABULARY

Part = str | float | None
Made = TypeVar("Made")

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


def parts_of(column: Column) -> list[bytes | None]:
    """The values of a column as parts of keys."""
    return [*map(part_of, column.tolist())] if not is_text(column) else _spread(column, part_of)


def texts_of(column: Column) -> list[str | None]:
    """The texts of a column."""
    return _spread(column, str)


def keys_of(columns: Columns, names: tuple[str, ...], size: int) -> list[bytes | None]:
    """The key of each row in these columns."""
    if not names:
        return [b""] * size
    parts = [parts_of(columns[name]) for name in names]
    return parts[0] if len(parts) == 1 else [*map(key_of, zip(*parts, strict=True))]


def _spread(column: Column, make: Callable[[str], Made | None]) -> list[Made | None]:
    """What is made of each text, made once per distinct one."""
    codes, places = VOCABULARY.distinct(column)
    made: list[Made | None] = [*map(make, VOCABULARY.texts_of(codes)), None]
    return [made[place] for place in places.tolist()]
