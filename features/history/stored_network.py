"""Read the network around a subject from the online feature store.

Links are read level by level, since those of one level name the nodes of the next, and each read is
one call of the store. What was read is then computed by the functions of the batch engine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from features.engine.columns import Column, instant_us
from features.engine.numba_cache import compiled
from features.engine.store.amended_rows import counting_rows
from features.engine.store.blob_store import Blob, BlobOverlay, BlobReader
from features.engine.store.event_log import concatenate_blobs
from features.engine.store.layout import Layout
from features.engine.store.page_format import (
    PAGES,
    WIDTH,
    before_words,
    first_at_or_after,
    rows_at,
    start_of,
)
from features.engine.store.query_plan import QueryPlan, RequestRecords, WindowQuery
from features.engine.store.store_keys import KEY_START, page_key, part_of
from features.engine.windows.lifetimes import FOREVER
from features.engine.windows.window_declaration import Keying
from features.history.ingest import HistoryIngest
from features.history.overlay_ingest import unknown_records
from features.networks.links import (
    HISTORY_OF_LINKS,
    HISTORY_OF_RESULTS,
    LEVELS,
    MAX_LINKS,
    NETWORK_VALUES,
    is_party,
    nodes_of,
)
from features.networks.neighbourhood import (
    LinkTable,
    OutcomeTable,
    link_table,
    members_at,
    numbered,
    values_of,
)
from features.record_versions import amends, is_known_late
from features.subject_types import SUBJECT_TYPES

_LINKING = ("journeys", "shipments", "outcomes", "transactions")


class _Around(NamedTuple):
    """The nodes around a subject as they were read: their ids by number, and the members of it."""

    own: Column
    nodes: Column
    members: Column
    level: Column
    table: LinkTable
    results: OutcomeTable


class StoredNetwork:
    """Reader of the network around subjects, from the logs of links and results of parties."""

    def __init__(self, ingest: HistoryIngest, layouts: Mapping[Keying, Layout]) -> None:
        self._links = layouts[HISTORY_OF_LINKS[0].keying]
        self._results = QueryPlan.from_windows(HISTORY_OF_RESULTS[1:], layouts)
        # A request's records are ingested for these logs alone.
        self._ingest = replace(ingest, layouts=(self._links, *self._results.layouts))

    def values(self, view: BlobReader, plan: QueryPlan, query: WindowQuery) -> list[float]:
        """Return the value of each window of a plan over the network around one subject."""
        value_of = dict(zip(plan.columns, query.values, strict=True))
        windows = [plan.windows[at] for at in plan.network]
        by = windows[0].by
        ids = {name: [None if value_of[name] is None else str(value_of[name])] for name in by}
        own = nodes_of(ids, by)[:, 0]
        parties = np.array([*map(is_party, by)])
        found = self._values(self._with_overlay(view, query), own, parties, query.at)
        return [found[NETWORK_VALUES.index(str(window.value))] for window in windows]

    def _values(self, view: BlobReader, own: Column, parties: Column, at: int) -> list[float]:
        around = self._around(view, own, at)
        instants = np.array([at], np.int64)
        values = values_of(around.own[np.newaxis], parties, instants, around.table, around.results)
        found: list[float] = values[0].tolist()
        return found

    def confirmed(
        self, view: BlobReader, ids: Mapping[str, str | None], at: int
    ) -> dict[float, int]:
        """Return the nodes around a subject that were part of a confirmed case, with their levels.

        `ids` are those of its own parties, level 0, by column.
        """
        own = nodes_of({name: [id_] for name, id_ in ids.items()}, [*ids])[:, 0]
        around = self._around(view, own, at)
        is_confirmed = around.results.confirmed[around.members] < at
        nodes = around.nodes[around.members[is_confirmed]].view(np.float64)
        return dict(zip(nodes.tolist(), around.level[is_confirmed].tolist(), strict=True))

    def _around(self, view: BlobReader, own: Column, at: int) -> _Around:
        is_given = ~np.isnan(own)
        asked = [*dict.fromkeys(own[is_given].tolist())]
        own_ids, own_codes = own[is_given].view(np.int64), np.full(len(own), -1)
        rows = np.empty((0, 3), np.int64)
        for level in range(LEVELS):
            rows = np.concatenate([rows, self._read_links(view, asked, at)])
            codes, nodes = numbered(np.concatenate([own_ids, rows[:, 0], rows[:, 1]]))
            own_codes[is_given] = codes[: len(own_ids)]
            party, partner = np.split(codes[len(own_ids) :], 2)
            table = link_table(nodes, party, partner, {"known_at": rows[:, 2].copy()})
            members, level_of, is_hub = members_at(own_codes, at, table)
            asked = nodes[members[level_of == level + 1]].view(np.float64).tolist()
        members, level_of = members[~is_hub], level_of[~is_hub]
        results = self._read_results(view, nodes, members, at)
        return _Around(own_codes, nodes, members, level_of, table, results)

    def _read_links(self, view: BlobReader, nodes: Sequence[float], at: int) -> Column:
        """Return the latest links of nodes before an instant: party, partner and instant known."""
        keys = _keys(self._links, nodes)
        blobs, shape = view.get(keys), np.array(self._links.shape)
        ids = np.array(nodes, np.float64).view(np.int64)
        rows, lacking = _open_links(concatenate_blobs(blobs), shape, ids, at)
        more = [
            _older_links(view, keys[log], blobs[log], self._links, ids[log], at)
            for log in lacking.tolist()
        ]
        instants = np.full(len(keys), at)
        amended = counting_rows(view, [self._links], keys, instants)
        if amended is not None:
            words = amended.words.reshape(-1, self._links.width)
            party = np.repeat(ids, np.diff(amended.starts) // self._links.width)
            more.append(np.column_stack([party, words[:, 1], words[:, 0]]))
        return np.concatenate([rows, *more])

    def _read_results(
        self, view: BlobReader, nodes: Column, members: Column, at: int
    ) -> OutcomeTable:
        """Return which of some nodes were inspected, and with a confirmed result, by an instant."""
        inspected, confirmed = np.full(len(nodes), FOREVER), np.full(len(nodes), FOREVER)
        if len(members):
            keys = _keys(self._results.layouts[0], nodes[members].view(np.float64).tolist())
            numbers = self._results.numbers_of(view, keys, np.full(len(keys), at))
            inspected[members[numbers[:, 0] > 0]] = at - 1
            confirmed[members[numbers[:, 1] > 0]] = at - 1
        none = np.empty(0, np.int64)
        starts = np.zeros(len(nodes) + 1, np.int64)
        return OutcomeTable(inspected, confirmed, starts, none, none, none, none.astype(bool))

    def _with_overlay(self, view: BlobReader, query: WindowQuery) -> BlobReader:
        """Return the store with the records that a query brings, if they could change a link."""
        given = query.overlay or {}
        brought: RequestRecords = {name: given[name] for name in _LINKING if name in given}
        records = [record for each in brought.values() for record in each]
        is_amending = any(amends(record) or is_known_late(record) for record in records)
        if not is_amending:
            brought = self._without_own(view, brought, query.at)
            if not unknown_records(view, [query._replace(overlay=brought)], ()):
                return view
        overlay = BlobOverlay(view)
        self._ingest.ingest(overlay, brought)
        return overlay

    def _without_own(self, view: BlobReader, brought: RequestRecords, at: int) -> RequestRecords:
        """Return records without those of new subjects that were not declared before an instant.

        They link nobody before that.
        """
        later = {
            (kind, getattr(record, each.id_field))
            for kind, each in SUBJECT_TYPES.items()
            for record in brought.get(each.record_file, ())
            if instant_us(record.declared_at) >= at
        }
        index = self._ingest.schema.subjects
        own = {(kind, id_) for kind, id_ in later if index[kind].is_new(view, [id_])[0]}
        linked = {
            name: [
                each for each in brought[name] if (each.subject_kind, each.subject_id) not in own
            ]
            for name in ("outcomes", "transactions")
            if name in brought
        }
        return {**brought, **linked}


def _keys(layout: Layout, nodes: Sequence[float]) -> list[bytes]:
    return [f"{KEY_START}{part_of(node)}{layout.key_suffix}".encode() for node in nodes]


@compiled
def _open_links(opened: Column, shape: Column, ids: Column, at: int) -> tuple[Column, Column]:
    """Return the latest links in open blobs, and the logs that have more of them in pages."""
    width = shape[WIDTH]
    rows, count = np.empty((len(opened) // width + 1, 3), np.int64), 0
    lacking, lacks = np.empty(len(ids), np.int64), 0
    for log in range(len(ids)):
        start, stop = start_of(opened, log), start_of(opened, log + 1)
        if start == stop:
            continue
        words = opened[start + rows_at(opened[start + PAGES], shape) : stop]
        end = first_at_or_after(words, width, len(words) // width, at)
        begin = max(end - MAX_LINKS, 0)
        # Links of one instant belong together.
        while 0 < begin < end and words[(begin - 1) * width] == words[begin * width]:
            begin -= 1
        if begin == 0 and opened[start + PAGES] > 0:
            lacking[lacks] = log
            lacks += 1
        for row in range(begin, end):
            rows[count, 0], rows[count, 1] = ids[log], words[row * width + 1]
            rows[count, 2] = words[row * width]
            count += 1
    return rows[:count], lacking[:lacks]


def _older_links(
    view: BlobReader, key: bytes, blob: Blob | None, layout: Layout, node: int, at: int
) -> Column:
    """Return the latest links in closed pages of a log before an instant."""
    head = before_words(np.array(layout.shape))

    def page(number: int) -> Column:
        (words,) = view.get([page_key(key, number)])
        rows = np.frombuffer(words or b"", np.int64)[head:].reshape(-1, layout.width)
        return rows[rows[:, 0] < at]

    first, stop = 0, int(np.frombuffer(blob or bytes(8), np.int64)[PAGES])
    while first < stop:  # the first page that begins at or after the instant
        middle = (first + stop) // 2
        first, stop = (middle + 1, stop) if len(page(middle)) else (first, middle)
    found = np.empty((0, layout.width), np.int64)
    while first > 0 and (len(found) <= MAX_LINKS or found[0, 0] == found[-MAX_LINKS, 0]):
        first -= 1
        found = np.concatenate([page(first), found])
    return np.column_stack([np.full(len(found), node), found[:, 1], found[:, 0]])
