"""The tables that the audit chain covers, and the reasons for those it does not.

Each transaction appends the digest of every row it writes to a covered table to the audit chain
(`row_audit.writer`). `tidegate verify-log` thereby finds any row changed, deleted, inserted or
swapped later. A new table must be listed here; a test fails for one that is not.
"""

# Every column of these tables is covered; encrypted columns as stored.
COVERED = (
    "accounts",
    "alert_deliveries",
    "alerts",
    "api_keys",
    "approval_keys",
    "approvals",
    "bound_purpose",
    "case_events",
    "case_files",
    "case_tags",
    "cases",
    "contents",
    "data_keys",
    "distress_alerts",
    "due_rescorings",
    "exchange_arrivals",
    "exchange_objects",
    "exchange_partners",
    "exchange_sendings",
    "explorations",
    "installation",
    "installation_keys",
    "kept_messages",
    "message_subjects",
    "monitor_reports",
    "notices",
    "proposed_acts",
    "published_events",
    "records",
    "recovery_codes",
    "refused_uses",
    "rescue_call_events",
    "rescue_calls",
    "retention_acts",
    "revoked_approval_keys",
    "second_factors",
    "shadow_scores",
    "ship_journeys",
    "switch_proposals",
    "switches",
    "teams",
    "pending_news",
    "used_approvals",
    "webhook_endpoints",
)

# Tables whose rows appear only in events about one object each: the kind of the object and the
# column of its id. A row is then found by its object, however long the log is.
TOLD_WITH = {
    "case_events": ("case", "case_id"),
    "cases": ("case", "case_id"),
    "switch_proposals": ("model", "subject_kind"),
    "switches": ("model", "subject_kind"),
}

# Tables whose rows follow from others: `verify-log` compares the two.
CHECKED_OTHERWISE = {
    "answers": "the chain of decisions holds the digest of each, and its idempotency key",
    "audit_events": "the audit chain itself",
    "case_links": "an event of each case has a digest of all its links, and no token of a party",
    "case_scores": "each is compared with its decision, and no case lacks its first",
    "chain_checkpoints": "each is signed, every witness has it; columns are compared with it",
    "decisions": "a chain of their own, with which `verify-log` proves them",
    "log_positions": "not beyond the log, nor before what was done; no rescue, subject or case is "
    "passed by",
    "receivers": "none reached an event or a checkpoint that there is not; a receiver asks for "
    "others itself",
    "visits": "each is compared with its decision, whole; one that is gone is missing in "
    "figures alone",
}

# Tables that nobody relies on, or whose manipulation harms nobody.
HARMLESS = {
    "api_key_uses": "a hint to the hour; what a key does is in events and decisions",
    "case_terms": "by what the search finds cases; queue, lists and pages of cases do without, and "
    "who may see a case is asked of the case itself",
    "day_summaries": "counts in reports: made again of decisions where deleted",
    "known_browsers": "browsers that wait less for wrong passwords, as without `sign_in_failures`",
    "reading_choices": "a language and a clock: nobody may do or see more by them",
    "saved_views": "filters that somebody named for themselves; saving and deletion are events",
    "sessions": "end within hours, and count with the seal of the home's key; each is an event",
    "sign_in_failures": "counters that end within days; each refusal is an event",
    "state": "the online feature store: made again of decisions and records at any time, and "
    "each decision states the numbers that it was made with",
}

# The reason for each table that is not covered.
NOT_COVERED = CHECKED_OTHERWISE | HARMLESS
