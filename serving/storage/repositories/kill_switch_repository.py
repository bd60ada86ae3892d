"""Events of the kill switch; rows are appended and never changed.

Models are on or off according to the newest audit event, and a proposal counts only if the audit
log has it. A changed row alone switches nothing.
"""

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Select, Table, func, select

from features.records import SUBJECT_KINDS
from serving.access.acting import current_actor
from serving.access.actors import Actor
from serving.integrity.audit_log import AuditEvent
from serving.models.kill_switch import DecideSwitch, SwitchBoard, SwitchEvent, SwitchProposal
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.row_audit.audit_chain import events_about
from serving.storage.row_audit.reader import AuditedRows
from serving.storage.tables.audit import audit_events
from serving.storage.tables.models import switch_proposals, switches

log = structlog.get_logger(__name__)

_SWITCHED = ("switch_on", "switch_off")
_STEPS = ("propose_switching_on", "decline_switching_on")
_COLUMNS = [switches.c[name] for name in SwitchEvent.__annotations__]


class KillSwitchRepository(Repository):
    """The switch events of one database."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._audited = AuditedRows("switch_proposals", "model")

    def append(self, events: Sequence[SwitchEvent]) -> None:
        """Store all of these events, or none."""
        last = select(func.coalesce(func.max(switches.c.seq), 0))
        with self._writing() as connection:
            seq = connection.scalar(last) or 0
            rows = [
                {**vars(event), "seq": seq + place} for place, event in enumerate(events, start=1)
            ]
            connection.execute(switches.insert(), rows)
            append_audit_events(connection, [_act(event) for event in events])

    def decide(self, decide: DecideSwitch) -> None:
        """Store the acts of `decide`, which runs under the write lock.

        Of two simultaneous callers, the second sees the acts of the first.
        """
        with self._writing() as connection:
            for act in decide(SwitchBoard(_latest(connection), self._proposals(connection))):
                if isinstance(act, SwitchEvent):
                    _insert(connection, switches, vars(act))
                else:
                    is_kind = switches.c.subject_kind == act.subject_kind
                    newest = connection.scalar(select(func.max(switches.c.seq)).where(is_kind)) or 0
                    _insert(connection, switch_proposals, _row(act, newest))
                append_audit_events(connection, [_audited(act)])

    def proposals(self) -> dict[str, SwitchProposal]:
        """Return the proposals that wait for a second person, by kind of subject."""
        with self._reading() as connection:
            return self._proposals(connection)

    def latest_by_kind(self) -> dict[str, SwitchEvent]:
        """Return the last event of each kind of subject; kinds never switched are absent."""
        with self._reading() as connection:
            return _latest(connection)

    def newest(self, limit: int) -> list[SwitchEvent]:
        """Return the newest events, newest first."""
        query = select(*_COLUMNS).order_by(switches.c.seq.desc()).limit(limit)
        return [SwitchEvent(*row) for row in self._rows(query)]

    def _proposals(self, connection: Connection) -> dict[str, SwitchProposal]:
        """Return the proposals that the audit log has as the newest step of their kind."""
        found: dict[str, SwitchProposal] = {}
        for kind in SUBJECT_KINDS:
            # Any newer switch or refusal ends a proposal, whatever the table of proposals contains.
            told = connection.execute(_told(kind, (*_SWITCHED, *_STEPS))).first()
            if told is None or told.action != _STEPS[0]:
                continue
            is_kind = switch_proposals.c.subject_kind == kind
            query = select(switch_proposals).where(is_kind, switch_proposals.c.at == told.at)
            newest = query.order_by(switch_proposals.c.seq.desc()).limit(1)
            if row := self._audited.read(connection, newest, kind):
                by = Actor(row.actor, row.actor_name, row.person)
                found[kind] = SwitchProposal(kind, row.step, row.at, by, row.because)
        return found


def _latest(connection: Connection) -> dict[str, SwitchEvent]:
    """Return the last switch of each kind, as the audit log has it."""
    latest = ((kind, _latest_of(connection, kind)) for kind in SUBJECT_KINDS)
    return {kind: event for kind, event in latest if event is not None}


def _latest_of(connection: Connection, kind: str) -> SwitchEvent | None:
    told = connection.execute(_told(kind, _SWITCHED)).first()
    stored = select(*_COLUMNS).where(switches.c.subject_kind == kind)
    if told is not None:
        is_on = told.action == "switch_on"
        # The row must be the very one of the audit event: an inserted one switches nothing.
        stored = stored.where(switches.c.switched_at == told.at, switches.c.is_on == int(is_on))
    row = connection.execute(stored.order_by(switches.c.seq.desc()).limit(1)).first()
    # The row is missing or altered: the switch in the audit log applies, without its reason.
    if row is None and told is not None:
        log.error("row_not_as_audited", table="switches", key=kind)
        return SwitchEvent(kind, is_on, told.at, told.actor, "", told.actor_name)
    return SwitchEvent(*row) if row is not None else None


def _told(kind: str, actions: Sequence[str]) -> Select[Any]:
    """Select the newest audit event of these actions on the models of a kind."""
    return events_about("model", kind, *actions).order_by(audit_events.c.seq.desc()).limit(1)


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
    return AuditEvent(at, act.by, action, "model", act.subject_kind)


def _act(event: SwitchEvent) -> AuditEvent:
    action = "switch_on" if event.is_on else "switch_off"
    return AuditEvent(event.switched_at, current_actor(), action, "model", event.subject_kind)
