"""Which tables the audit chain covers, and why it covers no other.

Of every row that is written to a covered table the same transaction appends the digest to the audit
chain (`written_rows`), so that `tidegate verify-log` finds whatever was changed, deleted, inserted
or exchanged later. A new table goes into one of the two; a test fails for one in neither.
"""

# Every column of these is covered, encrypted ones as they are kept.
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
    "untold_news",
    "used_approvals",
    "webhook_endpoints",
)

# Tables whose rows are told by events about one object each, and by no other. Its kind, and the
# column of its id: so a row is found by its object, however long the log is.
TOLD_WITH = {
    "case_events": ("case", "case_id"),
    "cases": ("case", "case_id"),
    "switch_proposals": ("model", "subject_kind"),
    "switches": ("model", "subject_kind"),
}

# Tables whose rows follow from others: `verify-log` compares them with those.
CHECKED_OTHERWISE = {
    "answers": "the chain of decisions holds the digest of each, and its idempotency key",
    "audit_events": "the audit chain itself",
    "case_links": "an event of each case has a digest of all its links, and no token of a party",
    "case_scores": "each is compared with its decision, and no case lacks its first",
    "chain_checkpoints": "each is signed, every witness has it; columns are compared with it",
    "decisions": "a chain of their own, with which `verify-log` proves them",
    "log_positions": "not beyond the log, nor before what was done; no rescue, subject or case is "
    "passed by, and no checkpoint that there is not was handed over",
    "visits": "each is compared with its decision, whole; one that is gone is missing in "
    "figures alone",
    "webhook_progress": "reached an event that there is; an endpoint asks for others itself",
}

# Tables that tell nobody anything, or whose change does nobody harm.
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

# Why each of the others is not.
NOT_COVERED = CHECKED_OTHERWISE | HARMLESS
