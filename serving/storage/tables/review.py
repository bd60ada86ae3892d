"""Tables of cases: their content, their events, and what their readers store."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from serving.storage.tables.column_types import INSTANT, JSON, TEXTS
from serving.storage.tables.schema import FIGURE, PLACE, metadata

cases = Table(
    "cases",
    metadata,
    Column("case_id", Text, ForeignKey("decisions.decision_id"), primary_key=True),
    Column("seq", PLACE, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("office_id", Text),
    Column("lane", Text, nullable=False),
    Column("mode", Text),
    Column("rank", Integer, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("status", Text, nullable=False),
    # The owner's identity; the name is in `owner_name`.
    Column("owner", Text),
    Column("waiting_until", INSTANT),
    Column("what", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False),
    # The newest decision that counts for it; null for the one that opened it.
    Column("decision_id", Text),
    Column("owner_name", Text),
    # The probability of a find times its harm; a control case has that of an inspection.
    Column("risk", FIGURE),
    # The team in whose inbox it is while it has no owner; null for the inbox of its office.
    Column("team", Text),
    # Since when it is escalated to a supervisor; null if it is not.
    Column("escalated_at", INSTANT),
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

# Reviewers of an office with a shared inbox. A disbanded team keeps its row, so
# that its name is not reused.
teams = Table(
    "teams",
    metadata,
    Column("name", Text, primary_key=True),
    # Null for all offices.
    Column("office_id", Text),
    Column("members", TEXTS, nullable=False),
    # The rule for cases that arrive by themselves; null for none.
    Column("arrivals", JSON),
    Column("made_at", INSTANT, nullable=False),
    Column("disbanded_at", INSTANT),
    sqlite_strict=True,
)

# The things that a case shares with others: containers, parties, conveyances, goods and routes.
case_links = Table(
    "case_links",
    metadata,
    Column("case_id", Text, ForeignKey("cases.case_id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    # The position of the case in the log, to find the newest first.
    Column("seq", PLACE, nullable=False),
    # The value itself, encrypted.
    Column("encrypted_value", Text),
    # The roles in which the case names it, comma-separated: payer, consignee, vessel …
    Column("roles", Text),
    Index("case_links_by_value", "kind", "value", "seq"),
    sqlite_strict=True,
)

# Search terms: a keyed code of each identifier, and the columns that decide who may see the case.
# Identifiers with the same beginning have codes with the same beginning (`prefix_codes`).
case_terms = Table(
    "case_terms",
    metadata,
    Column("case_id", Text, ForeignKey("cases.case_id"), primary_key=True),
    Column("code", LargeBinary, primary_key=True),
    # The position of the case in the log, negated so that the newest sorts first.
    Column("minus_seq", PLACE, nullable=False),
    Column("is_rescue", Integer, nullable=False),
    Column("office_id", Text),
    # The roles in which the case names it, comma-separated: container, payer, vessel ...
    Column("names", Text, nullable=False),
    Column("encrypted_value", Text, nullable=False),
    Index("case_terms_by_code", "is_rescue", "code", "minus_seq"),
    Index("case_terms_by_office", "is_rescue", "office_id", "code", "minus_seq"),
    sqlite_strict=True,
)

# The tags of cases: a token to search by, and the tag itself, encrypted.
case_tags = Table(
    "case_tags",
    metadata,
    Column("case_id", Text, ForeignKey("cases.case_id"), primary_key=True),
    Column("token", Text, primary_key=True),
    # The position of the case in the log, to find the newest first.
    Column("seq", PLACE, nullable=False),
    Column("encrypted_tag", Text, nullable=False),
    Index("case_tags_by_token", "token", "case_id"),
    Index("case_tags_by_place", "seq"),
    sqlite_strict=True,
)

# Saved filters of account holders, encrypted. `first_code` and `last_code` span the searched codes,
# so that a view can be deleted with the last case that it could find.
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

# Notices about cases to account holders, visible from `at` on; they contain no text of the case.
notices = Table(
    "notices",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("case_id", Text, ForeignKey("cases.case_id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text),
    Column("read_at", INSTANT),
    Index("notices_by_holder", "holder", "at"),
    Index("notices_by_case", "case_id"),
    sqlite_strict=True,
)

# Every score of a case's subject; the case itself has the newest that counts.
case_scores = Table(
    "case_scores",
    metadata,
    Column("case_id", Text, ForeignKey("cases.case_id"), primary_key=True),
    Column("decision_id", Text, ForeignKey("decisions.decision_id"), primary_key=True),
    Column("scored_at", INSTANT, nullable=False),
    Column("lane", Text, nullable=False),
    sqlite_strict=True,
)

# Outcomes, later versions of declarations and further decisions, by id, until the cases of their
# subjects have received them.
pending_news = Table(
    "pending_news",
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
    Column("seq", PLACE, primary_key=True, autoincrement=False),
    Column("case_id", Text, ForeignKey("cases.case_id"), nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("changed", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("actor_name", Text),
    Index("case_events_by_case", "case_id", "seq"),
    sqlite_strict=True,
)

# Contents of attached files, once for each case. A content may be deleted after its retention
# period; the event that mentions it keeps its digest.
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
    Column("attached_at", INSTANT, nullable=False),
    Column("attached_by", Text, nullable=False),
    Column("attached_by_name", Text),
    sqlite_strict=True,
)
