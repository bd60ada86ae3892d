"""How far a position is from the places that are known, all of which lie on a shore or on land.

There is no coast line here: the distance to the nearest port, airport or crossing is never less
than that to land, and on a coast with few of them it is much more.
"""

from functools import cache

import numpy as np

from features.reference.geography.distances import EARTH_RADIUS_KM
from features.reference.geography.places import Numbers, places


def km_to_nearest_place(latitude: float, longitude: float) -> float:
    """Great-circle distance in km from a position in degrees to the nearest known place."""
    nearest = float(np.max(_unit_vectors() @ _unit_vector(latitude, longitude)))
    return float(EARTH_RADIUS_KM * np.arccos(np.clip(nearest, -1.0, 1.0)))


@cache
def _unit_vectors() -> Numbers:
    # Not by `to_numpy`, which would load pandas.
    latitude, longitude = (
        np.array(places()[name].to_pylist()) for name in ("latitude", "longitude")
    )
    return _unit_vector(latitude, longitude).T


def _unit_vector(latitude: Numbers | float, longitude: Numbers | float) -> Numbers:
    phi, lam = np.radians(latitude), np.radians(longitude)
    return np.array([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
