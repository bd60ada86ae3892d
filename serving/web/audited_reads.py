"""Routes whose reads are recorded in the audit log before they are answered.

Every GET route is in one of three tables: READINGS get an event from the audit middleware,
WITH_CASE_EVENTS get one from the case itself, and NOT_READINGS show nothing personal or
restricted. A test fails for a route in none of them.
"""

from typing import NamedTuple


class Reading(NamedTuple):
    """Audit action, kind of object, and the path parameter that identifies the object."""

    action: str
    object_kind: str
    named_by: str | None = None


READINGS = {
    "GET /v1/decisions/{decision_id}": Reading("read", "decision", "decision_id"),
    "GET /v1/decisions/{decision_id}/explanation": Reading(
        "read_explanation", "decision", "decision_id"
    ),
    "GET /v1/decisions": Reading("read", "decisions"),
    "GET /v1/queue": Reading("read", "queue"),
    "GET /v1/cases": Reading("read", "cases"),
    "GET /v1/cases/{case_id}": Reading("read", "case", "case_id"),
    "GET /v1/cases/{case_id}/attachments": Reading("read", "attachments", "case_id"),
    "GET /v1/events": Reading("read", "events"),
    "GET /v1/stored_messages/{message_id}": Reading("read", "message", "message_id"),
    "GET /v1/rescue-calls/{case_id}": Reading("read_calls", "case", "case_id"),
    "GET /v1/tags": Reading("read", "tags"),
    "GET /v1/offices": Reading("read", "offices"),
    "GET /v1/notices": Reading("read", "notices"),
    "GET /v1/entities/{kind}/{token}": Reading("read", "entity", "token"),
    "GET /v1/switches": Reading("read", "switches"),
    "GET /console/accounts": Reading("read", "accounts"),
    "GET /console/accounts/keys/revoke": Reading("read", "accounts"),
    "GET /console/accounts/{account}": Reading("read", "accounts"),
    "GET /console/accounts/{account}/{act}": Reading("read", "accounts"),
    "GET /console/approvals": Reading("read", "approvals"),
    "GET /console/audit": Reading("read", "audit_log"),
    "GET /console/audit/events.csv": Reading("export", "audit_log"),
    "GET /console/audit/events.ndjson": Reading("export", "audit_log"),
    "GET /console/decisions": Reading("read", "decisions"),
    "GET /console/decisions/{decision_id}": Reading("read", "decision", "decision_id"),
    "GET /console/entities/{kind}/{token}": Reading("read", "entity", "token"),
    "GET /console/entities/{kind}/{token}/links.graphml": Reading("export", "entity", "token"),
    "GET /console/messages": Reading("read", "messages"),
    "GET /console/monitor": Reading("read", "monitoring"),
    "GET /console/notices": Reading("read", "notices"),
    "GET /console/queue": Reading("read", "queue"),
    "GET /console/rescues": Reading("read", "rescues"),
    "GET /console/rescues/alerts/{alert_id}": Reading("read", "distress_alert", "alert_id"),
    "GET /console/rescues/changes": Reading("read", "rescues"),
    "GET /console/search": Reading("read", "cases"),
    "GET /console/supervision": Reading("read", "supervision"),
    "GET /console/supervision/cases": Reading("read", "supervised_cases"),
    "GET /console/supervision/cases.csv": Reading("export", "supervised_cases"),
    "GET /console/supervision/figures.csv": Reading("export", "supervision"),
    "GET /console/supervision/figures.pdf": Reading("export", "supervision"),
    "GET /console/switches": Reading("read", "switches"),
}

# A second event for the same read would only repeat the case's own.
WITH_CASE_EVENTS = frozenset(
    {
        "GET /v1/cases/{case_id}/attachments/{sha256}",
        "GET /v1/cases/{case_id}/letters",
        "GET /v1/cases/{case_id}/letters/{audience}",
        "GET /console/cases/{case_id}",
        "GET /console/cases/{case_id}/links",
        "GET /console/cases/{case_id}/links.graphml",
        "GET /console/cases/{case_id}/together",
        "GET /console/cases/{case_id}/case.pdf",
        "GET /console/cases/{case_id}/letter",
        "GET /console/cases/{case_id}/letter/{audience}",
        "GET /console/cases/{case_id}/attachments/{sha256}",
        "GET /console/cases/{case_id}/messages/{message_id}",
        "GET /console/rescues/{case_id}",
        "GET /console/rescues/{case_id}/attachments/{sha256}",
        "GET /console/rescues/{case_id}/messages/{message_id}",
        "GET /console/supervision/reread/{case_id}",
    }
)

# The value gives the reason why the route needs no audit event.
NOT_READINGS = {
    "GET /": "leads to the console",
    "GET /docs": "the description of the API",
    "GET /problems": "what errors mean",
    "GET /problems/{name}": "what an error means",
    "GET /openapi.json": "the description of the API",
    "GET /health/live": "whether the service lives",
    "GET /health/ready": "whether it is whole",
    "GET /metrics": "counts of the service, without a word on anybody",
    "GET /v1/features": "the catalogue",
    "GET /v1/features/{name}": "the catalogue",
    "GET /v1/models": "the models that answer",
    "GET /console": "leads to the first page",
    "GET /console/": "leads to the first page",
    "GET /console/{address:path}": "no such page",
    "GET /console/account": "the reader's own account",
    "GET /console/confirm": "the form",
    "GET /console/features": "the catalogue",
    "GET /console/features/{name}": "the catalogue",
    "GET /console/map/{zoom}/{column}/{row}.svg": "coasts and borders of the world",
    "GET /console/models": "the models that answer",
    "GET /console/notices/count": "how many of the reader's own notices were not read",
    "GET /console/oidc": "leads to the provider",
    "GET /console/oidc/callback": "a sign-in, which is an event of its own",
    "GET /console/session": "how long the reader's own session lasts",
    "GET /console/queue/new": "how many cases came in",
    "GET /console/sign-in": "the form",
    "GET /console/sign-in/code": "the form",
    "GET /console/sign-in/password": "the form",
    "GET /console/sign-in/second-factor": "the form",
    "GET /console/supervision/reread": "leads to a case",
}
