"""Creates all tables, and triggers that refuse changes of append-only rows."""

from alembic import op

from serving.storage.tables.schema import metadata

revision = "baseline"
down_revision = None

_APPENDED = "what was appended is never changed"
_SWITCHED = "what was switched stays on record"
_PROPOSED = "what was proposed stays on record"

# The append-only tables, with the message of the trigger that refuses a change or a deletion.
APPEND_ONLY = {
    "alerts": _APPENDED,
    "approval_keys": _APPENDED,
    "approvals": _APPENDED,
    "audit_events": _APPENDED,
    "case_events": _APPENDED,
    "chain_checkpoints": _APPENDED,
    "decisions": "decisions are appended and never changed",
    "explorations": _APPENDED,
    "monitor_reports": _APPENDED,
    "proposed_acts": _APPENDED,
    "published_events": "what was told is never changed",
    "records": _APPENDED,
    "refused_uses": _APPENDED,
    "retention_acts": _APPENDED,
    "revoked_approval_keys": _APPENDED,
    "switch_proposals": _PROPOSED,
    "switches": _SWITCHED,
    "used_approvals": _APPENDED,
}

# Columns without statistics in PostgreSQL, see `upgrade`.
_NOT_SAMPLED = ("saved_views.first_code", "saved_views.last_code", "case_terms.code")
_STATE = ("state.key", "state.value")

_SUBJECTS = "decisions_are_about_routes_and_shipments"
_KINDS = "('route', 'shipment')"


def upgrade() -> None:
    """Create the tables and their triggers."""
    is_postgresql = op.get_context().dialect.name == "postgresql"
    metadata.create_all(op.get_bind(), checkfirst=False)
    refuse = _refuse_in_postgresql if is_postgresql else _refuse_in_sqlite
    for table, words in APPEND_ONLY.items():
        refuse(table, words)
    # A trigger rather than a constraint, because it can have a message of our own.
    if not is_postgresql:
        op.execute(
            f"CREATE TRIGGER {_SUBJECTS} BEFORE INSERT ON decisions "
            f"WHEN NEW.subject_kind NOT IN {_KINDS} "
            "BEGIN SELECT RAISE(ABORT, 'only routes and shipments are decided about'); END"
        )
        return
    op.execute(f"ALTER TABLE decisions ADD CONSTRAINT {_SUBJECTS} CHECK (subject_kind IN {_KINDS})")
    # The samples that `ANALYZE` takes of searched codes and stored state would outlive their
    # erasure.
    for each in (*_NOT_SAMPLED, *_STATE):
        table, column = each.split(".")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")


def _refuse_in_sqlite(table: str, words: str) -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_{change.lower()} "
            f"BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )


def _refuse_in_postgresql(table: str, words: str) -> None:
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for change in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} "
            f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
        )
