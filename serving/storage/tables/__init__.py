"""The tables for SQLite and PostgreSQL, by package of the service; `migrations` creates them.

Decisions, checkpoints, records, switches and case events are append-only: the database itself
refuses changes. Everything about a party is encrypted in every table, and ids in searched columns
are tokens (`keys.data_keys`).
"""

# Imports every module, so that the metadata is complete for anyone who imports one of them.
from serving.storage.tables import (
    access,
    audit,
    exchange,
    keys,
    models,
    monitor,
    outgoing,
    review,
    scoring,
)

__all__ = [
    "access",
    "audit",
    "exchange",
    "keys",
    "models",
    "monitor",
    "outgoing",
    "review",
    "scoring",
]
