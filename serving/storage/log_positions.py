"""The followers of the decision log: one loop for all, and their positions in one table.

A follower is a function that reads the entries after its position and returns what to store of
them. The position moves in the transaction that stores it, so no entry is processed twice or
skipped, even if a process is killed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, ScalarSelect, func, select, update

from serving.access.actors import SERVICE
from serving.integrity.audit_log import AuditEvent
from serving.storage.engine import database_errors_as_503
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.row_audit.audit_chain import events_about
from serving.storage.row_audit.writer import now
from serving.storage.tables.audit import audit_events, log_positions
from serving.storage.tables.scoring import decisions
from serving.storage.write_lock import write_transaction

# The number of the last entry of a page, and the function that stores what was made of the page.
LogPage = tuple[int, Callable[[Connection], object]]
Follower = Callable[[int], LogPage | None]


def newest_decision(connection: Connection) -> int:
    """Return the number of the newest decision; 0 for an empty log."""
    return connection.scalar(select(func.max(decisions.c.seq))) or 0


def next_end(connection: Connection, after: int, page_size: int) -> int | None:
    """Return the last entry of the next page; None if no entry follows."""
    newest = newest_decision(connection)
    return min(after + page_size, newest) if newest > after else None


@dataclass(frozen=True)
class LogPosition:
    """The number of the last entry that a follower has processed."""

    name: str

    def stored(self) -> ScalarSelect[int]:
        """Return a scalar query of the position."""
        query = select(log_positions.c.seq).where(log_positions.c.name == self.name)
        return query.scalar_subquery()

    def find(self, connection: Connection) -> int | None:
        """Return the position; None if the follower never began."""
        return connection.scalar(select(self.stored()))

    def read(self, connection: Connection) -> int:
        """Return the position; 0 if the follower never began."""
        return self.find(connection) or 0

    def move(self, connection: Connection, seq: int, record_id: str | None = None) -> None:
        """Store a new position."""
        moved = {"seq": seq, "record_id": record_id}
        own = log_positions.c.name == self.name
        if connection.execute(update(log_positions).where(own).values(moved)).rowcount == 0:
            connection.execute(log_positions.insert().values(name=self.name, **moved))

    def begin(self, connection: Connection) -> None:
        """Begin at the end of the log unless the follower began before, and record where."""
        if self.find(connection) is None:
            self.move(connection, newest_decision(connection))
        self.begun_after(connection)

    def catch_up(
        self, engine: Engine, follow: Follower, done: Callable[[int], object] = lambda _: None
    ) -> None:
        """Process the log page by page until `follow` finds no entry after the position.

        `follow` runs before the write lock is taken, since the log waits for its holder. `done`
        gets the number of the last entry of each page.
        """
        while (page := follow(after := self._position(engine))) is not None:
            upto, store = page
            with database_errors_as_503(), write_transaction(engine) as connection:
                # Another process may have processed the page meanwhile.
                if self.read(connection) == after:
                    store(connection)
                    self.move(connection, upto)
            done(upto)

    def _position(self, engine: Engine) -> int:
        with database_errors_as_503(), engine.connect() as connection:
            return self.read(connection)

    def begun_after(self, connection: Connection) -> int:
        """Return the entry after which the follower began, recording it at the first call.

        `verify-log` reads it from the audit log: a position alone does not state where reading
        began.
        """
        action = f"begin_{self.name}"
        begins = events_about("log", self.name, action).order_by(audit_events.c.seq).limit(1)
        if found := connection.execute(begins).first():
            return int(found.details["after"])
        # A position beyond the log was not written by the service.
        after = min(self.read(connection), newest_decision(connection))
        begun = AuditEvent(now(connection), SERVICE, action, "log", self.name, {"after": after})
        append_audit_events(connection, [begun])
        return after


CASES = LogPosition("cases")
RESCORINGS = LogPosition("rescorings")
RESCUE_CALLS = LogPosition("rescue_calls")
SUMMARIES = LogPosition("summaries")
# Cases before it lack search terms; it moves backwards. Absent if none lack them.
CASE_TERMS = LogPosition("case_terms")
# Journeys decided before it, and received after its `record_id`, are still to be noted.
SHIP_JOURNEYS = LogPosition("ship_journeys")
