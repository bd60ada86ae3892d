"""Who may be behind an account, since they gave it a password or took its second factor away.

Whoever resets the credentials of a colleague could sign in as them. Until a week is over, the
holder gave a code of a second factor that is older than the reset, or another admin confirmed the
holder, the two count as one person, and so do accounts that one person reset.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from serving.db.tables import accounts, audit_events

COUNTS_FOR = timedelta(days=7)
CONFIRM_HOLDER = "confirm_holder"

_RESETS = ("reset_password", "reset_second_factor")
_PAGE = 100


def persons_behind(connection: Connection, name: str, now: datetime) -> frozenset[str]:
    """Persons who may be behind an account for now, or it behind them."""
    own = f"account:{name}"
    behind = _resetters(connection, name, now)
    found = set(behind)
    for resetter in (own, *behind):
        for other in _reset_by(connection, resetter, now):
            if resetter in _resetters(connection, other, now):
                found.add(f"account:{other}")
    subjects = select(accounts.c.subject).where(
        accounts.c.name.in_([each.partition(":")[2] for each in found]),
        accounts.c.subject.is_not(None),
    )
    found.update(connection.scalars(subjects))
    return frozenset(found - {own})


def _resetters(connection: Connection, name: str, now: datetime) -> set[str]:
    """The identities of those who reset credentials of an account that its holder has not back."""
    is_of = and_(audit_events.c.object_kind == "account", audit_events.c.object_id == name)
    behind: set[str] = set()
    is_old_factor = True
    for event in reversed([*_since(connection, is_of, now)]):
        if event.action in _RESETS:
            behind.add(event.actor)
            is_old_factor &= event.action != "reset_second_factor"
        elif event.action == "enrol_second_factor" and behind:
            is_old_factor = False
        elif event.action == CONFIRM_HOLDER or (
            event.action == "give_second_factor" and is_old_factor
        ):
            behind.clear()
    return behind - {f"account:{name}"}


def _reset_by(connection: Connection, identity: str, now: datetime) -> set[str]:
    """The names of accounts whose credentials somebody reset of late."""
    events = _since(connection, audit_events.c.actor == identity, now)
    return {event.object_id for event in events if event.action in _RESETS}


def _since(connection: Connection, which: Any, now: datetime) -> Iterator[Row[Any]]:
    """The events that still count, the newest first; what is older is not read."""
    columns = (audit_events.c[each] for each in ("at", "actor", "action", "object_id"))
    query = select(*columns).where(which).order_by(audit_events.c.seq.desc())
    since = (now - COUNTS_FOR).isoformat()
    for event in connection.execution_options(yield_per=_PAGE).execute(query):
        if event.at < since:
            break
        yield event
