"""Keys of logs: the values of a subject's columns, each with an end mark, and a layout suffix.

Keys of pages are made from the key of their log. The suffix identifies the keying. It comes last,
so that the logs of one party are neighbours whatever else they are keyed by, and a subject's logs
are read from few pages of a large store. End marks and suffixes are characters that no record can
contain, so all keys differ.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import repeat

from features.engine.columns import Column
from features.engine.store.layout import Layout
from features.engine.store.raw_columns import Texts
from features.engine.string_table import STRING_TABLE

KeyPart = str | float | None

KEY_START = "o"
PART_END = "\x1f"
_DIGEST = "\x1d"
_PAGE, _CHAPTER, _LAST, _LASTS = b"p", b"c", b"l", b"d"
# LMDB limits keys to 511 bytes. Texts longer than any code or id are replaced by a digest.
MAX_TEXT = 64


def part_of(value: KeyPart) -> str | None:
    """Return a value as part of a key, or None if it is None or NaN."""
    if isinstance(value, str):
        return f"{value if len(value) <= MAX_TEXT else shortened(value)}{PART_END}"
    is_given = value is not None and value == value  # noqa: PLR0124 - NaN differs from itself
    # Adding 0.0 turns -0.0 into 0.0, so that equal numbers give equal keys.
    return f"{float(value) + 0.0!r}{PART_END}" if is_given else None  # type: ignore[arg-type]  # is_given rules None out


def shortened(text: str) -> str:
    """Return a text, or its digest if it is long."""
    if len(text) <= MAX_TEXT:
        return text
    return _DIGEST + blake2b(text.encode(), digest_size=32).hexdigest()


def key_parts(column: Texts | Column) -> list[str | None]:
    """Return the values of a column as parts of keys."""
    values = column if isinstance(column, list) else column.tolist()
    parts = {value: part_of(value) for value in set(values)}
    return [parts[value] for value in values]


def row_keys(layout: Layout, parts: Sequence[list[str | None]], size: int) -> list[bytes | None]:
    """Return the key of each row from its parts; None if a part is missing."""
    if not parts:
        return [f"{KEY_START}{layout.key_suffix}".encode()] * size
    rows = zip(repeat(KEY_START), *parts, repeat(layout.key_suffix), strict=False)
    if not size or any(None in column for column in parts):
        return [None if None in row else "".join(row).encode() for row in rows]
    return [
        *"\n".join(map("".join, rows)).encode().split(b"\n")
    ]  # texts of records contain no line break


def texts_of(column: Column) -> Texts:
    """Return the texts of codes, None for missing ones."""
    codes, places = STRING_TABLE.distinct(column)
    texts: Texts = [*STRING_TABLE.texts_of(codes), None]
    return [texts[place] for place in places.tolist()]


def page_key(key: bytes, page: int) -> bytes:
    """Return the store key of a closed page; the log's own key holds the open blob."""
    return b"%b%b%b" % (_PAGE, key, page.to_bytes(4, "big"))


def chapter_key(key: bytes, chapter: int) -> bytes:
    """Return the store key of a chapter, the index of some closed pages."""
    return b"%b%b%b" % (_CHAPTER, key, chapter.to_bytes(4, "big"))


def last_keys(key: bytes, label: int, codes: list[int]) -> list[bytes]:
    """Return the store keys of the last instants of labels in closed pages."""
    start = b"%b%b%c" % (_LAST, key, label)
    return [start + code.to_bytes(8, "big", signed=True) for code in codes]


def lasts_key(key: bytes, label: int) -> bytes:
    """Return the store key of the sorted last instants of a label column in closed pages."""
    return b"%b%b%c" % (_LASTS, key, label)
