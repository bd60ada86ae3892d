"""Distances from place to place, and the usual duration by a mode of transport."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.records import Mode
from features.reference.geography.places import HERE, Numbers, positions_of, row_in

EARTH_RADIUS_KM = 6371.0088

# How much longer than the great circle a way usually is, where no network distance is shipped.
WINDING: dict[Mode, float] = {
    "sea": 1.35,
    "air": 1.02,
    "road": 1.28,
    "rail": 1.22,
    "inland_waterway": 1.45,
}
# Usual speed over a whole way with its stops for rest and traffic, and hours at its two ends.
USUAL_KMH: dict[Mode, float] = {
    "sea": 28.0,
    "air": 780.0,
    "road": 45.0,
    "rail": 38.0,
    "inland_waterway": 13.0,
}
END_HOURS: dict[Mode, float] = {
    "sea": 18.0,
    "air": 2.5,
    "road": 1.5,
    "rail": 8.0,
    "inland_waterway": 6.0,
}


def great_circle_km(
    latitude_1: npt.ArrayLike,
    longitude_1: npt.ArrayLike,
    latitude_2: npt.ArrayLike,
    longitude_2: npt.ArrayLike,
) -> Numbers:
    """Shortest way over the globe in km between positions in degrees; NaN stays NaN."""
    phi_1, lambda_1, phi_2, lambda_2 = map(
        np.radians, (latitude_1, longitude_1, latitude_2, longitude_2)
    )
    haversine = (
        np.sin((phi_2 - phi_1) / 2) ** 2
        + np.cos(phi_1) * np.cos(phi_2) * np.sin((lambda_2 - lambda_1) / 2) ** 2
    )
    km: Numbers = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(haversine, 0, 1)))
    return km


def distance_km(
    origins: npt.ArrayLike, destinations: npt.ArrayLike, mode: Mode | None = None
) -> Numbers:
    """Usual way by `mode` between location codes; NaN where a code is unknown.

    By sea it is the shortest way over the maritime network where both ports are main terminals;
    otherwise, and by other modes, the great circle lengthened by what is usual for the mode.
    Without a mode it is the great circle itself.
    """
    origins, destinations = np.atleast_1d(origins), np.atleast_1d(destinations)
    circle = great_circle_km(*positions_of(origins), *positions_of(destinations))
    if mode is None:
        return circle
    usual: Numbers = circle * WINDING[mode]
    if mode == "sea":
        terminals, km = _sea_matrix()
        first, second = row_in(terminals, origins), row_in(terminals, destinations)
        known = (first >= 0) & (second >= 0)
        by_network = np.where(known, km[first, second], np.nan)
        usual = np.where(np.isnan(by_network), usual, np.maximum(by_network, circle))
    return usual


def usual_hours(distance_km: npt.ArrayLike, mode: Mode) -> Numbers:
    """Hours a way of `distance_km` usually takes by `mode`, with loading or check-in at its ends.

    >>> usual_hours([450.0], "road").round(1).tolist()
    [11.5]
    """
    return np.asarray(distance_km, dtype=np.float64) / USUAL_KMH[mode] + END_HOURS[mode]


@cache
def _sea_matrix() -> tuple[pa.Array, Numbers]:
    ways = pq.read_table(HERE / "sea_distances.parquet")
    ends = [ways[end].cast(pa.string()) for end in ("origin", "destination")]
    terminals = pc.unique(pa.chunked_array([chunk for end in ends for chunk in end.chunks]))
    rows, columns = (row_in(terminals, end) for end in ends)
    km = np.full((len(terminals), len(terminals)), np.nan)
    km[rows, columns] = km[columns, rows] = ways["km"].to_numpy()
    np.fill_diagonal(km, 0.0)
    return terminals, km
