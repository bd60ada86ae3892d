"""Teams, shared by all workers; every change is an audit event."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from serving.access.actors import Actor
from serving.access.errors import ChangedMeanwhile
from serving.errors import NotFound
from serving.integrity.audit_log import AuditEvent
from serving.review.cases.teams import Arrivals, Team
from serving.storage.names_in_use import require_new_name
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.tables.review import teams


class TeamRepository(Repository):
    """The teams of one database."""

    def all(self) -> list[Team]:
        """Return every team that was not disbanded, by name."""
        query = select(teams).where(teams.c.disbanded_at.is_(None)).order_by(teams.c.name)
        return [_team(row) for row in self._rows(query)]

    def add_team(self, team: Team, at: datetime, by: Actor) -> None:
        """Store a new team; raise NameTaken or Unprocessable, also for names of disbanded ones."""
        row = {"name": team.name, "made_at": at, **_said(team)}
        with self._writing() as connection:
            # Names are never reused: old audit events would seem to concern the new team.
            require_new_name(connection, team.name)
            connection.execute(teams.insert(), row)
            append_audit_events(connection, [_event(team, at, by, "create_team")])

    def change_team(
        self, team: Team, at: datetime, by: Actor, *, revision_read: str | None = None
    ) -> None:
        """Give a team another office, other members or another rule.

        Raises NotFound, or ChangedMeanwhile if it has another revision than the one read.
        """
        event = _event(team, at, by, "change_team")
        self._update(team.name, _said(team), event, revision_read)

    def disband(self, name: str, at: datetime, by: Actor) -> None:
        """Disband a team, whose inbox passes to that of its office; raise NotFound."""
        ended = {"disbanded_at": at}
        self._update(name, ended, AuditEvent(at, by, "disband_team", "team", name))

    def _update(
        self, name: str, values: dict[str, Any], event: AuditEvent, revision_read: str | None = None
    ) -> None:
        alive = teams.c.name == name, teams.c.disbanded_at.is_(None)
        with self._writing() as connection:
            row = connection.execute(select(teams).where(*alive)).first()
            if row is None:
                raise NotFound(f"there is no team named {name}")
            # A form that was opened before another change must not undo that change.
            if revision_read not in (None, _team(row).revision):
                raise ChangedMeanwhile
            connection.execute(update(teams).where(*alive).values(values))
            append_audit_events(connection, [event])


def _event(team: Team, at: datetime, by: Actor, action: str) -> AuditEvent:
    details = {"office": team.office_id, "members": team.members}
    return AuditEvent(at, by, action, "team", team.name, details)


def _said(team: Team) -> dict[str, Any]:
    arrivals = team.arrivals and vars(team.arrivals)
    return {"office_id": team.office_id, "members": team.members, "arrivals": arrivals}


def _team(row: Row[Any]) -> Team:
    arrivals = None
    if row.arrivals is not None:
        arrivals = Arrivals(**{name: tuple(each) for name, each in row.arrivals.items()})
    return Team(row.name, row.office_id, row.members, arrivals)
