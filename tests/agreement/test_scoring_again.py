"""A subject that is scored again: batch and online give the same numbers at every instant."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from features.build_training_set import build_training_set, feature_matrix
from features.catalogue import features_of
from features.engine.columns import Records, instant_us
from features.engine.store.lmdb_store import LmdbStore
from features.engine.string_table import STRING_TABLE
from features.history.online_store import OnlineStore
from features.history.rebuild import rebuild_store
from features.ingest.record_folder import InMemoryRecords, RecordFolder, records_of_folder
from features.linked_records import LINKED_RECORD_TYPES
from features.records import SubjectKind
from features.replay_submissions import submissions_of
from features.rescoring_rules import RescoringRules
from features.scoring_instants import Instants, at_instants, later_instants
from features.submission import history_records
from features.vector import feature_vector
from tests.agreement.streams import Stream, on_every_edge, streams, write
from tests.agreement.test_the_future_never_leaks import OWN, deleted
from tests.counts import count

KINDS: tuple[SubjectKind, ...] = ("route", "shipment")
RULES = RescoringRules()
RUN, EVERY = 20, count(3, 1)
"""Of instants that follow one another, every third run of twenty is asked about in usual runs."""


class Before(Protocol):
    """Which records were known before an instant, at which a subject was declared or not."""

    def __call__(self, records: Records, instant: int, *, is_declared: bool) -> Records: ...


def matrix_at(kind: SubjectKind, records: Records, later: Instants) -> pd.DataFrame:
    """The features at every scoring instant, by subject and instant."""
    table = feature_matrix(kind, InMemoryRecords(records), at_instants(later))
    return table.to_pandas().set_index(["subject_id", "as_of"])


def a_row_stays(kind: SubjectKind, stream: Stream, place: int, before: Before) -> None:
    """Hold one row of a stream to what it is when only what was known `before` it is there."""
    with TemporaryDirectory() as home:
        folder = Path(home) / "records"
        write(stream, folder)
        later = later_instants(kind, RecordFolder(folder), RULES)
        records = records_of_folder(folder)
    rows = matrix_at(kind, records, later)
    if not len(rows):
        return
    subject_id, as_of = rows.index[place % len(rows)]
    row = rows.loc[[(subject_id, as_of)]]
    is_declared = bool((row["declared_at"] == as_of).all())
    past = before(records, instant_us(as_of.to_pydatetime()), is_declared=is_declared)

    again = matrix_at(kind, past, later)
    pd.testing.assert_frame_equal(again.loc[[(subject_id, as_of)]], row, check_exact=True)


@pytest.fixture(scope="module")
def state(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnlineStore]:
    """A store that knows all of the world, the future of each subject too."""
    folder = tmp_path_factory.mktemp("again") / "state"
    rebuild_store(world, folder)
    made = OnlineStore(LmdbStore(folder))
    yield made
    made.store.close()


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
def test_online_gives_the_row_of_the_training_set_at_every_scoring_instant(
    kind: SubjectKind, world: Path, records: Records, state: OnlineStore
) -> None:
    later = later_instants(kind, RecordFolder(world), RULES)
    rows = matrix_at(kind, records, later).drop(columns="declared_at")
    rows = rows.astype(object).where(rows.notna(), None)
    asked, moved = 0, 0
    before: dict[str, object] = {}

    for place, submission in enumerate(submissions_of(world, kind, later=later)):
        if place // RUN % EVERY:
            continue
        row = rows.loc[(submission.subject_id, pd.Timestamp(submission.scoring_instant))].to_dict()
        vector = feature_vector(submission, state, history_records([submission]))
        assert vector == row
        moved += submission.as_of is not None and vector != before
        before, asked = dict(vector), asked + 1

    assert asked > len(rows) // EVERY - RUN
    assert len(rows) > len(records[OWN[kind][0]]["declared_at"])
    assert moved > 500 // EVERY, "what becomes known later changes numbers"


@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=count(6, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(stream=streams())
@example(stream=on_every_edge())
def test_in_any_stream_online_gives_the_row_of_the_training_set_at_every_instant(
    kind: SubjectKind, stream: Stream
) -> None:
    with TemporaryDirectory() as home:
        folder = Path(home) / "records"
        write(stream, folder)
        later = later_instants(kind, RecordFolder(folder), RULES)
        rows = matrix_at(kind, records_of_folder(folder), later).drop(columns="declared_at")
        rows = rows.astype(object).where(rows.notna(), None)
        rebuild_store(folder, Path(home) / "state")
        state = OnlineStore(LmdbStore(Path(home) / "state"))
        for submission in submissions_of(folder, kind, later=later):
            at = (submission.subject_id, pd.Timestamp(submission.scoring_instant))
            assert feature_vector(submission, state) == rows.loc[at].to_dict()
        state.store.close()


@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=count(6, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(stream=streams(), place=st.integers(0, 20))
@example(stream=on_every_edge(), place=0)
def test_in_any_stream_no_row_changes_when_what_became_known_later_is_taken_away(
    kind: SubjectKind, stream: Stream, place: int
) -> None:
    def before(records: Records, instant: int, *, is_declared: bool) -> Records:
        own = OWN[kind][0]  # its own declaration may be this very instant
        return deleted(records, instant) | {own: records[own]}

    a_row_stays(kind, stream, place, before)


@pytest.mark.parametrize("kind", KINDS)
def test_what_others_did_after_the_declaration_never_counts(
    kind: SubjectKind, world: Path, records: Records
) -> None:
    """Windows over the history of anyone are those of the declaration at every instant."""
    linked = {*LINKED_RECORD_TYPES}
    of_history = [
        feature.name
        for feature in features_of(kind)
        if feature.windows
        and not {w.source for w in feature.windows.values()} & linked
        and not any(by.startswith("latest_") for w in feature.windows.values() for by in w.by)
    ]

    rows = matrix_at(kind, records, later_instants(kind, RecordFolder(world), RULES))

    assert len(of_history) >= 15
    differing = rows.groupby("subject_id")[of_history].nunique(dropna=False).max()
    assert differing.max() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_of_declarations_are_the_bytes_of_a_set_without_later_instants(
    kind: SubjectKind, world: Path, tmp_path: Path
) -> None:
    build_training_set(world, kind, tmp_path / "plain")
    build_training_set(world, kind, tmp_path / "again", rules=RULES, threads=2)

    for name in ("features.parquet", "subjects.parquet"):
        plain = pq.read_table(tmp_path / "plain" / name)
        again = pq.read_table(tmp_path / "again" / name)
        first = again.filter(np.array(again["as_of"]) == np.array(again["declared_at"]))
        assert first.drop(["as_of"]).combine_chunks().equals(plain.combine_chunks())
        assert len(again) > len(plain)
    outcomes = [(tmp_path / one / "outcomes.parquet").read_bytes() for one in ("plain", "again")]
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("kind", KINDS)
def test_payments_that_release_goods_are_known_at_some_instant_though_at_no_declaration(
    kind: SubjectKind, world: Path, records: Records
) -> None:
    later = later_instants(kind, RecordFolder(world), RULES)
    last = {id_: instants[-1] for id_, instants in later.items()}
    own, identity = OWN[kind]
    ids = STRING_TABLE.texts(records[own][identity]).to_pylist()
    declared_at = dict(zip(ids, records[own]["declared_at"], strict=True))
    payments = pq.read_table(world / "transactions.parquet").to_pylist()

    released = [
        (payment["known_at"], payment["subject_id"])
        for payment in payments
        if payment["subject_kind"] == kind and payment["purpose"] == "release"
    ]

    assert len(released) > 50
    at_declaration = [instant_us(at) < declared_at[id_] for at, id_ in released]
    assert np.mean(at_declaration) < 0.05
    assert np.mean([id_ in last and at < last[id_] for at, id_ in released]) > 0.95
