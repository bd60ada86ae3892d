"""Keys of logs: the values of a subject's columns, each with an end, and the suffix of a layout.

Pages of a log lie at keys made of its key.

The suffix, which tells keyings apart, comes last, so that the logs of one party are neighbours,
whatever else they are keyed by: a subject's logs are then read from few places of a large store. A
suffix and an end are characters that no record can contain, so that no two keys are the same.
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
# A store's keys take 511 bytes; of a text with more characters than any code or id its digest does.
MAX_TEXT = 64


def part_of(value: KeyPart) -> str | None:
    """A value as part of a key; None for a missing one (None or NaN)."""
    if isinstance(value, str):
        return f"{value if len(value) <= MAX_TEXT else shortened(value)}{PART_END}"
    is_given = value is not None and value == value  # noqa: PLR0124 - NaN differs from itself
    return f"{float(value) + 0.0!r}{PART_END}" if is_given else None  # type: ignore[arg-type]  # is_given rules None out


def shortened(text: str) -> str:
    """A text, or where that is long what stands for it alone."""
    if len(text) <= MAX_TEXT:
        return text
    return _DIGEST + blake2b(text.encode(), digest_size=32).hexdigest()


def key_parts(column: Texts | Column) -> list[str | None]:
    """The values of a column as parts of keys."""
    values = column if isinstance(column, list) else column.tolist()
    parts = {value: part_of(value) for value in set(values)}
    return [parts[value] for value in values]


def row_keys(layout: Layout, parts: Sequence[list[str | None]], size: int) -> list[bytes | None]:
    """The key of each row, of the parts in each column; None where one is missing."""
    if not parts:
        return [f"{KEY_START}{layout.key_suffix}".encode()] * size
    rows = zip(repeat(KEY_START), *parts, repeat(layout.key_suffix), strict=False)
    if not size or any(None in column for column in parts):
        return [None if None in row else "".join(row).encode() for row in rows]
    return [*"\n".join(map("".join, rows)).encode().split(b"\n")]  # no record has a line break


def texts_of(column: Column) -> Texts:
    """The texts of codes."""
    codes, places = STRING_TABLE.distinct(column)
    texts: Texts = [*STRING_TABLE.texts_of(codes), None]
    return [texts[place] for place in places.tolist()]


def page_key(key: bytes, page: int) -> bytes:
    """Return where a closed page of a key lies, whose open blob lies at the key."""
    return b"%b%b%b" % (_PAGE, key, page.to_bytes(4, "big"))


def chapter_key(key: bytes, chapter: int) -> bytes:
    """Return where the index of so many closed pages lies as make a chapter."""
    return b"%b%b%b" % (_CHAPTER, key, chapter.to_bytes(4, "big"))


def last_keys(key: bytes, label: int, codes: list[int]) -> list[bytes]:
    """Return where the last instant in closed pages of each label lies."""
    start = b"%b%b%c" % (_LAST, key, label)
    return [start + code.to_bytes(8, "big", signed=True) for code in codes]


def lasts_key(key: bytes, label: int) -> bytes:
    """Return where the instants lie at which closed pages had each label last, in order."""
    return b"%b%b%c" % (_LASTS, key, label)
