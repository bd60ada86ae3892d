"""The purpose that a database is bound to, and refused uses for other purposes."""

from sqlalchemy import func, select

from features.errors import TidegateError
from serving.access.acting import current_actor
from serving.audit.purpose import RefusedUse
from serving.integrity.audit_log import AuditEvent
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.tables.audit import bound_purpose, refused_uses


class PurposeRepository(Repository):
    """The purpose of one database and its refused uses."""

    def bind(self, purpose: str) -> None:
        """Bind the database to this purpose; raise TidegateError if it is bound to another."""
        bound = self._scalar(select(bound_purpose.c.purpose))
        if bound is None:
            with self._writing() as connection:
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
        with self._writing() as connection:
            number = (connection.scalar(last) or 0) + 1
            connection.execute(refused_uses.insert(), {**vars(refused), "number": number})
            act = AuditEvent(refused.at, current_actor(), "refuse_purpose", "call", refused.use)
            # The audit event keeps the table of refusals from being cleared unnoticed.
            append_audit_events(connection, [act])

    def refused(self) -> list[RefusedUse]:
        """Return every refused use, oldest first."""
        columns = [refused_uses.c[name] for name in RefusedUse.__annotations__]
        query = select(*columns).order_by(refused_uses.c.number)
        return [RefusedUse(*row) for row in self._rows(query)]
