"""Instants of the world as UTC microseconds; the world begins on 1 January 2025."""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.arrow_schema import INSTANT
from synthetic.chance import Flags, Floats, Ints

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
BEGIN = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * SECOND


def at(day: Ints, hour: Floats) -> Ints:
    """Return the instant of an hour on a day of the world, to the second."""
    seconds = np.round(np.asarray(hour) * 3_600).astype(np.int64)
    return np.asarray(BEGIN + np.asarray(day, dtype=np.int64) * DAY + seconds * SECOND)


def after(start: Ints, hours: npt.ArrayLike) -> Ints:
    """Return instants some hours after `start` (before, if negative), to the second."""
    return start + np.round(np.asarray(hours) * 3_600).astype(np.int64) * SECOND


def column(values: Ints, where: Flags | None = None) -> pa.Array:
    """Return instants as a column; null where `where` is false."""
    whole = values // SECOND * SECOND
    return pa.array(whole, mask=None if where is None else ~where).cast(INSTANT)
