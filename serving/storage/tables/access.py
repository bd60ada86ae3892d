"""Tables of access: accounts and their sign-in, API keys, and approvals by two persons."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from serving.storage.tables.column_types import FLAG, INSTANT, JSON, TEXTS
from serving.storage.tables.schema import PLACE, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_sha256", Text, nullable=False),
    Column("scopes", TEXTS, nullable=False),
    Column("offices", TEXTS, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT),
    Column("revoked_at", INSTANT),
    # JSON: the purposes its holder may act for; empty for the purpose of the installation.
    Column("purposes", TEXTS),
    # The holder, by the id of their first key; null for a first key itself.
    Column("holder_id", Text),
    # When a newer key of the holder replaced this one, which lives on until it expires.
    Column("superseded_at", INSTANT),
    Index(
        "one_current_key_per_name",
        "name",
        unique=True,
        sqlite_where=text("revoked_at IS NULL AND superseded_at IS NULL"),
        postgresql_where=text("revoked_at IS NULL AND superseded_at IS NULL"),
    ),
    sqlite_strict=True,
)

# The last use of a key, to the hour. A table of its own, since key rows are audited and seldom
# change.
api_key_uses = Table(
    "api_key_uses",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("last_used_at", INSTANT, nullable=False),
    sqlite_strict=True,
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("offices", TEXTS, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("disabled_at", INSTANT),
    # The holder's id at the external identity provider, for accounts that sign in there.
    Column("subject", Text),
    # Who chose the password, and when: a first one must be changed.
    Column("credential_origin", Text, nullable=False, server_default="first"),
    Column("password_set_at", INSTANT),
    Index("one_account_per_subject", "subject", unique=True),
    sqlite_strict=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("cookie_sha256", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("form_token", Text, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    Column("begun_at", INSTANT, nullable=False),
    Column("proved_at", INSTANT, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("has_second_factor", FLAG, nullable=False),
    Index("sessions_by_holder", "holder"),
    sqlite_strict=True,
)

# The language and time zone of account holders who chose one.
reading_choices = Table(
    "reading_choices",
    metadata,
    Column("account", Text, ForeignKey("accounts.name"), primary_key=True),
    Column("language", Text),
    Column("time_zone", Text),
    sqlite_strict=True,
)

# The encrypted secret of an account's codes; it counts once confirmed with a code.
second_factors = Table(
    "second_factors",
    metadata,
    Column("account", Text, ForeignKey("accounts.name"), primary_key=True),
    Column("secret", Text, nullable=False),
    Column("confirmed_at", INSTANT),
    # The last half minute since 1970 whose code was used: a code counts once.
    Column("last_step", PLACE, nullable=False),
    sqlite_strict=True,
)

# Hashes of codes for one sign-in without the app; a used one is deleted.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("account", Text, ForeignKey("accounts.name"), primary_key=True),
    Column("code_sha256", Text, primary_key=True),
    sqlite_strict=True,
)

# Failed sign-ins by tokens of account, address or both. Names in the clear could be passwords typed
# into the wrong field.
sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("counted_by", Text, primary_key=True),
    Column("token", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", INSTANT, nullable=False),
    # Whether the audit log has the refusal of an attempt that did not wait.
    Column("is_told", FLAG, nullable=False),
    Index("sign_in_failures_by_time", "last_at"),
    sqlite_strict=True,
)

# Browsers known to accounts, by the hash of a cookie that grants nothing, and known addresses, by a
# token.
known_browsers = Table(
    "known_browsers",
    metadata,
    Column("account", Text, ForeignKey("accounts.name"), primary_key=True),
    Column("cookie_sha256", Text, primary_key=True),
    Column("last_at", INSTANT, nullable=False),
    sqlite_strict=True,
)

# Public halves (hex) of approval keys; a revocation is a row in the next table.
approval_keys = Table(
    "approval_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("registered_at", INSTANT, nullable=False),
    Column("registered_by", Text, nullable=False),
    Index("approval_keys_by_account", "account"),
    sqlite_strict=True,
)

revoked_approval_keys = Table(
    "revoked_approval_keys",
    metadata,
    Column("key_id", Text, ForeignKey("approval_keys.key_id"), primary_key=True),
    Column("revoked_at", INSTANT, nullable=False),
    Column("revoked_by", Text, nullable=False),
    sqlite_strict=True,
)

# Acts that wait for two persons in the console, with their evidence.
proposed_acts = Table(
    "proposed_acts",
    metadata,
    Column("act_id", Text, primary_key=True),
    Column("act", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("proposed_at", INSTANT, nullable=False),
    Column("proposed_by", Text, nullable=False),
    sqlite_strict=True,
)

# Answers to an act, by the console or by a key; `document` is what was signed.
approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", Text, primary_key=True),
    Column("act_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("is_agreed", FLAG, nullable=False),
    Column("given_at", INSTANT, nullable=False),
    Column("document", Text, nullable=False),
    Index("approvals_by_act", "act_id"),
    sqlite_strict=True,
)

# Approvals already used for an act; the primary key makes each count once.
used_approvals = Table(
    "used_approvals",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.approval_id"), primary_key=True),
    Column("used_at", INSTANT, nullable=False),
    Column("used_by", Text, nullable=False),
    sqlite_strict=True,
)
