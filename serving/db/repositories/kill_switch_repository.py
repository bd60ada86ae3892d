"""Switch events of the kill switch on disk; appended, never changed."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, Table, func, select

from serving.access.acting import whoever_acts
from serving.access.actors import Actor
from serving.audit.audit_log import AuditEvent
from serving.db.engine import failing_as_unavailable
from serving.db.repositories.audit_repository import append_audit_events
from serving.db.tables import switch_proposals, switches
from serving.db.write_lock import writing
from serving.models.kill_switch import DecideSwitch, SwitchBoard, SwitchEvent, SwitchProposal

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

    def decide(self, decide: DecideSwitch) -> None:
        """Store what is decided: of two who decide at once, the second sees the first."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            latest = {row.subject_kind: row for row in connection.execute(_latest()).all()}
            board = SwitchBoard(
                {kind: _event(row) for kind, row in latest.items()}, _proposals(connection)
            )
            for act in decide(board):
                if isinstance(act, SwitchEvent):
                    _insert(connection, switches, {**asdict(act), "is_on": int(act.is_on)})
                else:
                    _insert(connection, switch_proposals, _row(act, latest[act.subject_kind].seq))
                append_audit_events(connection, [_audited(act)])

    def proposals(self) -> dict[str, SwitchProposal]:
        """What is proposed and waits for a second person, by kind."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return _proposals(connection)

    def latest_by_kind(self) -> dict[str, SwitchEvent]:
        """The last event of each kind of subject; a kind never switched is left out."""
        return {event.subject_kind: event for event in self._read(_latest())}

    def newest(self, limit: int) -> list[SwitchEvent]:
        """The newest events, newest first."""
        return self._read(select(*_COLUMNS).order_by(switches.c.seq.desc()).limit(limit))

    def _read(self, query: Select[tuple[object, ...]]) -> list[SwitchEvent]:
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [_event(row) for row in rows]


def _latest() -> Select[Any]:
    last = select(func.max(switches.c.seq)).group_by(switches.c.subject_kind)
    return select(*_COLUMNS, switches.c.seq).where(switches.c.seq.in_(last))


def _event(row: Row[Any]) -> SwitchEvent:
    told = {name: row._mapping[name] for name in SwitchEvent.__annotations__}
    return SwitchEvent(**{**told, "is_on": bool(row.is_on)})


def _proposals(connection: Connection) -> dict[str, SwitchProposal]:
    """Of each kind the newest step, where it proposes and nothing was switched since."""
    newest = select(func.max(switch_proposals.c.seq)).group_by(switch_proposals.c.subject_kind)
    switched = (
        select(func.max(switches.c.seq))
        .where(switches.c.subject_kind == switch_proposals.c.subject_kind)
        .scalar_subquery()
    )
    query = select(switch_proposals).where(
        switch_proposals.c.seq.in_(newest),
        switch_proposals.c.step == "propose",
        switch_proposals.c.after_seq == switched,
    )
    return {row.subject_kind: _proposal(row) for row in connection.execute(query).all()}


def _proposal(row: Row[Any]) -> SwitchProposal:
    by = Actor(row.actor, row.actor_name, row.person)
    return SwitchProposal(row.subject_kind, row.step, row.at, by, row.because)


def _row(act: SwitchProposal, after_seq: int) -> dict[str, Any]:
    return {
        "subject_kind": act.subject_kind,
        "step": act.step,
        "at": act.at,
        "actor": act.by.identity,
        "actor_name": act.by.name,
        "person": act.by.person,
        "because": act.because,
        "after_seq": after_seq,
    }


def _insert(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    last = connection.scalar(select(func.coalesce(func.max(table.c.seq), 0))) or 0
    connection.execute(table.insert().values(seq=last + 1, **row))


def _audited(act: SwitchEvent | SwitchProposal) -> AuditEvent:
    if isinstance(act, SwitchEvent):
        action, at = "switch_on" if act.is_on else "switch_off", act.switched_at
    else:
        action, at = f"{act.step}_switching_on", act.at
    return AuditEvent(datetime.fromisoformat(at), act.by, action, "model", act.subject_kind)


def _act(event: SwitchEvent) -> AuditEvent:
    action = "switch_on" if event.is_on else "switch_off"
    at = datetime.fromisoformat(event.switched_at)
    return AuditEvent(at, whoever_acts(), action, "model", event.subject_kind)
