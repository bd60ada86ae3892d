"""Distance of a point from the nearest port, used as a measure of nearness to a coast."""

from functools import cache

import numpy as np
import numpy.typing as npt

from features.engine.numba_cache import compiled
from features.reference.geography.distances import EARTH_RADIUS_KM
from features.reference.geography.places import Numbers, place_table

# Points farther away count as open sea, and their distance is not computed.
MAX_KM = 60.0


def nearest_port_km(latitudes: npt.ArrayLike, longitudes: npt.ArrayLike) -> Numbers:
    """Return great-circle distances in km from points in degrees to the nearest port.

    Infinite beyond MAX_KM; NaN if a coordinate is missing.
    """
    points = _unit_vectors(np.asarray(latitudes, float), np.asarray(longitudes, float))
    found: Numbers = _nearest_km(points, *_ports(), MAX_KM, EARTH_RADIUS_KM)
    return found


@cache
def _ports() -> tuple[Numbers, Numbers]:
    """Return unit vectors of the ports from south to north, and the sines of their latitudes."""
    is_port = np.array(place_table()["kind"].to_pylist()) == "port"
    # `to_numpy` is avoided because it would load pandas.
    latitude, longitude = (
        np.array(place_table()[name].to_pylist())[is_port] for name in ("latitude", "longitude")
    )
    order = np.argsort(latitude, kind="stable")
    vectors = _unit_vectors(latitude[order], longitude[order])
    return vectors, vectors[:, 2].copy()


def _unit_vectors(latitudes: Numbers, longitudes: Numbers) -> Numbers:
    phi, theta = np.radians(latitudes), np.radians(longitudes)
    around = np.cos(phi)
    return np.stack([around * np.cos(theta), around * np.sin(theta), np.sin(phi)], axis=-1)


@compiled(nogil=True)
def _nearest_km(
    points: Numbers, ports: Numbers, heights: Numbers, farthest_km: float, radius_km: float
) -> Numbers:
    """Compare chords through the globe, among ports of nearby latitude only."""
    nearest = np.empty(len(points))
    # The chord that belongs to the farthest distance on the surface.
    reach = 2 * np.sin(farthest_km / radius_km / 2)
    for i in range(len(points)):
        if np.isnan(points[i, 0]):
            nearest[i] = np.nan
            continue
        least = reach * reach
        first = np.searchsorted(heights, points[i, 2] - reach)
        for port in range(first, len(ports)):
            if heights[port] > points[i, 2] + reach:
                break
            chord = (
                (points[i, 0] - ports[port, 0]) ** 2
                + (points[i, 1] - ports[port, 1]) ** 2
                + (points[i, 2] - ports[port, 2]) ** 2
            )
            least = min(least, chord)
        is_near = least < reach * reach
        nearest[i] = 2 * radius_km * np.arcsin(np.sqrt(least) / 2) if is_near else np.inf
    return nearest
