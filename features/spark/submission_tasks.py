"""Tasks on submissions: add to history, query it and use the answers.

A task runs the online path of a submission twice. The first run only notes the queries; the second
run receives the answers in the same order.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from features.arrow_schema import arrow_schema
from features.engine.columns import Column, Columns, is_text
from features.engine.store.query_plan import QueryPlan, WindowQuery
from features.engine.store.store_keys import KeyPart
from features.engine.string_table import STRING_TABLE
from features.errors import RecordsError
from features.file_among_records import PLACE
from features.records import RECORD_FILES, Record
from features.spark.keyed_windows import ROW, EventsOf, KeyedWindows
from features.spark.part_features import history_before_keys
from features.spark.part_messages import (
    SparkPart,
    pack_columns,
    packed_table,
    part_name,
    unpack_columns,
    unpack_table,
)
from features.spark.part_records import PartRecords
from features.spark.plan import BuildPlan
from features.spark.submitted_file import SubmittedFile
from features.spark.tasks import JOURNEYS, SUBJECTS
from features.submission import Submission, history_records
from features.vector import Vector, feature_vectors

# Computes a table from submissions and their features, one row each in the same order.
OfVectors = Callable[[Sequence[Submission], Sequence[Vector]], pa.Table]

REFUSAL = "refusal"
_ASKED = "asked"


def tell_history(submitted: SubmittedFile, place: int, _: Iterator[bytes]) -> Iterator[SparkPart]:
    """Yield the records a piece adds to history, or the refusal of its first wrong line."""
    try:
        submissions = submitted.submissions(place)
    # Sent as a message, so that the driver can report the first refused line of the file.
    except RecordsError as refusal:
        yield SparkPart(place, 0, pack_columns(REFUSAL, {REFUSAL: pa.array([str(refusal)])}))
        return
    for at, (name, records) in enumerate(history_records(submissions).items()):
        yield SparkPart(place, at, packed_table(table_of_records(name, records)))


def table_of_records(name: str, records: Sequence[Record]) -> pa.Table:
    """Return records of one type as a table in the schema of its files."""
    schema = arrow_schema(RECORD_FILES[name]).with_metadata({b"name": name.encode()})
    columns = [[getattr(record, field) for record in records] for field in schema.names]
    arrays = [pa.array(each, of.type) for each, of in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def history_to_keys(plan: BuildPlan, part: int, bodies: Iterator[bytes]) -> Iterator[SparkPart]:
    """Yield the events of the records of a part, addressed to the parts of their keys."""
    own, joined = PartRecords.received(map(unpack_table, bodies), JOURNEYS, plan.scan.sound)
    yield from plan.keyed.sent({}, history_before_keys(plan.wanted, plan.keyed, own, joined), part)


def queries_to_keys(
    plan: BuildPlan, submitted: SubmittedFile, place: int, _: Iterator[bytes]
) -> Iterator[SparkPart]:
    """Yield the number of a piece's queries, and the queries addressed to the parts of keys."""
    asked = _WindowQuestions()
    feature_vectors(submitted.submissions(place), asked)
    count = len(asked.instants)
    # The number passes through the key stage to this piece, which must size its answers.
    yield SparkPart(len(plan.keyed) + place, 0, pack_columns(_ASKED, {_ASKED: np.array([count])}))
    if count:
        yield from plan.keyed.sent(asked.columns(plan.keyed, plan.without), {}, place)


def answered(
    compute: OfVectors,
    plan: BuildPlan,
    submitted: SubmittedFile,
    place: int,
    bodies: Iterator[bytes],
) -> Iterator[SparkPart]:
    """Yield what is computed from the submissions of a piece and the answers of history."""
    submissions = submitted.submissions(place)
    vectors = feature_vectors(submissions, _WindowAnswers(plan.keyed, bodies))
    if submissions:
        places = pa.array(np.arange(len(submissions)))
        table = compute(submissions, vectors).append_column(PLACE, places)
        table = table.replace_schema_metadata({b"name": SUBJECTS.encode()})
        yield SparkPart(place, 0, packed_table(table))


class _WindowQuestions:
    """Empty history that notes the queries it receives."""

    def __init__(self) -> None:
        self.instants: list[int] = []
        self._keys: dict[str, dict[int, KeyPart]] = {}

    def window_numbers(self, plan: QueryPlan, queries: Sequence[WindowQuery]) -> Column:
        """Note the queries and return NaN for each window."""
        for query in queries:
            for name, value in zip(plan.columns, query.values, strict=True):
                self._keys.setdefault(name, {})[len(self.instants)] = value
            self.instants.append(query.at)
        return np.full((len(queries), len(plan.windows)), np.nan)

    def columns(self, keyed: KeyedWindows, without: EventsOf) -> Columns:
        """Return the queries as subjects with key columns; keys a query lacks are missing."""
        columns: Columns = {"declared_at": np.array(self.instants, np.int64)}
        for window in keyed.windows:
            # The network is asked for by ids of parties, which are texts.
            ids = dict.fromkeys(window.matching, np.empty(0, np.int32))
            events = without.get((window.source, window.matching[:1]), ids)
            for name, matching in zip(window.by, window.matching, strict=True):
                if name not in columns:
                    asked = self._keys.get(name, {})
                    keys = [asked.get(row) for row in range(len(self.instants))]
                    columns[name] = _column(keys, events[matching])
        return columns


def _column(keys: Sequence[KeyPart], like: Column) -> Column:
    if is_text(like):
        return STRING_TABLE.codes(keys)  # type: ignore[arg-type]  # a text column has texts alone
    return np.array([np.nan if key is None else key for key in keys], like.dtype)


class _WindowAnswers:
    """History whose answers are stored in the order of the queries."""

    def __init__(self, keyed: KeyedWindows, bodies: Iterator[bytes]) -> None:
        self._places = {window: place for place, window in enumerate(keyed.windows)}
        self._next = 0
        for table in map(unpack_table, bodies):
            columns = unpack_columns([table])
            if part_name(table) == _ASKED:  # first, since it is sent with position 0
                self._numbers = np.full((len(self._places), int(columns[_ASKED][0])), np.nan)
                continue
            for place in columns.keys() - {ROW}:
                self._numbers[int(place), columns[ROW]] = columns[place]

    def window_numbers(self, plan: QueryPlan, queries: Sequence[WindowQuery]) -> Column:
        """Return the answers of the next queries."""
        begin, self._next = self._next, self._next + len(queries)
        places = [self._places[window] for window in plan.windows]
        return self._numbers[places, begin : self._next].T
