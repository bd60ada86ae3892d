"""Alerts of monitoring, their delivery, and the extra random draws that they cause."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from serving.monitor.alerts import Alert
from serving.storage.repository import Repository
from serving.storage.tables.monitor import alert_deliveries, alerts, explorations
from serving.triage.raised_control_draws import Exploration


class AlertRepository(Repository):
    """The alerts of one database; rows are appended and never changed."""

    def raise_new(self, found: Sequence[Alert], at: datetime) -> list[Alert]:
        """Store the alerts that were not raised before, and return them."""
        with self._writing() as connection:
            keys = select(alerts.c.subject_kind, alerts.c.week, alerts.c.measure)
            known = {tuple(row) for row in connection.execute(keys)}
            # An alert is raised once for a week and a measure, however often the report is made.
            new = [a for a in found if (a.subject_kind, a.week, a.measure) not in known]
            last = connection.scalar(select(func.coalesce(func.max(alerts.c.alert_id), 0))) or 0
            rows = [
                {**vars(alert), "alert_id": last + place, "raised_at": at}
                for place, alert in enumerate(new, start=1)
            ]
            if rows:
                connection.execute(alerts.insert(), rows)
        return new

    def newest(self, kind: str, most: int) -> list[Alert]:
        """Return the newest alerts about these subjects, newest first."""
        columns = [alerts.c[name] for name in Alert.__annotations__]
        query = select(*columns).where(alerts.c.subject_kind == kind)
        newest = query.order_by(alerts.c.alert_id.desc()).limit(most)
        return [Alert(*row) for row in self._rows(newest)]

    def undelivered(self, most: int = 1_000) -> list[tuple[int, Alert]]:
        """Return undelivered alerts with their numbers, oldest first."""
        columns = [alerts.c[name] for name in Alert.__annotations__]
        query = (
            select(alerts.c.alert_id, *columns)
            .where(alerts.c.alert_id.not_in(select(alert_deliveries.c.alert_id)))
            .order_by(alerts.c.alert_id)
            .limit(most)
        )
        return [(row[0], Alert(*row[1:])) for row in self._rows(query)]

    def mark_delivered(self, alert_id: int, at: datetime) -> None:
        """Record that an alert was delivered, unless that is on record."""
        row = {"alert_id": alert_id, "delivered_at": at}
        known = select(alert_deliveries.c.alert_id).where(alert_deliveries.c.alert_id == alert_id)
        with self._writing() as connection:
            if connection.scalar(known) is None:
                connection.execute(alert_deliveries.insert(), row)

    def explore(self, exploration: Exploration) -> None:
        """Store an exploration, which states the period in which it applies."""
        last = select(func.coalesce(func.max(explorations.c.seq), 0))
        with self._writing() as connection:
            # Numbers come from the table and not from a sequence: under the write lock they have no
            # gaps.
            seq = (connection.scalar(last) or 0) + 1
            connection.execute(explorations.insert(), {**vars(exploration), "seq": seq})

    def exploration(self, kind: str) -> Exploration | None:
        """Return the newest exploration, ended or not."""
        columns = [explorations.c[name] for name in Exploration.__annotations__]
        query = select(*columns).where(explorations.c.subject_kind == kind)
        newest = query.order_by(explorations.c.seq.desc()).limit(1)
        row = self._first(newest)
        return Exploration(*row) if row else None
