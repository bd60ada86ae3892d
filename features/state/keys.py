"""Keys as bytes: texts end with a separator that no record can contain, numbers take eight bytes.

A keying's columns are of fixed kinds, so no two keys of it have the same bytes and none begins
another.
"""

import struct
from collections.abc import Sequence

from features.columns import Column, Columns, is_text
from features.vocabulary import VOCABULARY

Part = str | float | None

_DOUBLE = struct.Struct(">d")


def key_of(parts: Sequence[Part]) -> bytes | None:
    """The key that values form; None where one is missing (None or NaN)."""
    key = b""
    for part in parts:
        if part is None or part != part:  # noqa: PLR0124 - NaN alone differs from itself
            return None
        key += f"{part}\x1f".encode() if isinstance(part, str) else _DOUBLE.pack(part + 0.0)
    return key


def parts_of(column: Column) -> list[Part]:
    """The values of a column as parts of keys."""
    if not is_text(column):
        return column.tolist()
    codes, places = VOCABULARY.distinct(column)
    texts: list[Part] = [*VOCABULARY.texts_of(codes), None]
    return [texts[place] for place in places.tolist()]


def keys_of(columns: Columns, names: tuple[str, ...], size: int) -> list[bytes | None]:
    """The key of each row in these columns."""
    if not names:
        return [b""] * size
    return [
        key_of(parts) for parts in zip(*(parts_of(columns[name]) for name in names), strict=True)
    ]
