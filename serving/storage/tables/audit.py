"""Tables that hold the service to account: audit log, checkpoints, retention, purposes."""

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from serving.storage.tables.column_types import INSTANT, JSON
from serving.storage.tables.schema import PLACE, metadata

# Every reading, decision, sign-in and change; each row is chained to the one before.
audit_events = Table(
    "audit_events",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("details", JSON, nullable=False),
    # SHA-256 of the previous row's chain and all other columns of this row.
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

# The position of each follower in the decision log. `record_id` is the token of a received record,
# for followers that read records as well.
log_positions = Table(
    "log_positions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seq", PLACE, nullable=False),
    Column("record_id", Text),
    sqlite_strict=True,
)

# Acts of retention, by whom and why; append-only.
retention_acts = Table(
    "retention_acts",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("details", JSON, nullable=False),
    sqlite_strict=True,
)

# The purpose that the data of this database were collected for; one row.
bound_purpose = Table(
    "bound_purpose",
    metadata,
    Column("purpose", Text, primary_key=True),
    sqlite_strict=True,
)

# Refused calls that acted for another purpose.
refused_uses = Table(
    "refused_uses",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", INSTANT, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("use", Text, nullable=False),
    sqlite_strict=True,
)
