"""Signing in: first passwords, second factors, failed attempts, and sessions that end by rest.

Every session of before ends, and every password of before is a first one: whoever made the account
has seen it.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "signing_in"
down_revision = "audit_log"


def upgrade() -> None:
    """Make the tables and columns."""
    columns = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("accounts")}
    if "credential_origin" not in columns:
        first = sa.Column("credential_origin", sa.Text, nullable=False, server_default="first")
        op.add_column("accounts", first)
    if "password_set_at" not in columns:
        op.add_column("accounts", sa.Column("password_set_at", sa.Text))
    _make_sessions_anew()
    _make(
        "second_factors",
        _account(),
        *(
            sa.Column(name, sa.Text, nullable=name != "secret")
            for name in ("secret", "confirmed_at")
        ),
        sa.Column(
            "last_step", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
    )
    _make("recovery_codes", _account(), sa.Column("code_sha256", sa.Text, primary_key=True))
    _make(
        "sign_in_failures",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("counted_by", "token")),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", sa.Text, nullable=False),
        sa.Column("is_told", sa.Integer, nullable=False),
    )
    op.create_index("sign_in_failures_by_time", "sign_in_failures", ["last_at"], if_not_exists=True)
    _make(
        "known_browsers",
        _account(),
        sa.Column("cookie_sha256", sa.Text, primary_key=True),
        sa.Column("last_at", sa.Text, nullable=False),
    )


def _make_sessions_anew() -> None:
    op.drop_table("sessions", if_exists=True)
    texts = ("holder", "form_token", "expires_at", "ends_at", "begun_at", "proved_at")
    _make(
        "sessions",
        sa.Column("cookie_sha256", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in (*texts, "address", "browser")),
        sa.Column("has_second_factor", sa.Integer, nullable=False),
    )
    op.create_index("sessions_by_holder", "sessions", ["holder"], if_not_exists=True)


def _account() -> "sa.Column[str]":
    return sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), primary_key=True)


def _make(table: str, *columns: "sa.Column[Any]") -> None:
    op.create_table(table, *columns, sqlite_strict=True, if_not_exists=True)
