"""In the invented world, every feature varies, and an input feeds what it is said to feed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.build_training_set import build_training_set, feature_matrix
from features.catalogue import features_of
from features.engine.columns import Records, rows
from features.engine.store.lmdb_store import LmdbStore
from features.history.online_store import OnlineStore
from features.history.rebuild import rebuild_store
from features.ingest.record_folder import InMemoryRecords, RecordFolder
from features.input_dependencies import INPUTS, features_fed
from features.peer_groups import peers_of
from features.records import SubjectKind
from features.replay_submissions import submissions_of
from features.rescoring_rules import RescoringRules
from features.scoring_instants import at_instants, later_instants
from features.submission import Submission, history_records
from features.vector import feature_vector

KINDS: tuple[SubjectKind, ...] = ("route", "shipment")
ASKED = 150

# What the invented world of this size does not show yet.
NOT_IN_THIS_WORLD = {
    "same_price_shipments_365d",
    # Nothing so much alike was inspected before, of which nothing is said then.
    *("same_price_confirmed_rate", "like_consignment_confirmed_rate"),
    *("small_value_consignees_7d", "seal_reuse_count_90d", "payee_passed_on_ratio_2d"),
    # Nobody who is paid here pays others within the same days.
    *("payee_gather_scatter_count_30d", "payer_gather_scatter_count_30d"),
    *("payer_received_ratio_2d", "payee_paid_back_ratio_30d"),
    # Few are confirmed here, and hardly one twice within 90 days.
    *("payer_confirmed_count_90d", "container_confirmed_count_90d"),
    *("consignor_confirmed_count_90d", "consignee_confirmed_count_90d"),
    # Whatever is left out of its legs is left out by number too: it is not known yet.
    "unconnected_leg_count",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_feature_varies_over_scoring_instants(
    kind: SubjectKind, world: Path, records: Records
) -> None:
    later = later_instants(kind, RecordFolder(world), RescoringRules())
    matrix = feature_matrix(kind, InMemoryRecords(records), at_instants(later))

    values = {
        feature.name: pc.count_distinct(matrix[feature.name]) for feature in features_of(kind)
    }

    same = {name for name, different in values.items() if different.as_py() < 2}
    assert same - NOT_IN_THIS_WORLD == set()


@pytest.mark.parametrize("kind", KINDS)
def test_how_many_are_on_board_moves_no_feature(kind: SubjectKind, records: Records) -> None:
    """Neither of their own journey nor as anybody's history, whatever a column is derived from."""
    journeys = records["journeys"]
    on_board = journeys["persons_on_board"]
    assert np.isfinite(on_board).any()
    before = feature_matrix(kind, InMemoryRecords(records))

    for others in (np.full_like(on_board, np.nan), np.nan_to_num(on_board, nan=7.0) * 3 + 90):
        crowded = records | {"journeys": journeys | {"persons_on_board": others}}
        assert feature_matrix(kind, InMemoryRecords(crowded)).equals(before)


def test_goods_items_move_no_feature_that_does_not_read_them(records: Records) -> None:
    """Whoever has no goods items has what there was before them, to the bit."""
    none = rows(records["goods_items"], np.zeros(0, np.int64))
    reading = {
        feature.name
        for feature in features_of("shipment")
        if any(window.source == "goods_items" for window in feature.windows.values())
    }

    whole = feature_matrix("shipment", InMemoryRecords(records))
    without = feature_matrix("shipment", InMemoryRecords(records | {"goods_items": none}))

    assert whole.drop([*reading]).equals(without.drop([*reading]))
    assert {without[name].null_count for name in reading} == {len(without)}


@pytest.fixture(scope="module")
def state(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnlineStore]:
    """All of the world's history, kept."""
    folder = tmp_path_factory.mktemp("kept") / "state"
    rebuild_store(world, folder)
    made = OnlineStore(LmdbStore(folder))
    yield made
    made.store.close()


def without(submission: Submission, path: str) -> Submission | None:
    """The submission without an input; None where it does not bring it."""
    whole, _, part = path.partition(".")
    if whole == "documents":
        kept = tuple(d for d in submission.documents if d.kind != part)
        changed = {"documents": kept} if len(kept) < len(submission.documents) else {}
    elif part:
        own = getattr(submission, whole)
        changed = {whole: own.model_copy(update={part: None})} if getattr(own, part) else {}
    else:
        empty = None if whole == "journey" else ()
        changed = {whole: empty} if getattr(submission, whole) else {}
    return submission.model_copy(update=changed) if changed else None


@pytest.mark.parametrize("kind", KINDS)
def test_an_input_feeds_what_it_is_said_to_feed(
    kind: SubjectKind, world: Path, state: OnlineStore
) -> None:
    fed: dict[str, set[str]] = {path: set() for path in INPUTS[kind]}
    known = list(submissions_of(world, kind))
    for submission in known[:: max(len(known) // ASKED, 1)]:
        whole = feature_vector(submission, state, history_records([submission]))
        for path in INPUTS[kind]:
            if (less := without(submission, path)) is not None:
                changed = feature_vector(less, state, history_records([submission]))
                fed[path] |= {name for name in whole if changed[name] != whole[name]}

    unsaid = {path: sorted(fed[path] - set(said)) for path, said in features_fed(kind).items()}
    assert {path: names for path, names in unsaid.items() if names} == {}
    assert [path for path, said in features_fed(kind).items() if said[0] not in fed[path]] == []


@pytest.mark.parametrize("kind", KINDS)
def test_peers_are_those_of_the_training_set(
    kind: SubjectKind, world: Path, tmp_path: Path
) -> None:
    build_training_set(world, kind, tmp_path / "set")
    rows = pq.read_table(tmp_path / "set" / "subjects.parquet").to_pylist()
    told = {row["subject_id"]: row for row in rows}

    for submission in list(submissions_of(world, kind))[:ASKED]:
        row = told[submission.subject_id]
        assert peers_of(submission) == {peers: row[peers.value] for peers in peers_of(submission)}
