"""The network around a subject as of an instant: its parties' partners and their partners.

Partners of a node are those in its latest `MAX_LINKS` links known before the instant. A node with
more than `MAX_PARTNERS` of them is a hub: it tells nothing about whom it links, so it is neither
followed nor counted. Of the partners of a level, the `MAX_NODES` with the latest links are taken.
So the effort for a subject is bounded, whatever the size of the network.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from features.engine.batch.shared_keys import by_key
from features.engine.batch.sort_by_key import KeyGroups
from features.engine.columns import DAY_US, Column, Columns
from features.engine.numba_cache import compiled, inner
from features.engine.store.page_format import first_at_or_after
from features.engine.windows.lifetimes import COUNTS_FROM, COUNTS_UNTIL, FOREVER
from features.engine.windows.window_declaration import Window
from features.networks.links import (
    LEVELS,
    LINKS,
    MAX_LINKS,
    MAX_NODES,
    MAX_PARTNERS,
    NETWORK_VALUES,
    NEW_DAYS,
    PARTY_OUTCOMES,
    is_party,
    nodes_of,
)


class LinkTable(NamedTuple):
    """Links by node, each node's in the order of `known`, and the nodes' ids.

    `is_hub` tells of each link whether its node was a hub once the links of that instant were
    known. It is empty if some links do not count for ever; `since` and `until` are empty otherwise.
    """

    nodes: Column
    starts: Column
    known: Column
    partner: Column
    since: Column
    until: Column
    is_hub: Column


class OutcomeTable(NamedTuple):
    """The first inspection and the first confirmed one of each node; and results that were amended.

    Those of a node are at `starts`.
    """

    inspected: Column
    confirmed: Column
    starts: Column
    known: Column
    since: Column
    until: Column
    is_confirmed: Column


class Scratch(NamedTuple):
    """Arrays reused for all subjects: by node, then by partner of a node, then by candidate."""

    walk: Column
    place: Column
    level: Column
    candidate: Column
    slot: Column
    found: Column
    latest: Column
    earliest: Column
    chosen: Column
    chosen_latest: Column
    chosen_first: Column


class Members(NamedTuple):
    """Nodes around a subject by level: its own, then partners, then partners of partners."""

    nodes: Column
    level: Column
    is_hub: Column
    first: Column
    linked: Column
    has_links: Column


def network_windows(
    windows: Sequence[Window], subjects: Columns, events: Mapping[str, Columns]
) -> dict[Window, Column]:
    """Return the values of windows over the network, for subjects as of their declaration."""
    found: dict[Window, Column] = {}
    for by, alike in by_key(windows).items():
        own, are_parties = nodes_of(subjects, by).T, [*map(is_party, by)]
        at = subjects["declared_at"]
        values = network_values(own, are_parties, at, events[LINKS], events[PARTY_OUTCOMES])
        found |= {w: values[:, NETWORK_VALUES.index(str(w.value))].copy() for w in alike}
    return found


def network_values(
    own: Column, is_own_party: Sequence[bool], at: Column, links: Columns, outcomes: Columns
) -> Column:
    """Return the `NETWORK_VALUES` of subjects, a row each, as of their instants.

    `own` holds the nodes of subjects, a row each, NaN for missing ones.
    """
    asked = own.ravel()
    codes, nodes = numbered(
        np.concatenate([asked, links["party"], links["partner"], outcomes["party"]]).view(np.int64)
    )
    codes[: len(asked)][np.isnan(asked)] = -1
    first, second = len(asked) + len(links["party"]), len(asked) + 2 * len(links["party"])
    table = link_table(nodes, codes[len(asked) : first], codes[first:second], links)
    found = _outcome_table(codes[second:], len(nodes), outcomes)
    own_nodes = codes[: len(asked)].reshape(own.shape).astype(np.int64)
    return values_of(own_nodes, np.array(is_own_party), at, table, found)


def link_table(nodes: Column, party: Column, partner: Column, links: Columns) -> LinkTable:
    """Return links by node from numbered nodes."""
    groups = KeyGroups.sort(party, links["known_at"], len(nodes))
    has_lives = COUNTS_UNTIL in links
    none, partner = np.empty(0, np.int64), groups.in_key_order(partner)
    is_hub = _hubs(groups.starts, groups.instants, partner) if not has_lives else none.astype(bool)
    return LinkTable(
        nodes,
        groups.starts,
        groups.instants,
        partner,
        groups.in_key_order(links[COUNTS_FROM]) if has_lives else none,
        groups.in_key_order(links[COUNTS_UNTIL]) if has_lives else none,
        is_hub,
    )


@compiled(nogil=True)
def _hubs(starts: Column, known: Column, partner: Column) -> Column:
    """Return of each link whether its node is a hub by the links known until that instant."""
    is_hub = np.empty(len(known), np.bool_)
    times = np.zeros(len(starts), np.int32)  # of each partner in the window
    for node in range(len(starts) - 1):
        row, end = starts[node], starts[node + 1]
        oldest, oldest_stop, partners = row, row, 0
        while row < end:
            begin = row
            while row < end and known[row] == known[begin]:
                partners += times[partner[row]] == 0
                times[partner[row]] += 1
                row += 1
            oldest_stop = max(oldest_stop, row) if oldest == begin else oldest_stop
            # Links of one instant leave the window together.
            while row - oldest_stop >= MAX_LINKS:
                while oldest < oldest_stop:
                    times[partner[oldest]] -= 1
                    partners -= times[partner[oldest]] == 0
                    oldest += 1
                while oldest_stop < row and known[oldest_stop] == known[oldest]:
                    oldest_stop += 1
            is_hub[begin:row] = partners > MAX_PARTNERS
        for left in range(oldest, end):
            times[partner[left]] = 0
    return is_hub


def _outcome_table(party: Column, nodes: int, outcomes: Columns) -> OutcomeTable:
    known = outcomes["known_at"]
    until = outcomes.get(COUNTS_UNTIL, np.full(len(known), FOREVER))
    since = outcomes.get(COUNTS_FROM, known)
    is_plain = (until == FOREVER) & (since <= known)
    is_confirmed = outcomes["is_confirmed"] == 1
    # Results that count for ever need no search: only the first of a node matters.
    inspected, confirmed = np.full(nodes, FOREVER), np.full(nodes, FOREVER)
    np.minimum.at(inspected, party[is_plain], known[is_plain])
    np.minimum.at(confirmed, party[is_plain & is_confirmed], known[is_plain & is_confirmed])
    amended = np.flatnonzero(~is_plain)
    groups = KeyGroups.sort(party[amended], known[amended], nodes)
    columns = (since[amended], until[amended], is_confirmed[amended])
    return OutcomeTable(
        inspected, confirmed, groups.starts, groups.instants, *map(groups.in_key_order, columns)
    )


@compiled(nogil=True)
def numbered(ids: Column) -> tuple[Column, Column]:
    """Return the number of each id, from 0 in the order of appearance, and the ids by number."""
    size = 8
    while size < 2 * len(ids):
        size *= 2
    table, codes = np.full(size, -1, np.int32), np.empty(len(ids), np.int32)
    nodes, count = np.empty(len(ids), np.int64), 0
    for row in range(len(ids)):
        # The upper bits of a product depend on all bits of the id.
        slot = (ids[row] * 0x9E3779B97F4A7C15 >> 20) & (size - 1)
        while table[slot] >= 0 and nodes[table[slot]] != ids[row]:
            slot = (slot + 1) & (size - 1)
        if table[slot] < 0:
            table[slot] = count
            nodes[count] = ids[row]
            count += 1
        codes[row] = table[slot]
    return codes, nodes[:count].copy()


@compiled(nogil=True)
def values_of(
    own: Column, is_own_party: Column, at: Column, table: LinkTable, outcomes: OutcomeTable
) -> Column:
    """Return the values of subjects from tables of links and results."""
    values = np.empty((len(at), len(NETWORK_VALUES)))
    scratch = _scratch(len(table.nodes), own.shape[-1])
    mark = 0
    for subject in range(len(at)):
        mark, members = _collect(own[subject], at[subject], table, scratch, mark)
        values[subject] = _values(members, is_own_party, own[subject], at[subject], outcomes)
    return values


@compiled(nogil=True)
def members_at(own: Column, at: int, table: LinkTable) -> tuple[Column, Column, Column]:
    """Return the nodes around one subject, their levels, and which are hubs."""
    _, members = _collect(own, at, table, _scratch(len(table.nodes), own.shape[-1]), 0)
    return members.nodes, members.level, members.is_hub


@inner
def _scratch(nodes: int, own: int) -> Scratch:
    candidates = MAX_PARTNERS * max(MAX_NODES, own)
    return Scratch(
        np.zeros(nodes, np.int64),
        np.zeros(nodes, np.int64),
        np.zeros(nodes, np.int64),
        np.zeros(nodes, np.int64),
        np.zeros(nodes, np.int64),
        np.empty(MAX_PARTNERS, np.int64),
        np.empty(MAX_PARTNERS, np.int64),
        np.empty(MAX_PARTNERS, np.int64),
        np.empty(candidates, np.int64),
        np.empty(candidates, np.int64),
        np.empty(candidates, np.int64),
    )


@compiled(nogil=True)
def _collect(
    own: Column, at: int, table: LinkTable, scratch: Scratch, mark: int
) -> tuple[int, Members]:
    """Return the nodes around a subject, and the last mark that was used in the scratch."""
    size = len(own) + 2 * MAX_NODES
    nodes, level, first = np.empty(size, np.int64), np.zeros(size, np.int64), np.full(size, at)
    is_hub = np.zeros(size, np.bool_)
    has_links = np.zeros(len(own), np.bool_)
    linked = np.zeros((len(own), len(own)), np.bool_)
    mark += 1
    subject, count = mark, 0
    for node in own:
        if node >= 0 and scratch.level[node] != subject:
            nodes[count] = node
            scratch.level[node] = subject
            count += 1
    begin = 0
    for step in range(LEVELS):
        end, candidates = count, 0
        mark += 1
        of_level = mark
        for member in range(begin, end):
            mark += 1
            many = _walk(nodes[member], at, table, scratch, mark, step == LEVELS - 1)
            is_hub[member] = many < 0
            if step == 0:
                has_links[member] = many > 0
                _note_links(linked[member], nodes[:end], scratch.found[: max(many, 0)])
            if step < LEVELS - 1:
                candidates = _add_candidates(scratch, many, candidates, subject, of_level)
        _latest_first(table.nodes, scratch, candidates)
        for candidate in range(min(candidates, MAX_NODES)):
            nodes[count], level[count] = scratch.chosen[candidate], step + 1
            first[count] = scratch.chosen_first[candidate]
            scratch.level[nodes[count]] = subject
            count += 1
        begin = end
    members = Members(
        nodes[:count], level[:count], is_hub[:count], first[:count], linked, has_links
    )
    return mark, members


@inner
def _note_links(linked: Column, own: Column, partners: Column) -> None:
    """Mark the subject's own nodes that are among the partners of one of them."""
    for partner in partners:
        for other in range(len(own)):
            linked[other] |= own[other] == partner


@inner
def _add_candidates(
    scratch: Scratch, partners: int, candidates: int, subject: int, of_level: int
) -> int:
    """Add the partners that were found of a node to the next level; return its new size."""
    for partner in range(partners):
        node = scratch.found[partner]
        if scratch.level[node] == subject:
            continue
        latest, first = scratch.latest[partner], scratch.earliest[partner]
        if scratch.candidate[node] != of_level:
            scratch.candidate[node], scratch.slot[node] = of_level, candidates
            scratch.chosen[candidates], scratch.chosen_latest[candidates] = node, latest
            scratch.chosen_first[candidates] = first
            candidates += 1
        else:
            slot = scratch.slot[node]
            scratch.chosen_latest[slot] = max(scratch.chosen_latest[slot], latest)
            scratch.chosen_first[slot] = min(scratch.chosen_first[slot], first)
    return candidates


@compiled(nogil=True)
def _walk(node: int, at: int, table: LinkTable, scratch: Scratch, mark: int, is_last: bool) -> int:
    """Find the partners of a node with their latest and earliest link; return their number.

    It is -1 for a hub. Links of one instant are all considered or none. Partners of the last level
    are not followed, so there the walk is left out if possible.
    """
    start, end = table.starts[node], table.starts[node + 1]
    row = start + first_at_or_after(table.known[start:end], 1, end - start, at) - 1
    links, partners, edge = 0, 0, at
    if row >= start and len(table.is_hub) > 0 and (is_last or table.is_hub[row]):
        return -1 if table.is_hub[row] else 0
    while row >= start and (links < MAX_LINKS or table.known[row] == edge):
        if len(table.until) == 0 or table.since[row] < at <= table.until[row]:
            links += 1
            edge, partner = table.known[row], table.partner[row]
            if scratch.walk[partner] != mark:
                if partners == MAX_PARTNERS:
                    return -1
                scratch.walk[partner], scratch.place[partner] = mark, partners
                scratch.found[partners], scratch.latest[partners] = partner, edge
                partners += 1
            scratch.earliest[scratch.place[partner]] = edge
        row -= 1
    return partners


@compiled(nogil=True)
def _latest_first(ids: Column, scratch: Scratch, candidates: int) -> None:
    """Move the `MAX_NODES` candidates with the latest links to the front, by id among equals."""
    if candidates <= MAX_NODES:
        return
    nodes, latest = scratch.chosen[:candidates], scratch.chosen_latest[:candidates]
    edge = np.partition(latest, candidates - MAX_NODES)[candidates - MAX_NODES]
    tied, ties, later = np.empty(candidates, np.int64), 0, 0
    for at in range(candidates):
        later += latest[at] > edge
        if latest[at] == edge:
            tied[ties] = ids[nodes[at]]
            ties += 1
    last = np.partition(tied[:ties], MAX_NODES - later - 1)[MAX_NODES - later - 1]
    kept = 0
    for at in range(candidates):
        if latest[at] > edge or (latest[at] == edge and ids[nodes[at]] <= last):
            nodes[kept], scratch.chosen_first[kept] = nodes[at], scratch.chosen_first[at]
            kept += 1


@compiled(nogil=True)
def _values(
    members: Members, is_own_party: Column, own: Column, at: int, outcomes: OutcomeTable
) -> Column:
    inspected, confirmed = np.zeros(LEVELS), np.zeros(LEVELS)
    size, new, oldest = 0.0, 0.0, at
    for member in range(len(members.nodes)):
        if members.is_hub[member]:
            continue
        level = members.level[member]
        is_inspected, is_confirmed = _found(members.nodes[member], at, outcomes)
        inspected[level] += is_inspected
        confirmed[level] += is_confirmed
        if level > 0:
            size += 1
            new += members.first[member] >= at - NEW_DAYS * DAY_US
            oldest = min(oldest, members.first[member])
    hops = np.nan
    for level in range(LEVELS - 1, -1, -1):
        if confirmed[level] > 0:
            hops = level + 1.0
    age = (at - oldest) / DAY_US if size > 0 else np.nan
    pairs = _unlinked_pairs(members, is_own_party, own)
    return np.array(
        [hops, inspected[1], confirmed[1], inspected[2], confirmed[2], size, new, age, pairs]
    )


@inner
def _unlinked_pairs(members: Members, is_own_party: Column, own: Column) -> float:
    """Return how many pairs of a subject's known parties were never linked, NaN without a pair."""
    known, unlinked = 0, 0
    for member in range(len(own)):
        if _is_known_party(member, members, own, is_own_party):
            known += 1
            for other in range(member):
                if _is_known_party(other, members, own, is_own_party):
                    unlinked += not (members.linked[member, other] or members.linked[other, member])
    return float(unlinked) if known > 1 else np.nan


@inner
def _is_known_party(member: int, members: Members, own: Column, is_own_party: Column) -> bool:
    """Return whether a subject's own node is a party, and not a thing, and had partners before."""
    if not members.has_links[member] or members.is_hub[member]:
        return False
    for column in range(len(own)):
        if own[column] == members.nodes[member]:
            return bool(is_own_party[column])
    return False


@inner
def _found(node: int, at: int, outcomes: OutcomeTable) -> tuple[bool, bool]:
    """Return whether an inspection of a node was known before an instant, and a confirmed one."""
    is_inspected, is_confirmed = outcomes.inspected[node] < at, outcomes.confirmed[node] < at
    for row in range(outcomes.starts[node], outcomes.starts[node + 1]):
        if outcomes.known[row] < at and outcomes.since[row] < at <= outcomes.until[row]:
            is_inspected = True
            is_confirmed |= outcomes.is_confirmed[row]
    return is_inspected, is_confirmed
