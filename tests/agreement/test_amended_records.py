"""Amended, withdrawn and corrected records: batch = online = plain SQL, at every instant."""

from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from features.build_training_set import feature_frame
from features.engine.batch.build_resources import BuildResources
from features.engine.columns import Records
from features.engine.store.lmdb_store import LmdbStore
from features.history.online_store import OnlineStore
from features.history.rebuild import rebuild_store
from features.ingest.record_folder import RecordFolder, records_of_folder
from features.records import RECORD_FILES, Journey, Outcome, Record, Shipment, SubjectKind
from features.replay_submissions import submissions_of
from features.rescoring_rules import RescoringRules
from features.scoring_instants import later_instants
from features.submission import Submission, history_records
from features.vector import feature_vector, feature_vectors
from tests.agreement.amended_streams import (
    DECLARED_OTHERWISE,
    amended_streams,
    declared_otherwise,
    goods_that_were_amended,
)
from tests.agreement.plain_sql import PlainSql
from tests.agreement.streams import (
    JOURNEY,
    NEW_YEAR,
    SHIPMENT,
    TRANSACTION,
    Row,
    Stream,
    write,
)
from tests.agreement.test_batch_and_online_agree import finds_are_those_counted
from tests.agreement.test_batch_online_and_sql_agree import (
    all_agree,
    arriving,
    rows_by_batch,
)
from tests.agreement.test_scoring_again import a_row_stays, matrix_at
from tests.agreement.test_the_future_never_leaks import deleted
from tests.counts import count

KINDS: tuple[SubjectKind, ...] = ("route", "shipment")
RULES = RescoringRules()
over_streams = settings(
    max_examples=count(3, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def oracle() -> PlainSql:
    return PlainSql()


@over_streams
@given(stream=amended_streams(), lots=st.randoms(use_true_random=False))
@example(stream=goods_that_were_amended(), lots=Random(7))
@example(stream=declared_otherwise(DECLARED_OTHERWISE), lots=Random(7))
def test_batch_online_and_plain_sql_agree_whatever_was_amended_and_in_any_order(
    stream: Stream, lots: Random, oracle: PlainSql
) -> None:
    all_agree(stream, lots, oracle)


@over_streams
@given(stream=amended_streams())
@example(stream=declared_otherwise(DECLARED_OTHERWISE))
def test_online_gives_the_row_of_the_training_set_at_every_scoring_instant(stream: Stream) -> None:
    with TemporaryDirectory() as home:
        folder = Path(home) / "records"
        write(stream, folder)
        rebuild_store(folder, Path(home) / "state")
        state = OnlineStore(LmdbStore(Path(home) / "state"))
        for kind in KINDS:
            later = later_instants(kind, RecordFolder(folder), RULES)
            rows = matrix_at(kind, records_of_folder(folder), later).drop(columns="declared_at")
            rows = rows.astype(object).where(rows.notna(), None)
            asked = [*submissions_of(folder, kind, later=later)]
            assert len(asked) == len(rows)
            for one in asked:
                row = rows.loc[(one.subject_id, pd.Timestamp(one.scoring_instant))]
                assert feature_vector(one, state) == row.to_dict()
                finds_are_those_counted(one, state)
        state.store.close()


@over_streams
@given(stream=amended_streams(), lots=st.randoms(use_true_random=False))
def test_what_a_request_brings_counts_as_if_it_had_been_kept_and_is_not(
    stream: Stream, lots: Random
) -> None:
    """Of every subject the store knows some records, and the request brings all of its own."""
    with TemporaryDirectory() as home:
        folder = Path(home) / "records"
        write(stream, folder)
        parts = [*arriving(folder, lots)]
        for kind in KINDS:
            for at, submission in enumerate(submissions_of(folder, kind)):
                brought = history_records([submission])
                one, other = (
                    OnlineStore(LmdbStore(Path(home) / f"{kind}{at}{name}", is_bulk=True))
                    for name in ("asked", "told")
                )
                for records in parts[::2]:
                    one.ingest(records)
                    other.ingest(records)
                before = feature_vector(submission, one)
                other.ingest(brought)

                assert feature_vector(submission, one, brought) == feature_vector(submission, other)
                assert feature_vector(submission, one) == before
                one.store.close()
                other.store.close()


@pytest.mark.parametrize("kind", KINDS)
@over_streams
@given(stream=amended_streams(), place=st.integers(0, 20))
def test_no_row_changes_when_what_became_known_later_is_taken_away(
    kind: SubjectKind, stream: Stream, place: int
) -> None:
    def before(records: Records, instant: int, *, is_declared: bool) -> Records:
        # What becomes known in that very microsecond counts for a declaration, and no later.
        return deleted(records, instant + int(is_declared))

    a_row_stays(kind, stream, place, before)


@pytest.mark.parametrize("mode", ["sea", "road"])
def test_what_follows_an_amended_journey_is_put_where_batch_has_it(
    mode: str, tmp_path: Path
) -> None:
    """The journey is amended in what shipments are keyed by, or not; then what it carries is."""
    day = timedelta(days=1)
    subject = {"subject_kind": "shipment", "subject_id": "S0"}
    journey = {**JOURNEY, "journey_id": "J0", "declared_at": NEW_YEAR - 9 * day, "version": 1}
    own = {**SHIPMENT, "shipment_id": "S0", "declared_at": NEW_YEAR - 8 * day, "version": 1}
    paid = {**TRANSACTION, **subject, "transaction_id": "T0", "paid_at": NEW_YEAR - 7 * day}
    found = {**subject, "selected_by": "random", "inspected_at": NEW_YEAR - 6 * day}
    later = {"version": 2, "mode": mode, "conveyance_id": "v2", "known_at": NEW_YEAR - 5 * day}
    told: list[tuple[str, Row]] = [
        ("journeys", journey),
        ("shipments", own),
        ("journeys", journey | later),
        ("transactions", {**paid, "known_at": NEW_YEAR - 6 * day}),
        ("outcomes", {**found, "known_at": NEW_YEAR - 5 * day, "result": "inconclusive"}),
        ("shipments", {**own, "version": 2, "net_mass_kg": 5.0, "known_at": NEW_YEAR - 4 * day}),
        ("transactions", {**paid, "version": 2, "payer_id": "k3", "known_at": NEW_YEAR - 3 * day}),
        ("outcomes", {**found, "known_at": NEW_YEAR - 2 * day, "result": "not_confirmed"}),
    ]
    told += [
        ("shipments", {**SHIPMENT, "shipment_id": f"S{at}", "declared_at": NEW_YEAR - at * day})
        for at in range(1, 8)
    ]
    corrected = {**found, "subject_id": "S7"}
    told += [
        ("outcomes", {**corrected, "known_at": NEW_YEAR - 5 * day, "result": "confirmed"}),
        ("outcomes", {**corrected, "known_at": NEW_YEAR - 2 * day, "result": "not_confirmed"}),
    ]
    stream = {name: [row for of, row in told if of == name] for name in RECORD_FILES}
    write(stream, tmp_path / "records")
    state = OnlineStore(LmdbStore(tmp_path / "state", is_bulk=True))
    for name, row in told:
        state.ingest({name: [RECORD_FILES[name](**row)]})

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    batch = feature_frame("shipment", RecordFolder(tmp_path / "records"), BuildResources(scratch))
    asked = [*submissions_of(tmp_path / "records", "shipment")]

    assert rows_by_batch("shipment", batch) == feature_vectors(asked, state)
    assert {source for one in asked for source in finds_are_those_counted(one, state)}
    assert len({row["consignee_confirmed_rate"] for row in rows_by_batch("shipment", batch)}) > 1
    state.store.close()


DAY = timedelta(days=1)
CARRIED = Shipment(**SHIPMENT | {"shipment_id": "S1", "declared_at": NEW_YEAR - 8 * DAY})
OF_CARRIED, OF_JOURNEY = (
    Outcome(
        subject_kind=kind,
        subject_id=id_,
        selected_by="random",
        inspected_at=NEW_YEAR - 7 * DAY,
        known_at=NEW_YEAR - 6 * DAY,
        result="confirmed",
    )
    for kind, id_ in (("shipment", "S1"), ("route", "J0"))
)


@pytest.mark.parametrize("known_at", [None, NEW_YEAR - 5 * DAY])
@pytest.mark.parametrize(
    "kept",
    [
        {"shipments": [CARRIED]},
        {"shipments": [CARRIED], "outcomes": [OF_CARRIED]},
        {"outcomes": [OF_JOURNEY]},
    ],
)
def test_a_journey_that_comes_with_a_request_completes_what_was_kept(
    kept: dict[str, list[Record]], known_at: datetime | None, tmp_path: Path
) -> None:
    """Another request beside it, whose journey completes nothing, sees nothing of that."""
    journey = {**JOURNEY, "journey_id": "J0", "declared_at": NEW_YEAR - 9 * DAY}
    asked = {**SHIPMENT, "shipment_id": "S0", "declared_at": NEW_YEAR}
    completes, other = (
        Submission(
            subject_kind="shipment",
            shipment=asked | {"shipment_id": id_, "journey_id": journey_id},
            journey=Journey(**journey | {"journey_id": journey_id}, known_at=known_at),
        )
        for id_, journey_id in (("S0", "J0"), ("S9", "J9"))
    )
    state, told = (
        OnlineStore(LmdbStore(tmp_path / name, is_bulk=True)) for name in ("state", "told")
    )
    for each in (state, told):
        each.ingest(kept)
    brought = [history_records([one]) for one in (completes, other)]
    told.ingest(brought[0])

    vectors = feature_vectors([completes, other], state, brought)

    assert vectors[0] == feature_vector(completes, told)
    assert vectors[1] == feature_vector(other, state, brought[1])
    state.store.close()
    told.store.close()


def test_what_a_journey_is_amended_to_moves_no_instant_at_which_it_would_be_scored_again(
    tmp_path: Path,
) -> None:
    day = timedelta(days=1)
    journey = {**JOURNEY, "journey_id": "J0", "declared_at": NEW_YEAR - 9 * day}
    later = {"version": 2, "due_at": NEW_YEAR + 300 * day, "known_at": NEW_YEAR + 250 * day}
    own = {**SHIPMENT, "shipment_id": "S0", "declared_at": NEW_YEAR - 8 * day}
    paid = {**TRANSACTION, "subject_kind": "shipment", "subject_id": "S0", "paid_at": NEW_YEAR}
    payments = [
        {**paid, "transaction_id": f"T{days}", "known_at": NEW_YEAR + days * day}
        for days in (1, 200)
    ]
    plain: Stream = {name: [] for name in RECORD_FILES}
    plain |= {"journeys": [journey], "shipments": [own], "transactions": payments}
    write(plain, tmp_path / "plain")
    write(plain | {"journeys": [journey, journey | later]}, tmp_path / "amended")

    instants = [
        later_instants("shipment", RecordFolder(tmp_path / of), RULES)
        for of in ("plain", "amended")
    ]

    assert instants[0] == instants[1]
    assert len(instants[0]["S0"]) == 1
