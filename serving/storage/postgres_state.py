"""The online feature store of several workers: its blobs as rows of PostgreSQL."""

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

# Any two numbers, as long as all who write one state agree on them.
_SEQUENCER = (0x7469, 0x7374)


def shared_state(engine: Engine) -> "PostgresStateStore | None":
    """The state that workers of one database share; None where the database is a file."""
    return PostgresStateStore(engine) if engine.dialect.name == "postgresql" else None


class PostgresStateStore:
    """The store in one database, which commits durably; a `blob_store.Store`."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._snapshots = engine.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def reading(self) -> "Iterator[StateRows]":
        """The state as it is now."""
        with _failing_as_unavailable(), self._snapshots.connect() as connection:
            yield StateRows(connection)

    @contextmanager
    def writing(self) -> Iterator[BlobOverlay]:
        """A transaction, when it is its turn; its blobs are sent at the end, together."""
        with _failing_as_unavailable(), self._engine.begin() as connection:
            connection.execute(_turn())
            written = BlobOverlay(StateRows(connection))
            yield written
            _put(connection, written.blobs.items())

    def sync(self) -> None:
        """What is committed survives a power cut already."""

    def close(self) -> None:
        """The database belongs to the decision log."""

    @property
    def is_empty(self) -> bool:
        """Whether there is no state yet."""
        with _failing_as_unavailable(), self._engine.connect() as connection:
            return not connection.scalar(select(exists(select(state.c.key))))

    def replace(self, blobs: Iterable[tuple[Blob, Blob]], *, if_empty: bool = False) -> None:
        """Put these blobs in the place of all others, whole or not at all."""
        with _failing_as_unavailable(), self._engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.execute(_turn())
            if if_empty and connection.scalar(select(exists(select(state.c.key)))):
                return
            connection.execute(state.delete())
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
    """A view of the table."""

    def __init__(self, connection: Connection):
        self._connection = connection

    def get(self, keys: Sequence[bytes]) -> list[Blob | None]:
        """The blob of each key, None where there is none."""
        if not keys:
            return []
        rows = self._connection.execute(_WANTED, {"keys": list(keys)})
        found: dict[bytes, bytes] = {row.key: row.value for row in rows}
        return [found.get(key) for key in keys]


def _put(connection: Connection, blobs: Iterable[tuple[bytes, bytes]]) -> None:
    rows = [{"key": key, "value": value} for key, value in blobs]
    if rows:
        connection.execute(_SET, rows)


def _turn() -> Select[tuple[None]]:
    return select(func.pg_advisory_xact_lock(*_SEQUENCER))


@contextmanager
def _failing_as_unavailable() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as failure:
        kind = type(getattr(failure, "orig", None) or failure).__name__
        raise OnlineStoreUnavailable(f"the online feature store failed ({kind})") from failure
