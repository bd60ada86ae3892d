"""The tables, in SQLite and PostgreSQL alike; `migrations` makes them.

Decisions, checkpoints, records, switches and events of cases are appended and never changed:
the database itself refuses. What says something of a party is encrypted, in those tables and in
all others, and ids that are searched for are tokens (`data_keys`); rows that an older release wrote
are in the clear.
"""

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData()

decisions = Table(
    "decisions",
    metadata,
    Column(
        "seq", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    ),
    Column("decision_id", Text, nullable=False, unique=True),
    Column("scored_at", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("office_id", Text),
    Column("caller_id", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("probability", Float(53).with_variant(REAL(), "sqlite")),
    # What outlasts the decision; the columns above repeat parts of it to be found by.
    Column("record", Text, nullable=False),
    # SHA-256 of the previous row's chain and this row's record.
    Column("chain", LargeBinary, nullable=False),
    # The decision whole, encrypted; its digest is in the record.
    Column("encrypted", LargeBinary),
    # Of a subject that is scored again: its first decision, and its lane before.
    Column("rescores", Text),
    Column("lane_before", Text),
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

# Checkpoints of releases before December 2026, of decisions only.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column(
        "size",
        BigInteger().with_variant(Integer(), "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("head", Text, nullable=False),
    Column("signed_at", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", Text, nullable=False),
    sqlite_strict=True,
)

# Signed statements of where all chains ended, each as the line that witnesses have of it.
chain_checkpoints = Table(
    "chain_checkpoints",
    metadata,
    Column(
        "number",
        BigInteger().with_variant(Integer(), "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("epoch", Integer, nullable=False),
    Column("line", Text, nullable=False),
    sqlite_strict=True,
)

# Up to which checkpoint each witness took them.
witness_progress = Table(
    "witness_progress",
    metadata,
    Column("witness", Text, primary_key=True),
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    Column("at", Text, nullable=False),
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
    Index("records_by_subject", "subject_kind", "subject_id"),
    Index("records_by_arrival", "received_at"),
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
    Column("log_odds", Float(53).with_variant(REAL(), "sqlite"), nullable=False),
    Column("probability", Float(53).with_variant(REAL(), "sqlite"), nullable=False),
    Column("percentile", Float(53).with_variant(REAL(), "sqlite"), nullable=False),
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

# Models switched off and on again, by whom and why; of each kind the newest row holds.
switches = Table(
    "switches",
    metadata,
    Column(
        "seq", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    ),
    Column("subject_kind", Text, nullable=False),
    Column("is_on", Integer, nullable=False),
    Column("switched_at", Text, nullable=False),
    Column("switched_by", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("switched_by_name", Text),
    sqlite_strict=True,
)

# Proposals to switch models on again, which wait for a second person; appended, never changed.
switch_proposals = Table(
    "switch_proposals",
    metadata,
    Column(
        "seq", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    ),
    Column("subject_kind", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("because", Text, nullable=False),
    # The place of the newest switch of the kind: once there is another, a proposal is over.
    Column("after_seq", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    sqlite_strict=True,
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_sha256", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("offices", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text),
    Column("revoked_at", Text),
    # JSON: what its holder may act for; empty for the purpose of the installation.
    Column("purposes", Text),
    # Whom it belongs to: the id of that holder's first key; null for a first key itself.
    Column("holder_id", Text),
    # Since when a newer key of its holder takes its place; it lives on until it expires.
    Column("superseded_at", Text),
    Index(
        "one_current_key_per_name",
        "name",
        unique=True,
        sqlite_where=text("revoked_at IS NULL AND superseded_at IS NULL"),
        postgresql_where=text("revoked_at IS NULL AND superseded_at IS NULL"),
    ),
    sqlite_strict=True,
)

# When a key was last used, to the hour or so; apart, since a key itself is seldom changed.
api_key_uses = Table(
    "api_key_uses",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("last_used_at", Text, nullable=False),
    sqlite_strict=True,
)

cases = Table(
    "cases",
    metadata,
    Column("case_id", Text, ForeignKey("decisions.decision_id"), primary_key=True),
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("office_id", Text),
    Column("lane", Text, nullable=False),
    Column("mode", Text),
    Column("rank", Integer, nullable=False),
    Column("due_at", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("status", Text, nullable=False),
    # An identity, and the name beside it; an older release put a name in its place.
    Column("owner", Text),
    Column("waiting_until", Text),
    Column("what", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False),
    # The newest decision that counts for it; the one that opened it where that is null.
    Column("decision_id", Text),
    Column("owner_name", Text),
    # The probability of a find, times its harm; a control case has that of an inspection.
    Column("risk", Float(53).with_variant(REAL(), "sqlite")),
    # The team in whose inbox it is while nobody has it; null for the inbox of its office.
    Column("team", Text),
    # Since when it calls for a supervisor, as long as it does.
    Column("escalated_at", Text),
    Index("cases_by_risk", text("risk DESC"), "due_at", "case_id"),
    Index("cases_by_seq", "seq", "case_id"),
    Index(
        "cases_by_owner",
        "owner",
        "status",
        sqlite_where=text("owner IS NOT NULL"),
        postgresql_where=text("owner IS NOT NULL"),
    ),
    Index(
        "cases_begun",
        "status",
        "seq",
        sqlite_where=text("status <> 'open'"),
        postgresql_where=text("status <> 'open'"),
    ),
    Index(
        "cases_to_count",
        *("due_at", "status", "owner", "lane", "office_id", "mode", "waiting_until", "team"),
        sqlite_where=text("status <> 'closed'"),
        postgresql_where=text("status <> 'closed'"),
    ),
    Index("cases_by_lane", "lane", "status"),
    Index(
        "cases_escalated",
        "escalated_at",
        "status",
        sqlite_where=text("escalated_at IS NOT NULL"),
        postgresql_where=text("escalated_at IS NOT NULL"),
    ),
    sqlite_strict=True,
)

# Reviewers of an office with an inbox; lists are JSON. A disbanded one keeps its row and its name.
teams = Table(
    "teams",
    metadata,
    Column("name", Text, primary_key=True),
    # Null for all offices.
    Column("office_id", Text),
    Column("members", Text, nullable=False),
    # Which cases arrive by themselves; null for none.
    Column("arrivals", Text),
    Column("made_at", Text, nullable=False),
    Column("disbanded_at", Text),
    sqlite_strict=True,
)

# What a case shares with others: containers, parties, conveyances, goods and ways.
case_links = Table(
    "case_links",
    metadata,
    Column("case_id", Text, ForeignKey("cases.case_id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    # The place of the case in the log, to find the newest by.
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    # The value itself, encrypted.
    Column("encrypted_value", Text),
    # As what the case names it, with commas between: payer, consignee, vessel …
    Column("roles", Text),
    Index("case_links_by_value", "kind", "value", "seq"),
    sqlite_strict=True,
)

# By what cases are found: a keyed code of each identifier, where what begins alike has codes that
# begin alike (`prefix_codes`), and what of a case decides who sees it.
case_terms = Table(
    "case_terms",
    metadata,
    Column("case_id", Text, ForeignKey("cases.case_id"), primary_key=True),
    Column("code", LargeBinary, primary_key=True),
    # The place of the case in the log, negative, so that the newest comes first.
    Column("minus_seq", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    Column("is_rescue", Integer, nullable=False),
    Column("office_id", Text),
    # As what the case names it, with commas between: container, payer, vessel ...
    Column("names", Text, nullable=False),
    Column("encrypted_value", Text, nullable=False),
    Index("case_terms_by_code", "is_rescue", "code", "minus_seq"),
    Index("case_terms_by_office", "is_rescue", "office_id", "code", "minus_seq"),
    sqlite_strict=True,
)

# From which place in the log cases have terms; older ones get theirs meanwhile. One row, or none.
case_terms_from = Table(
    "case_terms_from",
    metadata,
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    sqlite_strict=True,
)

# Which tags cases have, to find them by: a token of each, and the tag itself, encrypted.
case_tags = Table(
    "case_tags",
    metadata,
    Column("case_id", Text, ForeignKey("cases.case_id"), primary_key=True),
    Column("token", Text, primary_key=True),
    # The place of the case in the log, to find the newest by.
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    Column("encrypted_tag", Text, nullable=False),
    Index("case_tags_by_token", "token", "case_id"),
    Index("case_tags_by_place", "seq"),
    sqlite_strict=True,
)

# Filters that holders of accounts named, encrypted; `first_code` and `last_code` are those of what
# they search for, so that a view goes with the last case that it could find.
saved_views = Table(
    "saved_views",
    metadata,
    Column("view_id", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("saved_at", Text, nullable=False),
    Column("first_code", LargeBinary),
    Column("last_code", LargeBinary),
    Column("encrypted", Text, nullable=False),
    Index("saved_views_by_holder", "holder"),
    sqlite_strict=True,
)

# What happened to cases that holders of accounts are to know, from `at` on; no word of the case.
notices = Table(
    "notices",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("case_id", Text, ForeignKey("cases.case_id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text),
    Column("read_at", Text),
    Index("notices_by_holder", "holder", "at"),
    Index("notices_by_case", "case_id"),
    sqlite_strict=True,
)

# Up to which place in the log decisions have had their cases opened; one row.
cases_opened_to = Table(
    "cases_opened_to",
    metadata,
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    sqlite_strict=True,
)

# Each score of the subject of a case; the newest that counts stands in the case.
case_scores = Table(
    "case_scores",
    metadata,
    Column("case_id", Text, ForeignKey("cases.case_id"), primary_key=True),
    Column("decision_id", Text, ForeignKey("decisions.decision_id"), primary_key=True),
    Column("scored_at", Text, nullable=False),
    Column("lane", Text, nullable=False),
    sqlite_strict=True,
)

# Outcomes that came by themselves, until they have closed or changed the case of their subject.
waiting_outcomes = Table(
    "waiting_outcomes",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    sqlite_strict=True,
)

case_events = Table(
    "case_events",
    metadata,
    Column(
        "seq", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    ),
    Column("case_id", Text, ForeignKey("cases.case_id"), nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("changed", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("actor_name", Text),
    Index("case_events_by_case", "case_id", "seq"),
    sqlite_strict=True,
)

# What other systems are told of cases, in the order in which it became true.
published_events = Table(
    "published_events",
    metadata,
    Column(
        "seq", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    ),
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

# What is attached to cases, each content once. Contents may be deleted when their time ends; the
# event that tells of one keeps its digest.
contents = Table(
    "contents",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    sqlite_strict=True,
)

case_files = Table(
    "case_files",
    metadata,
    Column("case_id", Text, ForeignKey("cases.case_id"), primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("attached_at", Text, nullable=False),
    Column("attached_by", Text, nullable=False),
    Column("attached_by_name", Text),
    sqlite_strict=True,
)

# Calls to those who rescue, one for each decision that came into that lane.
rescue_calls = Table(
    "rescue_calls",
    metadata,
    Column("decision_id", Text, ForeignKey("decisions.decision_id"), primary_key=True),
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
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
    Column(
        "seq", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    ),
    Column("decision_id", Text, ForeignKey("decisions.decision_id"), nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor_name", Text),
    Index("rescue_call_events_by_call", "decision_id", "seq"),
    sqlite_strict=True,
)

# Up to which place in the log decisions have been looked through for rescues; one row.
rescue_calls_found_to = Table(
    "rescue_calls_found_to",
    metadata,
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
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
    Index("due_rescorings_by_instant", "due_at"),
    sqlite_strict=True,
)

# Up to which place in the log decisions have been looked through for records that wait; one row.
rescorings_found_to = Table(
    "rescorings_found_to",
    metadata,
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    sqlite_strict=True,
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("offices", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("disabled_at", Text),
    # Who the holder is elsewhere, for accounts that are signed in to there.
    Column("subject", Text),
    # Whose choice the password is, and since when: a first one must be changed.
    Column("credential_origin", Text, nullable=False, server_default="first"),
    Column("password_set_at", Text),
    Index("one_account_per_subject", "subject", unique=True),
    sqlite_strict=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("cookie_sha256", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("form_token", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("ends_at", Text, nullable=False),
    Column("begun_at", Text, nullable=False),
    Column("proved_at", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("has_second_factor", Integer, nullable=False),
    Index("sessions_by_holder", "holder"),
    sqlite_strict=True,
)

# In which language and by which clock holders of accounts read, where they chose one.
reading_choices = Table(
    "reading_choices",
    metadata,
    Column("account", Text, ForeignKey("accounts.name"), primary_key=True),
    Column("language", Text),
    Column("time_zone", Text),
    sqlite_strict=True,
)

# What makes the codes of accounts, encrypted; it counts from when it was confirmed with one.
second_factors = Table(
    "second_factors",
    metadata,
    Column("account", Text, ForeignKey("accounts.name"), primary_key=True),
    Column("secret", Text, nullable=False),
    Column("confirmed_at", Text),
    # The half minute since 1970 whose code was used last: a code counts once.
    Column("last_step", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    sqlite_strict=True,
)

# Hashes of codes for one sign-in without the app; one that was used is deleted.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("account", Text, ForeignKey("accounts.name"), primary_key=True),
    Column("code_sha256", Text, primary_key=True),
    sqlite_strict=True,
)

# Failed attempts to sign in, by tokens of account, address or both: names in the clear might be
# passwords that were typed into the wrong field.
sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("counted_by", Text, primary_key=True),
    Column("token", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Text, nullable=False),
    # Whether the audit log has the refusal of an attempt that did not wait.
    Column("is_told", Integer, nullable=False),
    Index("sign_in_failures_by_time", "last_at"),
    sqlite_strict=True,
)

# Browsers that accounts signed in with, by the hash of a cookie that opens nothing.
known_browsers = Table(
    "known_browsers",
    metadata,
    Column("account", Text, ForeignKey("accounts.name"), primary_key=True),
    Column("cookie_sha256", Text, primary_key=True),
    Column("last_at", Text, nullable=False),
    sqlite_strict=True,
)

# The key of each day of decisions or records, and of what had to outlast its day; a key that was
# destroyed leaves its row.
data_keys = Table(
    "data_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("wrapping_id", Text, nullable=False),
    Column("wrapped", LargeBinary),
    Column("destroyed_at", Text),
    sqlite_strict=True,
)

# What was done about the end of data, by whom and why; appended, never changed.
retention_acts = Table(
    "retention_acts",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("details", Text, nullable=False),
    sqlite_strict=True,
)

# Who read, decided, signed in or changed what; each row is chained to the one before.
audit_events = Table(
    "audit_events",
    metadata,
    Column(
        "seq", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    ),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("details", Text, nullable=False),
    # SHA-256 of the chain before and of all other columns of this row.
    Column("chain", LargeBinary, nullable=False),
    Index("audit_events_by_object", "object_kind", "object_id", "seq"),
    Index("audit_events_by_actor", "actor", "seq"),
    sqlite_strict=True,
)

# Which database this is; one row. `moving_to` is where it is carried over to, or was.
installation = Table(
    "installation",
    metadata,
    Column("database_id", Text, primary_key=True),
    Column("created_at", Text, nullable=False),
    Column("moving_to", Text),
    Column("moved_at", Text),
    sqlite_strict=True,
)

# The keys of the home that belong to this database, by what names them in public. One that was
# rotated away has an instant after which nothing new is signed with it; `adoption` is its
# statement of the key that follows, signed by both.
installation_keys = Table(
    "installation_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("public_key", Text, nullable=False),
    Column("adopted_at", Text, nullable=False),
    Column("retires_at", Text),
    Column("adopted_by", Text),
    Column("adoption", Text),
    sqlite_strict=True,
)

# Public halves (hex) of keys that persons hold to approve by; a key ends by a row below.
approval_keys = Table(
    "approval_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("registered_at", Text, nullable=False),
    Column("registered_by", Text, nullable=False),
    Index("approval_keys_by_account", "account"),
    sqlite_strict=True,
)

revoked_approval_keys = Table(
    "revoked_approval_keys",
    metadata,
    Column("key_id", Text, ForeignKey("approval_keys.key_id"), primary_key=True),
    Column("revoked_at", Text, nullable=False),
    Column("revoked_by", Text, nullable=False),
    sqlite_strict=True,
)

# Acts that wait for two persons in the console, with what is known of them (JSON).
proposed_acts = Table(
    "proposed_acts",
    metadata,
    Column("act_id", Text, primary_key=True),
    Column("act", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("proposed_at", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    sqlite_strict=True,
)

# Who agreed to an act, or did not, in the console or by a key; `document` is what was signed.
approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", Text, primary_key=True),
    Column("act_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("is_agreed", Integer, nullable=False),
    Column("given_at", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index("approvals_by_act", "act_id"),
    sqlite_strict=True,
)

# Approvals by which an act was done; the key makes each count once.
used_approvals = Table(
    "used_approvals",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.approval_id"), primary_key=True),
    Column("used_at", Text, nullable=False),
    Column("used_by", Text, nullable=False),
    sqlite_strict=True,
)

# What the data of this database came for; one row.
bound_purpose = Table(
    "bound_purpose",
    metadata,
    Column("purpose", Text, primary_key=True),
    sqlite_strict=True,
)

# Calls that acted for another purpose.
refused_uses = Table(
    "refused_uses",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("use", Text, nullable=False),
    sqlite_strict=True,
)
