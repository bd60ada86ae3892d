"""Over any stream of records: batch = online = plain SQL, bit for bit, on every window."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from features.build_training_set import feature_frame
from features.catalogue import features_of, windows_of
from features.compiled_catalogue import computation
from features.engine.batch.build_resources import BuildResources
from features.engine.batch.feature_frame import FeatureFrame
from features.engine.store.lmdb_store import LmdbStore
from features.engine.string_table import STRING_TABLE
from features.engine.windows.window_declaration import Window
from features.history.online_store import HISTORY_RECORD_TYPES, OnlineStore
from features.ingest.record_files import read_records
from features.ingest.record_folder import RecordFolder
from features.records import RECORD_FILES, Record, SubjectKind
from features.replay_submissions import submissions_of
from features.submitted_subject import request_rows
from features.vector import Vector, feature_vector, feature_vectors, vector_plan
from tests.agreement.plain_sql import PlainSql
from tests.agreement.streams import Stream, on_every_edge, streams, write
from tests.counts import count

KINDS: tuple[SubjectKind, ...] = ("route", "shipment")

Numbers = dict[str, dict[Window, float]]
"""The number of every window, by subject."""


@pytest.fixture(scope="module")
def oracle() -> PlainSql:
    return PlainSql()


def by_batch(kind: SubjectKind, frame: FeatureFrame) -> Numbers:
    columns = {window: frame.window(window) for window in windows_of(kind)}
    ids = STRING_TABLE.texts(frame.subjects["subject_id"]).to_pylist()
    return {
        id_: {window: float(column[at]) for window, column in columns.items()}
        for at, id_ in enumerate(ids)
    }


def rows_by_batch(kind: SubjectKind, frame: FeatureFrame) -> list[dict[str, Any]]:
    ((_, features),) = frame.features(computation(kind))
    columns = {
        feature.name: STRING_TABLE.texts(features[feature.name]).to_pylist()
        if feature.is_categorical
        else [None if np.isnan(number) else number for number in features[feature.name].tolist()]
        for feature in features_of(kind)
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def arriving(folder: Path, lots: Random) -> Iterator[dict[str, list[Record]]]:
    """Every record at least once and a third of them twice, in any order, a few at a time."""
    told = [
        (name, row)
        for name in HISTORY_RECORD_TYPES
        for row in read_records(folder, name).to_pylist()
    ]
    told += lots.sample(told, len(told) // 3)
    lots.shuffle(told)
    while told:
        some = [told.pop() for _ in range(min(len(told), lots.randint(1, 5)))]
        yield {
            name: [RECORD_FILES[name](**row) for of, row in some if of == name]
            for name in HISTORY_RECORD_TYPES
        }


def numbers_said(kind: SubjectKind, vector: Vector, windows: dict[Window, float]) -> Any:
    """What sentences about values that are there name: the numbers of windows, by feature."""
    return {
        feature.name: {name: windows[feature.windows[name]] for name in feature.said_with}
        for feature in features_of(kind)
        if feature.said_with and vector[feature.name] is not None
    }


def bits(number: float) -> bytes:
    return b"missing" if np.isnan(number) else np.float64(number).tobytes()


def differing(one: Numbers, other: Numbers) -> list[tuple[str, str, float, float]]:
    assert one.keys() == other.keys()
    return [
        (subject, str(window), number, other[subject][window])
        for subject, numbers in one.items()
        for window, number in numbers.items()
        if bits(number) != bits(other[subject][window])
    ]


def all_agree(stream: Stream, lots: Random, oracle: PlainSql) -> None:
    """Hold batch, online with records in any order, and plain SQL to each other over a stream."""
    with TemporaryDirectory() as home:
        folder = Path(home) / "records"
        write(stream, folder)
        oracle.read(folder)
        state = OnlineStore(LmdbStore(Path(home) / "state", is_bulk=True))
        for records in arriving(folder, lots):
            state.ingest(records)

        for kind in KINDS:
            scratch = Path(home) / kind
            scratch.mkdir()
            batch = feature_frame(kind, RecordFolder(folder), BuildResources(scratch))
            asked = list(submissions_of(folder, kind))
            online = {
                one.subject_id: vector_plan(kind).windows(request_rows(one), state) for one in asked
            }
            assert differing(by_batch(kind, batch), oracle.numbers(kind, windows_of(kind))) == []
            assert differing(by_batch(kind, batch), online) == []
            assert rows_by_batch(kind, batch) == [feature_vector(one, state) for one in asked]
            vectors = feature_vectors(asked, state)
            assert rows_by_batch(kind, batch) == vectors
            for one, vector in zip(asked, vectors, strict=True):
                assert vector.said_with == numbers_said(kind, vector, online[one.subject_id])
        state.store.close()


@settings(
    max_examples=count(2, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(stream=streams())
def test_no_value_is_below_zero_but_those_that_are_said_so(stream: Stream) -> None:
    with TemporaryDirectory() as home:
        write(stream, Path(home) / "records")
        for kind in KINDS:
            scratch = Path(home) / kind
            scratch.mkdir()
            frame = feature_frame(
                kind, RecordFolder(Path(home) / "records"), BuildResources(scratch)
            )
            below_zero = {
                name
                for row in rows_by_batch(kind, frame)
                for name, value in row.items()
                if isinstance(value, float) and value < 0
            }
            assert below_zero <= {
                each.name for each in features_of(kind) if each.sentence_below_zero
            }


@settings(
    max_examples=count(3, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(stream=streams(), lots=st.randoms(use_true_random=False))
@example(stream=on_every_edge(), lots=Random(7))
def test_batch_and_online_and_plain_sql_agree_on_every_stream(
    stream: Stream, lots: Random, oracle: PlainSql
) -> None:
    all_agree(stream, lots, oracle)
