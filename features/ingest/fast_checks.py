"""Check quickly whether values satisfy a limit, so that few need a full check.

A negative result proves nothing: `features.ingest.contract` then decides, and reports faults.
"""

import re
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import INSTANT, Limits
from features.engine.columns import instant_us
from features.engine.numba_cache import compiled
from features.engine.string_table import contents_of_texts
from features.ingest.contract import YEARS, Bools

# Patterns of one character class and a count can be checked byte by byte. Below is the maximum
# length of such texts.
_SIMPLE = re.compile(r"\^(?P<of>\[[^]]*\])(\{(?P<least>\d+)(,(?P<most>\d+))?\}|(?P<any>\*))\$")
_ANYTHING = r"^[^\x{80}]*$"  # in ASCII
_MAX_CHECKED_LENGTH = 1 << 20
# Beyond every limit of a number and every instant.
_BEYOND_LIMITS = 1 << 62
_ENDS_OF_128 = np.arange(129, dtype=np.int32)
_YEARS_US = tuple(map(instant_us, YEARS))


def is_surely_sound(values: pa.Array, limit: Limits) -> bool:
    """Return whether a quick check proves all limits except `required`.

    False means unknown; `broken_values` then decides. Numbers and instants are checked by their
    extremes, texts by their bytes.
    """
    if pa.types.is_string(values.type):
        plain = None if values.null_count else _plain(limit.pattern, limit.longest)
        if plain is None or limit.choices or limit.codes:
            return False
        are_allowed, least, most = plain
        return bool(_are_of(*contents_of_texts(values), are_allowed, least, most))
    return _are_within(values, limit)


def _are_within(numbers: pa.Array, limit: Limits) -> bool:
    """Return whether the smallest and largest numbers are finite and within the limits."""
    if pa.types.is_boolean(numbers.type):
        return True
    are_valid, cells = numbers.buffers()
    least, most, is_finite = _extremes(
        np.frombuffer(cells or b"", np.float64 if pa.types.is_floating(numbers.type) else np.int64),
        np.frombuffer(are_valid if are_valid and numbers.null_count else b"", np.uint8),
        numbers.offset,
        numbers.offset + len(numbers),
    )
    if numbers.type == INSTANT:
        begins, ends = _YEARS_US
        return bool(begins <= least and most < ends)
    return bool(
        is_finite
        and (limit.at_least is None or least >= limit.at_least)
        and (limit.at_most is None or most <= limit.at_most)
    )


@compiled(nogil=True)
def _extremes(
    cells: npt.NDArray[Any], are_valid: npt.NDArray[np.uint8], begin: int, end: int
) -> tuple[float, float, bool]:
    """Return the smallest and largest valid cell, and whether all are finite.

    Without valid cells the results are within every limit. `are_valid` has one bit per cell, or is
    empty if all cells are valid.
    """
    least, most, is_finite = _BEYOND_LIMITS, -_BEYOND_LIMITS, True
    for row in range(begin, end):
        if len(are_valid) and not are_valid[row >> 3] >> (row & 7) & 1:
            continue
        least, most = min(least, cells[row]), max(most, cells[row])
        # Infinity and NaN are the only values whose difference from themselves is not 0.
        is_finite &= cells[row] - cells[row] == 0
    return least, most, is_finite


@cache
def _plain(pattern: str | None, longest: int | None) -> tuple[Bools, int, int] | None:
    """Return the allowed ASCII bytes and the minimum and maximum length; None if not that simple.

    A pattern is simple if it is one character class with a count.
    """
    simple = _SIMPLE.fullmatch(pattern or _ANYTHING)
    if simple is None:
        return None
    characters = pa.StringArray.from_buffers(
        128, pa.py_buffer(_ENDS_OF_128), pa.py_buffer(bytes(range(128)))
    )
    are_allowed = np.zeros(256, np.bool_)
    are_allowed[:128] = pc.match_substring_regex(characters, f"^{simple['of']}$").to_pylist()
    least, most = (int(simple[count] or simple["least"] or 0) for count in ("least", "most"))
    if simple["any"]:
        most = _MAX_CHECKED_LENGTH
    return are_allowed, least, most if longest is None else min(most, longest)


@compiled(nogil=True)
def _are_of(
    content: npt.NDArray[np.uint8],
    ends: npt.NDArray[Any],
    are_allowed: Bools,
    least: int,
    most: int,
) -> bool:
    """Return whether all texts have an allowed length and only allowed bytes."""
    for row in range(len(ends) - 1):
        if not least <= ends[row + 1] - ends[row] <= most:
            return False
    is_other = False
    for byte in content[ends[0] : ends[-1]]:
        is_other |= not are_allowed[byte]
    return not is_other
