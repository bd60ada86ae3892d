"""The online feature store shared by several workers: blobs as rows of PostgreSQL."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import (
    Connection,
    Engine,
    LargeBinary,
    Select,
    any_,
    bindparam,
    exists,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import SQLAlchemyError

from features.engine.store.blob_store import Blob, BlobOverlay
from features.errors import OnlineStoreUnavailable
from serving.storage.tables.scoring import state

# Any two numbers will do, if every process that writes one state uses the same.
_SEQUENCER = (0x7469, 0x7374)


def shared_state(engine: Engine) -> "PostgresStateStore | None":
    """Return the state shared by the workers of one database; None for a SQLite file."""
    return PostgresStateStore(engine) if engine.dialect.name == "postgresql" else None


class PostgresStateStore:
    """A `blob_store.Store` in PostgreSQL, which commits durably."""

    def __init__(self, engine: Engine):
        self._engine = engine
        # One snapshot for all blobs of a request, as workers write meanwhile.
        self._snapshots = engine.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def reading(self) -> "Iterator[StateRows]":
        """Open a consistent snapshot of the state."""
        with _failing_as_unavailable(), self._snapshots.connect() as connection:
            yield StateRows(connection)

    @contextmanager
    def writing(self) -> Iterator[BlobOverlay]:
        """Begin a transaction under the state's lock; its blobs are sent together at the end."""
        with _failing_as_unavailable(), self._engine.begin() as connection:
            connection.execute(_turn())
            written = BlobOverlay(StateRows(connection))
            yield written
            rows = [{"key": key, "value": value} for key, value in written.blobs.items()]
            if rows:
                connection.execute(_SET, rows)

    def sync(self) -> None:
        """Do nothing: committed rows survive a power cut already."""

    def close(self) -> None:
        """Do nothing: the engine belongs to the decision log."""

    @property
    def is_empty(self) -> bool:
        """Return whether there is no state yet."""
        with _failing_as_unavailable(), self._engine.connect() as connection:
            return not connection.scalar(select(exists(select(state.c.key))))

    def replace(self, blobs: Iterable[tuple[Blob, Blob]], *, if_empty: bool = False) -> None:
        """Replace all blobs by these, completely or not at all.

        With `if_empty`, do nothing if there are any.
        """
        with _failing_as_unavailable(), self._engine.begin() as connection:
            # Replacing the whole state takes longer than the limit that protects requests.
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.execute(_turn())
            if if_empty and connection.scalar(select(exists(select(state.c.key)))):
                return
            connection.execute(state.delete())
            # COPY loads a whole state much faster than INSERT statements.
            cursor = connection.connection.cursor()
            with cursor.copy("COPY state (key, value) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["bytea", "bytea"])
                for key, value in blobs:
                    copy.write_row((bytes(key), bytes(value)))


_WANTED = select(state.c.key, state.c.value).where(
    state.c.key == any_(bindparam("keys", type_=ARRAY(LargeBinary)))
)
_SET = insert(state)
_SET = _SET.on_conflict_do_update(index_elements=["key"], set_={"value": _SET.excluded.value})


class StateRows:
    """A read-only view of the state's table."""

    def __init__(self, connection: Connection):
        self._connection = connection

    def get(self, keys: Sequence[bytes]) -> list[Blob | None]:
        """Return the blob of each key, None for a missing one."""
        if not keys:
            return []
        rows = self._connection.execute(_WANTED, {"keys": list(keys)})
        found: dict[bytes, bytes] = {row.key: row.value for row in rows}
        return [found.get(key) for key in keys]

    def scan(self, start: bytes) -> Iterator[tuple[bytes, Blob]]:
        """Yield every key that begins so with its blob, in key order."""
        # Bytes compare like numbers, so that the next beginning ends the range of this one.
        stop = start[:-1] + bytes([start[-1] + 1])
        begins_so = (state.c.key >= start) & (state.c.key < stop)
        query = select(state.c.key, state.c.value).where(begins_so).order_by(state.c.key)
        rows = self._connection.execution_options(yield_per=1_000).execute(query)
        yield from ((row.key, row.value) for row in rows)


def _turn() -> Select[tuple[None]]:
    return select(func.pg_advisory_xact_lock(*_SEQUENCER))


@contextmanager
def _failing_as_unavailable() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as failure:
        kind = type(getattr(failure, "orig", None) or failure).__name__
        raise OnlineStoreUnavailable(f"the online feature store failed ({kind})") from failure
