"""One definition: the row of a training set is what a score was made of, to the bit.

Batch sweeps over files that hold the past and the future; online asks a state that records reach
in any order, some of them twice.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.build_training_set import feature_matrix
from features.catalogue import features_of
from features.engine.columns import Columns, Records, instant_us, length, rows
from features.engine.store.lmdb_store import LmdbStore
from features.engine.windows.window_declaration import NETWORK
from features.history.confirmed_finds import counts_finds
from features.history.online_store import HISTORY_RECORD_TYPES, OnlineStore
from features.history.rebuild import rebuild_store
from features.ingest.record_folder import InMemoryRecords
from features.records import SubjectKind
from features.replay_submissions import submissions_of
from features.submission import Submission, history_records
from features.submitted_subject import request_rows
from features.vector import Vector, feature_vector, feature_vectors, vector_plan
from tests.counts import count

KINDS: tuple[SubjectKind, ...] = ("route", "shipment")
KNOWN_FROM = {
    "journeys": "declared_at",
    "shipments": "declared_at",
    "documents": "received_at",
    "positions": "observed_at",
}
# Of so many subjects one is asked about, where the state grows in between.
EACH = count(17, 1)


Matrices = dict[SubjectKind, dict[str, Vector]]


@pytest.fixture(scope="module")
def matrices(records: Records) -> Matrices:
    """The row of every subject, by kind and id."""
    return {kind: rows_of(feature_matrix(kind, InMemoryRecords(records))) for kind in KINDS}


def rows_of(matrix: pa.Table) -> dict[str, Vector]:
    ids = matrix["subject_id"].to_pylist()
    features = matrix.drop(["subject_id", "declared_at"]).to_pylist()
    return dict(zip(ids, features, strict=True))


@pytest.fixture
def state(tmp_path: Path) -> Iterator[OnlineStore]:
    made = OnlineStore(LmdbStore(tmp_path / "state", is_bulk=True))
    yield made
    made.store.close()


def in_parts(records: Records, seed: int) -> Iterator[tuple[str, Columns]]:
    """Every record at least once and a third of them twice, shuffled, some dozens at a time."""
    lots = np.random.default_rng(seed)
    parts = []
    for name in HISTORY_RECORD_TYPES:
        order = lots.permutation(length(records[name]))
        again = lots.choice(order, len(order) // 3)
        split = np.array_split(np.concatenate([order, again]), 40)
        parts += [(name, rows(records[name], some)) for some in split]
    for at in lots.permutation(len(parts)):
        yield parts[at]


def finds_are_those_counted(submission: Submission, state: OnlineStore) -> set[str]:
    """Compare the finds behind each window with its value; return the sources that had some."""
    kind = submission.subject_kind
    values = vector_plan(kind).windows(request_rows(submission), state)
    found = state.finds(submission, [*values])
    assert {*found} == {window for window in values if counts_finds(kind, window)}
    for window, finds in found.items():
        value = 0.0 if np.isnan(values[window]) else values[window]
        if window.value == "hops_to_confirmed":
            assert bool(finds) == (value > 0)
        elif window.value == "consignee_id":  # several finds of one consignee count once
            assert min(len(finds), 1) <= value <= len(finds)
        else:
            of_parties = {find.party for find in finds}
            assert value == len(of_parties if window.source == NETWORK else finds)
        assert all(find.known_at < instant_us(submission.declared_at) for find in finds)
    return {window.source for window, finds in found.items() if finds}


def of_both_kinds(world: Path) -> list[Submission]:
    return [submission for kind in KINDS for submission in submissions_of(world, kind)]


def test_every_subject_online_is_its_row_of_the_training_set_whatever_the_order_of_arrival(
    world: Path, records: Records, matrices: Matrices, state: OnlineStore
) -> None:
    for name, part in in_parts(records, seed=5):
        state.ingest({name: part})
    asked = dict.fromkeys(KINDS, 0)
    assert [*next(iter(matrices["route"].values()))] == [one.name for one in features_of("route")]

    for submission in of_both_kinds(world):
        kind = submission.subject_kind
        vector = feature_vector(submission, state)
        assert vector == matrices[kind][submission.subject_id]
        asked[kind] += 1

    assert asked == {kind: len(matrix) for kind, matrix in matrices.items()}
    assert min(asked.values()) >= 1_500


def test_a_state_that_grows_with_time_tells_each_subject_what_the_training_set_does(
    world: Path, records: Records, matrices: Matrices, state: OnlineStore
) -> None:
    """The state never holds more than was known before the subject; what it brings comes along."""
    submissions = sorted(of_both_kinds(world), key=lambda one: one.declared_at)
    since, asked = datetime(1900, 1, 1, tzinfo=UTC), 0
    for submission in submissions[EACH - 1 :: EACH]:
        until = submission.declared_at
        state.ingest(
            {name: known_between(name, records, since, until) for name in HISTORY_RECORD_TYPES}
        )
        since = until
        vector = feature_vector(submission, state, history_records([submission]))
        assert vector == matrices[submission.subject_kind][submission.subject_id]
        asked += 1

    assert asked >= count(200, 3_000)


def test_subjects_asked_about_together_are_seen_as_if_each_were_alone(
    world: Path, records: Records, state: OnlineStore
) -> None:
    """Much of what they bring is new to the state, and none sees what another brings."""
    submissions = of_both_kinds(world)[:: count(5, 1)]
    since = datetime(1900, 1, 1, tzinfo=UTC)
    until = sorted(one.declared_at for one in submissions)[len(submissions) // 2]
    state.ingest(
        {name: known_between(name, records, since, until) for name in HISTORY_RECORD_TYPES}
    )
    brought = [history_records([one]) for one in submissions]

    alone = [*map(feature_vector, submissions, repeat(state), brought)]

    assert repr(feature_vectors(submissions, state, brought)) == repr(alone)
    assert len(alone) >= 600
    assert alone != feature_vectors(submissions, state), "what they bring changes numbers"


def known_between(name: str, records: Records, since: datetime, until: datetime) -> Columns:
    known_at = records[name][KNOWN_FROM.get(name, "known_at")]
    return rows(records[name], (known_at >= instant_us(since)) & (known_at < instant_us(until)))


def test_scoring_alone_tells_of_subjects_and_of_what_they_brought(
    world: Path, records: Records, state: OnlineStore, tmp_path: Path
) -> None:
    """A state that saw submissions only, out of order, is the one that read their records."""
    read = OnlineStore(LmdbStore(tmp_path / "read", is_bulk=True))
    submissions = [*submissions_of(world, "shipment")][::5]
    for submission in reversed(submissions):
        state.ingest(history_records([submission]))
    read.ingest(history_records(submissions))

    for submission in submissions[::20]:
        assert feature_vector(submission, state) == feature_vector(submission, read)
    read.store.close()


def test_a_state_rebuilt_from_files_is_the_one_that_grew_and_its_finds_are_those_counted(
    world: Path, records: Records, state: OnlineStore, tmp_path: Path
) -> None:
    rebuild_store(world, tmp_path / "rebuilt")
    rebuilt = OnlineStore(LmdbStore(tmp_path / "rebuilt"))
    for name, part in in_parts(records, seed=6):
        state.ingest({name: part})

    found = set()
    for submission in of_both_kinds(world)[::50]:
        assert feature_vector(submission, rebuilt) == feature_vector(submission, state)
        found |= finds_are_those_counted(submission, rebuilt)
    assert found == {"network", "paid_outcomes", "route_outcomes", "shipment_outcomes"}
    rebuilt.store.close()
