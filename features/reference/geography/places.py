"""Places by location code: their kind, position and country."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.engine.string_table import cells_of, contents_of_texts

Codes = npt.NDArray[np.object_]
Numbers = npt.NDArray[np.float64]

FOLDER = Path(__file__).parent


@cache
def place_table() -> pa.Table:
    """Return all places: code, name, country, other_country, kind, latitude, longitude.

    `kind` is port, airport or crossing; `other_country` is the far side of a crossing, else null.
    """
    return geography_table("places")


def geography_table(name: str) -> pa.Table:
    """Return a table of this folder; `pq.read_table` would load pandas, which no service needs."""
    with pq.ParquetFile(FOLDER / f"{name}.parquet") as file:
        return file.read()


def place_rows_of(codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the row of each code in `place_table()`; -1 if the code is None or unknown."""
    rows = _row_by_code()
    wanted_codes = np.asarray(codes, dtype=object)
    return np.array([rows.get(code, -1) for code in wanted_codes.ravel()], np.int64).reshape(
        wanted_codes.shape
    )


def row_in(known: pa.Array, codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the row of each of `codes` in `known`; -1 if it is None or absent."""
    wanted_codes = pa.array(np.asarray(codes, dtype=object), type=pa.string(), from_pandas=True)
    found = pc.index_in(wanted_codes, value_set=known, skip_nulls=True)
    rows: npt.NDArray[np.int64] = found.fill_null(-1).to_numpy(zero_copy_only=False)
    return rows.astype(np.int64)


def positions_of(codes: npt.ArrayLike) -> tuple[Numbers, Numbers]:
    """Return latitude and longitude in degrees of each code; NaN if it is unknown."""
    rows = place_rows_of(codes)
    latitude, longitude = (
        np.where(rows < 0, np.nan, _column(name)[rows]) for name in ("latitude", "longitude")
    )
    return latitude, longitude


def country_of(codes: npt.ArrayLike) -> Codes:
    """Return the country of each code, for a crossing the first of its two; None if unknown."""
    return _texts(codes, "country")


def place_kinds(codes: npt.ArrayLike) -> Codes:
    """Return the kind of each code: port, airport or crossing; None if it is unknown."""
    return _texts(codes, "kind")


def country(code: str) -> str | None:
    """Return the country of one code, as `country_of` does."""
    row = _row_by_code().get(code, -1)
    return None if row < 0 else str(_column("country")[row])


def stored_place_name(code: str) -> str | None:
    """Return the name of one code; None if it is unknown."""
    row = _row_by_code().get(code, -1)
    return None if row < 0 else str(_column("name")[row])


def latitude(code: str) -> float:
    """Return the latitude in degrees of one code; NaN if it is unknown."""
    return _degrees(code, "latitude")


def longitude(code: str) -> float:
    """Return the longitude in degrees of one code; NaN if it is unknown."""
    return _degrees(code, "longitude")


@cache
def content_digest(name: str) -> str:
    """Return the SHA-256 of one column of the table of places and of their codes."""
    digest = hashlib.sha256()
    for column in (place_table()["code"], place_table()[name]):
        cells = column.combine_chunks()
        if pa.types.is_string(cells.type):
            content, ends = contents_of_texts(cells)
            # Lengths are hashed too, since otherwise texts could shift between rows unnoticed.
            digest.update(np.diff(ends).tobytes())
            digest.update(content[ends[0] : ends[-1]].tobytes())
        else:
            digest.update(cells_of(cells, np.float64, np.nan).tobytes())
    return digest.hexdigest()


def _degrees(code: str, name: str) -> float:
    row = _row_by_code().get(code, -1)
    return float("nan") if row < 0 else float(_column(name)[row])


def _texts(codes: npt.ArrayLike, name: str) -> Codes:
    return text_at(_column(name), place_rows_of(codes))


def text_at(texts: Codes, rows: npt.NDArray[np.int64]) -> Codes:
    """Return `texts` at `rows`, with None where the row is negative."""
    found = texts[rows]
    found[rows < 0] = None
    return found


@cache
def _row_by_code() -> dict[str | None, int]:
    return {code: row for row, code in enumerate(place_table()["code"].to_pylist())}


@cache
def _column(name: str) -> npt.NDArray[Any]:
    column = place_table()[name]
    dtype = np.float64 if pa.types.is_float64(column.type) else np.object_
    return np.array(column.to_pylist(), dtype)
