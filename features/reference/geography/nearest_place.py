"""Distance and bearing of a position from known places, all of which are on a shore or on land.

There is no coastline here. The distance to the nearest port, airport or crossing is never less than
the distance to land, and on coasts with few of them it is much more.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from features.reference.geography.distances import EARTH_RADIUS_KM
from features.reference.geography.places import Numbers, place_table


def km_to_nearest_place(latitude: float, longitude: float) -> float:
    """Return the great-circle distance in km from a position in degrees to the nearest place."""
    # The largest cosine belongs to the smallest angle, so a single product suffices.
    nearest = float(np.max(_unit_vectors() @ _unit_vector(latitude, longitude)))
    return float(EARTH_RADIUS_KM * np.arccos(np.clip(nearest, -1.0, 1.0)))


class NearPlace(NamedTuple):
    """Place, its distance, and the direction of the position as seen from it."""

    code: str
    km: float
    bearing_degrees: float


def nearest_places(latitude: float, longitude: float, count: int) -> list[NearPlace]:
    """Return the known places nearest to a position in degrees, nearest first.

    >>> [(place.code, round(place.km), round(place.bearing_degrees))
    ...  for place in nearest_places(35.9, 23.2, 1)]
    [('KIT', 45, 158)]
    """
    cosines = _unit_vectors() @ _unit_vector(latitude, longitude)
    rows = np.argsort(-cosines, kind="stable")[:count]
    km = EARTH_RADIUS_KM * np.arccos(np.clip(cosines[rows], -1.0, 1.0))
    near = place_table().take(rows)
    phi, lam = (np.radians(near[name].to_pylist()) for name in ("latitude", "longitude"))
    to_phi, to_lam = np.radians(latitude), np.radians(longitude)
    east = np.sin(to_lam - lam) * np.cos(to_phi)
    north = np.cos(phi) * np.sin(to_phi) - np.sin(phi) * np.cos(to_phi) * np.cos(to_lam - lam)
    bearings = np.degrees(np.arctan2(east, north)) % 360
    found = zip(near["code"].to_pylist(), km.tolist(), bearings.tolist(), strict=True)
    return [NearPlace(*each) for each in found]


@cache
def _unit_vectors() -> Numbers:
    # `to_numpy` is avoided because it would load pandas.
    latitude, longitude = (
        np.array(place_table()[name].to_pylist()) for name in ("latitude", "longitude")
    )
    return _unit_vector(latitude, longitude).T


def _unit_vector(latitude: Numbers | float, longitude: Numbers | float) -> Numbers:
    phi, lam = np.radians(latitude), np.radians(longitude)
    return np.array([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
