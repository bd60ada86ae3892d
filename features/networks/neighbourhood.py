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
from features.engine.numba_cache import compiled, inlined, inner
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
    VALUES_OF_RESULTS,
    is_party,
    nodes_of,
)

_MEMBERS = len(VALUES_OF_RESULTS)  # the place of `members` among the values


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
    """Arrays reused for all subjects: by node, then by place among candidates of a level.

    `row` is that of a node's link at which the search for an instant begins. `place` is a node's
    place among the members or candidates of the subject that it was last near.
    """

    row: Column
    place: Column
    walk: Column
    candidate: Column
    latest: Column
    earliest: Column
    best: Column


class Members(NamedTuple):
    """Nodes around a subject by level: its own, then partners, then partners of partners.

    `linked` tells of each member which others are its partners, `has_links` whether it has any.
    Neither is known of the last level.
    """

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
    scratch, members = _scratch(table, own.shape[-1]), _no_members(own.shape[-1])
    base = 1
    for subject in range(len(at)):
        count, base = _collect(own[subject], at[subject], table, scratch, members, base)
        _fill(values[subject], members, count, is_own_party, own[subject], at[subject], outcomes)
    return values


@compiled(nogil=True)
def members_at(own: Column, at: int, table: LinkTable) -> tuple[Column, Column, Column]:
    """Return the nodes around one subject, their levels, and which are hubs."""
    members = _no_members(len(own))
    count, _ = _collect(own, at, table, _scratch(table, len(own)), members, 1)
    return members.nodes[:count], members.level[:count], members.is_hub[:count]


@inner
def _scratch(table: LinkTable, own: int) -> Scratch:
    nodes, candidates = len(table.nodes), MAX_PARTNERS * max(MAX_NODES, own)
    return Scratch(
        table.starts.copy(),
        np.zeros(nodes, np.int64),
        # Only links that do not count for ever need a walk to find a hub.
        np.zeros(nodes if len(table.is_hub) == 0 else 0, np.int64),
        np.empty(candidates, np.int64),
        np.empty(candidates, np.int64),
        np.empty(candidates, np.int64),
        np.empty(MAX_NODES, np.int64),
    )


@inner
def _no_members(own: int) -> Members:
    size = own + (LEVELS - 1) * MAX_NODES
    return Members(
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.bool_),
        np.empty(size, np.int64),
        np.empty((size, size), np.bool_),
        np.empty(size, np.bool_),
    )


@compiled(nogil=True)
def _collect(
    own: Column, at: int, table: LinkTable, scratch: Scratch, members: Members, base: int
) -> tuple[int, int]:
    """Find the nodes around a subject; return their number, and the base of the next subject.

    A node's place is `base` plus its index for a member, and higher for a candidate of a level.
    Lower ones were left by earlier subjects.
    """
    members.linked[:], members.has_links[:] = False, False
    begin, count = 0, 0
    for node in own:
        if node >= 0 and scratch.place[node] < base:
            count = _add_member(members, scratch, node, 0, at, count, base)
    above = base + len(members.nodes)  # places of the candidates of a level
    for level in range(1, LEVELS):
        candidates = _find_partners(begin, count, at, table, scratch, members, base, above)
        begin = count
        for slot in range(_choose(table.nodes, scratch, candidates)):
            chosen = scratch.best[slot]
            node, first = scratch.candidate[chosen], scratch.earliest[chosen]
            count = _add_member(members, scratch, node, level, first, count, base)
        above += candidates
    for member in range(begin, count):
        node, mark = members.nodes[member], base + member
        _, _, members.is_hub[member] = _recent_links(node, at, table, scratch, mark, True)
    return count, above


@inner
def _add_member(
    members: Members, scratch: Scratch, node: int, level: int, first: int, index: int, base: int
) -> int:
    """Add a node as member of an index; return the next index."""
    members.nodes[index], members.level[index], members.first[index] = node, level, first
    scratch.place[node] = base + index
    return index + 1


@inlined
def _find_partners(
    begin: int,
    end: int,
    at: int,
    table: LinkTable,
    scratch: Scratch,
    members: Members,
    base: int,
    above: int,
) -> int:
    """Find the partners of the members of a level, candidates for the next; return their number.

    Partners that are members already are noted as linked.
    """
    # Arrays of a tuple are counted as used at each use, which would take most of the time.
    _, _, instants, partners, since, until, _ = table
    _, places, _, candidate, latest, earliest, _ = scratch
    nodes, _, is_hub, _, linked, has_links = members
    size, has_lives, candidates = len(nodes), len(until) > 0, 0
    for member in range(begin, end):
        node, mark = nodes[member], base + member
        row, stop, is_hub[member] = _recent_links(node, at, table, scratch, mark, False)
        # Backwards, so that latest links come first and later ones seldom displace them.
        for link in range(stop - 1, row - 1, -1):
            if has_lives and not since[link] < at <= until[link]:
                continue
            partner, known = partners[link], instants[link]
            place = places[partner]
            has_links[member] = True
            if place >= above:
                slot = place - above
                latest[slot] = max(latest[slot], known)
                earliest[slot] = min(earliest[slot], known)
            elif base <= place < base + size:
                linked[member, place - base] = True
            else:
                places[partner] = above + candidates
                candidate[candidates] = partner
                latest[candidates] = earliest[candidates] = known
                candidates += 1
    return candidates


@compiled(nogil=True)
def _recent_links(
    node: int, at: int, table: LinkTable, scratch: Scratch, mark: int, is_last: bool
) -> tuple[int, int, bool]:
    """Return the first row of a node's latest links, the row after them, and whether it is a hub.

    A hub has no rows. Links of one instant are all considered or none. Partners of the last level
    are not followed, so there the rows are left out if possible.
    """
    start, stop = table.starts[node], _row_at(node, at, table, scratch)
    if len(table.is_hub) > 0:
        if stop > start and table.is_hub[stop - 1]:
            return stop, stop, True
        row = max(stop - MAX_LINKS, start)
        while not is_last and start < row < stop and table.known[row - 1] == table.known[row]:
            row -= 1
        return row, stop, False
    row, links, partners, edge = stop, 0, 0, at
    while row > start and (links < MAX_LINKS or table.known[row - 1] == edge):
        row -= 1
        if table.since[row] < at <= table.until[row]:
            links += 1
            edge, partner = table.known[row], table.partner[row]
            partners += scratch.walk[partner] != mark
            scratch.walk[partner] = mark
            if partners > MAX_PARTNERS:
                return stop, stop, True
    return row, stop, False


@inner
def _row_at(node: int, at: int, table: LinkTable, scratch: Scratch) -> int:
    """Return the row of a node's first link at or after an instant.

    Subjects come mostly in the order of time, so the row is near the one that was found last.
    """
    row, end, stride = scratch.row[node], table.starts[node + 1], 1
    if row > table.starts[node] and table.known[row - 1] >= at:
        row = table.starts[node]
    while row + stride <= end and table.known[row + stride - 1] < at:
        row += stride
        stride *= 2
    stop = min(row + stride - 1, end)
    row += first_at_or_after(table.known[row:stop], 1, stop - row, at)
    scratch.row[node] = row
    return row


@compiled(nogil=True)
def _choose(ids: Column, scratch: Scratch, candidates: int) -> int:
    """Choose the `MAX_NODES` candidates with the latest links, by id among equals.

    Returns their number; `scratch.best` holds them.
    """
    best, latest, nodes = scratch.best, scratch.latest, scratch.candidate
    count = 0
    for one in range(candidates):
        place = count
        while place > 0:
            other = best[place - 1]
            if latest[other] > latest[one]:
                break
            if latest[other] == latest[one] and ids[nodes[other]] < ids[nodes[one]]:
                break
            place -= 1
            if place < MAX_NODES - 1:
                best[place + 1] = other
        if place < MAX_NODES:
            best[place] = one
            count = min(count + 1, MAX_NODES)
    return count


@compiled(nogil=True)
def _fill(
    values: Column,
    members: Members,
    count: int,
    is_own_party: Column,
    own: Column,
    at: int,
    outcomes: OutcomeTable,
) -> None:
    """Write the values of a subject from the nodes around it."""
    values[:] = 0.0
    hops, oldest = LEVELS + 1, at
    for member in range(count):
        if members.is_hub[member]:
            continue
        level = members.level[member]
        is_inspected, is_confirmed = _found(members.nodes[member], at, outcomes)
        if is_confirmed:
            hops = min(hops, level + 1)
        if level > 0:
            values[2 * level - 1] += is_inspected
            values[2 * level] += is_confirmed
            values[_MEMBERS] += 1
            values[_MEMBERS + 1] += members.first[member] >= at - NEW_DAYS * DAY_US
            oldest = min(oldest, members.first[member])
    values[0] = hops if hops <= LEVELS else np.nan
    values[_MEMBERS + 2] = (at - oldest) / DAY_US if values[_MEMBERS] > 0 else np.nan
    values[_MEMBERS + 3] = _unlinked_pairs(members, is_own_party, own)


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
