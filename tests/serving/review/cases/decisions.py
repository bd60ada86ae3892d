"""Decisions as the log has them, without a service that made them."""

import json
from datetime import UTC, datetime
from typing import Any

from serving.audit.decision import Decision
from tests.serving.bodies import SHIPMENT

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def decision(body: dict[str, Any] | None = None, **changed: Any) -> Decision:
    """A decision on what was submitted, made while the models were switched off."""
    submitted = SHIPMENT if body is None else body
    kind = submitted["subject_kind"]
    about = submitted["shipment"] if kind == "shipment" else submitted["journey"]
    fields: dict[str, Any] = {
        "decision_id": "d-1",
        "scored_at": AT,
        "caller_id": "c",
        "caller_name": "customs",
        "office_id": "DE004600",
        "subject_kind": kind,
        "subject_id": about[f"{'shipment' if kind == 'shipment' else 'journey'}_id"],
        "request_digest": "sha256:0",
        "request": json.dumps(submitted),
        "model": None,
        "vector": {},
        "unseen": (),
        "missing": (),
        "score": None,
        "reasons": None,
        "lane": "inspect",
        "lane_reason": "watch_list",
        "life_at_risk": None,
        "hits": ("company c-0012 is on the list “wanted”: see file 7",),
        "plan": None,
        "lane_probabilities": {"inspect": 1.0},
        "selection_probability": 1.0,
        "unscored": "switched_off",
    }
    return Decision(**(fields | changed))
