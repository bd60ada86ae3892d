"""A store that holds its newest commits back: whole transactions, in order, seen by its readers."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.engine.store.blob_store import BlobReader, BlobStore, BlobTransaction
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.write_buffer import MAX_NEWEST_BLOBS, WriteBuffer
from features.errors import OnlineStoreUnavailable

KEYS = [b"a", b"b", b"c"]

COUNTING = """
import sys
from pathlib import Path
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.write_buffer import WriteBuffer
store = WriteBuffer(LmdbStore(Path(sys.argv[1])))
for number in range(1, 10_000):
    with store.writing() as transaction:
        transaction.put([(b"one", b"%d" % number)])
        transaction.put([(b"other", b"%d" % number)])
    if number % 7 == 0:
        store.sync()
        print(number, flush=True)
"""


class Failing:
    """A store whose transactions fail as long as it `is_full`.

    `beforehand` happens just before a view opens, `meanwhile` as soon as it is open.
    """

    def __init__(self, below: BlobStore):
        self._below = below
        self.is_full = False
        self.beforehand: Callable[[], None] = lambda: None
        self.meanwhile: Callable[[], None] = lambda: None

    @contextmanager
    def reading(self) -> Iterator[BlobReader]:
        self.beforehand()
        with self._below.reading() as view:
            self.meanwhile()
            yield view

    @contextmanager
    def writing(self) -> Iterator[BlobTransaction]:
        with self._below.writing() as transaction:
            yield transaction
            if self.is_full:
                raise OnlineStoreUnavailable("the disk is full")

    def sync(self) -> None:
        self._below.sync()

    def close(self) -> None:
        self._below.close()


@pytest.fixture
def below(tmp_path: Path) -> Iterator[Failing]:
    made = Failing(LmdbStore(tmp_path / "state"))
    yield made
    made.close()


def held(store: BlobStore, keys: list[bytes] = KEYS) -> list[bytes | None]:
    with store.reading() as view:
        return [None if blob is None else bytes(blob) for blob in view.get(keys)]


def put(store: BlobStore, blobs: dict[bytes, bytes]) -> None:
    with store.writing() as transaction:
        transaction.put(blobs.items())


@pytest.mark.parametrize("newest_blobs", [1, MAX_NEWEST_BLOBS])
@given(steps=st.lists(st.one_of(st.none(), st.dictionaries(st.sampled_from(KEYS), st.binary()))))
def test_whatever_was_put_and_handed_down_in_any_order_the_newest_is_read(
    steps: list[dict[bytes, bytes] | None], newest_blobs: int
) -> None:
    expected: dict[bytes, bytes] = {}
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as bounds:
        bounds.setattr("features.engine.store.write_buffer.MAX_NEWEST_BLOBS", newest_blobs)
        below = LmdbStore(Path(folder), is_bulk=True)
        store = WriteBuffer(below)
        for blobs in steps:
            if blobs is None:
                store.sync()
                assert held(below) == [expected.get(key) for key in KEYS]
            else:
                put(store, blobs)
                expected |= blobs
            assert held(store) == [expected.get(key) for key in KEYS]
        store.close()


def test_a_transaction_sees_itself_and_is_undone_by_an_error(below: Failing) -> None:
    store = WriteBuffer(below)
    put(store, {b"a": b"1"})
    with suppress(KeyError), store.writing() as transaction:
        transaction.put([(b"a", b"2"), (b"b", b"2")])
        seen = [*transaction.get(KEYS)]
        raise KeyError

    assert seen == [b"2", b"2", None]
    assert held(store) == [b"1", None, None]


def test_nothing_reaches_the_store_below_before_it_is_handed_down(below: Failing) -> None:
    store = WriteBuffer(below)
    put(store, {b"a": b"1"})
    assert held(below) == [None, None, None]

    store.sync()
    assert held(below) == [b"1", None, None]


def test_a_view_stays_as_it_is_while_more_is_put_and_handed_down(below: Failing) -> None:
    store = WriteBuffer(below)
    put(store, {b"a": b"1"})
    with store.reading() as view:
        put(store, {b"a": b"2", b"b": b"2"})
        store.sync()
        assert view.get(KEYS) == [b"1", None, None]


def test_what_is_handed_down_while_a_view_opens_is_in_it(below: Failing) -> None:
    store = WriteBuffer(below)
    put(store, {b"a": b"1"})
    below.meanwhile = store.sync
    assert held(store) == [b"1", None, None]


def test_what_is_put_and_handed_down_before_a_view_opens_is_seen_whole(below: Failing) -> None:
    store = WriteBuffer(below)
    put(store, {b"a": b"1", b"b": b"1"})

    def put_and_hand_down() -> None:
        below.beforehand = lambda: None
        put(store, {b"a": b"2", b"c": b"2"})
        store.sync()

    below.beforehand = put_and_hand_down
    assert held(store) == [b"2", b"1", b"2"]


def test_what_is_put_while_others_are_handed_down_is_held_on(below: Failing) -> None:
    store = WriteBuffer(below)
    put(store, {b"a": b"1", b"b": b"1"})
    meanwhile = [{b"b": b"2", b"c": b"2"}]
    handing = below.writing

    @contextmanager
    def writing() -> Iterator[BlobTransaction]:
        with handing() as transaction:
            yield transaction
            put(store, meanwhile.pop())
            assert held(store) == [b"1", b"2", b"2"]

    below.writing = writing  # type: ignore[method-assign]  # a stand-in
    store.sync()
    below.writing = handing  # type: ignore[method-assign]  # a stand-in
    assert held(below) == [b"1", b"1", None]
    assert held(store) == [b"1", b"2", b"2"]

    store.sync()
    assert held(below) == [b"1", b"2", b"2"]


def test_what_could_not_be_handed_down_is_kept_until_it_can(below: Failing) -> None:
    store = WriteBuffer(below)
    put(store, {b"a": b"1"})
    below.is_full = True
    with pytest.raises(OnlineStoreUnavailable):
        store.sync()
    put(store, {b"b": b"2"})
    assert held(store) == [b"1", b"2", None]
    assert held(below) == [None, None, None]

    below.is_full = False
    store.sync()
    assert held(below) == [b"1", b"2", None]


def test_no_more_is_held_than_memory_is_meant_for(
    below: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("features.engine.store.write_buffer.MAX_BUFFERED_BLOBS", 2)
    store = WriteBuffer(below)
    put(store, {b"a": b"1", b"b": b"1", b"c": b"1"})
    with pytest.raises(OnlineStoreUnavailable, match="too long"):
        put(store, {b"a": b"2"})

    store.sync()
    put(store, {b"a": b"2"})
    assert held(store) == [b"2", b"1", b"1"]


def test_writers_wait_for_each_other_and_readers_miss_nothing_meanwhile(below: Failing) -> None:
    store, seen = WriteBuffer(below), []

    def count() -> None:
        for _ in range(200):
            with store.writing() as transaction:
                (blob,) = transaction.get([b"a"])
                transaction.put([(b"a", b"%d" % (int(bytes(blob or b"0")) + 1))])

    def read() -> None:
        for _ in range(500):
            seen.append(int(held(store)[0] or b"0"))
            store.sync()

    threads = [threading.Thread(target=each) for each in (count, count, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert held(store)[0] == b"400"
    assert seen == sorted(seen)


@pytest.mark.faults
def test_a_killed_process_loses_whole_transactions_and_none_that_it_had_handed_down(
    tmp_path: Path,
) -> None:
    program = [sys.executable, "-c", COUNTING, str(tmp_path)]
    with subprocess.Popen(program, text=True, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        acknowledged = [int(writer.stdout.readline()) for _ in range(20)][-1]
        writer.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])

    store = LmdbStore(tmp_path)
    one, other = held(store, [b"one", b"other"])
    assert one is not None
    assert one == other
    assert int(one) in {acknowledged, acknowledged + 7}
    store.close()
