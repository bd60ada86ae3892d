"""What is masked, from which day on, and what it looks like then."""

import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from features.identities import identifying_fields
from serving.access.pseudonyms import Pseudonyms
from serving.audit.decision import Decision
from serving.audit.masking import Masking, _MaskedUntil, masked
from serving.audit.retention_log import RetentionAct
from serving.storage.engine import open_database
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.retention_repository import RetentionRepository
from tests.serving.access.trusted import Clock

NAMES = Pseudonyms(b"k" * 32)
FIRST = datetime(2026, 3, 10, tzinfo=UTC)
LAST = FIRST - timedelta(microseconds=1)
MASK = RetentionAct(
    "2026-11-24T12:00:00+00:00", "mask", "ada", "half a year", {"before": "2026-03-10"}
)


def name(identity: str) -> str:
    return NAMES.of(identity, "masked")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "log.db", is_service=False)
    yield engine
    engine.dispose()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("serving.audit.masking.time.monotonic", clock)
    return clock


@pytest.fixture
def masking(engine: Engine, clock: Clock) -> Masking:
    assert clock.now_s
    return Masking(RetentionRepository(engine), DataKeys(engine), NAMES)


def decision(scored_at: datetime, kind: str = "shipment", subject_id: str = "S-1") -> Decision:
    return Decision.model_construct(
        scored_at=scored_at,
        subject_kind=kind,
        subject_id=subject_id,
        request='{"shipment": {"shipment_id": "S-1"}}',
        hits=("a list names S-1",),
        linked_records=("documents/D-1", "legs/J-1/2"),
        because=("legs/J-1/2",),
    )


def test_nothing_is_masked_before_anybody_masks(masking: Masking) -> None:
    assert not masking.covers("shipment", "S-1", datetime(2000, 1, 1, tzinfo=UTC))


def test_what_was_scored_before_the_day_is_masked(masking: Masking) -> None:
    masking.acts.append(MASK)

    assert masking.covers("shipment", "S-1", LAST)
    assert not masking.covers("shipment", "S-1", FIRST)
    assert masking.masked_view(decision(LAST)).subject_id == name("S-1")
    assert masking.masked_view(decision(FIRST)) == decision(FIRST)
    assert masking.name("S-1") == name("S-1")


def test_a_subject_that_is_held_is_shown_as_it_was(masking: Masking) -> None:
    token = masking.tokens.token("shipment", "S-1")
    details = {"subject_kind": "shipment", "subject": token}
    masking.acts.append(MASK)
    masking.acts.append(RetentionAct(MASK.at, "hold", "ada", "a court asks", details))

    assert masking.masked_view(decision(LAST)) == decision(LAST)
    assert masking.covers("shipment", "S-2", LAST)
    assert masking.covers("route", "S-1", LAST)
    assert masking.masked_view(decision(LAST, kind="route")).subject_id == name("S-1")


def test_acts_are_read_again_after_a_minute(masking: Masking, clock: Clock) -> None:
    assert not masking.covers("shipment", "S-1", LAST)
    masking.acts.append(MASK)

    clock.now_s += 60
    assert not masking.covers("shipment", "S-1", LAST)
    clock.now_s += 0.25
    assert masking.covers("shipment", "S-1", LAST)


def test_ids_have_short_names_and_words_are_left_out_however_deep_they_are() -> None:
    request = {
        "subject_kind": "shipment",
        "shipment": {
            "shipment_id": "S-1",
            "consignee_id": "party-1",
            "notify_party_id": None,
            "hs_code": "890310",
            "goods_description": "words of somebody",
            "packages": 3,
        },
        "legs": [{"journey_id": "J-1", "sequence": 1}, {"journey_id": "J-1", "sequence": 2}],
        "seal_number": 7,
        "number": ["party-2"],
        "tags": ["S-1"],
    }
    told = decision(LAST).model_copy(
        update={"request": json.dumps(request), "hits": ("party-1 of J-1 and 890310",)}
    )

    seen = masked(told, NAMES)

    assert json.loads(seen.request) == {
        "subject_kind": "shipment",
        "shipment": {
            "shipment_id": name("S-1"),
            "consignee_id": name("party-1"),
            "notify_party_id": None,
            "hs_code": "890310",
            "packages": 3,
        },
        "legs": [
            {"journey_id": name("J-1"), "sequence": 1},
            {"journey_id": name("J-1"), "sequence": 2},
        ],
        "seal_number": 7,
        "number": ["party-2"],
        "tags": ["S-1"],
    }
    assert seen.hits == (f"{name('party-1')} of {name('J-1')} and 890310",)
    assert seen.linked_records == ("documents", "legs")
    assert seen.because == ("legs",)
    assert seen.subject_id == name("S-1")


@pytest.mark.parametrize("field", sorted(identifying_fields()))
def test_each_field_that_identifies_is_masked(field: str) -> None:
    told = decision(LAST).model_copy(update={"request": json.dumps({field: "somebody"})})
    takes_no_name = field in {"imo_number", "mmsi", "call_sign", "plate_number"}

    shown = json.loads(masked(told, NAMES).request)

    assert shown == ({} if takes_no_name else {field: name("somebody")})


def test_which_fields_identify_is_not_forgotten() -> None:
    assert {
        *("shipment_id", "journey_id", "subject_id", "document_id", "transaction_id"),
        "event_id",
        *("consignor_id", "consignee_id", "notify_party_id", "forwarder_id", "declarant_id"),
        *("carrier_id", "issuer_id", "payer_id", "payee_id", "conveyance_id"),
        *("container_number", "seal_number", "number"),
        *("imo_number", "mmsi", "call_sign", "plate_number"),
    } == identifying_fields()


def test_what_was_read_of_acts_is_not_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        _MaskedUntil().before = ""  # type: ignore[misc]  # what is tried
