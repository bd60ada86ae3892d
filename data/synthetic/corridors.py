"""Corridors: the routes between places that journeys take, with neighbouring alternatives."""

import heapq
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from features.records import Mode
from features.reference.geography import (
    country_of,
    distance_km,
    great_circle_km,
    place_table,
    region_of,
)
from synthetic import hubs
from synthetic.chance import Floats, Ints, share

MODES: tuple[Mode, ...] = ("sea", "road", "air", "rail", "inland_waterway", "sea")
SEA, ROAD, AIR, RAIL, WATERWAY, SMALL_CRAFT = range(6)
LANES = {"sea": 0, "road": 1, "air": 2, "rail": 3, "waterway": 4, "small_craft": 5}
# The distribution of journeys over lanes.
LANE_SHARES = np.array([0.26, 0.41, 0.15, 0.05, 0.03, 0.10])
MAX_WAY = 8
NEIGHBOURS = 4
TRANSHIPMENT = ("SGSIN", "AEJEA", "EGPSD", "ESALG", "MATNG", "GRPIR", "LKCMB", "PAONX", "MTMLA")

Texts = npt.NDArray[np.object_]
Way = tuple[str, ...]


@dataclass(frozen=True)
class Corridors:
    """One row per corridor; `stops` holds row numbers in `codes`, -1 after the destination."""

    codes: Texts
    latitude: Floats
    longitude: Floats
    lane: Ints
    stops: Ints
    legs: Ints
    leg_km: Floats
    weight: Floats
    origin_country: Ints
    destination_country: Ints
    countries: Texts
    region: Texts
    neighbours: Ints


@cache
def corridors() -> Corridors:
    """Return the corridors, which are the same in every world."""
    ways = [(lane, way) for lane, of in enumerate(_ways_by_lane()) for way in of]
    codes = np.array(sorted({code for _, way in ways for code in way}), dtype=object)
    row = {code: i for i, code in enumerate(codes)}
    stops = np.full((len(ways), MAX_WAY + 1), -1, dtype=np.int64)
    for i, (_, way) in enumerate(ways):
        stops[i, : len(way)] = [row[code] for code in way]
    lane = np.array([lane for lane, _ in ways])
    return _with_distances(codes, lane, stops)


def _with_distances(codes: Texts, lane: Ints, stops: Ints) -> Corridors:
    legs = (stops >= 0).sum(axis=1) - 1
    leg_km = np.zeros((len(stops), MAX_WAY))
    for number, mode in enumerate(MODES):
        of = lane == number
        for leg in range(MAX_WAY):
            there = of & (legs > leg)
            starts, ends = codes[stops[there, leg]], codes[stops[there, leg + 1]]
            # Never zero, so that travel times are not zero either.
            leg_km[there, leg] = np.maximum(distance_km(starts, ends, mode), 5.0)
    rows = np.arange(len(stops))
    first, last = stops[:, 0], stops[rows, legs]
    names, numbers = np.unique(
        np.concatenate([country_of(codes[first]), country_of(codes[last])]).astype(str),
        return_inverse=True,
    )
    latitude, longitude = _positions(codes)
    return Corridors(
        codes=codes,
        latitude=latitude,
        longitude=longitude,
        lane=lane,
        stops=stops,
        legs=legs,
        leg_km=leg_km,
        weight=_weights(lane),
        origin_country=numbers[: len(rows)],
        destination_country=numbers[len(rows) :],
        countries=names.astype(object),
        region=region_of(names.astype(object)),
        neighbours=_neighbours(lane, latitude, longitude, first, last),
    )


def _positions(codes: Texts) -> tuple[Floats, Floats]:
    known = {row["code"]: (row["latitude"], row["longitude"]) for row in place_table().to_pylist()}
    both = np.array([known[code] for code in codes])
    return both[:, 0], both[:, 1]


def _weights(lane: Ints) -> Floats:
    """Return Zipf weights within each lane, in a random order that is the same in all worlds."""
    weight = np.zeros(len(lane))
    for number, part in enumerate(LANE_SHARES):
        of = np.flatnonzero(lane == number)
        rank = np.argsort(np.argsort(share(of, 11)))
        zipf = 1 / (rank + 4.0)
        weight[of] = part * zipf / zipf.sum()
    return weight


def _neighbours(lane: Ints, latitude: Floats, longitude: Floats, first: Ints, last: Ints) -> Ints:
    """Return the nearest corridors of the same lane, by distance of origins plus destinations."""
    nearest = np.empty((len(lane), NEIGHBOURS), dtype=np.int64)
    for i in range(len(lane)):
        apart = sum(
            great_circle_km(latitude[end[i]], longitude[end[i]], latitude[end], longitude[end])
            for end in (first, last)
        )
        nearest[i] = np.argsort(np.where(lane == lane[i], apart, np.inf), kind="stable")[
            1 : NEIGHBOURS + 1
        ]
    return nearest


def _ways_by_lane() -> tuple[list[Way], ...]:
    return (
        [_by_sea(a, b, i) for i, (a, b) in enumerate(_pairs(hubs.SEA_FROM, hubs.SEA_TO, 0.25))],
        _roads(),
        [(a, b) for a, b in _pairs(hubs.AIR_FROM, hubs.AIR_TO, 0.2)],
        [tuple(way.replace(">", ":").split(":")) for way in hubs.RAIL],
        [tuple(way.split(":")) for way in hubs.WATERWAY],
        [tuple(way.split(":")) for way in hubs.SMALL_CRAFT],
    )


def _pairs(origins: list[str], destinations: list[str], part: float) -> list[tuple[str, str]]:
    """Return a fixed sample of `part` of all pairs in different countries."""
    pairs = [(a, b) for a in origins for b in destinations if a != b]
    first, last = (country_of([pair[end] for pair in pairs]) for end in (0, 1))
    chosen = (share(np.arange(len(pairs)), 7) < part) & (first != last)
    return [pair for pair, take in zip(pairs, chosen, strict=True) if take]


def _by_sea(origin: str, destination: str, number: int) -> Way:
    """Return the direct route, or one through the transhipment port with the least detour."""
    direct = distance_km([origin], [destination], "sea")[0]
    hubs_between = [hub for hub in TRANSHIPMENT if hub not in (origin, destination)]
    many = [origin] * len(hubs_between), [destination] * len(hubs_between)
    through = distance_km(many[0], hubs_between, "sea") + distance_km(hubs_between, many[1], "sea")
    best = int(np.nanargmin(through))
    is_transhipped = share(number, 13) < 0.45 and through[best] < 1.15 * direct
    return (origin, hubs_between[best], destination) if is_transhipped else (origin, destination)


def _roads() -> list[Way]:
    """Return the shortest routes over land, through border crossings, from town to town."""
    network = _road_network()
    ways = []
    for origin in hubs.ROAD_FROM:
        reached = _reached(network, origin)
        for _, end in _pairs([origin], hubs.ROAD_TO, 1.1):
            way = _way(network, origin, end, reached)
            if way and len(way) <= MAX_WAY:
                ways.append(way)
    # A fixed sample: all pairs would outnumber the corridors of the other lanes.
    keep = share(np.arange(len(ways)), 17) < 0.45
    return [way for way, take in zip(ways, keep, strict=True) if take]


@dataclass(frozen=True)
class _RoadNetwork:
    """Crossings and towns, which are adjacent if they share a country; `km` between all pairs."""

    row: dict[str, int]
    codes: list[str]
    countries: list[tuple[str, ...]]
    crossings_of: dict[str, list[int]]
    km: Floats


def _road_network() -> _RoadNetwork:
    towns = {*hubs.ROAD_FROM, *hubs.ROAD_TO}
    rows = [r for r in place_table().to_pylist() if r["kind"] == "crossing" or r["code"] in towns]
    countries = [tuple(c for c in (r["country"], r["other_country"]) if c) for r in rows]
    crossings_of: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row["kind"] == "crossing":
            for country in countries[i]:
                crossings_of[country].append(i)
    latitude, longitude = (np.array([r[axis] for r in rows]) for axis in ("latitude", "longitude"))
    return _RoadNetwork(
        row={r["code"]: i for i, r in enumerate(rows)},
        codes=[r["code"] for r in rows],
        countries=countries,
        crossings_of=crossings_of,
        km=great_circle_km(latitude[:, None], longitude[:, None], latitude, longitude),
    )


_Reached = dict[int, tuple[float, int]]


def _reached(network: _RoadNetwork, origin: str) -> _Reached:
    """Return the distance of each crossing from `origin` and its predecessor (Dijkstra)."""
    reached: _Reached = {}
    start = network.row[origin]
    first = network.crossings_of[network.countries[start][0]]
    queue = [(float(network.km[start, at]), at, -1) for at in first]
    heapq.heapify(queue)
    while queue:
        km, at, before = heapq.heappop(queue)
        if at in reached:
            continue
        reached[at] = (km, before)
        for country in network.countries[at]:
            for other in network.crossings_of[country]:
                if other not in reached:
                    heapq.heappush(queue, (km + float(network.km[at, other]), other, at))
    return reached


def _way(network: _RoadNetwork, origin: str, destination: str, reached: _Reached) -> Way | None:
    end = network.row[destination]
    last_ones = [i for i in network.crossings_of[network.countries[end][0]] if i in reached]
    if not last_ones:
        return None
    at = min(last_ones, key=lambda i: reached[i][0] + float(network.km[i, end]))
    way = [destination]
    while at >= 0:
        way.append(network.codes[at])
        at = reached[at][1]
    return (origin, *reversed(way))
