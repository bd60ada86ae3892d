"""The network around a subject: as its rules are read plainly, and as the store reads it."""

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from features.build_training_set import feature_matrix
from features.engine.columns import DAY_US, Columns, columns_of_records
from features.engine.store.lmdb_store import LmdbStore
from features.history import stored_network
from features.history.online_store import OnlineStore
from features.ingest.record_folder import InMemoryRecords
from features.networks.links import MAX_LINKS, MAX_NODES, MAX_PARTNERS, NETWORK_VALUES
from features.networks.neighbourhood import network_values
from features.records import RECORD_FILES, Journey
from features.submission import Submission
from features.vector import feature_vector
from tests.features.families.facts import JOURNEY

START = datetime(2024, 1, 1, tzinfo=UTC)
Links = list[tuple[float, float, int]]


def plainly(own: list[float], at: int, links: Links, found: list[tuple[float, int, int]]) -> Any:
    """The values of one subject, whose own nodes are all parties, read from the rules."""
    of_node: dict[float, Links] = defaultdict(list)
    for link in sorted(links, key=lambda link: -link[2]):
        if link[2] < at:
            of_node[link[0]].append(link)

    def partners(node: float) -> dict[float, list[int]] | None:
        own_links = of_node[node]
        later = [sum(other[2] > link[2] for other in own_links) for link in own_links]
        instants: dict[float, list[int]] = defaultdict(list)
        for (_, partner, known), before in zip(own_links, later, strict=True):
            if before < MAX_LINKS:
                instants[partner].append(known)
        return None if len(instants) > MAX_PARTNERS else instants

    levels, first = members_of(own, partners)
    levels = [[node for node in level if partners(node) is not None] for level in levels]
    inspected = {node for node, known, _ in found if known < at}
    confirmed = {node for node, known, is_so in found if known < at and is_so}
    counts = [(len(inspected & {*level}), len(confirmed & {*level})) for level in levels]
    members = [first[node] for level in levels[1:] for node in level]
    known = [node for node in levels[0] if of_node[node]]
    pairs = [
        (one, other)
        for place, one in enumerate(known)
        for other in known[:place]
        if other not in (partners(one) or {}) and one not in (partners(other) or {})
    ]
    return [
        next((hops for hops, (_, caught) in enumerate(counts, 1) if caught), math.nan),
        *counts[1],
        *counts[2],
        len(members),
        sum(each >= at - 30 * DAY_US for each in members),
        (at - min(members)) / DAY_US if members else math.nan,
        len(pairs) if len(known) > 1 else math.nan,
    ]


def members_of(
    own: list[float], partners: Callable[[float], dict[float, list[int]] | None]
) -> tuple[list[list[float]], dict[float, int]]:
    """The nodes of each level, and the first link of each that is no own one."""
    levels, seen, first = [[*dict.fromkeys(own)]], set(own), dict[float, int]()
    for _ in range(2):
        candidates: dict[float, list[int]] = defaultdict(list)
        for node in levels[-1]:
            for partner, instants in (partners(node) or {}).items():
                if partner not in seen:
                    candidates[partner] += instants
        chosen = sorted(candidates, key=lambda node: (-max(candidates[node]), node))[:MAX_NODES]
        first |= {node: min(candidates[node]) for node in chosen}
        seen |= {*chosen}
        levels.append(chosen)
    return levels, first


def events(names: tuple[str, str], rows: list[tuple[float, float, int]]) -> Columns:
    one, other, known = ([row[at] for row in rows] for at in range(3))
    return {
        names[0]: np.array(one, np.float64),
        names[1]: np.array(other, np.float64),
        "known_at": np.array(known, np.int64),
    }


@pytest.mark.parametrize("seed", range(6))
def test_a_network_of_any_shape_is_what_its_rules_say(seed: int) -> None:
    """Some nodes have many links, of few instants, so that every bound is reached and ties."""
    lots = Random(seed)
    nodes, instants = (
        60 + 90 * (seed % 3),
        [DAY_US * day for day in range(0, 60, 1 + 9 * (seed % 2))],
    )
    pairs = [
        (float(int(nodes * lots.random() ** 2)), float(lots.randrange(nodes)))
        for _ in range(400 * (1 + seed))
    ]
    links = [
        each
        for one, other in pairs
        if one != other
        for known in [lots.choice(instants)]
        for each in ((one, other, known), (other, one, known))
    ]
    found = [
        (float(lots.randrange(nodes)), lots.choice(instants), lots.randrange(2)) for _ in "x" * 30
    ]
    own = [[float(lots.randrange(nodes + 5)) for _ in range(3)] for _ in range(25)]
    at = [lots.choice(instants) for _ in own]

    values = network_values(
        np.array(own),
        [True] * 3,
        np.array(at, np.int64),
        events(("party", "partner"), links),
        events(("party", "is_confirmed"), [(node, is_so, known) for node, known, is_so in found]),
    )

    expected = [plainly(*each, links, found) for each in zip(own, at, strict=True)]
    assert len(NETWORK_VALUES) == values.shape[1]
    np.testing.assert_array_equal(values, np.array(expected, float))


@pytest.fixture(scope="module")
def journeys() -> list[Journey]:
    """A carrier that goes on for years with four vessels, each of which others ran before."""
    return [
        Journey(
            **JOURNEY
            | {
                "journey_id": f"J{number}",
                "carrier_id": "old" if number % 7 else f"other-{number % 5}",
                "conveyance_id": f"vessel-{number % 4}",
                "declared_at": START + timedelta(days=number // 3),
                "due_at": START + timedelta(days=number // 3 + 9),
            }
        )
        for number in range(900)
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_store_reads_links_in_closed_pages_as_of_any_instant(
    journeys: list[Journey], seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, older_links = [], stored_network._older_links

    def counted(*asked: Any) -> Any:
        read.append(older_links(*asked))
        return read[-1]

    state = OnlineStore(LmdbStore(tmp_path / "state", is_bulk=True))
    order = Random(seed).sample(journeys, len(journeys))
    for begin in range(0, len(order), 100):
        state.ingest({"journeys": order[begin : begin + 100]})
    records = {name: columns_of_records([], of) for name, of in RECORD_FILES.items()}
    records["journeys"] = columns_of_records(journeys, Journey)
    rows = {
        row["subject_id"]: row
        for row in feature_matrix("route", InMemoryRecords(records)).to_pylist()
    }
    names = [
        name for name in rows["J0"] if "network" in name or "hop" in name or "pair_count" in name
    ]

    monkeypatch.setattr("features.history.stored_network._older_links", counted)
    for asked in journeys[::9]:
        vector = feature_vector(Submission(subject_kind="route", journey=asked), state)
        row = rows[asked.journey_id]
        assert {name: vector[name] for name in names} == {name: row[name] for name in names}

    assert max(map(len, read)) > MAX_LINKS
    state.store.close()
