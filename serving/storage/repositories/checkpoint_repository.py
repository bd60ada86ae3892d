"""Checkpoints in the database, the progress of each witness, and the links they refer to."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Table, func, inspect, select, text

from features.home_keys import LOG
from serving.errors import LogUnavailable
from serving.integrity.audit_log import AuditEvent
from serving.integrity.checkpoints import Checkpoint
from serving.integrity.hash_chain import AUDIT_EVENTS, DECISIONS, EMPTY, ChainHeads, LogHead
from serving.integrity.witness_comparison import DatabaseView
from serving.outbox.witness_channel import WitnessChannel
from serving.storage.binding import bound_keys
from serving.storage.engine import database_errors_as_503
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.tables.audit import audit_events, chain_checkpoints
from serving.storage.tables.outgoing import receivers
from serving.storage.tables.scoring import decisions
from serving.storage.write_lock import write_transaction

_TABLES: dict[str, Table] = {DECISIONS: decisions, AUDIT_EVENTS: audit_events}
# Bounds the number of parameters of one statement.
_BATCH_SIZE = 500

_GAPS = text(
    "SELECT before, number FROM (SELECT number, lag(number, 1, 0) OVER (ORDER BY number) AS before "
    "FROM chain_checkpoints) AS numbered WHERE number <> before + 1 ORDER BY number"
)


class CheckpointRepository(Repository):
    """The checkpoints of one database, and the chains that they describe."""

    def seal(self, key: Ed25519PrivateKey, at: datetime) -> Checkpoint | None:
        """Store a signed checkpoint of all chains; return None if none of them grew."""
        with database_errors_as_503():
            # The first look takes no write lock, so an idle service writes nothing.
            with self._engine.connect() as connection:
                if not _has_grown(connection):
                    return None
            with write_transaction(self._engine) as connection:
                if not _has_grown(connection):  # another worker was faster
                    return None
                return _append(connection, _next(connection, at).signed(key))

    def begin(self, first: Checkpoint, event: AuditEvent, key: Ed25519PrivateKey) -> Checkpoint:
        """Begin an epoch: store its event and its first checkpoint, both or neither.

        The heads of `first` are read after the event is appended; its number and epoch are kept.
        """
        with self._writing() as connection:
            append_audit_events(connection, [event])
            heads = _heads(connection)
            return _append(connection, replace(first, heads=heads).signed(key))

    def after(self, number: int, most: int) -> list[Checkpoint]:
        """Return the first checkpoints after a number, oldest first."""
        query = select(chain_checkpoints.c.line).where(chain_checkpoints.c.number > number)
        with self._reading() as connection:
            rows = connection.scalars(query.order_by(chain_checkpoints.c.number).limit(most))
            return [*map(_read, rows)]

    def lines(self) -> list[str]:
        """Return every checkpoint as stored, oldest first."""
        query = select(chain_checkpoints.c.line).order_by(chain_checkpoints.c.number)
        return [*self._scalars(query)]

    def newest_lines(self) -> list[str]:
        """Return the first checkpoint of every epoch and the newest of all, oldest first."""
        by_number = select(chain_checkpoints.c.line, chain_checkpoints.c.number)
        firsts = text("number IN (SELECT min(number) FROM chain_checkpoints GROUP BY epoch)")
        with self._reading() as connection:
            newest = connection.execute(
                by_number.order_by(chain_checkpoints.c.number.desc()).limit(1)
            ).first()
            if newest is None:
                return []
            first = connection.execute(
                by_number.where(firsts).order_by(chain_checkpoints.c.number)
            ).all()
        return [*dict.fromkeys([*(row.line for row in first), newest.line])]

    def line(self, number: int) -> str | None:
        """Return the checkpoint of a number as stored."""
        query = select(chain_checkpoints.c.line).where(chain_checkpoints.c.number == number)
        return self._scalar(query)

    def view(self) -> DatabaseView:
        """Return the database's state that checkpoints are compared with."""
        count = select(func.count(), func.max(chain_checkpoints.c.number))
        with self._reading() as connection:
            stored, newest = connection.execute(count.select_from(chain_checkpoints)).one()
            # The gaps are computed only if the numbers show that a row is missing.
            gaps = connection.execute(_GAPS).all() if stored != (newest or 0) else []
            witnessed = _witnessed(connection)
            identity = _database_id(connection)
        return DatabaseView(
            chains=self,
            database_id=identity,
            newest_number=newest or 0,
            gaps=[(row.before, row.number) for row in gaps],
            handed_over=max(witnessed.values(), default=-1),
        )

    def heads(self) -> ChainHeads:
        """Return the end of every chain, all at one instant."""
        with self._reading() as connection:
            return _heads(connection)

    def links(self, chain: str, sizes: Collection[int]) -> dict[int, str]:
        """Return the links of a chain at these sizes (hexadecimal), as far as it reaches."""
        table = _TABLES[chain]
        found = {0: EMPTY.head} if 0 in sizes else {}
        with self._reading() as connection:
            for some in _pages(sorted(set(sizes))):
                query = select(table.c.seq, table.c.chain).where(table.c.seq.in_(some))
                found |= {row.seq: bytes(row.chain).hex() for row in connection.execute(query)}
        return found

    def newest_number(self) -> int:
        """Return the number of the newest checkpoint; 0 if there is none."""
        query = select(func.max(chain_checkpoints.c.number))
        return self._scalar(query) or 0

    def handed_over(self, witness: str) -> int:
        """Return the number of the last checkpoint that a witness took; -1 if it took none."""
        with self._reading() as connection:
            return _witnessed(connection).get(witness, -1)


def _witnessed(connection: Connection) -> dict[str, int]:
    """Return the number of the last checkpoint that each witness took, by its name."""
    query = select(receivers.c.receiver, receivers.c.reached)
    rows = connection.execute(query.where(receivers.c.channel == WitnessChannel.name)).all()
    # `verify-log` reports anything else.
    return {name: int(reached) for name, reached in rows if reached and reached.isdecimal()}


def _append(connection: Connection, signed: Checkpoint) -> Checkpoint:
    _require_known_key(connection, signed)
    row = {"number": signed.number, "epoch": signed.epoch, "line": signed.as_json()}
    connection.execute(chain_checkpoints.insert(), row)
    return signed


def _next(connection: Connection, at: datetime) -> Checkpoint:
    newest = _newest(connection)
    return Checkpoint(
        number=newest.number + 1 if newest else 1,
        epoch=newest.epoch if newest else 1,
        heads=_heads(connection),
        database_id=_database_id(connection),
        signed_at=at.isoformat(),
        key_id="",
    )


def _has_grown(connection: Connection) -> bool:
    """Return whether a chain has grown since the newest checkpoint, or there is no checkpoint."""
    newest = _newest(connection)
    return newest is None or dict(newest.heads) != dict(_heads(connection))


def _newest(connection: Connection) -> Checkpoint | None:
    query = select(chain_checkpoints.c.line).order_by(chain_checkpoints.c.number.desc()).limit(1)
    line = connection.scalar(query)
    return None if line is None else _read(line)


def _read(line: str) -> Checkpoint:
    try:
        return Checkpoint.from_json(line)
    except ValueError as error:
        raise LogUnavailable(f"a stored checkpoint was changed: {error}") from None


def _heads(connection: Connection) -> dict[str, LogHead]:
    return {chain: _head(connection, table) for chain, table in sorted(_TABLES.items())}


def _head(connection: Connection, table: Table) -> LogHead:
    newest = select(table.c.seq, table.c.chain).order_by(table.c.seq.desc()).limit(1)
    row = connection.execute(newest).first()
    return LogHead(row.seq, bytes(row.chain).hex()) if row else EMPTY


def _database_id(connection: Connection) -> str:
    """Return the identity in the table `installation`; empty if there is no such table."""
    if not inspect(connection).has_table("installation"):
        return ""
    return connection.scalar(text("SELECT database_id FROM installation")) or ""


def _pages(sizes: list[int]) -> list[list[int]]:
    return [sizes[at : at + _BATCH_SIZE] for at in range(0, len(sizes), _BATCH_SIZE)]


def _require_known_key(connection: Connection, checkpoint: Checkpoint) -> None:
    """Raise LogUnavailable for a key that is unknown to this log or was rotated away.

    A checkpoint cannot be withdrawn, and one that nobody can verify would break the proof forever.
    """
    keys = [each for each in bound_keys(connection) if each.name == LOG]
    for each in keys:
        if each.fingerprint == checkpoint.key_id and (
            each.retires_at is None or checkpoint.signed_at < each.retires_at
        ):
            return
    # A database opened without its home knows no keys.
    if keys:
        raise LogUnavailable(
            f"the key {checkpoint.key_id} signs this log no more; copy HOME/keys from the host "
            "that rotated it, and start again"
        )
