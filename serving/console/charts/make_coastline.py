"""Generator of `coastline.npz` from Natural Earth 1:10m (npm package world-atlas 2.0.2).

    python -m serving.console.charts.make_coastline countries-10m.json

Each point gets the first zoom that needs it, where the triangle with its neighbours covers half
a pixel in Visvalingam's order. The finest zoom has all points.
"""

import heapq
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.console.charts.coastline import DATA, FINEST, MERCATOR_LIMIT, degrees_down

Points = npt.NDArray[np.float64]

# A name appears from the zoom at which the country's largest part covers this many pixels.
NAMED_FROM_PX = 9_000


def main(source: str) -> None:
    """Write the table from which the map is drawn."""
    topology = json.loads(Path(source).read_text())
    arcs = [np.cumsum(arc, axis=0) for arc in topology["arcs"]]
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    zooms = [_first_zooms(_on_the_plane(arc * scale + shift)) for arc in arcs]
    countries = topology["objects"]["countries"]["geometries"]
    rings = [
        np.array(ring, dtype=np.int32)
        for each in topology["objects"]["land"]["geometries"]
        for polygon in _polygons(each)
        for ring in polygon
    ]
    names = sorted(filter(None, (_name(each, arcs, scale, shift) for each in countries)))
    np.savez_compressed(
        DATA,
        points=np.concatenate([_steps(arc) for arc in arcs]),
        sizes=np.array([len(arc) for arc in arcs], dtype=np.int32),
        first_zooms=np.concatenate(zooms),
        transform=np.array([scale, shift]),
        ring_arcs=np.concatenate(rings),
        ring_sizes=np.array([len(ring) for ring in rings], dtype=np.int32),
        border_arcs=np.array(sorted(_borders(countries)), dtype=np.int32),
        names=np.array([name for name, *_ in names]),
        name_spots=np.array([spot for _, spot, _ in names]),
        name_zooms=np.array([zoom for *_, zoom in names], dtype=np.uint8),
    )


def _steps(arc: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Return an arc as its first point and steps, which compress best."""
    return np.diff(arc, axis=0, prepend=0).astype(np.int32)


def _on_the_plane(degrees: Points) -> Points:
    north = np.clip(degrees[:, 1], -MERCATOR_LIMIT, MERCATOR_LIMIT)
    return np.column_stack([degrees[:, 0], degrees_down(north)])


def _first_zooms(points: Points) -> npt.NDArray[np.uint8]:
    """Return the first zoom that needs each point; endpoints are always needed."""
    areas = _effective_areas(points)
    pixels = areas * (256 / 360) ** 2
    with np.errstate(divide="ignore"):
        zooms = np.ceil(np.log2(0.5 / pixels) / 2)
    zooms[[0, -1]] = 0
    return np.clip(zooms, 0, FINEST).astype(np.uint8)


def _effective_areas(points: Points) -> Points:
    """Return each point's triangle area at its removal, in Visvalingam's order, non-decreasing."""
    last = len(points) - 1
    before, after = list(range(-1, last)), list(range(1, last + 2))
    areas = np.full(len(points), np.inf)

    def area(at: int) -> float:
        (ax, ay), (bx, by), (cx, cy) = points[before[at]], points[at], points[after[at]]
        return float(abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2)

    current = {at: area(at) for at in range(1, last)}
    heap = [(size, at) for at, size in current.items()]
    heapq.heapify(heap)
    reached = 0.0
    while heap:
        size, at = heapq.heappop(heap)
        # An outdated heap entry: the area changed after a neighbour was removed.
        if current.get(at) != size:
            continue
        del current[at]
        # Never below an area removed earlier, so that a point cannot appear before its neighbours.
        reached = areas[at] = max(reached, size)
        left, right = before[at], after[at]
        after[left], before[right] = right, left
        for neighbour in (left, right):
            if neighbour in current:
                current[neighbour] = area(neighbour)
                heapq.heappush(heap, (current[neighbour], neighbour))
    return areas


def _polygons(geometry: dict[str, Any]) -> list[list[list[int]]]:
    is_one = geometry["type"] == "Polygon"
    arcs: list[list[list[int]]] = [geometry["arcs"]] if is_one else geometry["arcs"]
    return arcs


def _borders(countries: list[dict[str, Any]]) -> Iterator[int]:
    """Return the arcs shared by two countries."""
    used: Counter[int] = Counter()
    for country in countries:
        rings = [ring for polygon in _polygons(country) for ring in polygon]
        used.update({arc if arc >= 0 else ~arc for ring in rings for arc in ring})
    return (arc for arc, times in used.items() if times > 1)


def _name(
    country: dict[str, Any], arcs: list[npt.NDArray[np.int64]], scale: Any, shift: Any
) -> tuple[str, tuple[float, float], int] | None:
    """Return a country's name, centre in degrees, and first zoom; None if it gets no name."""
    parts = [_ring(polygon[0], arcs) * scale + shift for polygon in _polygons(country)]
    sized = [(abs(area), middle) for part in parts for area, middle in [_middle(part)]]
    area, (east, north) = max(sized, key=lambda each: each[0])
    if not area or abs(north) > 80:
        return None
    pixels = area / np.cos(np.radians(north)) * (256 / 360) ** 2
    zoom = int(np.clip(np.ceil(np.log2(NAMED_FROM_PX / pixels) / 2), 1, FINEST))
    return country["properties"]["name"], (round(east, 2), round(north, 2)), zoom


def _ring(indices: list[int], arcs: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    return np.concatenate([arcs[at] if at >= 0 else arcs[~at][::-1] for at in indices])


def _middle(ring: Points) -> tuple[float, tuple[float, float]]:
    x, y = ring[:, 0], ring[:, 1]
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    area = cross.sum() / 2
    if not area:
        return 0.0, (0.0, 0.0)
    east = ((x + np.roll(x, -1)) * cross).sum() / (6 * area)
    north = ((y + np.roll(y, -1)) * cross).sum() / (6 * area)
    return float(area), (float(east), float(north))


if __name__ == "__main__":
    main(*sys.argv[1:])
