"""Commits that processes share before any of them is on disk: whole, in order, seen by all."""

import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.engine.store.blob_store import BlobStore
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.shared_write_buffer import SharedWriteBuffer, discard
from features.errors import OnlineStoreUnavailable
from tests.counts import count

KEYS = [b"a", b"b", b"c"]

COUNTING = """
import sys
from pathlib import Path
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.shared_write_buffer import SharedWriteBuffer
folder, every = Path(sys.argv[1]), int(sys.argv[2])
store = SharedWriteBuffer(folder / "unwritten", LmdbStore(folder))
names = [b"one", b"other"]
while True:
    with store.writing() as transaction:
        one, other = (int(bytes(blob or b"0")) for blob in transaction.get(names))
        assert one == other, (one, other)
        transaction.put((name, b"%d" % (one + 1)) for name in names)
    if one % every == 0:
        store.sync()
    print(one + 1, flush=True)
"""


def opened(folder: Path) -> SharedWriteBuffer:
    return SharedWriteBuffer(folder / "unwritten", LmdbStore(folder))


def held(store: BlobStore, keys: list[bytes] = KEYS) -> list[bytes | None]:
    with store.reading() as view:
        return [None if blob is None else bytes(blob) for blob in view.get(keys)]


def put(store: BlobStore, blobs: dict[bytes, bytes]) -> None:
    with store.writing() as transaction:
        transaction.put(blobs.items())


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1]),
            st.one_of(st.none(), st.dictionaries(st.sampled_from(KEYS), st.binary())),
        )
    )
)
def test_whoever_puts_or_flushes_all_read_the_newest(
    steps: list[tuple[int, dict[bytes, bytes] | None]],
) -> None:
    expected: dict[bytes, bytes] = {}
    with TemporaryDirectory() as folder:
        below = LmdbStore(Path(folder))
        workers = [opened(Path(folder)), opened(Path(folder))]
        for who, blobs in steps:
            if blobs is None:
                workers[who].sync()
                assert held(below) == [expected.get(key) for key in KEYS]
            else:
                put(workers[who], blobs)
                expected |= blobs
            for worker in workers:
                assert held(worker) == [expected.get(key) for key in KEYS]
        for store in (*workers, below):
            store.close()


def test_nothing_reaches_the_store_below_before_it_is_flushed(tmp_path: Path) -> None:
    one, other, below = opened(tmp_path), opened(tmp_path), LmdbStore(tmp_path)
    put(one, {b"a": b"1"})
    assert held(below) == [None, None, None]

    other.sync()
    assert held(below) == [b"1", None, None]


def test_a_view_stays_as_it_is_while_more_is_put_and_flushed(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    put(one, {b"a": b"1"})
    with one.reading() as view:
        put(other, {b"a": b"2", b"b": b"2"})
        other.sync()
        assert view.get(KEYS) == [b"1", None, None]


@pytest.mark.parametrize("opens_late", ["buffer", "below"])
def test_a_view_that_opens_during_a_flush_is_of_one_moment(
    opens_late: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its two halves both keys are replaced, and flushed: it sees both as they were."""
    store, other = opened(tmp_path), opened(tmp_path)
    put(store, {b"a": b"1", b"b": b"1"})
    store.sync()
    late = store._buffer if opens_late == "buffer" else store._target
    reading, begun = late.reading, []

    def reading_late():  # type: ignore[no-untyped-def]  # as what it stands for
        if not begun:
            begun.append(True)
            put(other, {b"a": b"2", b"b": b"2"})
            other.sync()
            put(other, {b"a": b"3"})
        return reading()

    monkeypatch.setattr(late, "reading", reading_late)
    assert held(store)[:2] in ([b"3", b"2"], [b"1", b"1"])


@pytest.mark.parametrize("another_flushes", [False, True])
def test_what_is_put_while_a_flush_is_under_way_stays(
    another_flushes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = opened(tmp_path), opened(tmp_path)
    put(store, {b"a": b"1", b"b": b"1"})
    writing, turns = store._buffer.writing, []

    def writing_late():  # type: ignore[no-untyped-def]  # as what it stands for
        turns.append(True)
        if len(turns) == 2:  # what was flushed is about to be taken out of the buffer
            if another_flushes:
                put(other, {b"a": b"2"})
                other.sync()
            put(other, {b"a": b"1", b"b": b"2"})
        return writing()

    monkeypatch.setattr(store._buffer, "writing", writing_late)
    store.sync()
    assert held(store) == [b"1", b"2", None]
    monkeypatch.undo()
    store.sync()
    assert held(LmdbStore(tmp_path)) == [b"1", b"2", None]


def test_an_error_undoes_a_transaction(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, {b"a": b"1"})
    with suppress(KeyError), store.writing() as transaction:
        transaction.put([(b"a", b"2")])
        raise KeyError

    assert held(store) == [b"1", None, None]


def test_no_more_is_held_than_a_buffer_is_meant_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("features.engine.store.shared_write_buffer.MAX_BUFFERED_BLOBS", 2)
    store = opened(tmp_path)
    put(store, {b"a": b"1", b"b": b"1", b"c": b"1"})
    with pytest.raises(OnlineStoreUnavailable, match="too long"):
        put(store, {b"a": b"2"})

    store.sync()
    put(store, {b"a": b"2"})
    assert held(store) == [b"2", b"1", b"1"]


def test_what_was_discarded_is_gone_and_what_was_flushed_is_not(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, {b"a": b"1"})
    store.sync()
    put(store, {b"a": b"2"})
    store._buffer.close()
    store._target.close()
    discard(tmp_path / "unwritten")

    anew = opened(tmp_path)
    assert held(anew) == [b"1", None, None]
    put(anew, {b"a": b"3"})
    assert held(anew) == [b"3", None, None]


@pytest.mark.faults
def test_processes_that_are_killed_lose_nothing_that_they_committed(tmp_path: Path) -> None:
    """kill -9 at any call, while others write and flush; a power cut would lose the buffer."""
    lots, newest = random.Random(11), 0
    others = [counting(tmp_path, every) for every in (3, 11)]
    for _ in range(count(3, 60)):
        killed = counting(tmp_path, 5)
        assert killed.stdout
        for _ in range(lots.randrange(1, 200)):
            newest = max(newest, int(killed.stdout.readline()))
        killed.send_signal(signal.SIGKILL)
        newest = max([newest, *map(int, killed.stdout.read().split())])
        killed.wait()
    for other in others:
        assert other.poll() is None, "a process that was killed stopped it"
        other.send_signal(signal.SIGKILL)
        newest = max([newest, *map(int, other.communicate()[0].split())])

    one, both = held(opened(tmp_path), [b"one", b"other"])
    assert one == both
    assert newest <= int(one or b"0") <= newest + 3, "each may have been killed before it said so"


def counting(folder: Path, every: int) -> "subprocess.Popen[str]":
    program = [sys.executable, "-c", COUNTING, str(folder), str(every)]
    return subprocess.Popen(program, text=True, stdout=subprocess.PIPE)
