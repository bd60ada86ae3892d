"""Retention acts; rows are appended and never changed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from serving.access.acting import current_actor
from serving.audit.retention_log import (
    MaskedDays,
    Requirement,
    RetentionAct,
    RetentionAction,
    unlifted,
)
from serving.integrity.audit_log import AuditEvent
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.tables.audit import retention_acts

# Decisions dated by a clock that was behind the log: they count from a later day than their date.
_BEHIND = text(
    "SELECT min(scored_at) AS first, max(scored_at) AS last FROM decisions "
    "WHERE logged_at IS NOT NULL AND logged_at >= :before GROUP BY substr(scored_at, 1, 10)"
)


class RetentionRepository(Repository):
    """The retention acts of one database."""

    def append(self, act: RetentionAct, requirement: Requirement | None = None) -> int:
        """Store an act and return its number; nobody can store another between check and act."""
        with self._writing() as connection:
            if requirement is not None:
                requirement(stored_acts(connection))
            return append_act(connection, act)

    def all(self, *actions: RetentionAction) -> list[RetentionAct]:
        """Return the acts of these kinds, or all, oldest first."""
        with self._reading() as connection:
            return stored_acts(connection, *actions)

    def holds(self) -> list[RetentionAct]:
        """Return the holds that were not lifted."""
        return unlifted(self.all("hold", "lift"))

    def masked_before(self) -> str:
        """Return the day (ISO) before which decisions are masked; empty if none are.

        Masking only ever extends further, except for a correction.
        """
        return _masked_before(self.all("mask"))

    def masked_days(self) -> MaskedDays:
        """Return the masked days with their exceptions.

        Exceptions are those named by the last masking, and decisions dated wrongly since.
        """
        with self._reading() as connection:
            acts = stored_acts(connection, "mask")
            before = _masked_before(acts)
            behind = connection.execute(_BEHIND, {"before": before}).all() if before else ()
        left_out = (*_spans(acts, "except"), *((row.first, row.last) for row in behind))
        return MaskedDays(before, left_out, _spans(acts, "also"))


def _masked_before(acts: Sequence[RetentionAct]) -> str:
    before = ""
    for act in acts:
        day = act.details["before"]
        before = day if act.details.get("is_correction") else max(before, day)
    return before


def _spans(acts: Sequence[RetentionAct], name: str) -> tuple[tuple[str, str], ...]:
    """Return the spans that the last masking names."""
    named = acts[-1].details.get(name, ()) if acts else ()
    return tuple((first, last) for first, last in named)


def stored_acts(connection: Connection, *actions: RetentionAction) -> list[RetentionAct]:
    """Return the acts of these kinds, or all, oldest first.

    In a writing transaction the list is complete: nobody can append meanwhile.
    """
    query = select(retention_acts).order_by(retention_acts.c.number)
    if actions:
        query = query.where(retention_acts.c.action.in_(actions))
    return [RetentionAct(**row._mapping) for row in connection.execute(query)]


def append_act(connection: Connection, act: RetentionAct) -> int:
    """Store an act in a transaction that is already writing; return its number.

    Only the audit event of an overruling has details: they concern the clock and no data.
    """
    last = connection.scalar(select(func.coalesce(func.max(retention_acts.c.number), 0))) or 0
    row = {**vars(act), "number": last + 1, "details": dict(act.details)}
    connection.execute(retention_acts.insert(), row)
    at, number = datetime.fromisoformat(act.at), str(last + 1)
    told = act.details if act.action == "overrule" else {}
    append_audit_events(
        connection, [AuditEvent(at, current_actor(), act.action, "retention_act", number, told)]
    )
    return last + 1
