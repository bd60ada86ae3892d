"""What was scored and answered, what is known of subjects, and which are scored again."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

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
    # What outlasts the decision; the columns above repeat parts of it to be found by.
    Column("record", Text, nullable=False),
    # SHA-256 of the previous row's chain and this row's record.
    Column("chain", LargeBinary, nullable=False),
    # The decision whole, encrypted; its digest is in the record.
    Column("encrypted", LargeBinary),
    # Of a subject that is scored again: its first decision, and its lane before.
    Column("rescores", Text),
    Column("lane_before", Text),
    # The time of the log, where the clock was behind the decision before; null where it was not.
    # Its key is of that day, and its period counts from then.
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
    # Of an outcome what outlasts it: the body with a token for its subject.
    Column("outline", Text),
    # What it came for.
    Column("purpose", Text),
    # As that of a decision.
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

# Standard messages as evidence: `encrypted` has what they say, without their persons, and the
# records made of them. `key_day` names the key of a day that the message's own is made of.
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

# The subjects that a message is about, each by its token.
message_subjects = Table(
    "message_subjects",
    metadata,
    Column("message_id", Text, ForeignKey("kept_messages.message_id"), primary_key=True),
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Index("message_subjects_by_subject", "subject_kind", "subject_id"),
    sqlite_strict=True,
)

# The online feature store where several workers share one; on SQLite it is a folder of its own.
state = Table(
    "state",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_strict=True,
)

# Subjects of which something became known since they were scored, each once, by its token.
due_rescorings = Table(
    "due_rescorings",
    metadata,
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("due_at", Text, nullable=False),
    # How often something became known: a row goes only if nothing did since it was read.
    Column("arrivals", Integer, nullable=False),
    # From when on its subject is in danger: it then comes before all others.
    Column("danger_at", Text),
    Index("due_rescorings_by_instant", "due_at"),
    sqlite_strict=True,
)

# Which journeys a ship was declared to be on, both by tokens: each version once.
ship_journeys = Table(
    "ship_journeys",
    metadata,
    Column("journey_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("mmsi", Text, primary_key=True),
    Column("declared_at", Text, nullable=False),
    Column("begins_at", Text, nullable=False),
    Column("due_at", Text, nullable=False),
    # When it was decided about or received.
    Column("noted_at", Text, nullable=False),
    Column("is_withdrawn", Integer, nullable=False),
    # The token of the shipment that it was submitted with, where nobody declared it by itself.
    Column("shipment_id", Text),
    Index("ship_journeys_by_ship", "mmsi", "due_at"),
    sqlite_strict=True,
)
