"""The tables of monitoring. Only alerts, explorations and reports are kept as they were made.

The summary of a day and the visits repeat the log in a form in which ten million decisions can be
read at once. They can be deleted and are then rebuilt.
"""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from serving.storage.tables.column_types import INSTANT
from serving.storage.tables.schema import FIGURE, PLACE, metadata

day_summaries = Table(
    "day_summaries",
    metadata,
    Column("subject_kind", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    # `serving.monitor.day_summary`, as JSON.
    Column("body", Text, nullable=False),
    sqlite_strict=True,
)

# Decisions that somebody was sent out to inspect.
visits = Table(
    "visits",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("decision_id", Text, ForeignKey("decisions.decision_id"), nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("scored_at", Text, nullable=False),
    Column("stratum", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("probability", FIGURE, nullable=False),
    Column("office", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("undrawn_lane", Text, nullable=False, server_default=""),
    Index("visits_by_time", "subject_kind", "scored_at"),
    sqlite_strict=True,
)

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", PLACE, primary_key=True, autoincrement=False),
    Column("raised_at", INSTANT, nullable=False),
    Column("subject_kind", Text, nullable=False),
    # The Monday of the week concerned.
    Column("week", Text, nullable=False),
    Column("measure", Text, nullable=False),
    Column("size", FIGURE, nullable=False),
    Column("p_value", FIGURE, nullable=False),
    Column("words", Text, nullable=False),
    Index("one_alert_a_week", "subject_kind", "week", "measure", unique=True),
    sqlite_strict=True,
)

alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("alert_id", PLACE, ForeignKey("alerts.alert_id"), primary_key=True),
    Column("delivered_at", INSTANT, nullable=False),
    sqlite_strict=True,
)

# The factor on the usual probability of the control draw and its period; the newest row applies.
explorations = Table(
    "explorations",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("subject_kind", Text, nullable=False),
    Column("begins_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    Column("factor", FIGURE, nullable=False),
    Column("because", Text, nullable=False),
    sqlite_strict=True,
)

monitor_reports = Table(
    "monitor_reports",
    metadata,
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("subject_kind", Text, nullable=False),
    Column("made_at", INSTANT, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_strict=True,
)
