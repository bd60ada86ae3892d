"""Find the confirmed inspections that a value counts, when somebody reads it.

Event logs hold no record ids, since every score would pay for them. So the results of all confirmed
subjects are made to events again, as they were when they arrived, and those that count are taken.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np
import orjson

from features.engine.columns import DAY_US, Column
from features.engine.store.blob_store import Blob, BlobOverlay, BlobReader, BlobTransaction
from features.engine.store.layout import Layout
from features.engine.store.raw_columns import RawColumns, number_column, text_column
from features.engine.windows.lifetimes import COUNTS_FROM, COUNTS_UNTIL, FOREVER
from features.engine.windows.reducers import Reducer
from features.engine.windows.window_declaration import NETWORK, Window
from features.history.amended_ingest import AmendedIngest, has_amendments, mark_keys
from features.history.ingest import OUTCOMES, HistoryIngest
from features.history.stored_lists import INSPECTED, Inspection
from features.networks.links import (
    JOURNEY_PARTIES,
    OWN_PARTIES,
    PAYMENT_PARTIES,
    asking_columns,
    node_column,
)
from features.records import SubjectKind

# Values of the network that rest on confirmed inspections, and the level of the nodes they count:
# the nearest one that has any, partners, or partners of partners.
LEVEL_OF_VALUE = {
    "hops_to_confirmed": None,
    "partners_confirmed": 1,
    "second_partners_confirmed": 2,
}


PAID_OUTCOMES = "paid_outcomes"


class Find(NamedTuple):
    """A confirmed inspection of an earlier subject, with the party for which it counts.

    `known_at` is the instant in microseconds from which it counted.
    """

    kind: SubjectKind
    subject_id: str
    known_at: int
    party: str


class _Results(NamedTuple):
    """The events of one source that confirmed inspections of one kind of subject made."""

    kind: SubjectKind
    source: str
    events: RawColumns


def counts_finds(kind: SubjectKind, window: Window) -> bool:
    """Return whether a window counts the finds of one party or in the network."""
    if window.source == NETWORK:
        return window.value in LEVEL_OF_VALUE
    is_of_party = len(window.by) == 1 and window.by[0] in asking_columns(kind)
    return is_of_party and "is_confirmed" in (window.value, window.where)


def finds_behind(
    view: BlobReader,
    ingest: HistoryIngest,
    keys: Mapping[Window, str | None],
    network: Mapping[Window, Mapping[float, int]],
    at: int,
) -> dict[Window, list[Find]]:
    """Return the finds that each window counts at an instant, newest first.

    `keys` are the ids of the parties that windows over history have as key; `network` has for each
    window over the network the confirmed nodes around the subject, with their levels.
    """
    nodes = {window: _nodes_counted(window, levels) for window, levels in network.items()}
    found: dict[Window, list[Find]] = {window: [] for window in (*keys, *network)}
    if not any((*keys.values(), *nodes.values())):
        return found
    for results in _results(view, ingest, at):
        for window, key in keys.items():
            if key is not None and window.source == results.source:
                found[window] += _of_key(results, window, key, at)
        for window, counted in nodes.items():
            found[window] += _of_nodes(results, counted, at)
    return {
        window: sorted(_first_of_each(window, finds), key=lambda find: (-find.known_at, find))
        for window, finds in found.items()
    }


def _nodes_counted(window: Window, levels: Mapping[float, int]) -> frozenset[float]:
    level = LEVEL_OF_VALUE[str(window.value)]
    nearest = min(levels.values(), default=0) if level is None else level
    return frozenset(node for node, of in levels.items() if of == nearest)


def _first_of_each(window: Window, finds: Iterable[Find]) -> list[Find]:
    """Return the first find of each subject and party if a window counts it once, else all."""
    if window.reducer is Reducer.TOTAL:
        return [*finds]
    first: dict[tuple[str, ...], Find] = {}
    for find in sorted(finds, key=lambda find: find.known_at):
        first.setdefault((find.kind, find.subject_id, find.party), find)
    return [*first.values()]


def _results(view: BlobReader, ingest: HistoryIngest, at: int) -> Iterator[_Results]:
    """Yield the events of all subjects that were confirmed before an instant."""
    is_amended, sources = has_amendments(view), {*OUTCOMES.values(), PAID_OUTCOMES}
    of_results = tuple(layout for layout in ingest.layouts if layout.source in sources)
    ingest = replace(ingest, before=at, layouts=of_results)
    for kind, start in INSPECTED.items():
        ids = [
            key[len(start) :].decode()
            for key, blob in view.scan(start)
            # Most results are not confirmed, and need no parsing.
            if b'"confirmed"' in bytes(blob) and _is_confirmed(blob, at)
        ]
        if is_amended:
            marks = view.get([mark_keys("outcomes", (kind, id_))[0] for id_ in ids])
            marked = [id_ for id_, mark in zip(ids, marks, strict=True) if mark is not None]
            stored = AmendedIngest(ingest.schema, of_results, BlobOverlay(view))
            events = chain.from_iterable(stored.events_of_subject(kind, id_) for id_ in marked)
            yield from (_Results(kind, *each) for each in events if each[0] in sources)
            ids = sorted({*ids} - {*marked})
        yield from _of_plain(view, ingest, kind, ids)


def _is_confirmed(blob: Blob, at: int) -> bool:
    """Return whether one of the stored inspections of a subject was confirmed before an instant."""
    inspections: list[Inspection] = orjson.loads(blob)
    return any(result == "confirmed" and known < at for _, known, result, _ in inspections)


def _of_plain(
    view: BlobReader, ingest: HistoryIngest, kind: SubjectKind, ids: Sequence[str]
) -> list[_Results]:
    """Return the events of subjects that nothing amended."""
    found: list[_Results] = []

    def take(_: BlobTransaction, layouts: Iterable[Layout], events: RawColumns) -> None:
        found.append(_Results(kind, next(iter(layouts)).source, events))

    subjects = ingest.schema.subjects[kind].of(view, ids)
    replace(ingest, insert=take).insert_earlier_inspections(BlobOverlay(view), kind, subjects)
    return found


def _of_key(results: _Results, window: Window, key: str, at: int) -> Iterator[Find]:
    """Yield the finds of the party that is the key of a window over history."""
    events = results.events
    counts = _count_at(events, at)
    if window.days is not None:
        counts &= number_column(events, "known_at") >= at - window.days * DAY_US
    ids = text_column(events, window.matching[0])
    counts &= np.array([id_ == key for id_ in ids], bool)
    yield from (_find(results, place, key) for place in np.flatnonzero(counts).tolist())


def _of_nodes(results: _Results, counted: frozenset[float], at: int) -> Iterator[Find]:
    """Yield the finds of some nodes."""
    kind, source, events = results
    is_paid = source == PAID_OUTCOMES
    counts = _count_at(events, at)
    for name in PAYMENT_PARTIES if is_paid else (*OWN_PARTIES[kind], *JOURNEY_PARTIES[kind]):
        ids = text_column(events, name)
        is_counted = counts & np.isin(node_column(name, ids), [*counted])
        places = np.flatnonzero(is_counted).tolist()
        yield from (_find(results, place, ids[place] or "") for place in places)


def _find(results: _Results, place: int, party: str) -> Find:
    kind, _, events = results
    known_at = int(number_column(events, "known_at")[place])
    return Find(kind, text_column(events, "record_id")[place], known_at, party)


def _count_at(events: RawColumns, at: int) -> Column:
    """Return a mask of the confirmed results that count at an instant."""
    known_at = number_column(events, "known_at")
    since = number_column(events, COUNTS_FROM) if COUNTS_FROM in events else known_at
    until = number_column(events, COUNTS_UNTIL) if COUNTS_UNTIL in events else FOREVER
    is_confirmed = number_column(events, "is_confirmed") == 1
    return is_confirmed & (known_at < at) & (since < at) & (at <= until)
