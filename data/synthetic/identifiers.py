"""Identifiers of conveyances: numbers of hull, radio and plate."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthetic.chance import Flags, Ints, Words, mixed, share
from synthetic.spelling import capitals, decimal, texts

# Weights of the check digit of IMO numbers.
IMO_WEIGHTS = np.array([7, 6, 5, 4, 3, 2])
REFRIGERATED = 0.12  # of lorries; all of those in which networks hide people


def imo_numbers(conveyance: Words, where: Flags) -> pa.Array:
    """Return IMO numbers: six digits and a check digit."""
    first = decimal((conveyance % np.uint64(900_000)).astype(np.int64) + 100_000, 6)
    check = ((first - ord("0")).astype(np.int64) * IMO_WEIGHTS).sum(axis=1) % 10
    return texts(first, decimal(check, 1), where=where)


def mmsis(conveyance: Words, where: Flags) -> pa.Array:
    """Return MMSIs: nine digits, beginning with one used by ships."""
    number = (mixed(conveyance.view(np.int64), 3) % np.uint64(100_000_000)).astype(np.int64)
    return texts("2", decimal(number, 8), where=where)


def call_signs(conveyance: Words, where: Flags) -> pa.Array:
    """Return call signs of four letters and a digit."""
    return texts(_letters(conveyance, 4, 5), _digits(conveyance, 6, 1), where=where)


def plates(conveyance: Words, where: Flags) -> pa.Array:
    """Return plate numbers of letters and digits."""
    return texts(_letters(conveyance, 2, 7), " ", _digits(conveyance, 8, 4), where=where)


def cargo_units(conveyance: Words, is_lorry: Flags, is_cooled: Flags) -> pa.Array:
    """Return the cargo units of lorries; null for all others."""
    usual = share(conveyance.view(np.int64), 9)
    cooled = is_cooled | (usual < REFRIGERATED)
    row = np.where(cooled, 0, np.where(usual > 0.95, 1, np.where(usual > 0.6, 3, 2)))
    return pa.array(("reefer", "tank", "box", "open")).take(pa.array(row, mask=~is_lorry))


def _letters(conveyance: Words, width: int, path: int) -> npt.NDArray[np.uint8]:
    return capitals(mixed(conveyance.view(np.int64), path), width)


def _digits(conveyance: Words, path: int, width: int) -> npt.NDArray[np.uint8]:
    number: Ints = (mixed(conveyance.view(np.int64), path) % np.uint64(10**width)).astype(np.int64)
    return decimal(number, width)
