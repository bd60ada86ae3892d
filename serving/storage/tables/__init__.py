"""The tables, in SQLite and PostgreSQL alike, by room; `migrations` makes them.

Decisions, checkpoints, records, switches and events of cases are appended and never changed:
the database itself refuses. What says something of a party is encrypted, in those tables and in
all others, and ids that are searched for are tokens (`data_keys`).
"""

# So that the metadata is whole for whoever imports any of them.
from serving.storage.tables import access, audit, keys, models, monitor, outgoing, review, scoring

__all__ = ["access", "audit", "keys", "models", "monitor", "outgoing", "review", "scoring"]
