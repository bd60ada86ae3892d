"""History that came by call counts as that of files: batch = online over all record types."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from features.build_training_set import feature_matrix
from features.engine.store.lmdb_store import LmdbStore
from features.history.online_store import OnlineStore
from features.ingest.record_files import read_records
from features.ingest.record_folder import RecordFolder
from features.records import RECORD_FILES, SUBJECT_KINDS
from features.replay_submissions import submissions_of
from features.vector import feature_vector
from serving.access.callers import Caller
from serving.access.pseudonyms import Pseudonyms
from serving.history.client import HistoryClient
from serving.history.export_records import HomeRecords
from serving.history.ingestion import RecordIngestion
from serving.history.received_records import ReceivedRecord, StoredRecord

AT = datetime(2027, 1, 1, tzinfo=UTC)
LOADER = Caller("loader", "loader", frozenset({"ingest"}), frozenset())
SHIPMENTS = 150

Rows = dict[str, list[dict[str, Any]]]


class Kept:
    """Received records in memory, and a log in which nothing was decided."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], ReceivedRecord] = {}

    def add_new(
        self, records: Sequence[ReceivedRecord], *, raises_alerts: bool = True
    ) -> dict[tuple[str, str], StoredRecord]:
        known = {row.key: self.rows[row.key] for row in records if row.key in self.rows}
        self.rows |= {row.key: row for row in records if row.key not in known}
        return {key: StoredRecord(row.body, row.caller_id) for key, row in known.items()}

    def all(self, since: str = "", kinds: Iterable[str] = ()) -> Iterator[ReceivedRecord]:
        return (row for row in self.rows.values() if not kinds or row.kind in kinds)

    def records(self, after: int = 0) -> Iterator[str | None]:
        return iter(())

    def link_at(self, size: int) -> str:
        return ""

    def lanes_of(self, kind: str, ids: Sequence[str]) -> dict[str, set[str]]:
        return {}


@pytest.fixture
def rows(world: Path) -> Rows:
    """Some shipments of the world with their journeys and all that is linked to either."""
    tables = {name: read_records(world, name) for name in RECORD_FILES}
    shipments = tables["shipments"].sort_by("declared_at").slice(0, SHIPMENTS)
    of = {
        "shipment_id": shipments["shipment_id"].combine_chunks(),
        "journey_id": shipments["journey_id"].drop_null().combine_chunks(),
    }
    of["subject_id"] = pc.binary_join_element_wise(of["shipment_id"], "", "")
    some = {}
    for name, table in tables.items():
        by = next(field for field in ("shipment_id", "subject_id", "journey_id")
                  if field in RECORD_FILES[name].model_fields)  # fmt: skip
        some[name] = table.filter(pc.is_in(table[by], of[by]))
    return {
        name: [
            RECORD_FILES[name](**row).model_dump(mode="json", exclude_none=True)
            for row in table.to_pylist()
        ]
        for name, table in some.items()
    }


def bodies(rows: Rows) -> Iterator[Rows]:
    """What is sent: the goods items in their shipments, and what is linked before its subject."""
    items: dict[str, list[dict[str, Any]]] = {}
    for item in rows["goods_items"]:
        items.setdefault(item["shipment_id"], []).append(item)
    with_items = [
        each | {"items": items.get(each["shipment_id"], [])} for each in rows["shipments"]
    ]
    for outcome in rows["outcomes"]:
        outcome.pop("selection_probability", None)
        outcome["selected_by"] = "discretion"
    for name in ("outcomes", "legs", "positions", "documents", "transactions", "events"):
        for start in range(0, len(rows[name]), 4_000):
            yield {name: rows[name][start : start + 4_000]}
    half = len(with_items) // 2
    yield {"shipments": with_items[half:]}
    yield {"journeys": rows["journeys"], "shipments": with_items[: half + 9]}


def test_subjects_that_came_by_call_are_history_as_their_export_builds_it(
    rows: Rows, tmp_path: Path
) -> None:
    """Some amounts come without a currency, as no record file may hold them."""
    for name in ("shipments", "goods_items", "documents"):
        for each in rows[name][::3]:
            each.pop("currency", None)
    kept: Any = Kept()
    state = OnlineStore(LmdbStore(tmp_path / "state", is_bulk=True))
    history = HistoryClient(state, kept, kept)
    ingestion = RecordIngestion(kept, kept, history, "a test")
    for body in bodies(rows):
        taken = ingestion.ingest(LOADER, json.dumps(body).encode(), AT)
        assert taken.faults == ()
    restarted = OnlineStore(LmdbStore(tmp_path / "restarted", is_bulk=True))
    HistoryClient(restarted, kept, kept).catch_up()

    counts, _ = HomeRecords(tmp_path / "none", kept, kept, Pseudonyms(b"of a test")).write(
        made_in(tmp_path), AT + timedelta(days=1)
    )

    assert counts == {name: len(each) for name, each in rows.items()}
    for kind in SUBJECT_KINDS:
        matrix = feature_matrix(kind, RecordFolder(tmp_path / "records")).to_pylist()
        asked = [*submissions_of(tmp_path / "records", kind)]
        assert len(asked) == len(matrix) >= 20
        for row, submission in zip(matrix, asked, strict=True):
            expected = {k: v for k, v in row.items() if k not in ("subject_id", "declared_at")}
            assert feature_vector(submission, state) == expected
            assert feature_vector(submission, restarted) == expected
    history.close()


def made_in(folder: Path) -> Path:
    (folder / "records").mkdir()
    return folder / "records"
