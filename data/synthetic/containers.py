"""ISO 6346 container numbers, with a valid check digit unless an error is planted."""

import numpy as np
import pyarrow as pa

from synthetic.actors import CONTAINER
from synthetic.chance import Flags, Ints, mixed
from synthetic.spelling import Bytes, capitals, decimal, texts

# 10 for A and upwards, without multiples of 11, after ISO 6346.
_LETTER_VALUES = np.array([v for v in range(10, 39) if v % 11], dtype=np.int64)
_WEIGHTS = 2 ** np.arange(10, dtype=np.int64)


def container_numbers(seed: int, box: Ints, *, is_wrong: Flags, where: Flags) -> pa.Array:
    """Return the number of each box: invalid where `is_wrong`, null unless `where`."""
    words = mixed(seed, CONTAINER, box)
    owner = np.concatenate(
        [capitals(words % np.uint64(40), 3), np.full((len(box), 1), ord("U"), np.uint8)], axis=1
    )
    serial = decimal((words >> np.uint64(20)).astype(np.int64) % 1_000_000, 6)
    check = (_check_digits(owner, serial) + is_wrong * (1 + box % 8)) % 10
    return texts(owner, serial, decimal(check, 1), where=where)


def _check_digits(owner: Bytes, serial: Bytes) -> Ints:
    letters = _LETTER_VALUES[owner.astype(np.int64) - ord("A")]
    digits = serial.astype(np.int64) - ord("0")
    total = (np.concatenate([letters, digits], axis=1) * _WEIGHTS).sum(axis=1)
    return np.asarray(total % 11 % 10)
