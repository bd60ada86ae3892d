"""Random numbers: an independent stream for each part of the world, named by a path.

Streams depend on seed and path alone, never on one another. So a part of the world comes out the
same, whatever was made before or in parallel.
"""

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]


def chance(seed: int, topic: str, *path: int) -> np.random.Generator:
    """Return the random stream for a topic and a path within it."""
    key = (zlib.crc32(topic.encode()), *path)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)))


def mixed(*parts: npt.ArrayLike) -> Words:
    """Return a well-mixed 64-bit word per row, equal for equal parts (SplitMix64)."""
    word = np.zeros((), dtype=np.uint64)
    # Overflow is part of the algorithm.
    with np.errstate(over="ignore"):
        for part in parts:
            word = (word ^ np.asarray(part).astype(np.int64).view(np.uint64)) + np.uint64(
                0x9E3779B97F4A7C15
            )
            word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            word = word ^ (word >> np.uint64(31))
    return np.asarray(word, dtype=np.uint64)


def share(*parts: npt.ArrayLike) -> Floats:
    """Return a number in [0, 1) per row, equal for equal parts: a lasting trait."""
    # The top 53 bits: as many as a float holds exactly.
    return (mixed(*parts) >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def picked(weights: Floats, at: Floats) -> Ints:
    """Return the index in `weights` that each number of `at`, in [0, 1), selects."""
    edges = np.cumsum(weights)
    return np.minimum(np.searchsorted(edges, at * edges[-1], side="right"), len(weights) - 1)
