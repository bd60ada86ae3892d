"""Calls to rescuers that are still to be made, found in the decision log itself.

A decision knows nothing of its call: what came into the rescue lane is found in the log, so a call
is lost only with its decision. Several workers share the calls; one takes a call by putting off
when it is due next, so a worker that dies with a call leaves it to the others.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, Update, func, select, update

from serving.db.data_keys import DataKeys
from serving.db.encrypted_decisions import WHOLE, EncryptedDecisions
from serving.db.engine import failing_as_unavailable
from serving.db.tables import decisions, rescue_calls, rescue_calls_found_to
from serving.db.write_lock import writing
from serving.review.rescue_calls import DueRescueCall, RetryDelay


class RescueCallRepository:
    """The calls of one database. Every method raises LogUnavailable where the database fails."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._decisions = EncryptedDecisions(DataKeys(engine))

    def begin(self) -> None:
        """Look for rescues from now on; earlier decisions are not called."""
        newest = select(func.coalesce(func.max(decisions.c.seq), 0)).scalar_subquery()
        with failing_as_unavailable(), writing(self._engine) as connection:
            if connection.scalar(select(rescue_calls_found_to.c.seq)) is None:
                connection.execute(rescue_calls_found_to.insert().values(seq=newest))

    def take(self, now: datetime, delay: RetryDelay) -> DueRescueCall | None:
        """The call that is due first, put off by the delay of this attempt; None if none is."""
        if not self._has_work(now):
            return None
        with failing_as_unavailable(), writing(self._engine) as connection:
            _find(connection, now)
            found = connection.execute(_due(now)).first()
            if found is None:
                return None
            attempts = found.attempts + 1
            put_off = {"attempts": attempts, "next_at": (now + delay(attempts)).isoformat()}
            connection.execute(_of(found.decision_id).values(put_off))
        return DueRescueCall(found.decision_id, self._decisions.record(found), attempts)

    def mark_delivered(self, decision_id: str, at: datetime) -> None:
        """Record that a call was taken."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            connection.execute(_of(decision_id).values(delivered_at=at.isoformat()))

    def count_refused(self) -> int:
        """How many calls were tried and not taken so far."""
        tried = (rescue_calls.c.delivered_at.is_(None), rescue_calls.c.attempts > 0)
        with failing_as_unavailable(), self._engine.connect() as connection:
            return connection.scalar(select(func.count()).where(*tried)) or 0

    def _has_work(self, now: datetime) -> bool:
        newest = select(func.coalesce(func.max(decisions.c.seq), 0)).scalar_subquery()
        with failing_as_unavailable(), self._engine.connect() as connection:
            reached = connection.scalar(select(rescue_calls_found_to.c.seq)) or 0
            is_behind = connection.scalar(select(newest > reached))
            return bool(is_behind) or connection.execute(_due(now)).first() is not None


def _find(connection: Connection, now: datetime) -> None:
    """Make calls of the rescues that were decided since the last look."""
    reached = connection.scalar(select(rescue_calls_found_to.c.seq)) or 0
    newest = connection.scalar(select(func.coalesce(func.max(decisions.c.seq), 0)))
    rescues = select(decisions.c.decision_id, decisions.c.seq).where(
        decisions.c.seq > reached, decisions.c.lane == "rescue"
    )
    calls = [
        {**row._mapping, "attempts": 0, "next_at": now.isoformat()}
        for row in connection.execute(rescues)
    ]
    if calls:
        connection.execute(rescue_calls.insert(), calls)
    connection.execute(update(rescue_calls_found_to).values(seq=newest))


def _due(now: datetime) -> Select[Any]:
    return (
        select(*WHOLE, rescue_calls.c.attempts)
        .join(decisions, decisions.c.decision_id == rescue_calls.c.decision_id)
        .where(rescue_calls.c.delivered_at.is_(None), rescue_calls.c.next_at <= now.isoformat())
        .order_by(rescue_calls.c.next_at, rescue_calls.c.seq)
        .limit(1)
    )


def _of(decision_id: str) -> Update:
    return update(rescue_calls).where(rescue_calls.c.decision_id == decision_id)
