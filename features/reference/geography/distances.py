"""Distances between places, and usual durations by mode of transport."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.records import Mode
from features.reference.geography.places import FOLDER, Numbers, positions_of, row_in

EARTH_RADIUS_KM = 6371.0088

# Ratio of the usual route to the great circle, where no network distance is shipped.
WINDING: dict[Mode, float] = {
    "sea": 1.35,
    "air": 1.02,
    "road": 1.28,
    "rail": 1.22,
    "inland_waterway": 1.45,
}
# Usual speed over a whole route, with stops for rest and traffic; below, hours at both ends.
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
    """Return great-circle distances in km between positions in degrees; NaN stays NaN."""
    phi_1, lambda_1, phi_2, lambda_2 = map(
        np.radians, (latitude_1, longitude_1, latitude_2, longitude_2)
    )
    haversine = (
        np.sin((phi_2 - phi_1) / 2) ** 2
        + np.cos(phi_1) * np.cos(phi_2) * np.sin((lambda_2 - lambda_1) / 2) ** 2
    )
    # Rounding may give slightly more than 1 for opposite points, outside the domain of arcsin.
    km: Numbers = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(haversine, 0, 1)))
    return km


def distance_km(
    origins: npt.ArrayLike, destinations: npt.ArrayLike, mode: Mode | None = None
) -> Numbers:
    """Return the usual distance in km by `mode` between location codes; NaN for unknown codes.

    By sea it is the shortest route over the maritime network if both ports are main terminals.
    Otherwise, and by other modes, it is the great circle times the usual ratio of the mode. Without
    a mode it is the great circle itself.
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
        # Terminals were moved to the nearest node of the network, so a route may come out too
        # short.
        usual = np.where(np.isnan(by_network), usual, np.maximum(by_network, circle))
    return usual


def usual_hours(distance_km: npt.ArrayLike, mode: Mode) -> Numbers:
    """Return the usual hours for `distance_km` by `mode`, with loading or check-in at both ends.

    >>> usual_hours([450.0], "road").round(1).tolist()
    [11.5]
    """
    return np.asarray(distance_km, dtype=np.float64) / USUAL_KMH[mode] + END_HOURS[mode]


@cache
def _sea_matrix() -> tuple[pa.Array, Numbers]:
    ways = pq.read_table(FOLDER / "sea_distances.parquet")
    ends = [ways[end].cast(pa.string()) for end in ("origin", "destination")]
    terminals = pc.unique(pa.chunked_array([chunk for end in ends for chunk in end.chunks]))
    rows, columns = (row_in(terminals, end) for end in ends)
    km = np.full((len(terminals), len(terminals)), np.nan)
    km[rows, columns] = km[columns, rows] = ways["km"].to_numpy()
    np.fill_diagonal(km, 0.0)
    return terminals, km
