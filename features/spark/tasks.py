"""Tasks that workers run on the messages of a part."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pyarrow as pa

from features.build_training_set import feature_tables, subject_table
from features.engine.batch.feature_frame import FeatureFrame
from features.engine.columns import Column, Columns, length, rows
from features.file_among_records import PLACE
from features.spark.keyed_windows import ROW, events_together
from features.spark.part_features import after_keys, before_keys, history_of_linked, in_rows
from features.spark.part_messages import (
    SparkPart,
    pack_columns,
    packed_table,
    part_name,
    part_of_keys,
    unpack_columns,
    unpack_table,
)
from features.spark.part_records import JOINED, PartRecords
from features.spark.plan import SUBJECT_FIELDS, BuildPlan

# Computes a table from features and columns of subjects, one row each in the same order.
OfFeatures = Callable[[pa.Table, Columns], pa.Table]

FEATURES, SUBJECTS = "features", "subjects"
_FRAME = "frame"
_HISTORY = "history"
JOURNEYS = "journeys"
# Rows in a message of results.
_ROWS = 1 << 12
_OTHERS = 1 << 32  # more than a part has messages, so that positions of parts never overlap


def journeys_to_subjects(
    plan: BuildPlan, part: int, bodies: Iterator[bytes]
) -> Iterator[SparkPart]:
    """Yield the journeys of a part, addressed to the parts of the subjects that name them."""
    journeys: list[pa.Table] = []
    named: dict[int, list[Column]] = defaultdict(list)
    for table in map(unpack_table, bodies):
        _, _, name = part_name(table).partition(":")
        if name == JOURNEYS:
            journeys.append(table)
            continue
        columns = unpack_columns([table])
        homes = part_of_keys(columns[SUBJECT_FIELDS[name]], plan.scan.parts)
        for home in np.unique(homes).tolist():
            named[home].append(columns["journey_id"][homes == home])
    if not journeys:
        return
    columns = unpack_columns(journeys)
    for home, ids in named.items():
        found = rows(columns, np.isin(columns["journey_id"], np.concatenate(ids)))
        if length(found):
            yield SparkPart(home, part, pack_columns(f"{JOINED}:{JOURNEYS}", found))


def history_to_everyone(plan: BuildPlan, part: int, bodies: Iterator[bytes]) -> Iterator[SparkPart]:
    """Yield the events of a part's inspected subjects to all parts.

    This is affordable because few subjects are inspected.
    """
    own, joined = PartRecords.received(map(unpack_table, bodies), JOURNEYS, plan.scan.sound)
    for name, events in history_of_linked(plan.wanted.kind, own, joined).items():
        if length(events):
            body = pack_columns(f"{_HISTORY}:{name}", events)
            yield from (SparkPart(home, part, body) for home in range(plan.scan.parts))


def subjects_to_keys(plan: BuildPlan, part: int, bodies: Iterator[bytes]) -> Iterator[SparkPart]:
    """Yield the subjects and events of a part to the parts of their keys.

    The columns known so far are sent along to pass through the key stage and return to this part.
    """
    histories = {name: [none] for name, none in plan.without_history.items()}

    def records() -> Iterator[pa.Table]:
        for table in map(unpack_table, bodies):
            what, _, name = part_name(table).partition(":")
            if what == _HISTORY:
                histories[name].append(unpack_columns([table]))
            else:
                yield table

    own, joined = PartRecords.received(records(), JOURNEYS, plan.scan.sound)
    together = {name: events_together(parts) for name, parts in histories.items()}
    frame, events = before_keys(plan.wanted, plan.keyed, own, joined, together)
    if length(frame):
        yield SparkPart(len(plan.keyed) + part, 0, pack_columns(_FRAME, frame))
    yield from plan.keyed.sent(frame, events, part)


def keys_to_subjects(plan: BuildPlan, part: int, bodies: Iterator[bytes]) -> Iterator[SparkPart]:
    """Yield the window values of a part of keys, addressed to the parts of the subjects."""
    if part < len(plan.keyed):
        yield from plan.keyed.numbers(part, bodies, plan.without)
    else:
        # Numbers after the last part of keys carry messages that only pass through.
        yield from (SparkPart(part - len(plan.keyed), 0, body) for body in bodies)


def subjects_to_ranges(plan: BuildPlan, part: int, bodies: Iterator[bytes]) -> Iterator[SparkPart]:
    """Yield the features of a part's subjects, addressed to ranges of declaration instants."""
    with _whole(plan, bodies) as frame:
        kind = plan.wanted.kind
        tables = pa.concat_tables(feature_tables(kind, frame)), subject_table(kind, frame)
    for what, table in zip((FEATURES, SUBJECTS), tables, strict=True):
        declared_at = table["declared_at"].cast(pa.int64()).to_numpy()
        for at, (of, few) in enumerate(_by_range(table, declared_at, plan.bounds)):
            body = packed_table(few.replace_schema_metadata({b"name": what.encode()}))
            yield SparkPart(of, part * _OTHERS + 2 * at + (what == SUBJECTS), body)


def subjects_to_places(
    compute: OfFeatures, plan: BuildPlan, part: int, bodies: Iterator[bytes]
) -> Iterator[SparkPart]:
    """Yield what is computed of a part's subjects, addressed to ranges of rows of their file."""
    with _whole(plan, bodies) as frame:
        order = np.argsort(frame.subjects[PLACE])
        matrix = pa.concat_tables(feature_tables(plan.wanted.kind, frame)).take(pa.array(order))
        subjects = rows(frame.subjects, order)
    if not len(order):
        return
    places = subjects[PLACE]
    table = compute(matrix, subjects).append_column(PLACE, pa.array(places))
    for at, (of, few) in enumerate(_by_range(table, places, plan.bounds)):
        body = packed_table(few.replace_schema_metadata({b"name": SUBJECTS.encode()}))
        yield SparkPart(of, part * _OTHERS + at, body)


@contextmanager
def _whole(plan: BuildPlan, bodies: Iterator[bytes]) -> Iterator[FeatureFrame]:
    """Provide the subjects of a part with the window values that came back."""
    subjects: Columns = {}
    received: dict[str, list[tuple[Column, Column]]] = defaultdict(list)
    for table in map(unpack_table, bodies):
        columns = unpack_columns([table])
        if part_name(table) == _FRAME:
            subjects = columns
            continue
        for place in columns.keys() - {ROW}:
            received[place].append((columns[ROW], columns[place]))
    size = length(subjects)

    def numbers(place: int) -> Column:
        return in_rows(received.pop(str(place), []), size)

    with after_keys(plan.wanted, plan.keyed, subjects, numbers) as frame:
        yield frame


def _by_range(table: pa.Table, of_rows: Column, bounds: Column) -> Iterator[tuple[int, pa.Table]]:
    """Yield tables of at most _ROWS rows of one range; rows must be in order of `bounds`."""
    ranges = np.searchsorted(bounds, of_rows, side="right")
    edges = [0, *np.flatnonzero(np.diff(ranges)) + 1, len(ranges)]
    for begin, end in pairwise(edges):
        for at in range(begin, end, _ROWS):
            yield int(ranges[at]), table.slice(at, min(_ROWS, end - at))
