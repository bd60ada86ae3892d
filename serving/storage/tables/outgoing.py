"""Tables of outgoing notifications: events, webhooks, and calls to rescuers."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from serving.storage.tables.column_types import INSTANT, TEXTS
from serving.storage.tables.schema import PLACE, metadata

# Case events for other systems, in the order in which they happened.
published_events = Table(
    "published_events",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False, unique=True),
    Column("case_id", Text, ForeignKey("cases.case_id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
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
    Column("types", TEXTS, nullable=False),
    Column("offices", TEXTS, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    # Encrypted like second factors.
    Column("secret", Text, nullable=False),
    Column("former_secret", Text),
    Column("former_secret_ends_at", INSTANT),
    Column("revoked_at", INSTANT),
    sqlite_strict=True,
)

# How far each receiver of a feed has got (webhook endpoints in the case events, witnesses in the
# checkpoints), and the worker that holds its lease.
receivers = Table(
    "receivers",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("receiver", Text, primary_key=True),
    Column("attempts", Integer, nullable=False),
    # The id of the last part that it accepted.
    Column("reached", Text),
    Column("next_at", INSTANT),
    Column("failing_since", INSTANT),
    Column("reached_at", INSTANT),
    Column("failure", Text),
    Column("off_at", INSTANT),
    Column("lease", Text),
    Column("leased_until", INSTANT),
    sqlite_strict=True,
)

# Calls to rescuers, one for each decision in the rescue lane.
rescue_calls = Table(
    "rescue_calls",
    metadata,
    Column("decision_id", Text, ForeignKey("decisions.decision_id"), primary_key=True),
    Column("seq", PLACE, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", INSTANT, nullable=False),
    Column("delivered_at", INSTANT),
    # The number of escalations to another address, and the instant of the next one if nobody acts.
    Column("step", Integer, nullable=False, server_default="0"),
    Column("goes_on_at", INSTANT),
    Column("acknowledged_at", INSTANT),
    Column("acknowledged_by", Text),
    Index(
        "rescue_calls_to_make",
        "next_at",
        sqlite_where=text("acknowledged_at IS NULL"),
        postgresql_where=text("acknowledged_at IS NULL"),
    ),
    sqlite_strict=True,
)

# The steps of calls to rescuers: address, time, and acknowledgement by a person.
rescue_call_events = Table(
    "rescue_call_events",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("decision_id", Text, ForeignKey("decisions.decision_id"), nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor_name", Text),
    Index("rescue_call_events_by_call", "decision_id", "seq"),
    sqlite_strict=True,
)

# Calls for help from ships without a declared journey, one row for each emergency of a ship. No
# decision mentions them.
distress_alerts = Table(
    "distress_alerts",
    metadata,
    Column("alert_id", Text, primary_key=True),
    # The token of the journey in the call; a call heard by AIS has one made of the ship's MMSI.
    Column("subject_id", Text, nullable=False),
    # The token of the newest call's record, when it was heard, and when the first call arrived.
    Column("record_id", Text, nullable=False),
    Column("heard_at", INSTANT, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", INSTANT, nullable=False),
    Column("delivered_at", INSTANT),
    Column("step", Integer, nullable=False),
    Column("goes_on_at", INSTANT),
    Column("acknowledged_at", INSTANT),
    Column("acknowledged_by", Text),
    # The rescue that continues the alert once the journey is declared, and its token.
    Column("decision_id", Text, ForeignKey("decisions.decision_id")),
    Column("journey_id", Text),
    # When people ended it, and what they wrote and did, encrypted.
    Column("ended_at", INSTANT),
    Column("state", Text),
    Index("distress_alerts_by_subject", "subject_id"),
    Index("distress_alerts_by_rescue", "decision_id"),
    sqlite_strict=True,
)
