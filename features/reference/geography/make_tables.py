"""Build the shipped geography tables; needs the extra `geography`.

Run `python -m features.reference.geography.make_tables` by hand when a source has a new edition.
Nothing imports this module, and nothing else needs its dependencies.
"""

import csv
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

FOLDER = Path(__file__).parent
TERMINALS_WITH_DISTANCES = 500
# Routes through the ice of the Northwest Passage are not open to ships of any trade.
CLOSED_PASSAGES = frozenset({"northwest"})

Place = dict[str, Any]


def ports() -> Iterator[Place]:
    """Yield ports of the maritime network, each code once, terminals before others of its code."""
    nodes = importlib.import_module("searoute.data.ports_dict").node_list
    seen: set[str] = set()
    for (longitude, latitude), port in sorted(
        nodes.items(), key=lambda item: (item[1]["port"], -(item[1]["t"] or 0), item[0])
    ):
        code = port["port"]
        if len(code) == 5 and code[:2] in country_rows() and code not in seen:
            seen.add(code)
            yield place_row(code, port["name"], code[:2], "port", latitude, longitude)


def airports() -> Iterator[Place]:
    """Yield the airports that have an IATA code."""
    for code, port in sorted(importlib.import_module("airportsdata").load("IATA").items()):
        if port["country"] in country_rows():
            yield place_row(
                code,
                port["city"] or port["name"],
                port["country"],
                "airport",
                port["lat"],
                port["lon"],
            )


def crossings() -> Iterator[Place]:
    """Yield land crossings from our own list; the code names both countries."""
    with (FOLDER / "crossings.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            first, second = sorted((row["country"], row["other_country"]))
            name = "".join(c for c in row["name"].split(" - ")[0].upper() if c.isalnum())
            yield place_row(
                f"{first}-{second}/{name}",
                row["name"],
                row["country"],
                "crossing",
                float(row["latitude"]),
                float(row["longitude"]),
                row["other_country"],
            )


def place_row(
    code: str,
    name: str,
    country: str,
    kind: str,
    latitude: float,
    longitude: float,
    other_country: str | None = None,
) -> Place:
    """Return one row of the table of places."""
    return {
        "code": code,
        "name": name.strip(),
        "country": country,
        "other_country": other_country,
        "kind": kind,
        # Four decimals are about eleven metres.
        "latitude": round(latitude, 4),
        "longitude": round(longitude, 4),
    }


_countries: dict[str, Place] = {}


def country_rows() -> dict[str, Place]:
    """Return every ISO 3166-1 country by code, and Kosovo, which has crossings and an airport."""
    if not _countries:
        known = importlib.import_module("countryinfo").CountryInfo
        codes = [c.alpha_2 for c in importlib.import_module("pycountry").countries]
        by_alpha_3 = {c.alpha_3: c.alpha_2 for c in importlib.import_module("pycountry").countries}
        for code in codes:
            facts = known(code)
            neighbours = {by_alpha_3[b] for b in facts.borders() or () if b in by_alpha_3}
            _countries[code] = {
                "code": code,
                "region": facts.subregion() or facts.region() or "Antarctica",
                "neighbours": neighbours,
            }
        _countries["XK"] = {"code": "XK", "region": "Southern Europe", "neighbours": set()}
        _join_neighbours()
    return _countries


def _join_neighbours() -> None:
    """Make neighbours symmetric, and add the two countries of every land crossing."""
    with (FOLDER / "crossings.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            _countries[row["country"]]["neighbours"].add(row["other_country"])
    for code, facts in _countries.items():
        for other in facts["neighbours"]:
            _countries[other]["neighbours"].add(code)


def sea_distances(terminals: list[Place]) -> pa.Table:
    """Return the shortest routes by sea in km between all pairs of `terminals`."""
    edges = importlib.import_module("searoute.data.marnet_dict").edge_list
    nodes = sorted({*edges, *(n for ends in edges.values() for n in ends)})
    number = {node: i for i, node in enumerate(nodes)}
    ways = [
        # A weight of 0 would count as no edge in a sparse matrix.
        (number[a], number[b], max(way["weight"], 0.1))
        for a, ends in edges.items()
        for b, way in ends.items()
        if way.get("passage") not in CLOSED_PASSAGES
    ]
    tails, heads, lengths = (np.array(column) for column in zip(*ways, strict=True))
    network = csr_array((lengths, (tails, heads)), shape=(len(nodes), len(nodes)))
    positions = np.array([(t["longitude"], t["latitude"]) for t in terminals])
    nearest = np.asarray(cKDTree(np.array(nodes)).query(positions)[1], dtype=np.int32)
    km = dijkstra(network, directed=False, indices=nearest)[:, nearest]
    first, second = np.triu_indices(len(terminals), k=1)
    reached = np.isfinite(km[first, second])
    codes = np.array([t["code"] for t in terminals], dtype=object)
    return pa.table(
        {
            "origin": pa.array(codes[first[reached]]).dictionary_encode(),
            "destination": pa.array(codes[second[reached]]).dictionary_encode(),
            "km": pa.array(km[first, second][reached].round().astype(np.uint16)),
        }
    )


def terminals_of(places: list[Place]) -> list[Place]:
    """Return the ports that get distances: those with services to the most countries."""
    nodes = importlib.import_module("searoute.data.ports_dict").node_list
    served = {port["port"]: len(port.get("to_cty") or ()) for port in nodes.values()}
    ports = [port for port in places if port["kind"] == "port"]
    ports.sort(key=lambda port: (-served[port["code"]], port["code"]))
    return sorted(ports[:TERMINALS_WITH_DISTANCES], key=lambda port: str(port["code"]))


def main() -> None:
    """Write the three tables next to this file."""
    places = [*ports(), *airports(), *crossings()]
    assert len({p["code"] for p in places}) == len(places), "two places share a code"
    pq.write_table(
        pa.Table.from_pylist(places),
        FOLDER / "places.parquet",
        compression="zstd",
        compression_level=19,
    )
    rows = [{**c, "neighbours": " ".join(sorted(c["neighbours"]))} for c in country_rows().values()]
    with (FOLDER / "countries.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, ["code", "region", "neighbours"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: str(row["code"])))
    pq.write_table(
        sea_distances(terminals_of(places)),
        FOLDER / "sea_distances.parquet",
        compression="zstd",
        compression_level=19,
    )


if __name__ == "__main__":
    main()
