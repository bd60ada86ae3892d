"""The state on disk: whole transactions, other readers, kills, and records in any order."""

import errno
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lmdb
import pytest

from features.engine.columns import instant_us
from features.engine.store.layout import layouts_of
from features.engine.store.lmdb_store import COPY_BATCH_BLOBS, LOCK_BYTES, LmdbStore
from features.engine.windows.window_declaration import count, total
from features.errors import OnlineStoreMismatch, OnlineStoreUnavailable, RecordsError
from features.history.online_store import OnlineStore, history_windows
from features.history.rebuild import rebuild_store
from features.records import Journey, Outcome, Record, Shipment, Transaction
from tests.counts import count as how_many

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LANE = ("dispatch_country", "destination_country", "journey_mode")
PAID = count("payments", by="payer_id", days=90)
SHIPPED = count("shipments", by="consignee_id", days=365)
FOUND = total("shipment_outcomes", "is_confirmed", by="consignee_id")
ON_LANE = total("shipment_outcomes", "is_confirmed", by=LANE)
SUBJECT = {
    "payer_id": "P",
    "latest_payer_id": "P",
    "consignee_id": "C",
    "dispatch_country": "TR",
    "destination_country": "DE",
    "journey_mode": "road",
}

ADDING = """
import sys
from pathlib import Path
from features.engine.store.lmdb_store import LmdbStore
from features.history.online_store import OnlineStore
from tests.features.engine.test_blob_stores import payments
state = OnlineStore(LmdbStore(Path(sys.argv[1])))
for batch in range(10_000):
    state.ingest({"transactions": payments(batch)})
    print(batch, flush=True)
"""

READING = """
import sys
from pathlib import Path
from features.engine.store.lmdb_store import LmdbStore
from features.history.online_store import OnlineStore
from tests.features.engine.test_blob_stores import paid
state = OnlineStore(LmdbStore(Path(sys.argv[1])))
for _ in sys.stdin:
    print(paid(state), flush=True)
"""


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def payment(name: str) -> Transaction:
    return Transaction(
        transaction_id=name,
        subject_kind="shipment",
        subject_id="S",
        payer_id="P",
        payee_id="Q",
        amount=10.0,
        currency="EUR",
        method="cash",
        paid_at=days_ago(3),
        known_at=days_ago(2),
    )


def payments(batch: int) -> list[Transaction]:
    """A batch of three, of which one was in the batch before."""
    return [payment(f"T-{2 * batch + i}") for i in range(3)]


JOURNEY = Journey(
    journey_id="J",
    mode="road",
    carrier_id="K",
    conveyance_id="V",
    conveyance_kind="truck",
    origin="TRIST",
    destination="DEHAM",
    declared_at=days_ago(10),
    due_at=days_ago(1),
)
SHIPMENT = Shipment(
    shipment_id="S",
    journey_id="J",
    consignor_id="N",
    consignee_id="C",
    hs_code="890310",
    origin_country="CN",
    dispatch_country="TR",
    destination_country="DE",
    declared_at=days_ago(9),
)
OUTCOME = Outcome(
    subject_kind="shipment",
    subject_id="S",
    selected_by="random",
    inspected_at=days_ago(8),
    known_at=days_ago(7),
    result="confirmed",
)
FILE_OF = {
    Journey: "journeys",
    Shipment: "shipments",
    Outcome: "outcomes",
    Transaction: "transactions",
}


def arrive(state: OnlineStore, *records: Record) -> None:
    for record in records:
        state.ingest({FILE_OF[type(record)]: [record]})


def told(state: OnlineStore, at: datetime = NOW) -> list[float]:
    plan = state.plan([SHIPPED, FOUND, ON_LANE])
    return state.numbers(plan, SUBJECT, instant_us(at)).tolist()


def paid(state: OnlineStore) -> int:
    return int(state.numbers(state.plan([PAID]), SUBJECT, instant_us(NOW))[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def state(folder: Path) -> Iterator[OnlineStore]:
    made = OnlineStore(LmdbStore(folder))
    yield made
    made.store.close()


def run(program: str, folder: Path, **pipes: int) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", program, str(folder)], text=True, **pipes)


def test_a_copy_in_order_holds_the_same_in_less_room(folder: Path, tmp_path: Path) -> None:
    lots = random.Random(7)
    keys = [lots.randbytes(12) for _ in range(COPY_BATCH_BLOBS * 2 + 1)]
    store = LmdbStore(folder, is_bulk=True)
    for start in range(0, len(keys), 1_000):
        with store.writing() as transaction:
            transaction.put((key, key * lots.randrange(12)) for key in keys[start : start + 1_000])
    store.copy_in_order(tmp_path / "copy")
    copy = LmdbStore(tmp_path / "copy")

    assert all(one == other for one, other in zip(copy.all(), store.all(), strict=True))
    size, of_copy = ((f / "data.mdb").stat().st_size for f in (folder, tmp_path / "copy"))
    assert of_copy < 0.75 * size
    store.close()
    copy.close()


@pytest.mark.parametrize("order", ["jso", "jos", "sjo", "soj", "ojs", "osj"])
def test_an_outcome_counts_on_its_lane_whichever_record_came_last(
    order: str, state: OnlineStore
) -> None:
    by_letter = {"j": JOURNEY, "s": SHIPMENT, "o": OUTCOME}
    arrive(state, *(by_letter[letter] for letter in order))
    arrive(state, *(by_letter[letter] for letter in order))

    assert told(state) == [1, 1, 1]
    assert told(state, days_ago(7)) == [1, 0, 0], "not before it was known"


def test_an_outcome_alone_counts_nowhere(state: OnlineStore) -> None:
    arrive(state, OUTCOME, OUTCOME.model_copy(update={"result": "inconclusive"}))

    assert told(state) == [0, 0, 0]


def test_a_journey_declared_after_its_shipment_tells_no_lane(state: OnlineStore) -> None:
    arrive(state, SHIPMENT, OUTCOME, JOURNEY.model_copy(update={"declared_at": days_ago(9)}))

    assert told(state) == [1, 1, 0]


def test_what_a_subject_brings_counts_and_is_not_kept(state: OnlineStore) -> None:
    plan, at = state.plan([PAID]), instant_us(NOW)
    arrive(state, payment("known"))
    beside = {"transactions": [payment("known"), payment("brought")]}

    assert state.numbers(plan, SUBJECT, at, beside).tolist() == [2]
    assert state.numbers(plan, SUBJECT, at).tolist() == [1]


DESCRIBED = count("shipments", by="description_key")


@pytest.mark.parametrize("character", ["x", "ü", "日"])
def test_goods_described_at_any_length_are_told_apart_by_the_whole_text(
    character: str, state: OnlineStore
) -> None:
    """A store's keys are shorter than the longest description that a record may have."""
    texts = [character * 511, character * 512, character * 511 + "y"]
    for id_, text in zip("abc", texts, strict=True):
        arrive(state, SHIPMENT.model_copy(update={"shipment_id": id_, "goods_description": text}))

    at, plan = instant_us(NOW), state.plan([DESCRIBED])
    numbers = [state.numbers(plan, {"description_key": text}, at).item() for text in texts]
    assert numbers == [1, 1, 1]
    arrive(state, SHIPMENT.model_copy(update={"goods_description": texts[0]}))
    assert state.numbers(plan, {"description_key": texts[0]}, at).item() == 2


def test_an_error_midway_leaves_nothing_of_a_batch(state: OnlineStore) -> None:
    arrive(state, payment("before"))
    with pytest.raises(KeyError):
        state.ingest({"journeys": [JOURNEY], "shipments": [SHIPMENT], "transactions": [JOURNEY]})

    assert told(state) == [0, 0, 0]
    arrive(state, OUTCOME, SHIPMENT, JOURNEY)
    assert told(state) == [1, 1, 1]


def test_readers_in_other_processes_see_every_commit(state: OnlineStore, folder: Path) -> None:
    with run(READING, folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdin
        assert reader.stdout
        for batch in range(5):
            state.ingest({"transactions": payments(batch)})
            print("how many?", file=reader.stdin, flush=True)
            assert int(reader.stdout.readline()) == paid(state) == 2 * batch + 3
        reader.stdin.close()


@pytest.mark.faults
def test_nothing_acknowledged_is_lost_or_counted_twice_when_the_process_is_killed(
    folder: Path,
) -> None:
    """kill -9 shows that a commit is whole when it returns; it cannot show a power cut."""
    lots = random.Random(3)
    for round_ in range(how_many(3, 100)):
        with run(ADDING, folder / str(round_), stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            acknowledged = int(writer.stdout.readline())
            until = acknowledged + lots.randrange(1, 200)
            while acknowledged < until:
                acknowledged = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])

        state = OnlineStore(LmdbStore(folder / str(round_)))
        assert paid(state) in {2 * acknowledged + 3, 2 * acknowledged + 5}
        state.ingest({"transactions": payments(acknowledged + 1)})
        assert paid(state) == 2 * acknowledged + 5
        state.store.close()


def test_a_state_that_was_made_for_other_windows_is_refused(
    state: OnlineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("features.history.online_store.history_windows", lambda: [PAID])
    with pytest.raises(OnlineStoreMismatch, match="tidegate state rebuild"):
        OnlineStore(state.store)


def test_a_state_with_values_of_another_formula_is_refused_and_names_the_columns(
    state: OnlineStore,
) -> None:
    with state.store.reading() as view:
        (blob,) = view.get([b"mmade-for"])
        made_for = json.loads(bytes(blob or b""))
    for changed in ("shipments.mass_g", "route_outcomes.origin_country"):
        assert len(made_for["columns"][changed]) == 64
        made_for["columns"][changed] = "0" * 64
    with state.store.writing() as transaction:
        transaction.put([(b"mmade-for", json.dumps(made_for).encode())])

    with pytest.raises(OnlineStoreMismatch) as refused:
        OnlineStore(state.store)

    assert "holds route_outcomes.origin_country, shipments.mass_g as" in str(refused.value)
    assert "`tidegate state rebuild`" in str(refused.value)


def test_a_state_in_the_form_that_kept_extremes_is_refused(state: OnlineStore) -> None:
    """Its pages have three words for each value, and would be read as if they had two."""
    with state.store.reading() as view:
        (blob,) = view.get([b"mmade-for"])
    made_for = json.loads(bytes(blob or b""))
    former = "keys of parts, ending by keying; pages that tell what came before, in chapters; "
    former += "how many records of each type"
    layouts = [repr(layout) for layout in layouts_of(history_windows()).values()]
    made_for["layouts"] = hashlib.sha256("\n".join([former, *layouts]).encode()).hexdigest()
    with state.store.writing() as transaction:
        transaction.put([(b"mmade-for", json.dumps(made_for).encode())])

    with pytest.raises(
        OnlineStoreMismatch, match="another form; make it anew with `tidegate state reb"
    ):
        OnlineStore(state.store)


def test_a_rebuild_that_fails_leaves_the_state_that_was_there(
    state: OnlineStore, tmp_path: Path
) -> None:
    arrive(state, JOURNEY, SHIPMENT)
    state.store.close()
    records = tmp_path / "records"
    records.mkdir()
    (records / "journeys.ndjson").write_text(JOURNEY.model_dump_json() + "\n")
    (records / "shipments.ndjson").write_text('{"shipment_id": "S"}\n')
    with pytest.raises(RecordsError, match="shipments"):
        rebuild_store(records, tmp_path / "state")

    kept = OnlineStore(LmdbStore(tmp_path / "state"))
    assert told(kept) == [1, 0, 0]
    kept.store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["records", "state"]


def test_a_state_is_closed_when_its_last_holder_closes_it_whoever_still_remembers_it(
    folder: Path,
) -> None:
    """LMDB refuses a second opening by one process, and a traceback may keep the first alive."""
    one, other = LmdbStore(folder), LmdbStore(folder)
    with one.reading() as view:
        remembered = view._transaction
        one.close()
        other.close()
        assert view.get([b"no key"]) == [None], "what is under way ends in peace"

    lmdb.open(str(folder)).close()
    assert remembered is not None
    with pytest.raises(OnlineStoreUnavailable, match="closed"), one.reading():
        pass


def test_a_folder_that_was_rebuilt_opens_as_the_new_state_while_others_have_the_former(
    state: OnlineStore, folder: Path, tmp_path: Path
) -> None:
    arrive(state, JOURNEY, SHIPMENT)
    (tmp_path / "records").mkdir()
    rebuild_store(tmp_path / "records", folder)

    rebuilt = OnlineStore(LmdbStore(folder))
    assert told(rebuilt) == [0, 0, 0]
    assert told(state) == [1, 0, 0]
    rebuilt.store.close()


def test_the_table_of_readers_has_its_blocks_so_that_a_full_disk_kills_nobody(
    tmp_path: Path,
) -> None:
    LmdbStore(tmp_path / "state").close()

    assert (tmp_path / "state" / "lock.mdb").stat().st_blocks * 512 >= LOCK_BYTES


def test_no_room_for_the_table_of_readers_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("features.engine.store.lmdb_store.os.posix_fallocate", full)
    with pytest.raises(OnlineStoreUnavailable, match=r"lock\.mdb: No space left"):
        LmdbStore(tmp_path / "state")
