"""What monitoring keeps: summaries, visits, alerts, explorations and reports."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from serving.storage.migrations.append_only import refuse_changes

revision = "monitoring"
down_revision = "files_calls_subjects"

_NEVER = "what was appended is never changed"
_APPENDED = ("alerts", "explorations", "monitor_reports")


def upgrade() -> None:
    """Make the tables, and let the database refuse any change of what was told."""
    for name, columns in _TABLES.items():
        op.create_table(name, *columns(), sqlite_strict=True, if_not_exists=True)
    op.create_index("visits_by_time", "visits", ["subject_kind", "scored_at"], if_not_exists=True)
    told_once = ["subject_kind", "week", "measure"]
    op.create_index("one_alert_a_week", "alerts", told_once, unique=True, if_not_exists=True)
    for table in _APPENDED:
        refuse_changes(table, _NEVER)


def _place(name: str, *more: sa.ForeignKey, is_key: bool = True) -> sa.Column[Any]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    if not is_key:
        return sa.Column(name, kind, nullable=False)
    return sa.Column(name, kind, *more, primary_key=True, autoincrement=False)


def _texts(names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names.split()]


def _figures(names: str) -> list[sa.Column[Any]]:
    kind = sa.Float(53).with_variant(sa.REAL(), "sqlite")
    return [sa.Column(name, kind, nullable=False) for name in names.split()]


def _visits() -> list[sa.Column[Any]]:
    return [
        _place("seq"),
        sa.Column("decision_id", sa.Text, sa.ForeignKey("decisions.decision_id"), nullable=False),
        *_texts("subject_kind subject_id scored_at stratum lane"),
        *_figures("probability"),
        *_texts("office model mode region operator"),
    ]


_TABLES: dict[str, Callable[[], list[sa.Column[Any]]]] = {
    "day_summaries": lambda: [
        sa.Column("subject_kind", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        *_texts("body"),
    ],
    "summarised_to": lambda: [_place("seq", is_key=False)],
    "visits": _visits,
    "alerts": lambda: [
        _place("alert_id"),
        *_texts("raised_at subject_kind week measure"),
        *_figures("size p_value"),
        *_texts("words"),
    ],
    "alert_deliveries": lambda: [
        _place("alert_id", sa.ForeignKey("alerts.alert_id")),
        *_texts("delivered_at"),
    ],
    "explorations": lambda: [
        _place("seq"),
        *_texts("subject_kind begins_at ends_at"),
        *_figures("factor"),
        *_texts("because"),
    ],
    "monitor_reports": lambda: [_place("seq"), *_texts("subject_kind made_at body")],
}
