"""What `serving.models.simd` offers, with tuples of eight numbers in place of LLVM's vectors."""

from typing import Any

import numpy as np

from features.engine.numba_cache import inner
from serving.models.forest import Floats

Lanes = Any
LANES = 8


@inner
def load(array: Floats, row: int) -> Lanes:
    """The lanes in a row of an array."""
    a, i = array, row
    return a[i, 0], a[i, 1], a[i, 2], a[i, 3], a[i, 4], a[i, 5], a[i, 6], a[i, 7]


@inner
def store(array: Floats, row: int, lanes: Lanes) -> None:
    """Write lanes into a row of an array."""
    a, i = array, row
    a[i, 0], a[i, 1], a[i, 2], a[i, 3] = lanes[0], lanes[1], lanes[2], lanes[3]
    a[i, 4], a[i, 5], a[i, 6], a[i, 7] = lanes[4], lanes[5], lanes[6], lanes[7]


@inner
def spread(n: float) -> Lanes:
    """The same number in every lane."""
    return n, n, n, n, n, n, n, n


@inner
def add(a: Lanes, b: Lanes) -> Lanes:
    """The sums."""
    return (
        a[0] + b[0],
        a[1] + b[1],
        a[2] + b[2],
        a[3] + b[3],
        a[4] + b[4],
        a[5] + b[5],
        a[6] + b[6],
        a[7] + b[7],
    )


@inner
def subtract(a: Lanes, b: Lanes) -> Lanes:
    """The differences."""
    return (
        a[0] - b[0],
        a[1] - b[1],
        a[2] - b[2],
        a[3] - b[3],
        a[4] - b[4],
        a[5] - b[5],
        a[6] - b[6],
        a[7] - b[7],
    )


@inner
def multiply(a: Lanes, b: Lanes) -> Lanes:
    """The products."""
    return (
        a[0] * b[0],
        a[1] * b[1],
        a[2] * b[2],
        a[3] * b[3],
        a[4] * b[4],
        a[5] * b[5],
        a[6] * b[6],
        a[7] * b[7],
    )


@inner
def divide(a: Lanes, b: Lanes) -> Lanes:
    """The quotients."""
    return (
        a[0] / b[0],
        a[1] / b[1],
        a[2] / b[2],
        a[3] / b[3],
        a[4] / b[4],
        a[5] / b[5],
        a[6] / b[6],
        a[7] / b[7],
    )


@inner
def total(a: Lanes) -> float:
    """The sum of all lanes, half added to half."""
    return float(((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])))


@inner
def empty(rows: int) -> Floats:
    """Room for lanes [rows, LANES] that begins with a cache line, as the vectors have it."""
    room = np.empty((rows + 1) * LANES)
    first = -(room.ctypes.data // room.itemsize) % LANES
    return room[first : first + rows * LANES].reshape((rows, LANES))
