"""Tables of decisions and answers, received records, and the queue of rescorings."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from serving.storage.tables.column_types import FLAG, INSTANT
from serving.storage.tables.schema import FIGURE, PLACE, metadata

decisions = Table(
    "decisions",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("decision_id", Text, nullable=False, unique=True),
    Column("scored_at", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("office_id", Text),
    Column("caller_id", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("probability", FIGURE),
    # The outline, which outlasts the decision; the columns above repeat parts of it for queries.
    Column("record", Text, nullable=False),
    # SHA-256 of the previous row's chain and this row's record.
    Column("chain", LargeBinary, nullable=False),
    # The whole decision, encrypted; its digest is in the record.
    Column("encrypted", LargeBinary),
    # For a rescored subject: its first decision and its lane before.
    Column("rescores", Text),
    Column("lane_before", Text),
    # The time of the log if the clock was behind the previous decision, else null. It determines
    # the day of the key and the start of the retention period.
    Column("logged_at", Text),
    Index(
        "decisions_behind",
        "logged_at",
        sqlite_where=text("logged_at IS NOT NULL"),
        postgresql_where=text("logged_at IS NOT NULL"),
    ),
    Index("decisions_by_subject", "subject_kind", "subject_id"),
    Index("decisions_by_office", "office_id", "seq"),
    Index("decisions_by_first", "rescores"),
    sqlite_strict=True,
)

answers = Table(
    "answers",
    metadata,
    Column("caller_id", Text, primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    Column("request_digest", Text, nullable=False),
    Column("decision_id", Text, ForeignKey("decisions.decision_id"), nullable=False),
    Column("answered_at", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_strict=True,
)

# The scores of challenger and shadow for the vectors of decisions.
shadow_scores = Table(
    "shadow_scores",
    metadata,
    Column("decision_id", Text, ForeignKey("decisions.decision_id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("log_odds", FIGURE, nullable=False),
    Column("probability", FIGURE, nullable=False),
    Column("percentile", FIGURE, nullable=False),
    sqlite_strict=True,
)

records = Table(
    "records",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    # For an outcome, what outlasts it: the body with a token for its subject.
    Column("outline", Text),
    # The purpose it was collected for.
    Column("purpose", Text),
    # As for a decision.
    Column("logged_at", Text),
    Index(
        "records_behind",
        "logged_at",
        sqlite_where=text("logged_at IS NOT NULL"),
        postgresql_where=text("logged_at IS NOT NULL"),
    ),
    Index("records_by_subject", "subject_kind", "subject_id"),
    Index("records_by_arrival", "received_at"),
    sqlite_strict=True,
)

# Trade messages as evidence: `encrypted` has their content without persons, and the records made
# from them. `key_day` is the day whose key that of the message is derived from.
kept_messages = Table(
    "kept_messages",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("caller_id", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("key_day", Text, nullable=False),
    Column("encrypted", LargeBinary, nullable=False),
    Index("kept_messages_by_key", "caller_id", "idempotency_key", unique=True),
    Index("kept_messages_by_day", "key_day"),
    sqlite_strict=True,
)

# The subjects of a message, by token.
message_subjects = Table(
    "message_subjects",
    metadata,
    Column("message_id", Text, ForeignKey("kept_messages.message_id"), primary_key=True),
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Index("message_subjects_by_subject", "subject_kind", "subject_id"),
    sqlite_strict=True,
)

# The online feature store if several workers share one; with SQLite it is a folder.
state = Table(
    "state",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_strict=True,
)

# Subjects with news since their last score, once each, by token.
due_rescorings = Table(
    "due_rescorings",
    metadata,
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("due_at", INSTANT, nullable=False),
    # The number of news: a row is deleted only if it did not change since it was read.
    Column("arrivals", Integer, nullable=False),
    # From when on the subject is in danger: it then precedes all others.
    Column("danger_at", INSTANT),
    Index("due_rescorings_by_instant", "due_at"),
    sqlite_strict=True,
)

# The journeys that a ship was declared to be on, both as tokens, once for each version.
ship_journeys = Table(
    "ship_journeys",
    metadata,
    Column("journey_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("mmsi", Text, primary_key=True),
    Column("declared_at", INSTANT, nullable=False),
    Column("begins_at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    # When it was decided about or received.
    Column("noted_at", Text, nullable=False),
    Column("is_withdrawn", FLAG, nullable=False),
    # The token of the shipment it was submitted with, if nobody declared it by itself.
    Column("shipment_id", Text),
    Index("ship_journeys_by_ship", "mmsi", "due_at"),
    sqlite_strict=True,
)
