"""Land and borders as SVG paths: Natural Earth 1:10m, simplified by zoom.

Coordinates are Web Mercator in degrees: x eastwards from Greenwich, possibly beyond 180, and y
downwards from the equator.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

DATA = Path(__file__).with_name("coastline.npz")

# Finest zoom: a pixel is about 300 m at the equator, the precision of the data.
FINEST = 9

TILE_PX = 256
MERCATOR_LIMIT = 85.05
# Land is drawn this far beyond the window, so that a cut edge never looks like a coast.
MARGIN_PX = 4.0
# Smaller islands, in pixels, are not drawn at a zoom; a finer zoom shows them.
SMALLEST_PX = 1.0
# Rings across the antimeridian end here.
FARTHEST_EAST = 200.0
# Paths of tiles use fractions of a pixel as units, so that their coordinates are integers.
UNITS_PER_PX = 4

Points = npt.NDArray[np.float64]


class MapWindow(NamedTuple):
    """Part of the plane in degrees."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Land:
    """Paths in units of the window: `land` to fill, `borders` to stroke."""

    land: str
    borders: str


class CountryName(NamedTuple):
    """Country name with its position in degrees and the first zoom that shows it."""

    name: str
    east: float
    north: float
    first_zoom: int


def degrees_down(north: npt.ArrayLike) -> Points:
    """Return y of latitudes: Web Mercator in degrees of longitude, downwards."""
    radians = np.radians(np.asarray(north, dtype=np.float64))
    return -np.degrees(np.arcsinh(np.tan(radians)))


def land_in(window: MapWindow, zoom: int, units_per_degree: float) -> Land:
    """Return land and borders of a window, in whole units from its top left corner."""
    zoom = min(zoom, FINEST)
    margin = MARGIN_PX * 360 / TILE_PX / 2**zoom
    land, borders = [], []
    for shift in _turns_of_the_world(window):
        seen = MapWindow(
            window.left - shift - margin,
            window.top - margin,
            window.width + 2 * margin,
            window.height + 2 * margin,
        )
        origin = (window.left - shift, window.top)
        rings, lines = _shapes(zoom)
        for ring in rings.overlapping(seen):
            part = _clipped(ring, seen)
            if len(part) and np.ptp(part, axis=0).all():
                land.append(_path(part, origin, units_per_degree, "z"))
        borders += [_path(line, origin, units_per_degree) for line in lines.overlapping(seen)]
    return Land("".join(land), "".join(borders))


@lru_cache(maxsize=2_048)
def tile(zoom: int, column: int, row: int) -> Land:
    """Return land and borders of one map tile of 256 pixels, in quarters of a pixel."""
    size = 360 / 2**zoom
    window = MapWindow(-180 + column * size, -180 + row * size, size, size)
    return land_in(window, zoom, TILE_PX * UNITS_PER_PX / size)


@cache
def country_names() -> tuple[CountryName, ...]:
    """Return the names of all countries."""
    with np.load(DATA) as table:
        columns = (table[name].tolist() for name in ("names", "name_spots", "name_zooms"))
        rows = zip(*columns, strict=True)
        return tuple(CountryName(name, east, north, zoom) for name, (east, north), zoom in rows)


@dataclass(frozen=True)
class _Shapes:
    """Lines with their bounding boxes, to find those in a window."""

    lines: tuple[Points, ...]
    boxes: Points

    @classmethod
    def from_lines(cls, lines: list[Points]) -> "_Shapes":
        boxes = [(*line.min(axis=0), *line.max(axis=0)) for line in lines]
        return cls(tuple(lines), np.array(boxes).reshape(-1, 4))

    def overlapping(self, seen: MapWindow) -> Iterator[Points]:
        left, top, right, bottom = self.boxes.T
        is_over = (left < seen.left + seen.width) & (right > seen.left)
        is_over &= (top < seen.top + seen.height) & (bottom > seen.top)
        return (self.lines[at] for at in np.flatnonzero(is_over))


@dataclass(frozen=True)
class _Coastline:
    """Arcs of the whole world at full detail, with the rings and borders composed of them."""

    arcs: tuple[Points, ...]
    first_zooms: tuple[npt.NDArray[np.uint8], ...]
    rings: tuple[tuple[int, ...], ...]
    borders: tuple[int, ...]


@cache
def _table() -> _Coastline:
    with np.load(DATA) as table:
        ends = np.cumsum(table["sizes"])[:-1]
        scale, shift = table["transform"]
        # TopoJSON stores each arc as steps between points, which compress better.
        arcs = [np.cumsum(steps, axis=0) * scale + shift for steps in _split(table["points"], ends)]
        ring_ends = np.cumsum(table["ring_sizes"])[:-1]
        return _Coastline(
            tuple(_on_the_plane(arc) for arc in arcs),
            tuple(_split(table["first_zooms"], ends)),
            tuple(tuple(ring.tolist()) for ring in _split(table["ring_arcs"], ring_ends)),
            tuple(table["border_arcs"].tolist()),
        )


def _split(values: npt.NDArray[Any], ends: npt.NDArray[np.int64]) -> list[npt.NDArray[Any]]:
    return np.split(values, ends)


def _on_the_plane(degrees: Points) -> Points:
    north = np.clip(degrees[:, 1], -MERCATOR_LIMIT, MERCATOR_LIMIT)
    return np.column_stack([degrees[:, 0], degrees_down(north)])


@cache
def _shapes(zoom: int) -> tuple[_Shapes, _Shapes]:
    """Return rings of land and borders, with the points that a zoom needs."""
    table = _table()
    kept = [arc[first <= zoom] for arc, first in zip(table.arcs, table.first_zooms, strict=True)]
    smallest = SMALLEST_PX * 360 / TILE_PX / 2**zoom
    rings = (
        _over_the_antimeridian(
            # A negative index means the arc in reverse direction (`~at`), as in TopoJSON.
            np.concatenate([kept[at] if at >= 0 else kept[~at][::-1] for at in ring])
        )
        for ring in table.rings
    )
    large = [ring for ring in rings if len(ring) > 3 and np.ptp(ring, axis=0).max() >= smallest]
    return _Shapes.from_lines(large), _Shapes.from_lines([kept[at] for at in table.borders])


def _over_the_antimeridian(ring: Points) -> Points:
    """Return a ring that continues beyond 180° instead of jumping around the world (Fiji)."""
    across = np.unwrap(ring[:, 0], period=360)
    # Antarctica spans all longitudes, so it must not be unwrapped.
    is_closed = abs(across[-1] - across[0]) < 180
    return np.column_stack([across, ring[:, 1]]) if is_closed else ring


def _turns_of_the_world(window: MapWindow) -> Iterator[float]:
    """Yield the rotations of the world, in degrees, that are in view."""
    for turn in range(-2, 3):
        left = window.left - 360 * turn
        if left < FARTHEST_EAST and left + window.width > -FARTHEST_EAST:
            yield 360.0 * turn


def _clipped(ring: Points, seen: MapWindow) -> Points:
    """Return the part of a ring within a window (Sutherland-Hodgman, edge by edge)."""
    edges = (
        (0, 1.0, seen.left),
        (0, -1.0, -(seen.left + seen.width)),
        (1, 1.0, seen.top),
        (1, -1.0, -(seen.top + seen.height)),
    )
    for axis, sign, limit in edges:
        ring = _within(ring, sign * ring[:, axis] - limit)
    return ring


def _within(ring: Points, depth: Points) -> Points:
    """Return the part of a ring where `depth` is not negative, with its crossing points."""
    is_in = depth >= 0
    if is_in.all():
        return ring
    if not is_in.any():
        return ring[:0]
    following = np.roll(ring, -1, axis=0)
    next_depth = np.roll(depth, -1)
    crosses = np.flatnonzero(is_in != np.roll(is_in, -1))
    share = depth[crosses] / (depth[crosses] - next_depth[crosses])
    between = ring[crosses] + share[:, None] * (following[crosses] - ring[crosses])
    # Half indices sort each crossing between the two points of its edge.
    order = np.concatenate([np.flatnonzero(is_in).astype(float), crosses + 0.5])
    found: Points = np.concatenate([ring[is_in], between])[np.argsort(order, kind="stable")]
    return found


def _path(
    points: Points, origin: tuple[float, float], units_per_degree: float, end: str = ""
) -> str:
    """Return points as relative steps in whole units; empty if all coincide."""
    units = np.rint((points - origin) * units_per_degree).astype(np.int64)
    steps = np.diff(units, axis=0)
    # Steps of zero length, left by rounding, only lengthen the path.
    steps = steps[steps.any(axis=1)]
    if not len(steps):
        return ""
    words = " ".join(map(str, steps.ravel().tolist())).replace(" -", "-")
    return f"M{units[0, 0]} {units[0, 1]}l{words}{end}"
