"""What workers do with the messages of a part."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa

from features.engine.columns import Column, Columns, length, rows
from features.engine.spark.keyed_windows import ROW, events_together
from features.engine.spark.messages import (
    PartMessage,
    columns_of,
    name_of,
    packed,
    packed_table,
    part_of_keys,
    unpacked,
)
from features.engine.spark.part_records import JOINED, PartRecords
from features.spark_build.part_features import after_keys, before_keys, history_of_linked, in_rows
from features.spark_build.plan import SUBJECT_FIELDS, BuildPlan

FEATURES, SUBJECTS = "features", "subjects"
_FRAME = "frame"
_HISTORY = "history"
_JOURNEYS = "journeys"
# So many rows come back at a time.
_ROWS = 1 << 12
_OTHERS = 1 << 32  # more than a part has messages or rows


def journeys_to_subjects(
    plan: BuildPlan, part: int, bodies: Iterator[bytes]
) -> Iterator[PartMessage]:
    """The journeys of a part, to the parts of the subjects that name them."""
    journeys: list[pa.Table] = []
    named: dict[int, list[Column]] = defaultdict(list)
    for table in map(unpacked, bodies):
        _, _, name = name_of(table).partition(":")
        if name == _JOURNEYS:
            journeys.append(table)
            continue
        columns = columns_of([table])
        homes = part_of_keys(columns[SUBJECT_FIELDS[name]], plan.scan.parts)
        for home in np.unique(homes).tolist():
            named[home].append(columns["journey_id"][homes == home])
    if not journeys:
        return
    columns = columns_of(journeys)
    for home, ids in named.items():
        found = rows(columns, np.isin(columns["journey_id"], np.concatenate(ids)))
        if length(found):
            yield PartMessage(home, part, packed(f"{JOINED}:{_JOURNEYS}", found))


def history_to_everyone(
    plan: BuildPlan, part: int, bodies: Iterator[bytes]
) -> Iterator[PartMessage]:
    """What was found of the subjects of a part, to all parts: few subjects are inspected."""
    own, joined = PartRecords.received(map(unpacked, bodies), _JOURNEYS, plan.scan.sound)
    for name, events in history_of_linked(plan.kind, own, joined).items():
        if length(events):
            body = packed(f"{_HISTORY}:{name}", events)
            yield from (PartMessage(home, part, body) for home in range(plan.scan.parts))


def subjects_to_keys(plan: BuildPlan, part: int, bodies: Iterator[bytes]) -> Iterator[PartMessage]:
    """Subjects and events of a part, to where their keys meet; and what is known of them already.

    That only passes there on its way back to this part.
    """
    histories = {name: [none] for name, none in plan.without_history.items()}

    def records() -> Iterator[pa.Table]:
        for table in map(unpacked, bodies):
            what, _, name = name_of(table).partition(":")
            if what == _HISTORY:
                histories[name].append(columns_of([table]))
            else:
                yield table

    own, joined = PartRecords.received(records(), _JOURNEYS, plan.scan.sound)
    together = {name: events_together(parts) for name, parts in histories.items()}
    frame, events = before_keys(plan.kind, plan.keyed, own, joined, together)
    if length(frame):
        yield PartMessage(len(plan.keyed) + part, 0, packed(_FRAME, frame))
    yield from plan.keyed.sent(frame, events, part)


def keys_to_subjects(plan: BuildPlan, part: int, bodies: Iterator[bytes]) -> Iterator[PartMessage]:
    """The windows of a part of keys, to the parts of the subjects that have them."""
    if part < len(plan.keyed):
        yield from plan.keyed.numbers(part, bodies, plan.without)
    else:
        yield from (PartMessage(part - len(plan.keyed), 0, body) for body in bodies)


def subjects_to_ranges(
    plan: BuildPlan, part: int, bodies: Iterator[bytes]
) -> Iterator[PartMessage]:
    """The features of the subjects of a part, to the ranges in which these are declared."""
    frame: Columns = {}
    received: dict[str, list[tuple[Column, Column]]] = defaultdict(list)
    for table in map(unpacked, bodies):
        columns = columns_of([table])
        if name_of(table) == _FRAME:
            frame = columns
            continue
        for place in columns.keys() - {ROW}:
            received[place].append((columns[ROW], columns[place]))
    size = length(frame)
    tables = after_keys(
        plan.kind, plan.keyed, frame, lambda place: in_rows(received.pop(str(place), []), size)
    )
    for what, table in zip((FEATURES, SUBJECTS), tables, strict=True):
        for at, (of, few) in enumerate(_by_range(table, plan.bounds)):
            body = packed_table(few.replace_schema_metadata({b"name": what.encode()}))
            yield PartMessage(of, part * _OTHERS + 2 * at + (what == SUBJECTS), body)


def _by_range(table: pa.Table, bounds: Column) -> Iterator[tuple[int, pa.Table]]:
    """Rows in the order of declaration, a few of one range at a time."""
    declared_at = table["declared_at"].cast(pa.int64()).to_numpy()
    ranges = np.searchsorted(bounds, declared_at, side="right")
    edges = [0, *np.flatnonzero(np.diff(ranges)) + 1, len(ranges)]
    for begin, end in pairwise(edges):
        for at in range(begin, end, _ROWS):
            yield int(ranges[at]), table.slice(at, min(_ROWS, end - at))
