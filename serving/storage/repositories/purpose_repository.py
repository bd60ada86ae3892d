"""The purpose that a database is bound to, and refused uses for other purposes."""

from datetime import datetime

from sqlalchemy import Engine, func, select

from features.errors import TidegateError
from serving.access.acting import whoever_acts
from serving.audit.purpose import RefusedUse
from serving.integrity.audit_log import AuditEvent
from serving.storage.engine import failing_as_unavailable
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.tables.audit import bound_purpose, refused_uses
from serving.storage.write_lock import writing


class PurposeRepository:
    """The purpose of one database and its refused uses."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def bind(self, purpose: str) -> None:
        """Bind the database to this purpose; raise TidegateError if it is bound to another."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            bound = connection.scalar(select(bound_purpose.c.purpose))
        if bound is None:
            with failing_as_unavailable(), writing(self._engine) as connection:
                # Another process may have bound it since the look without the lock.
                bound = connection.scalar(select(bound_purpose.c.purpose))
                if bound is None:
                    connection.execute(bound_purpose.insert().values(purpose=purpose))
                    return
        if bound != purpose:
            raise TidegateError(
                f"what this database holds came for {bound}, and is not used for {purpose}: "
                "give that a home and a database of its own"
            )

    def append(self, refused: RefusedUse) -> None:
        """Store a refused use."""
        last = select(func.coalesce(func.max(refused_uses.c.number), 0))
        with failing_as_unavailable(), writing(self._engine) as connection:
            number = (connection.scalar(last) or 0) + 1
            connection.execute(refused_uses.insert(), {**vars(refused), "number": number})
            at = datetime.fromisoformat(refused.at)
            act = AuditEvent(at, whoever_acts(), "refuse_purpose", "call", refused.use)
            # The audit event keeps the table of refusals from being cleared unnoticed.
            append_audit_events(connection, [act])

    def refused(self) -> list[RefusedUse]:
        """Return every refused use, oldest first."""
        columns = [refused_uses.c[name] for name in RefusedUse.__annotations__]
        query = select(*columns).order_by(refused_uses.c.number)
        with failing_as_unavailable(), self._engine.connect() as connection:
            return [RefusedUse(*row) for row in connection.execute(query)]
