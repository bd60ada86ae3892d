"""Countries: their regions, and the neighbours they share a land border with."""

import csv
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.reference.geography.places import FOLDER, Codes, row_in, text_at


@cache
def _countries() -> dict[str, tuple[str, frozenset[str]]]:
    with (FOLDER / "countries.csv").open(encoding="utf-8") as lines:
        return {
            row["code"]: (row["region"], frozenset(row["neighbours"].split()))
            for row in csv.DictReader(lines)
        }


def countries() -> tuple[str, ...]:
    """Return every known country code, in alphabetical order."""
    return tuple(_countries())


def neighbours_of(country: str) -> frozenset[str]:
    """Return the countries that share a land border with `country`; empty if it is unknown.

    >>> sorted(neighbours_of("PT"))
    ['ES']
    """
    return _countries()[country][1] if country in _countries() else frozenset()


def region_of(countries: npt.ArrayLike) -> Codes:
    """Return the United Nations region of each country; None if it is unknown.

    >>> region_of(["TR", None, "ZZ"]).tolist()
    ['Western Asia', None, None]
    """
    return text_at(_regions(), _rows_of(countries))


def are_neighbours(first: npt.ArrayLike, second: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return whether the two countries of each pair share a land border; False if unknown."""
    firsts, seconds = _rows_of(first), _rows_of(second)
    return (firsts >= 0) & (seconds >= 0) & _borders()[firsts, seconds]


def _rows_of(codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    return row_in(pa.array(countries()), np.atleast_1d(np.asarray(codes, dtype=object)))


@cache
def _regions() -> Codes:
    return np.array([region for region, _ in _countries().values()], dtype=object)


@cache
def _borders() -> npt.NDArray[np.bool_]:
    """Return the symmetric matrix of land borders, in the order of `countries()`."""
    # A matrix answers whole columns of pairs in one index operation.
    return np.array([[b in near for b in countries()] for _, near in _countries().values()])
