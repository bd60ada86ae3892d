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
    "bound_purpose",
    "case_events",
    "case_files",
    "cases",
    "checkpoints",
    "contents",
    "data_keys",
    "explorations",
    "monitor_reports",
    "records",
    "refused_uses",
    "rescue_call_events",
    "rescue_calls",
    "retention_acts",
    "switch_proposals",
    "switches",
)
"""Every column of these is covered, encrypted ones as they are kept."""

NOT_COVERED = {
    "answers": "the chain of decisions holds the digest of each",
    "audit_events": "the audit chain itself",
    "case_links": "derived: made of decisions, to find cases alike",
    "cases_opened_to": "a place in the log, up to which cases were opened",
    "day_summaries": "derived: counts of decisions, made again where deleted",
    "decisions": "a chain of their own, with which `verify-log` proves them",
    "due_rescorings": "who waits to be scored again: found in records and decisions",
    "rescorings_found_to": "a place in the log, up to which subjects were let wait",
    "rescue_calls_found_to": "a place in the log, up to which rescues were called",
    "sessions": "secrets that end within hours; that one began is an event",
    "shadow_scores": "derived: a named model's score of the vector that a decision has",
    "state": "derived: the online feature store, rebuilt from decisions and records",
    "summarised_to": "a place in the log, up to which days were counted",
    "visits": "derived: decisions that somebody was sent for",
}
"""Why each of the others is not."""
