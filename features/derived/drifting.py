"""Number the cells, of sea and hour, in which craft drift far from ports.

Two craft that drift in one cell were close enough to meet.
"""

import numpy as np
import numpy.typing as npt

from features.engine.columns import HOUR_US, Column
from features.reference.geography.places import Numbers
from features.reference.geography.ports import nearest_port_km

# A vessel slower than this drifts or waits.
SLOW_KN = 2

# Ten nautical miles: nearer to a port there are anchorages, pilots and bunker barges.
OFF_PORT_KM = 18.52

# Three nautical miles from south to north, and less from west to east away from the equator.
SQUARE_DEGREES = 0.05
_SQUARES_AROUND = 7_200
# More than the hours from 1970 to the latest year of a record, so that cells do not overlap.
_HOURS = 1 << 21


def drift_cell(
    latitudes: npt.ArrayLike,
    longitudes: npt.ArrayLike,
    speeds_kn: npt.ArrayLike,
    instants_us: npt.ArrayLike,
) -> Numbers:
    """Return a unique number of the square and hour of each position.

    NaN if the craft moved, its speed is unknown, or it was within OFF_PORT_KM of a port.
    """
    is_slow = np.asarray(speeds_kn, float) < SLOW_KN
    cells = np.full(len(is_slow), np.nan)
    if is_slow.any():  # few conveyances have slow positions
        north, east = (np.asarray(of, float)[is_slow] for of in (latitudes, longitudes))
        hours = np.asarray(instants_us, np.int64)[is_slow] // HOUR_US
        is_off_port = nearest_port_km(north, east) > OFF_PORT_KM
        cells[is_slow] = np.where(is_off_port, _numbered(north, east, hours), np.nan)
    return cells


def _numbered(latitude: Numbers, longitude: Numbers, hours: Column) -> Numbers:
    row = np.floor((latitude + 90) / SQUARE_DEGREES)
    place = np.floor((longitude + 180) / SQUARE_DEGREES) % _SQUARES_AROUND
    return (row * _SQUARES_AROUND + place) * _HOURS + hours
