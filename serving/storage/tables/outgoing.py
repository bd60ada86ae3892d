"""What others are told: events, webhooks, and calls to those who rescue."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from serving.storage.tables.schema import PLACE, metadata

# What other systems are told of cases, in the order in which it became true.
published_events = Table(
    "published_events",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False, unique=True),
    Column("case_id", Text, ForeignKey("cases.case_id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("office_id", Text),
    Column("left_office_id", Text),
    # JSON, encrypted with the case.
    Column("details", Text, nullable=False),
    sqlite_strict=True,
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("types", Text, nullable=False),
    Column("offices", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    # Encrypted, as second factors are.
    Column("secret", Text, nullable=False),
    Column("former_secret", Text),
    Column("former_secret_ends_at", Text),
    Column("revoked_at", Text),
    sqlite_strict=True,
)

# How far each endpoint was told, and which worker tells it now.
webhook_progress = Table(
    "webhook_progress",
    metadata,
    Column("endpoint_id", Text, ForeignKey("webhook_endpoints.endpoint_id"), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("reached", Text),
    Column("next_at", Text),
    Column("failing_since", Text),
    Column("reached_at", Text),
    Column("failure", Text),
    Column("off_at", Text),
    Column("lease", Text),
    Column("leased_until", Text),
    sqlite_strict=True,
)

# Calls to those who rescue, one for each decision that came into that lane.
rescue_calls = Table(
    "rescue_calls",
    metadata,
    Column("decision_id", Text, ForeignKey("decisions.decision_id"), primary_key=True),
    Column("seq", PLACE, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Text, nullable=False),
    Column("delivered_at", Text),
    # How often it went on to another address, and when it does next for want of a person.
    Column("step", Integer, nullable=False, server_default="0"),
    Column("goes_on_at", Text),
    Column("acknowledged_at", Text),
    Column("acknowledged_by", Text),
    Index(
        "rescue_calls_to_make",
        "next_at",
        sqlite_where=text("acknowledged_at IS NULL"),
        postgresql_where=text("acknowledged_at IS NULL"),
    ),
    sqlite_strict=True,
)

# The steps of calls to those who rescue: whom, when, and whether a person acted.
rescue_call_events = Table(
    "rescue_call_events",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("decision_id", Text, ForeignKey("decisions.decision_id"), nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor_name", Text),
    Index("rescue_call_events_by_call", "decision_id", "seq"),
    sqlite_strict=True,
)

# Calls for help of whom nobody declared, one for each emergency of a ship: no decision tells them.
distress_alerts = Table(
    "distress_alerts",
    metadata,
    Column("alert_id", Text, primary_key=True),
    # The token of the journey under which it was heard: for AIS its number stands for one.
    Column("subject_id", Text, nullable=False),
    # The newest call, by the token of its record, and when it was heard; when the first one came.
    Column("record_id", Text, nullable=False),
    Column("heard_at", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Text, nullable=False),
    Column("delivered_at", Text),
    Column("step", Integer, nullable=False),
    Column("goes_on_at", Text),
    Column("acknowledged_at", Text),
    Column("acknowledged_by", Text),
    # The rescue that goes on with it, once the journey was declared, and the token of that.
    Column("decision_id", Text, ForeignKey("decisions.decision_id")),
    Column("journey_id", Text),
    # When people ended it, and what they said and did, encrypted.
    Column("ended_at", Text),
    Column("state", Text),
    Index("distress_alerts_by_subject", "subject_id"),
    Index("distress_alerts_by_rescue", "decision_id"),
    sqlite_strict=True,
)
