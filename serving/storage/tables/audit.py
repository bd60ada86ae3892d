"""What holds the service to account: the audit log, checkpoints, retention, purposes."""

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from serving.storage.tables.schema import PLACE, metadata

# Who read, decided, signed in or changed what; each row is chained to the one before.
audit_events = Table(
    "audit_events",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("details", Text, nullable=False),
    # SHA-256 of the chain before and of all other columns of this row.
    Column("chain", LargeBinary, nullable=False),
    Index("audit_events_by_object", "object_kind", "object_id", "seq"),
    Index("audit_events_by_actor", "actor", "seq"),
    sqlite_strict=True,
)

chain_checkpoints = Table(
    "chain_checkpoints",
    metadata,
    Column("number", PLACE, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("line", Text, nullable=False),
    sqlite_strict=True,
)

# How far each follower has read, of the log of decisions or of checkpoints. `record_id` is the
# token of a received record, where a follower reads those too.
log_positions = Table(
    "log_positions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seq", PLACE, nullable=False),
    Column("record_id", Text),
    sqlite_strict=True,
)

# What was done about the end of data, by whom and why; appended, never changed.
retention_acts = Table(
    "retention_acts",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("details", Text, nullable=False),
    sqlite_strict=True,
)

# What the data of this database came for; one row.
bound_purpose = Table(
    "bound_purpose",
    metadata,
    Column("purpose", Text, primary_key=True),
    sqlite_strict=True,
)

# Calls that acted for another purpose.
refused_uses = Table(
    "refused_uses",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("use", Text, nullable=False),
    sqlite_strict=True,
)
