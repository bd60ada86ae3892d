"""Which database this is, and the keys that belong to it."""

from sqlalchemy import Column, LargeBinary, Table, Text

from serving.storage.tables.schema import metadata

# Which database this is; one row. `moving_to` is where it is carried over to, or was.
installation = Table(
    "installation",
    metadata,
    Column("database_id", Text, primary_key=True),
    Column("created_at", Text, nullable=False),
    Column("moving_to", Text),
    Column("moved_at", Text),
    sqlite_strict=True,
)

# The keys of the home that belong to this database, by what names them in public. One that was
# rotated away has an instant after which nothing new is signed with it; `adoption` is its
# statement of the key that follows, signed by both.
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

# The key of each day of decisions or records, and of what had to outlast its day; a key that was
# destroyed leaves its row.
data_keys = Table(
    "data_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("wrapping_id", Text, nullable=False),
    Column("wrapped", LargeBinary),
    Column("destroyed_at", Text),
    sqlite_strict=True,
)
