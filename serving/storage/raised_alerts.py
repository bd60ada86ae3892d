"""Raises alerts for calls for help without a decision, in the transaction that stores the calls.

An alert is one emergency of one ship. A call soon after the last one, or while nobody acts yet,
belongs to the same alert unless that was ended. If the journey is declared later and becomes a
rescue, the rescue continues the alert.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, or_, select, update

from serving.review.rescue.distress_alerts import HEARD_WITHIN, SAME_EMERGENCY_WITHIN
from serving.storage.tables.outgoing import distress_alerts
from serving.storage.tables.scoring import decisions


class HeardCall(NamedTuple):
    """A stored call for help: the tokens of its journey and record, and its times."""

    subject_id: str
    record_id: str
    heard_at: datetime
    received_at: datetime


def raise_alerts(connection: Connection, calls: Sequence[HeardCall]) -> None:
    """Raise alerts for those calls whose journeys nobody has decided about."""
    if not calls:
        return
    among = decisions.c.subject_id.in_({call.subject_id for call in calls})
    of_routes = select(decisions.c.subject_id).where(decisions.c.subject_kind == "route", among)
    decided = {*connection.scalars(of_routes)}
    for call in sorted(calls, key=lambda each: each.heard_at):
        # A call that arrives long after it was heard is history, and calls nobody out.
        is_news = call.received_at - call.heard_at <= HEARD_WITHIN
        if is_news and call.subject_id not in decided:
            _raise(connection, call)


def _raise(connection: Connection, call: HeardCall) -> None:
    columns = distress_alerts.c
    is_open = columns.acknowledged_at.is_(None) & columns.decision_id.is_(None)
    is_ended = columns.ended_at.is_not(None)
    is_recent = columns.heard_at >= call.heard_at - SAME_EMERGENCY_WITHIN
    # A tied alert has two names: the one it was heard under, and that of the declared journey.
    is_of_ship = or_(
        *(name == call.subject_id for name in (columns.subject_id, columns.journey_id))
    )
    same = (
        select(columns.alert_id, columns.heard_at)
        .where(is_of_ship, ~is_ended, or_(is_open, is_recent))
        .order_by(columns.heard_at.desc())
    )
    alert = connection.execute(same).first()
    if alert is None:
        raised = {
            "alert_id": str(uuid.uuid4()),
            "subject_id": call.subject_id,
            "record_id": call.record_id,
            "heard_at": call.heard_at,
            "opened_at": call.received_at,
            "attempts": 0,
            "next_at": call.received_at,
            "step": 0,
        }
        connection.execute(distress_alerts.insert().values(raised))
    # An older call that arrives late must not hide the newest position.
    elif alert.heard_at < call.heard_at:
        newer = update(distress_alerts).where(columns.alert_id == alert.alert_id)
        connection.execute(newer.values(record_id=call.record_id, heard_at=call.heard_at))


def tie_alerts(
    connection: Connection, decision_id: str, names: Sequence[str], scored_at: str
) -> None:
    """Let a rescue continue the alerts of its ship, which may have called under these tokens.

    The first is the token of the journey itself, under which the ship calls from now on.
    """
    columns = distress_alerts.c
    since = datetime.fromisoformat(scored_at) - HEARD_WITHIN
    is_of_now = or_(columns.acknowledged_at.is_(None), columns.heard_at >= since)
    of_ship = (columns.subject_id.in_(names), columns.decision_id.is_(None), is_of_now)
    tied = {"decision_id": decision_id, "journey_id": names[0]}
    connection.execute(update(distress_alerts).where(*of_ship).values(tied))
