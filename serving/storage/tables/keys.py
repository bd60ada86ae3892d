"""Tables of the database's identity and keys."""

from sqlalchemy import Column, LargeBinary, Table, Text

from serving.storage.tables.schema import metadata

# The identity of the database; one row. `moving_to` is the target of a move, under way or done.
installation = Table(
    "installation",
    metadata,
    Column("database_id", Text, primary_key=True),
    Column("created_at", Text, nullable=False),
    Column("moving_to", Text),
    Column("moved_at", Text),
    sqlite_strict=True,
)

# The keys of the home, by their public fingerprints. A rotated key has an instant after which its
# new signatures do not count; `adoption` is its statement about the next key, signed by both.
installation_keys = Table(
    "installation_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("public_key", Text, nullable=False),
    Column("adopted_at", Text, nullable=False),
    Column("retires_at", Text),
    Column("adopted_by", Text),
    Column("adoption", Text),
    sqlite_strict=True,
)

# The key of each day of decisions or records, and of units that outlast their day. A destroyed key
# keeps its row, so that its day never gets another.
data_keys = Table(
    "data_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("wrapping_id", Text, nullable=False),
    Column("wrapped", LargeBinary),
    Column("destroyed_at", Text),
    sqlite_strict=True,
)
