"""Saved views of accounts, encrypted because a search may name a party."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import Connection, Row, delete, select, update

from serving.access.actors import Actor
from serving.crypto.encryption import EncryptionUnit
from serving.crypto.prefix_codes import prefix_span
from serving.errors import Conflict, NotFound
from serving.integrity.audit_log import AuditEvent
from serving.review.search.saved_views import MAX_VIEWS, SavedView
from serving.review.search.search_terms import read_search
from serving.storage.keys.data_keys import DataKeys
from serving.storage.log_times import logged_at, newest_time
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.tables.review import saved_views

_PART = "saved view"


class SavedViewRepository(Repository):
    """The saved views of one database."""

    def of_holder(self, holder: Actor) -> list[SavedView]:
        """Return the views of an account by name, without those whose key was destroyed."""
        query = select(saved_views).where(saved_views.c.holder == holder.identity)
        rows = self._rows(query)
        views = [view for row in rows if (view := self._view(row))]
        return sorted(views, key=lambda view: view.name.casefold())

    def save(self, holder: Actor, view: SavedView, at: datetime) -> None:
        """Store a view; raise Conflict if there are MAX_VIEWS or one of this name."""
        query = select(saved_views).where(saved_views.c.holder == holder.identity)
        content = json.dumps([view.name, view.address])
        with self._writing() as connection:
            rows = connection.execute(query).all()
            # Names are encrypted, so the check cannot be a unique index.
            named = {present.name for row in rows if (present := self._view(row))}
            if view.name in named:
                raise Conflict(
                    "you have a view of this name; delete it first or choose another name"
                )
            if len(rows) >= MAX_VIEWS:
                raise Conflict(f"you have {MAX_VIEWS} views, and no more are kept; delete one")
            saved_at = at.isoformat()
            # The key must be of a day that erasure has not passed, even if the clock is behind.
            saved_at = logged_at(saved_at, newest_time(connection, saved_at)) or saved_at
            unit = EncryptionUnit.of_decision(view.view_id, saved_at)
            key = self._keys.token_keys.search_key(connection)
            span = prefix_span(key, view.symbols) if view.symbols else None
            row = {
                "view_id": view.view_id,
                "holder": holder.identity,
                "saved_at": saved_at,
                "first_code": span and span.first,
                "last_code": span and span.last,
                "encrypted": self._keys.encrypt_text(unit, _PART, content, connection),
            }
            connection.execute(saved_views.insert(), row)
            append_audit_events(
                connection, [AuditEvent(at, holder, "save_view", "view", view.view_id)]
            )

    def delete(self, holder: Actor, view_id: str, at: datetime) -> None:
        """Delete a view; raise NotFound if the account has no such view."""
        own = delete(saved_views).where(
            saved_views.c.view_id == view_id, saved_views.c.holder == holder.identity
        )
        with self._writing() as connection:
            if connection.execute(own).rowcount == 0:
                raise NotFound("you have no such view")
            append_audit_events(
                connection, [AuditEvent(at, holder, "delete_view", "view", view_id)]
            )

    def _view(self, row: Row[Any]) -> SavedView | None:
        content = self._keys.decrypt_text(row.view_id, _PART, row.encrypted)
        return SavedView(row.view_id, *json.loads(content)) if content is not None else None


def recode_views(connection: Connection, keys: DataKeys, search_key: bytes) -> None:
    """Recompute the search codes of views; delete views whose key was destroyed."""
    searching = select(saved_views).where(saved_views.c.first_code.is_not(None))
    for row in connection.execute(searching).all():
        is_it = saved_views.c.view_id == row.view_id
        content = keys.decrypt_text(row.view_id, _PART, row.encrypted)
        if content is None:
            connection.execute(delete(saved_views).where(is_it))
            continue
        # The search text is stored only in the encrypted address.
        asked = dict(parse_qsl(urlsplit(json.loads(content)[1]).query))["q"]
        span = prefix_span(search_key, read_search(asked))
        anew = {"first_code": span.first, "last_code": span.last}
        connection.execute(update(saved_views).where(is_it).values(anew))
