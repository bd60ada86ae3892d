"""Land and borders of a part of the world, as paths of SVG: Natural Earth 1:10m by zoom.

Everything is on Web Mercator's plane in degrees: x eastwards from Greenwich, which may go on beyond
180, and y downwards from the equator.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

DATA = Path(__file__).with_name("coastline.npz")

# The finest zoom: a pixel is about 300 m at the equator, as exact as the table is.
FINEST = 9

TILE_PX = 256
MERCATOR_LIMIT = 85.05
# What is drawn beyond the window, so that no edge of it shows as a coast.
MARGIN_PX = 4.0
# Islands that are smaller than this, in pixels, are not drawn; they come with the next zooms.
SMALLEST_PX = 1.0
# Rings that lie over the antimeridian end here.
FARTHEST_EAST = 200.0
# Of a tile, the unit of its path is a fraction of a pixel.
UNITS_PER_PX = 4

Points = npt.NDArray[np.float64]


class MapWindow(NamedTuple):
    """A part of the plane in degrees: its left, top, width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Land:
    """Paths in units of a window's own: `land` to fill, `borders` to stroke."""

    land: str
    borders: str


class CountryName(NamedTuple):
    """A country's name and where it stands, in degrees east and north, from a zoom on."""

    name: str
    east: float
    north: float
    first_zoom: int


def degrees_down(north: npt.ArrayLike) -> Points:
    """The y of latitudes: Web Mercator, in degrees of longitude, downwards."""
    radians = np.radians(np.asarray(north, dtype=np.float64))
    return -np.degrees(np.arcsinh(np.tan(radians)))


def land_in(window: MapWindow, zoom: int, units_per_degree: float) -> Land:
    """The land and borders of a window, in whole units from its top left corner."""
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
    """The land and borders of one tile of a map of 256 pixels, in quarters of a pixel."""
    size = 360 / 2**zoom
    window = MapWindow(-180 + column * size, -180 + row * size, size, size)
    return land_in(window, zoom, TILE_PX * UNITS_PER_PX / size)


@cache
def country_names() -> tuple[CountryName, ...]:
    """All names of countries."""
    with np.load(DATA) as table:
        columns = (table[name].tolist() for name in ("names", "name_spots", "name_zooms"))
        rows = zip(*columns, strict=True)
        return tuple(CountryName(name, east, north, zoom) for name, (east, north), zoom in rows)


@dataclass(frozen=True)
class _Shapes:
    """Lines of points with the boxes around them, to find those of a window."""

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
    """The arcs of the whole world at full detail, and what rings and borders are made of."""

    arcs: tuple[Points, ...]
    first_zooms: tuple[npt.NDArray[np.uint8], ...]
    rings: tuple[tuple[int, ...], ...]
    borders: tuple[int, ...]


@cache
def _table() -> _Coastline:
    with np.load(DATA) as table:
        ends = np.cumsum(table["sizes"])[:-1]
        scale, shift = table["transform"]
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
    """The rings of land and the borders, with the points that a zoom needs."""
    table = _table()
    kept = [arc[first <= zoom] for arc, first in zip(table.arcs, table.first_zooms, strict=True)]
    smallest = SMALLEST_PX * 360 / TILE_PX / 2**zoom
    rings = (
        _over_the_antimeridian(
            np.concatenate([kept[at] if at >= 0 else kept[~at][::-1] for at in ring])
        )
        for ring in table.rings
    )
    large = [ring for ring in rings if len(ring) > 3 and np.ptp(ring, axis=0).max() >= smallest]
    return _Shapes.from_lines(large), _Shapes.from_lines([kept[at] for at in table.borders])


def _over_the_antimeridian(ring: Points) -> Points:
    """A ring that goes on beyond 180 instead of leaping around the world, as some of Fiji do."""
    across = np.unwrap(ring[:, 0], period=360)
    is_closed = abs(across[-1] - across[0]) < 180  # Antarctica goes all the way round
    return np.column_stack([across, ring[:, 1]]) if is_closed else ring


def _turns_of_the_world(window: MapWindow) -> Iterator[float]:
    """By how many degrees the world is turned to be in view, once for each time that it is."""
    for turn in range(-2, 3):
        left = window.left - 360 * turn
        if left < FARTHEST_EAST and left + window.width > -FARTHEST_EAST:
            yield 360.0 * turn


def _clipped(ring: Points, seen: MapWindow) -> Points:
    """The part of a ring within a window (Sutherland and Hodgman, one edge after the other)."""
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
    """The part of a ring where `depth` is not below zero, with the points where it crosses."""
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
    order = np.concatenate([np.flatnonzero(is_in).astype(float), crosses + 0.5])
    found: Points = np.concatenate([ring[is_in], between])[np.argsort(order, kind="stable")]
    return found


def _path(
    points: Points, origin: tuple[float, float], units_per_degree: float, end: str = ""
) -> str:
    """Points as steps of whole units from one to the next; empty where all fall on one."""
    units = np.rint((points - origin) * units_per_degree).astype(np.int64)
    steps = np.diff(units, axis=0)
    steps = steps[steps.any(axis=1)]
    if not len(steps):
        return ""
    words = " ".join(map(str, steps.ravel().tolist())).replace(" -", "-")
    return f"M{units[0, 0]} {units[0, 1]}l{words}{end}"
