"""Which tables the audit chain covers, and why it covers no other.

Of every row that is written to a covered table the same transaction appends the digest to the audit
chain (`written_rows`), so that `tidegate verify-log` finds whatever was changed, deleted, inserted
or exchanged later. A new table goes into one of the two; a test fails for one in neither.
"""

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
    "cases",
    "checkpoints",
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
    "switch_proposals",
    "switches",
    "teams",
    "used_approvals",
    "webhook_endpoints",
)
"""Every column of these is covered, encrypted ones as they are kept."""

TOLD_WITH = {
    "case_events": ("case", "case_id"),
    "cases": ("case", "case_id"),
    "switch_proposals": ("model", "subject_kind"),
    "switches": ("model", "subject_kind"),
}
"""Tables whose rows are told by events about one object each, and by no other.

Its kind, and the column of its id: so a row is found by its object, however long the log is.
"""

NOT_COVERED = {
    "answers": "the chain of decisions holds the digest of each, and its idempotency key",
    "api_key_uses": "a hint to the hour; what a key does is in events and decisions",
    "audit_events": "the audit chain itself",
    "case_links": "an event of each case has a digest of all its links, and no token of a party",
    "case_scores": "derived: the decisions about the subject of a case, to which each is held",
    "case_tags": "derived: the tags that cases state, to find cases by them",
    "case_terms": "derived: made of decisions, to find cases by what they name",
    "case_terms_from": "a place in the log; a wrong one makes terms anew, or leaves cases unfound",
    "cases_opened_to": "a place in the log; `verify-log` looks for the cases before it",
    "chain_checkpoints": "each is signed, every witness has it; columns are held to it",
    "day_summaries": "derived: counts of decisions, made again where deleted",
    "decisions": "a chain of their own, with which `verify-log` proves them",
    "known_browsers": "browsers that wait less for wrong passwords, as without `sign_in_failures`",
    "notices": "made with an event of a case, which tells the same; whether one was read",
    "reading_choices": "a language and a clock: nobody may do or see more by them",
    "rescorings_found_to": "a place in the log; one beyond its end is found, and undone at a start",
    "rescue_calls_found_to": "a place in the log; `verify-log` and a start look before it",
    "saved_views": "filters that somebody named for themselves; saving and deletion are events",
    "sessions": "end within hours, and count with the seal of the home's key; each is an event",
    "ship_journeys": "derived: which journeys of decisions and records a ship is on",
    "ship_journeys_from": "a place in the log, before which journeys are noted again",
    "shadow_scores": "derived: a named model's score of the vector that a decision has",
    "sign_in_failures": "counters that end within days; each refusal is an event",
    "state": "derived: the online feature store, rebuilt from decisions and records",
    "summarised_to": "a place in the log, up to which days were counted; not beyond its end",
    "untold_news": "what cases are to be told of: found in records and decisions",
    "webhook_progress": "how far each endpoint was told; it asks for what it lacks by `/v1/events`",
    "visits": "derived: decisions that somebody was sent for, to which each is held whole",
    "witness_progress": "how far each was told; a start asks it and tells the rest",
}
"""Why each of the others is not."""
