"""Switch events of the kill switch on disk; appended, never changed."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Engine, Select, func, select

from serving.access.acting import whoever_acts
from serving.audit.audit_log import AuditEvent
from serving.db.engine import failing_as_unavailable
from serving.db.repositories.audit_repository import append_audit_events
from serving.db.tables import switches
from serving.db.write_lock import writing
from serving.models.kill_switch import SwitchEvent

_COLUMNS = [switches.c[name] for name in SwitchEvent.__annotations__]


class KillSwitchRepository:
    """The switch events of one database. Every method raises LogUnavailable where it fails."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def append(self, events: Sequence[SwitchEvent]) -> None:
        """Store all of these events, or none."""
        last = select(func.coalesce(func.max(switches.c.seq), 0))
        with failing_as_unavailable(), writing(self._engine) as connection:
            seq = connection.scalar(last) or 0
            rows = [
                {**asdict(event), "is_on": int(event.is_on), "seq": seq + place}
                for place, event in enumerate(events, start=1)
            ]
            connection.execute(switches.insert(), rows)
            append_audit_events(connection, [_act(event) for event in events])

    def latest_by_kind(self) -> dict[str, SwitchEvent]:
        """The last event of each kind of subject; a kind never switched is left out."""
        last = select(func.max(switches.c.seq)).group_by(switches.c.subject_kind)
        query = select(*_COLUMNS).where(switches.c.seq.in_(last))
        return {event.subject_kind: event for event in self._read(query)}

    def newest(self, limit: int) -> list[SwitchEvent]:
        """The newest events, newest first."""
        return self._read(select(*_COLUMNS).order_by(switches.c.seq.desc()).limit(limit))

    def _read(self, query: Select[tuple[object, ...]]) -> list[SwitchEvent]:
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [SwitchEvent(**{**row._mapping, "is_on": bool(row.is_on)}) for row in rows]


def _act(event: SwitchEvent) -> AuditEvent:
    action = "switch_on" if event.is_on else "switch_off"
    at = datetime.fromisoformat(event.switched_at)
    return AuditEvent(at, whoever_acts(), action, "model", event.subject_kind)
