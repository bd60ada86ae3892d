"""Tables of the kill switch."""

from sqlalchemy import Column, Table, Text

from serving.storage.tables.column_types import FLAG, INSTANT
from serving.storage.tables.schema import PLACE, metadata

# Models switched off and on again, by whom and why; the newest row of each kind applies.
switches = Table(
    "switches",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("subject_kind", Text, nullable=False),
    Column("is_on", FLAG, nullable=False),
    Column("switched_at", INSTANT, nullable=False),
    Column("switched_by", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("switched_by_name", Text),
    sqlite_strict=True,
)

# Proposals to switch models on again, which wait for a second person; append-only.
switch_proposals = Table(
    "switch_proposals",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("subject_kind", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("because", Text, nullable=False),
    # The newest switch of the kind at that time: after another switch, the proposal is void.
    Column("after_seq", PLACE, nullable=False),
    sqlite_strict=True,
)
