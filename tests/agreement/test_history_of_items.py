"""What history says of goods items, where a request brings both."""

from datetime import timedelta
from pathlib import Path

import pytest

from features.engine.store.lmdb_store import LmdbStore
from features.history.online_store import OnlineStore
from features.records import Outcome, Record, Shipment
from features.submission import Submission
from features.vector import feature_vector, feature_vectors
from tests.agreement.streams import NEW_YEAR, SHIPMENT, Row

DAY = timedelta(days=1)


@pytest.fixture
def state(tmp_path: Path) -> OnlineStore:
    return OnlineStore(LmdbStore(tmp_path / "state", is_bulk=True))


def declared(shipment_id: str, **fields: object) -> Row:
    return {**SHIPMENT, "journey_id": None, "shipment_id": shipment_id, **fields}


def found(shipment_id: str, hs_code: str, days_ago: int, result: str) -> dict[str, list[Record]]:
    """A shipment of long ago, and what was known of it since so many days before the new year."""
    outcome = {"subject_kind": "shipment", "subject_id": shipment_id, "selected_by": "random"}
    outcome |= {"inspected_at": NEW_YEAR - 90 * DAY, "known_at": NEW_YEAR - days_ago * DAY}
    own = declared(shipment_id, hs_code=hs_code, declared_at=NEW_YEAR - 99 * DAY)
    return {"shipments": [Shipment(**own)], "outcomes": [Outcome(**outcome, result=result)]}


def of_items(shipment_id: str, days_ago: int, *codes: str) -> Submission:
    items = tuple({"number": at, "commodity_code": code} for at, code in enumerate(codes, 1))
    own = declared(shipment_id, declared_at=NEW_YEAR - days_ago * DAY, items=items, hs_code=None)
    return Submission(subject_kind="shipment", shipment=own)


def test_what_a_request_brings_of_the_past_counts_for_its_items_and_is_not_kept(
    state: OnlineStore,
) -> None:
    asked, brought = of_items("S", 1, "890310"), found("S-old", "890399", 5, "confirmed")
    rate = "riskiest_item_confirmed_rate"

    assert feature_vector(asked, state, brought)[rate] == 1
    assert feature_vector(asked, state)[rate] is None
    state.ingest(brought)
    assert feature_vector(asked, state)[rate] == 1


def test_items_of_one_heading_in_shipments_of_different_days_have_each_its_days_history(
    state: OnlineStore,
) -> None:
    state.ingest(found("S-1", "890399", 9, "confirmed"))
    state.ingest(found("S-2", "100630", 5, "not_confirmed"))
    asked = [of_items(f"S{days}", days, "890310", "100610") for days in (9, 7, 1)]

    vectors = feature_vectors(asked, state)

    assert [vector["uninspected_item_count"] for vector in vectors] == [2, 1, 0]
    # Of two inspections one confirmed something: eight more at that rate beside the one of boats.
    assert [vector["riskiest_item_confirmed_rate"] for vector in vectors] == [None, 1, 0.555556]
