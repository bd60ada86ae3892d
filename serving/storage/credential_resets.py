"""Persons who may be behind an account, because they set its password or reset its second factor.

Anyone who creates an account for a colleague, or resets the colleague's credentials, could sign in
as them. The two count as one person until a week has passed, the holder gives a code of a second
factor older than the reset, or another admin confirms the holder. Accounts that one person created
or reset count as one person too. Accounts created by a command or the service have no such creator.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from serving.storage.row_audit.audit_chain import events_about
from serving.storage.tables.access import accounts
from serving.storage.tables.audit import audit_events

COUNTS_FOR = timedelta(days=7)
CONFIRM_HOLDER = "confirm_holder"

_RESETS = ("reset_password", "reset_second_factor")
_MADE = "create_account"
_PAGE = 100


def persons_behind(connection: Connection, name: str, now: datetime) -> frozenset[str]:
    """Return the persons who may at present be behind an account, or it behind them."""
    own = f"account:{name}"
    behind = _behind(connection, name, now)
    # Both directions: persons who know this account's credentials, and other accounts they know.
    found = set(behind)
    for knower in (own, *behind):
        for other in _given_by(connection, knower, now):
            if knower in _behind(connection, other, now):
                found.add(f"account:{other}")
    subjects = select(accounts.c.subject).where(
        accounts.c.name.in_([each.partition(":")[2] for each in found]),
        accounts.c.subject.is_not(None),
    )
    found.update(connection.scalars(subjects))
    return frozenset(found - {own})


def makers_alone(connection: Connection, name: str, now: datetime) -> frozenset[str]:
    """Return recent creators of an account who reset nothing of it since.

    They knew the first password only, which its holder must change.
    """
    events = [*_since(connection, events_about("account", name), now)]
    made = {event.actor for event in events if event.action == _MADE}
    return frozenset(made - {event.actor for event in events if event.action in _RESETS})


def _behind(connection: Connection, name: str, now: datetime) -> set[str]:
    """Return the identities of those who may know the credentials of an account."""
    behind: set[str] = set()
    is_old_factor = True
    for event in reversed([*_since(connection, events_about("account", name), now)]):
        if _gives_credentials(event):
            behind.add(event.actor)
            # A factor enrolled after a reset may be that of the person who reset it, and proves
            # nothing.
            is_old_factor &= event.action != "reset_second_factor"
        elif event.action == "enrol_second_factor" and behind:
            is_old_factor = False
        elif event.action == CONFIRM_HOLDER or (
            event.action == "give_second_factor" and is_old_factor
        ):
            behind.clear()
    return behind - {f"account:{name}"}


def _given_by(connection: Connection, identity: str, now: datetime) -> set[str]:
    """Return the names of accounts that somebody recently created or reset."""
    events = _since(connection, select(audit_events).where(audit_events.c.actor == identity), now)
    return {event.object_id for event in events if _gives_credentials(event)}


def _gives_credentials(event: Row[Any]) -> bool:
    is_made_by_a_person = event.action == _MADE and event.actor.startswith("account:")
    return is_made_by_a_person or event.action in _RESETS


def _since(connection: Connection, events: Select[Any], now: datetime) -> Iterator[Row[Any]]:
    """Yield the events that still count, newest first, reading no older ones."""
    columns = (audit_events.c[each] for each in ("at", "actor", "action", "object_id"))
    query = events.with_only_columns(*columns).order_by(audit_events.c.seq.desc())
    for event in connection.execution_options(yield_per=_PAGE).execute(query):
        if event.at < now - COUNTS_FOR:
            break
        yield event
